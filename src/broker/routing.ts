/** Where a message goes: the sessions of this shard, shared groups, other shards, the retained messages. */
import { SHARDS_MAX } from '../contracts/store-records.js'
import { deliverToMember, deliverToSubscribers } from './delivery.js'
import { LOT_THREAD } from './lot-link.js'
import type { PublishFields } from './message.js'
import { ForwardFlag, type ForwardHead } from './peers.js'
import { PendingPublish } from './pending-publish.js'
import { keepRetainedMessage, releaseWhenFlushed, sealMessage } from './persistence.js'
import type { Session } from './session.js'
import { REFUSED_FOR_ROOM, type ShardState } from './shard-state.js'
import type { SharedGroup } from './shared-group.js'
import type { TopicEntry } from './topic-table.js'

/**
 * Routes the message in `fields`. Who took it is counted in `shard.accepted` and `shard.refused`.
 * @param publisher undefined for what the broker publishes itself
 * @param isWatched the LoT thread gets it
 * @param owner user that it counts for while it is retained; undefined for nobody
 * @returns the other shards that have to answer before the message may be acknowledged, as the number to be answered
 *   and the pending publish they answer to; undefined when nothing is awaited
 */
export function route(
  shard: ShardState,
  fields: PublishFields,
  entry: TopicEntry,
  publisher: Session | undefined,
  isWatched: boolean = entry.isWatched,
  owner: string | undefined = publisher?.identity.userName,
): PendingPublish | undefined {
  if (fields.qos === 0 && !fields.retain) {
    // nothing of it is kept
    shard.accepted = 0
    shard.refused = 0
    shard.mustFlush = false
    if (entry.receivers.length > 0) deliverToSubscribers(shard, fields, entry, publisher)
    if (isWatched) shard.lot.forward(fields, publisher, 0, entry.isCommand)
    if (entry.groups.length > 0 || entry.remotes.length > 0) routeFurther(shard, fields, entry, publisher, 0, false)
    return undefined
  }
  begin(shard, entry, fields.qos === 2 && publisher?.isLogged === true)
  const stamp = fields.retain ? keepRetained(shard, fields, entry.name, true, owner) : 0
  if (entry.receivers.length > 0) deliverToSubscribers(shard, fields, entry, publisher)
  let pending: PendingPublish | undefined
  if (entry.groups.length > 0 || entry.remotes.length > 0 || fields.retain || isWatched) {
    pending = routeFurther(shard, fields, entry, publisher, stamp, isWatched)
  }
  sealMessage(shard, fields, publisher, pending?.together)
  if (pending !== undefined) pending.records += shard.records
  releaseWhenFlushed(shard, fields)
  return pending
}

/** All shards have written what they have to keep of it: that it was received takes effect with that. */
function receiveTogether(shard: ShardState, publisher: Session, pending: PendingPublish): void {
  const { packetId, together } = pending
  shard.storage.commitTogether(together, pending.records, { session: publisher.number, packetId })
  pending.awaited++
  shard.storage.whenFlushed((isKept) => {
    if (!isKept) pending.count(0, REFUSED_FOR_ROOM)
    pending.settle()
  })
}

/** @param isLogged it comes from a session that repeats it if it is not acknowledged */
function begin(shard: ShardState, entry: TopicEntry, isLogged: boolean): void {
  shard.holdsQos2 = isLogged && entry.durability === 'sync' && shard.storage.isDurable
  shard.accepted = 0
  shard.refused = 0
  shard.mustFlush = false
  shard.records = 0
  shard.durability = entry.durability
}

/** Whether a message to be retained would be refused for the limits. An empty one never is. */
export function retainedIsFull(shard: ShardState, fields: PublishFields, entry: TopicEntry): boolean {
  if (!fields.retain || fields.payloadBytes === 0) return false
  return (shard.storage.isFull && entry.durability !== 'off') || !shard.retained.hasRoom(entry.name, fields.bodyBytes)
}

/** Whether the user would have more retained than it may. An empty message never is too much. */
export function isOverQuota(shard: ShardState, session: Session, fields: PublishFields, entry: TopicEntry): boolean {
  if (!fields.retain || fields.payloadBytes === 0) return false
  return !shard.quotas.mayRetain(session.identity.userName, entry.name, fields.bodyBytes)
}

/** @param owner user that it counts for; undefined for nobody */
function keepRetained(
  shard: ShardState,
  fields: PublishFields,
  topic: string,
  reachesSubscribers: boolean,
  owner: string | undefined,
): number {
  const stamp = shard.retained.nextStamp(shard.nowMs, shard.index)
  const message = fields.keep(shard.memory, shard.nowMs)
  shard.retained.set(topic, message, stamp, shard.nowMs, reachesSubscribers)
  const bytes = fields.payloadBytes === 0 ? 0 : fields.bodyBytes
  shard.quotas.retained(owner, topic, bytes, stamp, message.expiresAtMs)
  keepRetainedMessage(shard, topic, message, stamp)
  return stamp
}

