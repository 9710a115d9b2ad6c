/** Brings back what the store has of a shard's sessions, and what waits for them, bit by bit. */
import { hashBytes, hashText } from '../base/bytes.js'
import {
  type LoggedMessage,
  Progress,
  type RestoredDelivery,
  type RestoredSession,
  type UnreadSessions,
} from '../contracts/storage.js'
import { PacketType } from '../mqtt/packets.js'
import { filterMatches, parseSharedFilter, type SharedFilter } from '../mqtt/topic-filter.js'
import { enqueueRestored } from './delivery.js'
import { Delivery, DeliveryQueue } from './delivery-queue.js'
import { redeliver } from './hand-over.js'
import { InflightState } from './inflight.js'
import { Message } from './message.js'
import { forget, storeSession } from './persistence.js'
import { pumpAll } from './pump.js'
import { judgeRestored } from './receiving.js'
import { Session } from './session.js'
import { expireSession } from './session-end.js'
import type { ShardState } from './shard-state.js'
import type { SharedGroup } from './shared-group.js'
import { restoreSubscription } from './subscribe-flow.js'
import { armWill } from './will.js'

export class SessionRestorer {
  readonly #sessions = new Map<number, Session>()
  /** Of this shard, when reading began. */
  readonly #nextSequence: number
  /** Shared subscriptions by the numbers of their sessions, which may end while their messages are read. */
  readonly #shared = new Map<number, readonly SharedFilter[]>()
  /** Subscriptions of which not all other shards have said that they know. */
  #unannounced = 0
  #whenAnnounced: (() => void) | undefined
  #lastLogged: LoggedMessage | undefined
  #lastMessage: Message | undefined

  /**
   * Before any client is there.
   * @param aliveMs when the broker was last alive, in milliseconds since the epoch: expiry intervals count from then
   * @param hasMessages whether there may be messages for the sessions
   */
  constructor(
    readonly shard: ShardState,
    readonly unread: UnreadSessions,
    readonly aliveMs: number,
    readonly hasMessages: boolean,
  ) {
    this.#nextSequence = shard.storage.nextSequence
  }

  /** Reads all sessions. Yields after each of them. */
  *all(): Generator<undefined, void, undefined> {
    for (const session of this.unread.rest()) {
      this.#restore(session)
      yield
    }
  }

