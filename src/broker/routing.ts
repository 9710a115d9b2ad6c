/** Where a message goes: the sessions of this shard, shared groups, other shards, the retained messages. */
import type { CounterName } from '../contracts/counters.js'
import type { Identity } from '../contracts/security.js'
import { deliverToMember, deliverToSubscribers } from './delivery.js'
import { LOT_THREAD } from './lot-link.js'
import type { PublishFields } from './message.js'
import { ForwardFlag, type ForwardHead, type GroupTurn, NO_ANSWER, type PeerAnswer } from './peers.js'
import { PendingPublish } from './pending-publish.js'
import { keepRetainedMessage, releaseWhenFlushed, sealMessage, togetherNumber } from './persistence.js'
import type { Session } from './session.js'
import { REFUSED_FOR_ROOM, type ShardState } from './shard-state.js'
import type { NextShard, SharedGroup } from './shared-group.js'
import type { Subscription } from './subscription.js'
import type { TopicEntry } from './topic-table.js'

/** Shared groups that other shards shall deliver a message to, by number of the shard. */
export type GroupsOf = Map<number, readonly GroupTurn[]>

/**
 * Routes the message in `fields`. Who took it is counted in `shard.accepted` and `shard.refused`.
 * @param publisher undefined for what the broker publishes itself
 * @param isWatched the LoT thread gets it
 * @param owner who it counts for while it is retained; undefined for nobody
 * @returns the other shards that have to answer before the message may be acknowledged, as the number to be answered
 *   and the pending publish they answer to; undefined when nothing is awaited
 */
export function route(
  shard: ShardState,
  fields: PublishFields,
  entry: TopicEntry,
  publisher: Session | undefined,
  isWatched: boolean = entry.isWatched,
  owner: Identity | undefined = publisher?.identity,
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

/** @returns the limit of its user or address that is in the way of retaining it. An empty message never is too much */
export function quotaInTheWay(
  shard: ShardState,
  session: Session,
  fields: PublishFields,
  entry: TopicEntry,
): { readonly counter: CounterName; readonly limit: string } | undefined {
  if (!fields.retain || fields.payloadBytes === 0) return undefined
  const exhausted = shard.quotas.retainedLimit(session.identity, entry.name, fields.bodyBytes)
  if (exhausted === undefined) return undefined
  const counter = exhausted === 'perUser' ? 'droppedRetainedUser' : 'droppedRetainedAddress'
  return { counter, limit: `limits.${exhausted}.retainedBytesMax` }
}

/** @param owner who it counts for; undefined for nobody */
function keepRetained(
  shard: ShardState,
  fields: PublishFields,
  topic: string,
  reachesSubscribers: boolean,
  owner: Identity | undefined,
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
  const groupsOf: GroupsOf = new Map()
  for (const group of entry.groups) {
    const next = routeToGroup(shard, fields, group, entry.name, publisherHash)
    if (next !== undefined) addTurn(groupsOf, next)
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
    const flags = ordinary | (fields.retain ? ForwardFlag.RETAIN : 0)
    const [groups, together] = [groupsOf.get(target) ?? [], pending?.together ?? 0]
    shard.peers.forward(target, fields, { number, flags, groups, stamp, publisherHash, together })
  }
  return pending
}

/** Keeps the message in `fields` for later subscribers; nobody gets it now. */
export function retainOnly(shard: ShardState, fields: PublishFields, entry: TopicEntry): void {
  begin(shard, entry, false)
  const stamp = keepRetained(shard, fields, entry.name, false, undefined)
  const head = { number: 0, flags: ForwardFlag.RETAIN, groups: [], stamp, publisherHash: 0, together: 0 }
  for (const other of shard.peers.others) shard.peers.forward(other, fields, head)
  sealMessage(shard, fields, undefined)
  releaseWhenFlushed(shard, fields)
}

/** Picks who of a shared group gets the message. @returns another shard where its turn has come, or one to look for a member */
function routeToGroup(
  shard: ShardState,
  fields: PublishFields,
  group: SharedGroup,
  topic: string,
  publisherHash: number,
): NextShard | undefined {
  if (group.isEmpty) return undefined
  const place = group.turn(shard.config.sharedSubscription.strategy, fields.topicHash, publisherHash)
  const remote = group.shardAt(place)
  if (remote !== undefined) return group.turnOf(remote)
  const member = group.localFrom(place, topic, shard.topics.mayReceive)
  if (member === undefined) return group.next(shard.index, { first: shard.index, isLastRound: false })
  deliverToMember(shard, fields, member)
  return undefined
}

function addTurn(groupsOf: GroupsOf, { shard, ...turn }: NextShard): void {
  groupsOf.set(shard, [...(groupsOf.get(shard) ?? []), turn])
}

/**
 * A message that another shard has sent because of this shard's interest. The answer is counted in the shard.
 * @returns where to pass it on, because rules let no member here have it
 */
export function receiveForward(shard: ShardState, fields: PublishFields, head: ForwardHead): GroupsOf {
  const entry = shard.topics.find(fields.bytes, fields.topicStart, fields.topicBytes, fields.topicHash)
  begin(shard, entry, head.together > 0)
  const isDelivered = (head.flags & ForwardFlag.DELIVER) !== 0
  if (head.flags & ForwardFlag.RETAIN) {
    shard.retained.set(entry.name, fields.keep(shard.memory, shard.nowMs), head.stamp, shard.nowMs, isDelivered)
    shard.quotas.replaced(entry.name, head.stamp)
  }
  if (isDelivered) deliverToSubscribers(shard, fields, entry, undefined)
  const onward: GroupsOf = new Map()
  for (const { groupId, ...round } of head.groups) {
    const group = entry.groups.find(({ id }) => id === groupId)
    if (group === undefined) continue // its last member, of all shards, has just left
    const member = localMember(shard, fields, group, entry.name, head.publisherHash)
    const next = member === undefined ? group.next(shard.index, round) : undefined
    if (member !== undefined) deliverToMember(shard, fields, member)
    else if (next !== undefined) addTurn(onward, next)
  }
  sealMessage(shard, fields, undefined, head.together)
  releaseWhenFlushed(shard, fields)
  return onward
}

function localMember(
  shard: ShardState,
  fields: PublishFields,
  group: SharedGroup,
  topic: string,
  publisherHash: number,
): Subscription | undefined {
  if (group.members.length === 0) return undefined // the last one has just left
  const place = group.localTurn(shard.config.sharedSubscription.strategy, fields.topicHash, publisherHash)
  return group.localFrom(place, topic, shard.topics.mayReceive)
}

/**
 * Passes on a message for members of shared groups in other shards. Call before the record that it came in is left.
 * @param whenAnswered called once all have answered; undefined where nobody waits for it
 */
export function passOn(
  shard: ShardState,
  fields: PublishFields,
  head: ForwardHead,
  onward: GroupsOf,
  whenAnswered: ((total: PeerAnswer) => void) | undefined,
): void {
  let total = NO_ANSWER
  const add = ({ accepted, refused, records }: PeerAnswer): void => {
    total = { accepted: total.accepted + accepted, refused: total.refused + refused, records: total.records + records }
  }
  const number = whenAnswered === undefined ? 0 : shard.peers.ask(onward.keys(), () => whenAnswered(total), add)
  for (const [target, groups] of onward) {
    shard.peers.forward(target, fields, { ...head, number, flags: 0, groups, stamp: 0 })
  }
}
