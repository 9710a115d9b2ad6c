/** A PUBLISH from a client: what is checked with its session at hand, where it goes, and how it is acknowledged (§4.3). */
import { BrokerError } from '../base/errors.js'
import { PacketType } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { releaseReceived } from './ack-flow.js'
import type { PublishFields } from './message.js'
import { PendingPublish } from './pending-publish.js'
import { retainedIsFull, route } from './routing.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'
import type { TopicEntry } from './topic-table.js'

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
  const { storage } = shard
  if (pending === undefined && storage.isFlushed) {
    acknowledge(shard, session, fields.packetId, fields.qos, outcome(shard.accepted, shard.refused))
    return
  }
  const waiting = pending ?? new PendingPublish(session, fields.packetId, fields.qos)
  waiting.count(shard.accepted, shard.refused)
  waiting.onSettled = () => settlePending(shard, session)
  session.pending.push(waiting)
  if (storage.isFlushed) return
  waiting.awaited++
  storage.whenFlushed(() => waiting.settle())
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
  if (entry.isReserved) {
    shard.drop('droppedNotAuthorized', session, 'message dropped: clients may not publish to $SYS')
    return ReasonCode.NOT_AUTHORIZED
  }
  if (retainedIsFull(shard, fields, entry)) {
    shard.drop('droppedRetainedFull', session, 'message refused: no room for more retained messages')
    return ReasonCode.QUOTA_EXCEEDED
  }
  return undefined
}

/** What the publisher is told. Success only if somebody took it, or nobody wanted it (§3.4.2.1). */
function outcome(accepted: number, refused: number): ReasonCode {
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
    // the client sends it again on its new connection, and would take this answer for one to that, or to a new message
    if (qos === 1 && connection !== session.connection) continue
    sendAcknowledgement(shard, session, packetId, qos, reasonCode ?? outcome(accepted, refused))
  }
  if (session.isConnected) shard.outlets[session.thread].flushAcks()
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
      releaseReceived(session)
    } else session.awaitingPubrel.add(packetId) // cannot be told, so it will send PUBREL
  }
  if (!session.isConnected) return
  const type = qos === 1 ? PacketType.PUBACK : PacketType.PUBREC
  shard.outlets[session.thread].ack(session.slot, type, packetId, reasonCode)
}
