/** A shard: the actor that owns a set of sessions. Records come in, records go out; this is its table of contents. */
import { decodeText } from '../base/bytes.js'
import { asBrokerError, BrokerError, stackOf } from '../base/errors.js'
import { Counter } from '../contracts/counters.js'
import {
  ACK_DESCRIPTOR_INTS,
  type CloseCause,
  CONTROL_DESCRIPTOR_INTS,
  type ConnectRequest,
  Descriptor,
  FORWARD_PUBLISH,
  InboundKind,
  type Interest,
  KIND,
  OutboundKind,
  PACKETS_BODY,
  PACKETS_DESCRIPTOR_INTS,
  PACKETS_HEADER_INTS,
  PeerKind,
  PUBLISH_DESCRIPTOR_INTS,
  type RenewedClaims,
  SLOT,
} from '../contracts/records.js'
import type { InternalPublish } from '../contracts/threads.js'
import { type ControlType, decodeControl } from '../mqtt/control-codec.js'
import { PacketType } from '../mqtt/packets.js'
import { receiveAck } from './ack-flow.js'
import { adoptIdentity, receiveConnect, receiveDisconnect } from './connect-flow.js'
import { deliverToRecipient } from './delivery.js'
import { receiveInterest } from './interest.js'
import { createMessage } from './message.js'
import { type ForwardHead, NO_ANSWER } from './peers.js'
import { receivePublish } from './publish-flow.js'
import { pumpAll } from './pump.js'
import { type GroupsOf, passOn, receiveForward, route } from './routing.js'
import type { Session } from './session.js'
import { closeConnection, connectionClosed } from './session-end.js'
import { REFUSED_FOR_ROOM, type ShardState } from './shard-state.js'
import { receiveSubscribe, receiveUnsubscribe, replyInOrder } from './subscribe-flow.js'

/** A record from connection thread `thread`. */
export function receiveFromConnection(
  shard: ShardState,
  thread: number,
  bytes: Uint8Array,
  ints: Int32Array,
  at: number,
): void {
  const { opening } = shard
  if (opening?.mustWait(shard, thread, bytes, ints, at)) {
    opening.keepRecord(bytes, ints, at, (copy) => takeRecord(shard, thread, copy.bytes, copy.ints, 0), thread)
  } else takeRecord(shard, thread, bytes, ints, at)
}

function takeRecord(shard: ShardState, thread: number, bytes: Uint8Array, ints: Int32Array, at: number): void {
  const i = at >> 2
  const slot = ints[i + SLOT]
  switch (ints[i + KIND]) {
    case InboundKind.PACKETS:
      receivePackets(shard, thread, slot, bytes, ints, at)
      return
    case InboundKind.CONNECT: {
      const json = decodeText(bytes, at + 16, ints[i + 3])
      receiveConnect(shard, thread, slot, JSON.parse(json) as ConnectRequest)
      pumpAll(shard)
      return
    }
    case InboundKind.CLAIMS: {
      const session = shard.attached[thread][slot]
      if (session === undefined) return
      const { claims } = JSON.parse(decodeText(bytes, at + 16, ints[i + 3])) as RenewedClaims
      adoptIdentity(shard, session, { ...session.identity, claims })
      pumpAll(shard)
      return
    }
    case InboundKind.CLOSED: {
      const session = shard.attached[thread][slot]
      if (session !== undefined) connectionClosed(shard, session, ints[i + 3] as CloseCause)
      shard.outlets[thread].signal(OutboundKind.RELEASED, slot)
      pumpAll(shard)
      return
    }
    case InboundKind.FLOW: {
      const session = shard.attached[thread][slot]
      if (session === undefined) return
      session.isSlow = ints[i + 3] === 1
      if (!session.isSlow) shard.pumpLater(session)
      pumpAll(shard)
      return
    }
    case InboundKind.MARK_REACHED: {
      const session = shard.attached[thread][slot]
      if (session === undefined) return
      session.awaitsMark = false
      shard.pumpLater(session)
      pumpAll(shard)
    }
  }
}

/** Hot: the packets of one read of one socket. What the client does wrong closes its connection, and only that. */
function receivePackets(
  shard: ShardState,
  thread: number,
  slot: number,
  bytes: Uint8Array,
  ints: Int32Array,
  at: number,
): void {
  const i = at >> 2
  const base = at + ints[i + PACKETS_BODY]
  const end = i + PACKETS_HEADER_INTS + ints[i + PACKETS_DESCRIPTOR_INTS]
  const session = shard.attached[thread][slot]
  if (session === undefined) return // taken over, or closed by this shard
  const { fields } = shard
  try {
    for (let d = i + PACKETS_HEADER_INTS; d < end; ) {
      switch (ints[d] & 0xff) {
        case Descriptor.PUBLISH:
          fields.readDescriptor(bytes, ints, d, base)
          receivePublish(shard, session, fields)
          d += PUBLISH_DESCRIPTOR_INTS
          break
        case Descriptor.ACK:
          receiveAck(shard, session, ints[d] >> 8, ints[d + 1] & 0xffff, ints[d + 1] >>> 16)
          d += ACK_DESCRIPTOR_INTS
          break
        default:
          receiveControl(shard, session, ints[d] >> 8, bytes, base + ints[d + 1], ints[d + 2])
          d += CONTROL_DESCRIPTOR_INTS
      }
    }
  } catch (thrown) {
    refuse(shard, session, thrown)
  }
  shard.outlets[thread].flushAcks()
  if (shard.toPump.length > 0) pumpAll(shard)
}

