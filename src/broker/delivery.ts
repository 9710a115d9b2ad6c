/** From a message to the sessions that get it: straight to the socket where the way is free, otherwise into the queue. */
import type { Recipient } from '../contracts/threads.js'
import { NEVER_EXPIRES, type Qos } from '../mqtt/packets.js'
import { publishBytes } from '../mqtt/publish-writer.js'
import { Delivery } from './delivery-queue.js'
import { InflightState } from './inflight.js'
import type { Message, PublishFields } from './message.js'
import { receiverMeta } from './outlet.js'
import { forget, keepDelivery, mustKeep, NO_ROOM } from './persistence.js'
import type { Session } from './session.js'
import { REFUSED_FOR_ROOM, type ShardState } from './shard-state.js'
import { type Subscription, withoutNoLocal } from './subscription.js'
import type { TopicEntry } from './topic-table.js'

/** A QoS 2 message that waits to be flushed before it is sent. */
export interface HeldDelivery {
  readonly session: Session
  /** Of the session, when its packet identifier was taken. */
  readonly connection: number
  readonly delivery: Delivery
  readonly packetId: number
}

const NO_QUEUE = { length: 0, bytes: 0 }

/** Receivers whose copy carries subscription identifiers go out one by one, behind the common record. */
interface Special {
  readonly session: Session
  readonly meta: number
  readonly identifiers: Uint8Array
}

/** Hot: the inner loop of the broker. Delivers to the ordinary subscribers of this shard. */
export function deliverToSubscribers(
  shard: ShardState,
  fields: PublishFields,
  entry: TopicEntry,
  publisher: Session | undefined,
): void {
  const { receivers } = entry
  let specials = NO_SPECIALS
  for (let i = 0; i < receivers.length; i++) {
    let subscription: Subscription | undefined = receivers[i]
    if (subscription.session === publisher && subscription.hasNoLocal) {
      subscription = withoutNoLocal(subscription) // [MQTT-3.8.3-3]
      if (subscription === undefined) continue
    }
    specials = offer(shard, fields, subscription, receivers.length, specials)
  }
  finish(shard, fields, specials)
}

/** Never added to: the usual case allocates no list. */
const NO_SPECIALS: Special[] = []

/** Offers the message to one member of a shared subscription. */
export function deliverToMember(shard: ShardState, fields: PublishFields, member: Subscription): void {
  finish(shard, fields, offer(shard, fields, member, 1, NO_SPECIALS))
}

/** Offers the message to one session alone, if it has subscribed to it other than by a shared subscription. */
export function deliverToRecipient(
  shard: ShardState,
  fields: PublishFields,
  { receivers }: TopicEntry,
  { clientId, userName }: Recipient,
): void {
  const own = receivers.find(({ session }) => session.clientId === clientId)
  if (own !== undefined && own.session.identity.userName === userName) deliverToMember(shard, fields, own)
}

function offer(
  shard: ShardState,
  fields: PublishFields,
  subscription: Subscription,
  receiversMax: number,
  specials: Special[],
): Special[] {
  const { session } = subscription
  const qos = Math.min(fields.qos, subscription.qos) as Qos
  const retain = fields.retain && subscription.retainAsPublished // [MQTT-3.3.1-12], [MQTT-3.3.1-13]
  if (qos > 0 && shard.storage.isFull && mustKeep(shard, session, qos)) {
    shard.refused += REFUSED_FOR_ROOM
    shard.drop('droppedStoreFull', session, `message refused: ${NO_ROOM}`)
    return specials
  }
  if (!session.canSend(qos)) {
    hold(shard, fields, subscription, qos, retain)
    return specials
  }
  shard.accepted++
  if (session.maximumPacketBytes !== NEVER_EXPIRES && isTooLarge(session, fields, qos, subscription.identifiers)) {
    // as if it had been sent [MQTT-3.1.2-25]
    shard.drop('droppedPacketTooLarge', session, 'message larger than the maximum packet size of the client')
    return specials
  }
  let packetId = 0
  if (qos > 0) {
    const isHeld = qos === 2 && shard.holdsQos2
    const kept = session.keepsSent || subscription.group !== undefined || isHeld
    const delivery = kept ? newDelivery(shard, fields, subscription, qos, retain) : undefined
    packetId = reserve(session, qos, delivery)
    const isLogged = delivery !== undefined && mustKeep(shard, session, qos)
    if (isLogged) keepDelivery(shard, session, delivery, packetId)
    // one in the log, sent again after a crash, must have the same packet identifier
    if (delivery !== undefined && qos === 2 && (isHeld || (isLogged && shard.durability === 'sync'))) {
      shard.held.push({ session, connection: session.connection, delivery, packetId })
      return specials
    }
  }
  const meta = receiverMeta(packetId, qos, retain, false)
  if (subscription.identifiers !== undefined) {
    const special = { session, meta, identifiers: subscription.identifiers }
    if (specials === NO_SPECIALS) return [special]
    specials.push(special)
    return specials
  }
  const outlet = shard.outlets[session.thread]
  if (!outlet.isOpen) outlet.openDelivery(fields, receiversMax)
  outlet.addReceiver(session.slot, meta)
  return specials
}

