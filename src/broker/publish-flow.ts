/** A PUBLISH from a client: what is checked with its session at hand, where it goes, and how it is acknowledged (§4.3). */
import { BrokerError } from '../base/errors.js'
import { PacketType } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { releaseReceived } from './ack-flow.js'
import { deny, reservedReason } from './denial.js'
import type { PublishFields } from './message.js'
import { PendingPublish } from './pending-publish.js'
import { NO_ROOM } from './persistence.js'
import { quotaInTheWay, retainedIsFull, route } from './routing.js'
import type { Session } from './session.js'
import { closeConnection } from './session-end.js'
import { REFUSED_FOR_ROOM, type ShardState } from './shard-state.js'
import { COMMAND_TOPIC, type TopicEntry } from './topic-table.js'

/**
 * Handles the PUBLISH in `fields`. Hot: once per message.
 * @throws BrokerError when the client broke the protocol; the caller closes its connection
 */
export function receivePublish(shard: ShardState, session: Session, fields: PublishFields): void {
  const entry = shard.topics.find(fields.bytes, fields.topicStart, fields.topicBytes, fields.topicHash)
  if (fields.qos === 0) {
    if (refusal(shard, session, fields, entry) === undefined) route(shard, fields, entry, session)
    return
  }
  if (fields.qos === 2 && session.awaitingPubrel.has(fields.packetId)) {
    repeatPubrec(shard, session, fields.packetId)
    return
  }
  checkReceiveMaximum(shard, session)
  session.received++
  const refused = refusal(shard, session, fields, entry)
  if (refused !== undefined) {
    acknowledge(shard, session, fields.packetId, fields.qos, refused)
    return
  }
  if (fields.qos === 2) session.awaitingPubrel.add(fields.packetId)
  const pending = route(shard, fields, entry, session)
  if (pending === undefined && !shard.mustFlush) {
    if (shard.refused >= REFUSED_FOR_ROOM && session.version < 5) {
      withdraw(shard, session, fields.packetId, fields.qos)
      throw new BrokerError('QUOTA_EXCEEDED', { reason: NO_ROOM })
    }
    acknowledge(shard, session, fields.packetId, fields.qos, outcome(shard.accepted, shard.refused))
    return
  }
  const waiting = pending ?? new PendingPublish(session, fields.packetId, fields.qos)
  waiting.count(shard.accepted, shard.refused)
  waiting.onSettled = () => settlePending(shard, session)
  session.pending.push(waiting)
  if (!shard.mustFlush) return
  waiting.awaited++
  shard.storage.whenFlushed((isKept) => {
    if (!isKept) waiting.count(0, REFUSED_FOR_ROOM)
    waiting.settle()
  })
}

/** A QoS 2 message that was received before: answered again, delivered once [MQTT-4.3.3-10]. */
function repeatPubrec(shard: ShardState, session: Session, packetId: number): void {
  const isPending = session.pending.some((pending) => pending.packetId === packetId && pending.qos === 2)
  if (!isPending) shard.outlets[session.thread].ack(session.slot, PacketType.PUBREC, packetId, ReasonCode.SUCCESS)
}

function checkReceiveMaximum(shard: ShardState, session: Session): void {
  // before MQTT 5 a client knows of no maximum; its identifiers are the bound
  if (session.version < 5) return
  const { receiveMaximum } = shard.config.session
  if (session.received >= receiveMaximum) {
    throw new BrokerError('RECEIVE_MAXIMUM_EXCEEDED', { maximum: receiveMaximum })
  }
}

/** @returns why the message goes nowhere; undefined when it may */
function refusal(
  shard: ShardState,
  session: Session,
  fields: PublishFields,
  entry: TopicEntry,
): ReasonCode | undefined {
  const problem = denial(shard, session, entry)
  if (problem !== undefined) {
    deny(shard, session, `publish ${entry.name}`, problem)
    return ReasonCode.NOT_AUTHORIZED
  }
  if (entry.isReserved) {
    fields.retain = false // what is done once must not be done again for whoever comes later
    return undefined
  }
  if (shard.storage.isFull && fields.qos > 0 && needsStore(session, fields, entry)) {
    // before anybody gets it: who sends it again must not send it twice to those who need no store
    shard.drop('droppedStoreFull', session, `message refused: ${NO_ROOM}`)
    if (session.version < 5) throw new BrokerError('QUOTA_EXCEEDED', { reason: NO_ROOM })
    return ReasonCode.QUOTA_EXCEEDED
  }
  const quota = quotaInTheWay(shard, session, fields, entry)
  if (quota !== undefined) {
    shard.drop(quota.counter, session, `message refused: ${quota.limit} is reached`)
    return ReasonCode.QUOTA_EXCEEDED
  }
  if (retainedIsFull(shard, fields, entry)) {
    shard.drop('droppedRetainedFull', session, 'message refused: no room for more retained messages')
    if (fields.qos > 0 && shard.storage.isFull && session.version < 5) {
      throw new BrokerError('QUOTA_EXCEEDED', { reason: NO_ROOM })
    }
    return ReasonCode.QUOTA_EXCEEDED
  }
  return undefined
}

