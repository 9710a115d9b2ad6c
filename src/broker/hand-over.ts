/**
 * Messages of shared subscriptions go from a member that is gone to one that is there. In the store they are with one of
 * the two at any time: what the new one is given and what the old one is done with take effect as one.
 */
import { countWaiting, deliverToMember, enqueue } from './delivery.js'
import type { Delivery } from './delivery-queue.js'
import { InflightState } from './inflight.js'
import { forget, releaseWhenFlushed, sealMessage, togetherNumber } from './persistence.js'
import { pump } from './pump.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'

/** Gives messages of shared subscriptions to members that are there, when this one has gone. */
export function handOver(shard: ShardState, session: Session): void {
  const hasGroups = [...session.subscriptions.values()].some(({ group }) => group !== undefined && group.isAnyOnline)
  // without room nobody else could keep them
  if (!hasGroups || shard.storage.isFull) return
  for (const delivery of takeGroupMessages(shard, session, false)) redeliver(shard, session, delivery)
}

/**
 * Takes out of a session what was meant for any member of a shared subscription. A QoS 2 message that was sent stays
 * with the session [MQTT-4.8.2-4], and ends with it [MQTT-4.8.2-5]. Without `all`, only if another member is connected.
 */
export function takeGroupMessages(shard: ShardState, session: Session, all: boolean): Delivery[] {
  const canMove = ({ group }: Delivery): boolean => group !== undefined && (all || group.isAnyOnline)
  const taken: Delivery[] = []
  for (const packetId of session.inflight.inOrder()) {
    const delivery = session.inflight.deliveryOf(packetId)
    if (delivery === undefined || session.inflight.stateOf(packetId) !== InflightState.AWAITING_PUBACK) continue
    if (!canMove(delivery)) continue
    session.inflight.release(packetId)
    taken.push(delivery)
  }
  const queued = [...session.queue.remove(canMove), ...(session.late?.remove(canMove) ?? [])]
  for (const { message } of queued) countWaiting(shard, session, -1, -message.sizeBytes)
  return [...taken, ...queued]
}

/** Gives a message that was taken out of a session to another member of its group, if there is one. */
export function redeliver(shard: ShardState, from: Session, delivery: Delivery): void {
  const { group, message } = delivery
  if (group === undefined || message.expiresAtMs <= shard.nowMs) {
    forget(shard, delivery)
    return
  }
  const member = group.localFrom(0, message.topic, shard.topics.mayReceive, from)
  if (member === undefined || (group.online === 0 && group.onlineElsewhere !== undefined)) {
    redeliverElsewhere(shard, from, delivery)
    return
  }
  const fields = shard.pumpFields
  fields.readMessage(message, shard.nowMs)
  const isStored = delivery.record !== undefined
  const together = isStored ? togetherNumber(shard.peers.nextNumber(), shard.index) : 0
  shard.durability = isStored ? 'sync' : 'off'
  shard.holdsQos2 = isStored
  shard.accepted = 0
  shard.records = 0
  deliverToMember(shard, fields, member)
  sealMessage(shard, fields, undefined, together)
  conclude(shard, from, delivery, { isTaken: shard.accepted > 0, together, parts: shard.records })
  releaseWhenFlushed(shard, fields)
}

/** No member is left in this shard: one of another shard gets the message, or nobody is left. */
function redeliverElsewhere(shard: ShardState, from: Session, delivery: Delivery): void {
  const { group, message } = delivery
  const next = group?.next(shard.index, { first: shard.index, isLastRound: false })
  if (next === undefined) {
    giveBack(shard, from, delivery)
    return
  }
  const fields = shard.pumpFields
  fields.readMessage(message, shard.nowMs)
  const isStored = delivery.record !== undefined
  let isTaken = false
  let parts = isStored ? 1 : 0
  const answered = (): void => conclude(shard, from, delivery, { isTaken, together, parts })
  const number = shard.peers.ask([next.shard], answered, ({ accepted, records }) => {
    isTaken = accepted > 0
    if (isStored) parts += records
  })
  const together = isStored ? togetherNumber(number, shard.index) : 0
  // from here on: what the session's end deletes must not be gone before another has the message
  if (isStored) shard.storage.beginTogether(together)
  shard.peers.forward(next.shard, fields, { number, flags: 0, groups: [next], stamp: 0, publisherHash: 0, together })
}

interface Outcome {
  readonly isTaken: boolean
  /** Number under which it is written, and how many parts have been. */
  readonly together: number
  readonly parts: number
}

function conclude(shard: ShardState, from: Session, delivery: Delivery, { isTaken, together, parts }: Outcome): void {
  if (isTaken) forget(shard, delivery)
  else giveBack(shard, from, delivery)
  if (parts === 0) return
  shard.storage.commitTogether(together, parts, undefined)
  shard.storage.whenFlushed((isKept) => {
    // the disk has become full just now: the new member drops it, and here it is kept in memory
    if (isTaken && !isKept) giveBack(shard, from, delivery)
  })
}

/** Nobody has taken it. */
function giveBack(shard: ShardState, from: Session, delivery: Delivery): void {
  if (shard.sessions.get(from.clientId) === from) {
    enqueue(shard, from, delivery)
    if (from.isAccepted) pump(shard, from)
    return
  }
  forget(shard, delivery)
  shard.drop('droppedSessionEnded', from, 'message dropped: its session has ended')
}