function finish(shard: ShardState, fields: PublishFields, specials: readonly Special[]): void {
  const { outlets } = shard
  for (let i = 0; i < outlets.length; i++) if (outlets[i].isOpen) outlets[i].closeDelivery(fields)
  for (const { session, meta, identifiers } of specials) sendAlone(shard, fields, session, meta, identifiers)
}

function sendAlone(
  shard: ShardState,
  fields: PublishFields,
  session: Session,
  meta: number,
  identifiers: Uint8Array | undefined,
): void {
  const outlet = shard.outlets[session.thread]
  outlet.openDelivery(fields, 1, identifiers)
  outlet.addReceiver(session.slot, meta)
  outlet.closeDelivery(fields, identifiers)
}

function newDelivery(
  shard: ShardState,
  fields: PublishFields,
  subscription: Subscription,
  qos: Qos,
  retain: boolean,
): Delivery {
  const message = fields.keep(shard.memory, shard.nowMs)
  return new Delivery(message, qos, retain, subscription.identifiers, subscription.group)
}

function reserve(session: Session, qos: Qos, delivery: Delivery | undefined): number {
  if (delivery !== undefined) {
    delivery.order = session.nextOrder++
    delivery.sentOn = session.connection
  }
  session.sent++
  const state = qos === 1 ? InflightState.AWAITING_PUBACK : InflightState.AWAITING_PUBREC
  return session.inflight.reserve(state, delivery)
}

function isTooLarge(session: Session, fields: PublishFields, qos: Qos, identifiers: Uint8Array | undefined): boolean {
  const properties = fields.propertiesBytes + (identifiers?.length ?? 0)
  const { version, maximumPacketBytes } = session
  return publishBytes(version, fields.topicBytes, qos, properties, fields.payloadBytes) > maximumPacketBytes
}

/** Queues what cannot be sent now, or drops it and says why. */
function hold(shard: ShardState, fields: PublishFields, subscription: Subscription, qos: Qos, retain: boolean): void {
  const { session } = subscription
  const { queueQos0 } = shard.config.session
  if (qos === 0 && !queueQos0) {
    if (session.isConnected)
      shard.drop('droppedQos0Slow', session, 'QoS 0 message dropped: the client reads too slowly')
    else {
      session.missed++
      shard.count('droppedQos0Offline')
    }
    return
  }
  if (!makeRoom(shard, session, fields.bodyBytes)) {
    if (qos > 0) shard.refused++
    shard.drop('droppedQueueFull', session, 'message refused: the queue of the session is full')
    return
  }
  const exhausted = shard.quotas.queues.limit(session.identity, fields.bodyBytes)
  if (exhausted !== undefined) {
    if (qos > 0) shard.refused++
    shard.drop('droppedQueueFull', session, `message refused: limits.${exhausted}.queuedBytesMax is reached`)
    return
  }
  shard.accepted++
  const delivery = newDelivery(shard, fields, subscription, qos, retain)
  if (mustKeep(shard, session, qos)) keepDelivery(shard, session, delivery, 0)
  enqueue(shard, session, delivery)
}

export function enqueue(shard: ShardState, session: Session, delivery: Delivery): void {
  const queue = session.late ?? session.queue
  queue.push(delivery)
  countWaiting(shard, session, 1, delivery.message.sizeBytes)
}

/** What waits for the session has become more, or less where negative. */
export function countWaiting(shard: ShardState, session: Session, messages: number, bytes: number): void {
  shard.count('messagesStored', messages)
  shard.count('messagesStoredBytes', bytes)
  shard.quotas.queues.changed(session.identity, bytes)
}

/** A message that waited when the broker was started: in front of what has come since. */
export function enqueueRestored(shard: ShardState, session: Session, delivery: Delivery): void {
  session.queue.push(delivery)
  countWaiting(shard, session, 1, delivery.message.sizeBytes)
}