/** Hot: once per message. @returns why rules or the topic do not let the session publish; undefined if it may */
export function denial(shard: ShardState, session: Session, entry: TopicEntry): string | undefined {
  if (entry === session.allowedEntry && shard.access.epoch === session.access.epoch) return undefined
  if (entry.isReserved && !entry.isCommand) return reservedReason(entry.name)
  if (entry.isSpecial || !shard.access.of(session).publishesFreely) {
    const { allowed, reason } = shard.access.publish(session, entry.name)
    if (!allowed) return reason
  }
  if (entry.name === COMMAND_TOPIC) {
    const { allowed, reason } = shard.access.decide({
      identity: session.identity,
      scope: 'CommandCall',
      topic: undefined,
    })
    if (!allowed) return reason
    return undefined // asked each time: commands are rare, and nothing is remembered of this scope
  }
  if (!entry.isLong) session.allowedEntry = entry
  return undefined
}

/** Whether anything of a QoS 1 or 2 message may have to be kept on disk. */
function needsStore(session: Session, fields: PublishFields, entry: TopicEntry): boolean {
  if (entry.durability === 'off') return false
  if (fields.qos === 2 && session.isLogged) return true
  if (entry.remotes.length > 0 || entry.groups.length > 0) return true
  return entry.receivers.some((receiver) => receiver.session.isLogged)
}

/** What the publisher is told. Success only if somebody took it, or nobody wanted it (§3.4.2.1). */
function outcome(accepted: number, refused: number): ReasonCode {
  if (refused >= REFUSED_FOR_ROOM) return ReasonCode.QUOTA_EXCEEDED
  if (accepted > 0) return ReasonCode.SUCCESS
  return refused > 0 ? ReasonCode.QUOTA_EXCEEDED : ReasonCode.NO_MATCHING_SUBSCRIBERS
}

/** Sends PUBACK or PUBREC, unless earlier ones still wait: they go out in the order of the messages [MQTT-4.6.0-2]. */
function acknowledge(shard: ShardState, session: Session, packetId: number, qos: number, reasonCode: ReasonCode): void {
  if (session.pending.length === 0) {
    sendAcknowledgement(shard, session, packetId, qos, reasonCode)
    return
  }
  const behind = new PendingPublish(session, packetId, qos)
  behind.reasonCode = reasonCode
  behind.isSettled = true
  session.pending.push(behind)
}

function settlePending(shard: ShardState, session: Session): void {
  while (session.pending.length > 0 && session.pending[0].isSettled) {
    const { connection, packetId, qos, reasonCode, accepted, refused } = session.pending[0]
    session.pending.shift()
    if (refused >= REFUSED_FOR_ROOM && session.version < 5) {
      withdraw(shard, session, packetId, qos)
      if (connection === session.connection && session.isConnected) closeUnacknowledged(shard, session)
      continue
    }
    // the client sends it again on its new connection, and would take this answer for one to that, or to a new message
    if (qos === 1 && connection !== session.connection) continue
    sendAcknowledgement(shard, session, packetId, qos, reasonCode ?? outcome(accepted, refused))
  }
  if (session.isConnected) shard.outlets[session.thread].flushAcks()
}

/** The message was not taken, so its identifier means nothing. */
function withdraw(shard: ShardState, session: Session, packetId: number, qos: number): void {
  if (qos !== 2) return
  session.awaitingPubrel.delete(packetId)
  if (session.isLogged) shard.storage.deleteReceived({ session: session.number, packetId })
}

/** Before MQTT 5 a message cannot be refused: the client sends it again when it is back. */
function closeUnacknowledged(shard: ShardState, session: Session): void {
  const { clientId } = session
  shard.clientLog.log('warn', `unacknowledged ${clientId}`, `connection closed: ${NO_ROOM}`, { clientId })
  closeConnection(shard, session, ReasonCode.QUOTA_EXCEEDED, NO_ROOM)
}

function sendAcknowledgement(
  shard: ShardState,
  session: Session,
  packetId: number,
  qos: number,
  reasonCode: ReasonCode,
): void {
  if (qos === 1) releaseReceived(session)
  else if (reasonCode >= 0x80) {
    if (session.version === 5) {
      // over: the identifier is free for a new message [MQTT-4.3.3-9]
      session.awaitingPubrel.delete(packetId)
      if (session.isLogged) shard.storage.deleteReceived({ session: session.number, packetId })
      releaseReceived(session)
    } else session.awaitingPubrel.add(packetId) // cannot be told, so it will send PUBREL
  }
  if (!session.isConnected) return
  const type = qos === 1 ? PacketType.PUBACK : PacketType.PUBREC
  shard.outlets[session.thread].ack(session.slot, type, packetId, reasonCode)
}