function receiveControl(
  shard: ShardState,
  session: Session,
  type: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): void {
  if (type === PacketType.PINGREQ) {
    // answered here and not by the connection thread: it tells that everything sent before has been worked off
    replyInOrder(session, () => shard.outlets[session.thread].ack(session.slot, PacketType.PINGRESP, 0, 0))
    return
  }
  const packet = decodeControl(type as ControlType, bytes.slice(start, start + length), session.version)
  switch (packet.kind) {
    case 'subscribe':
      receiveSubscribe(shard, session, packet)
      return
    case 'unsubscribe':
      receiveUnsubscribe(shard, session, packet)
      return
    case 'disconnect':
      receiveDisconnect(shard, session, packet)
      return
    default:
      throw new BrokerError('PROTOCOL_ERROR', { reason: `${packet.kind} is not expected here` })
  }
}

function refuse(shard: ShardState, session: Session, thrown: unknown): void {
  const error = asBrokerError(thrown)
  if (error !== thrown) shard.log.error('a packet could not be handled', { error: stackOf(thrown) })
  shard.count('protocolErrors')
  const { clientId } = session
  const { address } = session.identity
  shard.clientLog.log('warn', `closed ${clientId}`, `connection closed: ${error.message}`, { clientId, address })
  if (session.isConnected) closeConnection(shard, session, error.reasonCode, error.message)
}

/** A record from another shard. */
export function receiveFromPeer(shard: ShardState, bytes: Uint8Array, ints: Int32Array, at: number): void {
  const i = at >> 2
  const from = ints[i + SLOT]
  switch (ints[i + KIND]) {
    case PeerKind.FORWARD: {
      shard.fields.readDescriptor(bytes, ints, i + FORWARD_PUBLISH, at)
      const head = shard.peers.readHead(ints, i)
      const onward = receiveForward(shard, shard.fields, head)
      if (head.number > 0) answerForward(shard, head, from, onward)
      else if (onward.size > 0) passOn(shard, shard.fields, head, onward, undefined)
      return
    }
    case PeerKind.FORWARDED:
    case PeerKind.INTEREST_KNOWN:
      shard.peers.answer(ints[i + 3], from, {
        accepted: ints[i + 4],
        refused: ints[i + 5],
        records: ints[i + 6],
      })
      for (const outlet of shard.outlets) outlet.flushAcks()
      pumpAll(shard)
      return
    case PeerKind.INTEREST: {
      const interest = JSON.parse(decodeText(bytes, at + 24, ints[i + 5])) as Interest
      receiveInterest(shard, from, ints[i + 3], ints[i + 4], interest)
    }
  }
}

/** When what this shard has is on disk, and those have answered that it is passed on to. */
function answerForward(shard: ShardState, head: ForwardHead, from: number, onward: GroupsOf): void {
  const { accepted, refused, mustFlush, records } = shard
  let awaited = 2
  let missing = 0
  let others = NO_ANSWER
  const answer = (): void => {
    if (--awaited > 0) return
    const [taken, given] = [accepted + others.accepted, refused + others.refused + missing]
    shard.peers.sendAnswer(from, PeerKind.FORWARDED, head.number, taken, given, records + others.records)
  }
  if (mustFlush && head.together === 0) {
    shard.storage.whenFlushed((isKept) => {
      if (!isKept) missing = REFUSED_FOR_ROOM
      answer()
    })
  } else answer()
  if (onward.size === 0) answer()
  else {
    passOn(shard, shard.fields, head, onward, (total) => {
      others = total
      answer()
    })
  }
}

/** Publishes for the broker itself. */
export function publishInternal(shard: ShardState, messages: readonly InternalPublish[]): void {
  if (shard.opening === undefined) {
    publishNow(shard, messages)
    return
  }
  const bytes = messages.reduce((sum, { topic, payload }) => sum + topic.length + payload.length, 0)
  shard.opening.wait(bytes, () => publishNow(shard, messages))
}

function publishNow(shard: ShardState, messages: readonly InternalPublish[]): void {
  const properties = new Uint8Array(0)
  for (const { topic, payload, retain, recipient } of messages) {
    const parts = { topic, payload, properties, qos: 0 as const, retain, expiresAtMs: Number.POSITIVE_INFINITY }
    shard.fields.readMessage(createMessage(parts), shard.nowMs)
    const { fields } = shard
    const entry = shard.topics.find(fields.bytes, fields.topicStart, fields.topicBytes, fields.topicHash)
    if (recipient === undefined) route(shard, fields, entry, undefined)
    else deliverToRecipient(shard, fields, entry, recipient)
  }
}

/**
 * Does what has waited for the sessions of all shards. Call it before anything else is taken from connections and LoT.
 * @returns bytes of what was done
 */
export function releaseWaiting(shard: ShardState, bytesMax: number): number {
  const { opening } = shard
  if (opening === undefined || !opening.isOver) return 0
  const released = opening.release(bytesMax)
  if (opening.isEmpty) shard.opening = undefined
  return released
}

/** What is due by now: timers, expired retained messages, suppressed log lines. */
export function tick(shard: ShardState): void {
  shard.nowMs = shard.clock.now()
  shard.timers.runDue(shard.nowMs)
  const expired = shard.retained.expireSome(shard.nowMs)
  shard.quotas.tick(shard.nowMs)
  if (expired > 0) shard.count('droppedExpired', expired)
  shard.counters[Counter.retainedMessages] = shard.retained.messages
  shard.counters[Counter.retainedBytes] = shard.retained.bytes
  shard.clientLog.report()
  pumpAll(shard)
}