/** @returns the oldest message of the queue; undefined when it is empty */
export function dequeue(shard: ShardState, session: Session): Delivery | undefined {
  const delivery = session.queue.shift() ?? session.late?.shift()
  if (delivery === undefined) return undefined
  countWaiting(shard, session, -1, -delivery.message.sizeBytes)
  return delivery
}

/** Applies the policy for full queues. @returns whether a message of that size may join */
function makeRoom(shard: ShardState, session: Session, sizeBytes: number): boolean {
  const { queuedMessagesMax, queuedBytesMax, queueFullPolicy } = shard.config.session
  const { queue } = session
  const late = session.late ?? NO_QUEUE
  const fits = (): boolean =>
    queue.length + late.length < queuedMessagesMax && queue.bytes + late.bytes + sizeBytes <= queuedBytesMax
  if (fits()) return true
  switch (queueFullPolicy) {
    case 'rejectNew':
      return false
    case 'dropOldest': {
      if (sizeBytes > queuedBytesMax || queuedMessagesMax === 0) return false
      let dropped = 0
      for (; !fits(); dropped++) {
        const oldest = dequeue(shard, session)
        if (oldest === undefined) return false // what fills it is still being read from the store
        forget(shard, oldest)
      }
      shard.drop('droppedQueueOldest', session, 'oldest messages dropped: the queue of the session is full', dropped)
      return true
    }
    case 'dropQos0First': {
      if (queue.qos0Length === 0) return false
      const dropped = queue.remove((delivery) => delivery.qos === 0)
      for (const { message } of dropped) countWaiting(shard, session, -1, -message.sizeBytes)
      shard.drop('droppedQueueOldest', session, 'QoS 0 messages dropped: the queue is full', dropped.length)
      return fits()
    }
  }
}

/**
 * Sends a kept message to a session that can take it. @returns false if it was dropped as too large.
 * @param packetId of an earlier sending, or 0 to take a new one
 */
export function sendKept(shard: ShardState, session: Session, delivery: Delivery, packetId: number): boolean {
  const fields = shard.pumpFields
  fields.readMessage(delivery.message, shard.nowMs)
  const isLarge = session.maximumPacketBytes !== NEVER_EXPIRES
  if (isLarge && isTooLarge(session, fields, delivery.qos, delivery.identifiers)) {
    shard.drop('droppedPacketTooLarge', session, 'message larger than the maximum packet size of the client')
    return false
  }
  const isRepeat = packetId > 0
  session.pumpedBytes += fields.bodyBytes
  if (isRepeat) {
    delivery.sentOn = session.connection
    session.sent++
  } else if (delivery.qos > 0) {
    const kept = session.keepsSent || delivery.group !== undefined || delivery.record !== undefined
    packetId = reserve(session, delivery.qos, kept ? delivery : undefined)
    const { record, place } = delivery
    if (record !== undefined) {
      shard.storage.sent(record, place, packetId)
      if (delivery.qos === 2) {
        const held = { session, connection: session.connection, delivery, packetId }
        shard.storage.whenFlushed(() => sendHeld(shard, delivery.message, [held], !record.isRefused))
        return true
      }
    }
  }
  // DUP only on what was sent before [MQTT-3.3.1-1]
  const dup = isRepeat || (delivery.mayBeRepeat && delivery.qos > 0)
  sendAlone(shard, fields, session, receiverMeta(packetId, delivery.qos, delivery.retain, dup), delivery.identifiers)
  return true
}

/**
 * Sends QoS 2 messages whose packet identifiers are on disk by now. A connection that has gone repeats them when it is
 * back.
 * @param isKept false where there was no room: then nobody has them, and the publisher is told so
 */
export function sendHeld(shard: ShardState, message: Message, held: readonly HeldDelivery[], isKept: boolean): void {
  const fields = shard.pumpFields
  fields.readMessage(message, shard.nowMs)
  for (const { session, connection, delivery, packetId } of held) {
    if (session.inflight.deliveryOf(packetId) !== delivery) continue
    if (!isKept) {
      session.inflight.release(packetId)
      if (session.connection === connection) session.sent--
      forget(shard, delivery)
      continue
    }
    if (session.connection !== connection || !session.isAccepted) continue
    const meta = receiverMeta(packetId, delivery.qos, delivery.retain, delivery.mayBeRepeat)
    sendAlone(shard, fields, session, meta, delivery.identifiers)
  }
}
