/** What the broker hands over to the store, and what waits until the store has it. */
import type { StoredOwner } from '../contracts/storage.js'
import { SHARDS_MAX } from '../contracts/store-records.js'
import type { Qos } from '../mqtt/packets.js'
import { sendHeld } from './delivery.js'
import type { Delivery } from './delivery-queue.js'
import type { Message, PublishFields } from './message.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'
import type { Subscription } from './subscription.js'

/** What clients and log are told when something that would have to be kept is refused. */
export const NO_ROOM = 'the store has no room'

/** Whether the message being routed goes into the log for this session. */
export function mustKeep(shard: ShardState, session: Session, qos: Qos): boolean {
  return qos > 0 && session.isLogged && shard.durability !== 'off' && shard.storage.isDurable
}

/** Adds the delivery to the record that `sealMessage` writes. @param packetId 0 while it is queued */
export function keepDelivery(shard: ShardState, session: Session, delivery: Delivery, packetId: number): void {
  const { qos, retain, identifiers, group } = delivery
  const receiver = { session: session.number, packetId, qos, retain, isShared: group !== undefined, identifiers }
  delivery.record = shard.storage.addReceiver(receiver)
  delivery.place = delivery.record.places - 1
}

/**
 * Call when a message has been offered to all sessions of this shard: writes it to the log for those that need it, and
 * that it was received, in one record.
 * @param publisher undefined where no handshake depends on it
 * @param together number under which other shards write it too, or 0
 */
export function sealMessage(
  shard: ShardState,
  fields: PublishFields,
  publisher: Session | undefined,
  together = 0,
): void {
  const { storage } = shard
  const isReceived = fields.qos === 2 && publisher?.isLogged === true && together === 0
  const isAwaited = together > 0 && shard.held.length > 0
  if (!storage.hasReceivers && !isReceived && !isAwaited) return
  if (shard.durability === 'off' || !storage.isDurable) return
  const message = fields.keep(shard.memory, shard.nowMs)
  const from = isReceived ? { session: publisher.number, packetId: fields.packetId } : undefined
  if (storage.append(message, from, together)) shard.records++
  if (shard.durability === 'sync') shard.mustFlush = true
}

/** Of what is written as one, from a question to other shards, or the number of one that was not asked. */
export function togetherNumber(question: number, shard: number): number {
  return question * SHARDS_MAX + shard
}

/**
 * Sends the held deliveries of the message being routed once what this shard has written of it is on disk; by then all
 * shards have theirs, and it is known as received.
 */
export function releaseWhenFlushed(shard: ShardState, fields: PublishFields): void {
  if (shard.held.length === 0) return
  const { held } = shard
  const message = fields.keep(shard.memory, shard.nowMs)
  shard.held = []
  shard.storage.whenFlushed((isKept) => sendHeld(shard, message, held, isKept))
}

/** The session is done with the message: acknowledged, dropped, or handed to another. */
export function forget(shard: ShardState, delivery: Delivery): void {
  const { record, place } = delivery
  if (record === undefined) return
  delivery.record = undefined
  shard.storage.done(record, place)
}

/** Keeps the retained message of a topic, as the shard that has taken it. */
export function keepRetainedMessage(shard: ShardState, topic: string, message: Message, stamp: number): void {
  if (shard.durability === 'off' || !shard.storage.isDurable) return
  shard.storage.putRetained(topic, message, stamp)
  if (shard.durability === 'sync') shard.mustFlush = true
}

/**
 * Does the next step of a handshake once the last one is on disk. If the connection has gone by then, the handshake is
 * repeated on the next one; if there was no room, the step is written again until there is.
 * @param write hands the last step over
 */
export function afterFlush(shard: ShardState, session: Session, write: () => void, step: () => void): void {
  const { connection } = session
  write()
  if (!session.isLogged || shard.storage.isFlushed) {
    step()
    return
  }
  shard.storage.whenFlushed((isKept) => {
    if (session.connection !== connection || !session.isConnected) return
    if (!isKept) {
      afterFlush(shard, session, write, step)
      return
    }
    step()
    shard.outlets[session.thread].flushAcks()
  })
}

/**
 * The session as the store has to know it, if it has to know it at all.
 * @param sinceMs when it lost its connection, if it has none
 */
export function storeSession(shard: ShardState, session: Session, sinceMs = shard.nowMs): void {
  if (session.number === 0) return
  shard.storage.putSession({
    number: session.number,
    clientId: session.clientId,
    expirySeconds: session.expirySeconds,
    disconnectedAtMs: session.isConnected ? undefined : sinceMs,
    will: session.will,
    owner: ownerOf(session),
    repeatsBelow: session.repeatsBelow,
  })
}

function ownerOf({ identity, userCreatedAt }: Session): StoredOwner {
  const { userName, address, port, claims } = identity
  return { userName, address, port, claims, createdAt: userCreatedAt }
}

/** A session that outlives its connection, or whose will does, is in the store while it lasts. */
export function admitToStore(shard: ShardState, session: Session): void {
  const { storage } = shard
  if (!storage.isDurable) return
  if (session.number === 0 && (session.expirySeconds > 0 || session.will !== undefined)) {
    session.number = storage.nextSessionNumber()
    for (const [filter, subscription] of session.subscriptions) storeSubscription(shard, session, filter, subscription)
  }
  storeSession(shard, session)
}

export function storeSubscription(
  shard: ShardState,
  session: Session,
  filter: string,
  { options }: Subscription,
): void {
  if (!session.isLogged) return
  const { qos, noLocal, retainAsPublished, identifier } = options
  shard.storage.putSubscription(session.number, { filter, qos, noLocal, retainAsPublished, identifier })
}