function routeFurther(
  shard: ShardState,
  fields: PublishFields,
  entry: TopicEntry,
  publisher: Session | undefined,
  stamp: number,
  isWatched: boolean,
): PendingPublish | undefined {
  const publisherHash = publisher?.clientHash ?? 0
  const groupsOf = new Map<number, number[]>()
  for (const group of entry.groups) {
    const remote = routeToGroup(shard, fields, group, entry.name, publisherHash)
    if (remote === undefined) continue
    const { groupId } = group.remotes.get(remote) ?? { groupId: 0 }
    groupsOf.set(remote, [...(groupsOf.get(remote) ?? []), groupId])
  }
  const targets = new Set([...entry.remotes, ...groupsOf.keys()])
  if (fields.retain) for (const other of shard.peers.others) targets.add(other)
  if (isWatched) targets.add(LOT_THREAD)
  if (targets.size === 0) return undefined
  let number = 0
  let pending: PendingPublish | undefined
  if (fields.qos > 0 && publisher !== undefined) {
    const waiting = new PendingPublish(publisher, fields.packetId, fields.qos)
    pending = waiting
    waiting.awaited++
    const isTogether = fields.qos === 2 && publisher.isLogged && entry.durability !== 'off' && shard.storage.isDurable
    number = shard.peers.ask(
      targets,
      () => {
        if (isTogether) receiveTogether(shard, publisher, waiting)
        waiting.settle()
      },
      (answer) => {
        waiting.count(answer.accepted, answer.refused)
        waiting.records += answer.records
      },
    )
    if (isTogether) waiting.together = togetherNumber(number, shard.index)
  }
  for (const target of targets) {
    if (target === LOT_THREAD) {
      shard.lot.forward(fields, publisher, number, entry.isCommand)
      continue
    }
    const ordinary = entry.remotes.includes(target) ? ForwardFlag.DELIVER : 0
    const isTogether = pending !== undefined && pending.together > 0
    const flags = ordinary | (fields.retain ? ForwardFlag.RETAIN : 0) | (isTogether ? ForwardFlag.TOGETHER : 0)
    shard.peers.forward(target, fields, { number, flags, groups: groupsOf.get(target) ?? [], stamp, publisherHash })
  }
  return pending
}

/** Keeps the message in `fields` for later subscribers; nobody gets it now. */
export function retainOnly(shard: ShardState, fields: PublishFields, entry: TopicEntry): void {
  begin(shard, entry, false)
  const stamp = keepRetained(shard, fields, entry.name, false, undefined)
  const head = { number: 0, flags: ForwardFlag.RETAIN, groups: [], stamp, publisherHash: 0 }
  for (const other of shard.peers.others) shard.peers.forward(other, fields, head)
  sealMessage(shard, fields, undefined)
  releaseWhenFlushed(shard, fields)
}

/** Picks who of a shared group gets the message. @returns another shard where its turn has come; otherwise undefined */
function routeToGroup(
  shard: ShardState,
  fields: PublishFields,
  group: SharedGroup,
  topic: string,
  publisherHash: number,
): number | undefined {
  if (group.isEmpty) return undefined
  const place = group.turn(shard.config.sharedSubscription.strategy, fields.topicHash, publisherHash)
  const remote = group.shardAt(place)
  if (remote !== undefined) return remote
  const member = group.localFrom(place, topic, shard.topics.mayReceive)
  if (member !== undefined) deliverToMember(shard, fields, member)
  return undefined
}

/** A message that another shard has sent because of this shard's interest. The answer is counted in the shard. */
export function receiveForward(shard: ShardState, fields: PublishFields, head: ForwardHead, from: number): void {
  const entry = shard.topics.find(fields.bytes, fields.topicStart, fields.topicBytes, fields.topicHash)
  const isTogether = (head.flags & ForwardFlag.TOGETHER) !== 0
  begin(shard, entry, isTogether)
  const isDelivered = (head.flags & ForwardFlag.DELIVER) !== 0
  if (head.flags & ForwardFlag.RETAIN) {
    shard.retained.set(entry.name, fields.keep(shard.memory, shard.nowMs), head.stamp, shard.nowMs, isDelivered)
    shard.quotas.replaced(entry.name, head.stamp)
  }
  if (isDelivered) deliverToSubscribers(shard, fields, entry, undefined)
  for (const groupId of head.groups) {
    const group = entry.groups.find(({ id }) => id === groupId)
    if (group === undefined || group.members.length === 0) continue // its last member has just left
    const { strategy } = shard.config.sharedSubscription
    const place = group.localTurn(strategy, fields.topicHash, head.publisherHash)
    const member = group.localFrom(place, entry.name, shard.topics.mayReceive)
    if (member !== undefined) deliverToMember(shard, fields, member)
  }
  sealMessage(shard, fields, undefined, isTogether ? togetherNumber(head.number, from) : 0)
  releaseWhenFlushed(shard, fields)
}

/** Of a message that several shards write, from the question that the first of them has asked the others. */
function togetherNumber(question: number, shard: number): number {
  return question * SHARDS_MAX + shard
}