  /** @param done called when all shards know what the sessions that have been read have subscribed to */
  whenAnnounced(done: () => void): void {
    if (this.#unannounced === 0) done()
    else this.#whenAnnounced = done
  }

  readonly #announced = (): void => {
    this.#unannounced--
    if (this.#unannounced === 0) this.#whenAnnounced?.()
  }

  get left(): number {
    return this.unread.left
  }

  isUnread(clientId: string): boolean {
    return this.unread.has(clientId)
  }

  /** Reads the session of a client that has come before its turn. */
  restore(clientId: string): void {
    const session = this.unread.take(clientId)
    if (session !== undefined) this.#restore(session)
  }

  #restore({ session: stored, subscriptions, received }: RestoredSession): void {
    const { shard } = this
    const session = new Session(stored.clientId, hashText(stored.clientId))
    session.number = stored.number
    session.expirySeconds = stored.expirySeconds
    session.will = stored.will
    if (stored.owner !== undefined) {
      const { createdAt, ...owner } = stored.owner
      session.identity = { ...owner, clientId: stored.clientId }
      session.userCreatedAt = createdAt
    }
    session.repeatsBelow = stored.repeatsBelow
    session.connection = 1
    if (this.hasMessages) session.late = new DeliveryQueue()
    shard.restoreSession(session)
    this.#sessions.set(stored.number, session)
    for (const subscription of subscriptions) {
      this.#unannounced++
      restoreSubscription(shard, session, subscription, this.#announced)
    }
    const shared = subscriptions.flatMap(({ filter }) => parseSharedFilter(filter) ?? [])
    if (shared.length > 0) this.#shared.set(stored.number, shared)
    for (const packetId of received) session.awaitingPubrel.add(packetId)
    const sinceMs = stored.disconnectedAtMs ?? this.aliveMs
    if (stored.disconnectedAtMs === undefined) {
      // it was connected when the broker died: what it was sent last is not known
      session.repeatsBelow = this.#nextSequence
      storeSession(shard, session, sinceMs)
    }
    if (stored.expirySeconds > 0) {
      shard.count('sessionsDisconnected')
      armWill(shard, session, sinceMs)
    }
    expireSession(shard, session, sinceMs)
    if (shard.sessions.get(session.clientId) === session) judgeRestored(shard, session)
  }

  addDelivery({ message: logged, record, place, receiver, packetId, progress }: RestoredDelivery): void {
    const { shard } = this
    const session = this.#sessions.get(receiver.session)
    const message = this.#messageOf(logged)
    const { qos, retain, identifiers } = receiver
    const hasEnded = session === undefined || shard.sessions.get(session.clientId) !== session
    const isForGroup = receiver.isShared && session !== undefined
    const group = isForGroup ? this.#groupOf(session, message) : undefined
    const delivery = new Delivery(message, qos, retain, identifiers, group)
    delivery.record = record
    delivery.place = place
    if (hasEnded) {
      // since the start: what was for any member of a group is for another one, unless it was sent with QoS 2
      const mayMove = progress === Progress.QUEUED || (progress === Progress.SENT && qos === 1)
      if (isForGroup && mayMove) redeliver(shard, session, delivery)
      else forget(shard, delivery)
      return
    }
    const end = record.log === shard.index ? session.repeatsBelow : Number.POSITIVE_INFINITY
    delivery.mayBeRepeat = session.repeatsBelow > 0 && record.sequence < end
    if (progress === Progress.QUEUED || !restoreInflight(session, delivery, packetId, progress)) {
      enqueueRestored(shard, session, delivery)
      // all that it was sent before has been read by now, so no identifier can turn up that is in use
      if (session.isAccepted) shard.pumpLater(session)
      return
    }
    if (!session.isAccepted) return
    // its client was faster than the store
    if (progress === Progress.RELEASED) {
      shard.outlets[session.thread].ack(session.slot, PacketType.PUBREL, packetId, 0)
      shard.outlets[session.thread].flushAcks()
    } else session.resend.push(packetId)
    shard.pumpLater(session)
  }

  /** Sends what can be sent of what has come so far. */
  pump(): void {
    pumpAll(this.shard)
  }

  /** All that was in the store is here. */
  finish(): void {
    const { shard } = this
    for (const session of this.#sessions.values()) {
      const { late } = session
      session.late = undefined
      for (let next = late?.shift(); next !== undefined; next = late?.shift()) session.queue.push(next)
      shard.pumpLater(session)
    }
    pumpAll(shard)
    this.#sessions.clear()
    this.#shared.clear()
    this.#lastLogged = undefined
    this.#lastMessage = undefined
  }

  /** The shared subscription that a message was picked for: the log tells only that there was one. */
  #groupOf({ number, subscriptions }: Session, { topic }: Message): SharedGroup | undefined {
    for (const { group } of subscriptions.values()) {
      if (group !== undefined && filterMatches(group.filter, topic)) return group
    }
    // a session that has ended has none any more
    for (const { filter, group } of this.#shared.get(number) ?? []) {
      if (filterMatches(filter, topic)) return this.shard.filters.get(filter)?.groups.get(group)
    }
    return undefined
  }

  /** One for all receivers of a record, which come one after the other. */
  #messageOf(logged: LoggedMessage): Message {
    if (logged === this.#lastLogged && this.#lastMessage !== undefined) return this.#lastMessage
    this.#lastLogged = logged
    this.#lastMessage = restoredMessage(logged)
    return this.#lastMessage
  }
}

export function restoredMessage(logged: LoggedMessage, retain = logged.retain): Message {
  const { bytes, topicStart, topicBytes } = logged
  return new Message(
    bytes,
    logged.ints,
    topicStart,
    topicBytes,
    hashBytes(bytes, topicStart, topicBytes),
    logged.propertiesStart,
    logged.propertiesBytes,
    logged.payloadStart,
    logged.payloadBytes,
    logged.qos,
    retain,
    logged.expiresAtMs,
    logged.isKeepValue,
  )
}

/** @returns false if its packet identifier has been given to another message since */
function restoreInflight(session: Session, delivery: Delivery, packetId: number, progress: Progress): boolean {
  const state =
    progress === Progress.RELEASED
      ? InflightState.AWAITING_PUBCOMP
      : delivery.qos === 1
        ? InflightState.AWAITING_PUBACK
        : InflightState.AWAITING_PUBREC
  delivery.order = session.nextOrder++
  if (session.inflight.restore(packetId, state, delivery)) return true
  delivery.mayBeRepeat = true
  return false
}
