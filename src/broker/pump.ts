/** Moves on what waits for a connected session: repeats first, then retained messages, then the queue. */
import { OutboundKind } from '../contracts/records.js'
import { PacketType, type Qos } from '../mqtt/packets.js'
import { dequeue, sendKept } from './delivery.js'
import { Delivery } from './delivery-queue.js'
import { InflightState } from './inflight.js'
import { forget } from './persistence.js'
import { mayReceive, mayReceiveWaiting } from './receiving.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'

/**
 * Bytes pumped to one connection before it must report that they have left. Without this a session with a long queue
 * would fill the buffer of its socket and look like a slow client.
 */
const PUMP_BYTES_MAX = 262_144

export function pump(shard: ShardState, session: Session): void {
  while (session.isAccepted && !session.isSlow && !session.awaitsMark) {
    if (session.pumpedBytes >= PUMP_BYTES_MAX) {
      session.pumpedBytes = 0
      session.awaitsMark = true
      shard.outlets[session.thread].signal(OutboundKind.MARK, session.slot)
      return
    }
    if (!resendNext(shard, session) && !sendNextRetained(shard, session) && !sendNextQueued(shard, session)) return
  }
}

/** Runs the pumps that the last record has asked for. */
export function pumpAll(shard: ShardState): void {
  for (const session of shard.toPump) {
    session.needsPump = false
    pump(shard, session)
  }
  shard.toPump.length = 0
}

/** Repeats, in order [MQTT-4.4.0-1], what an earlier connection did not acknowledge. @returns whether it sent one */
function resendNext(shard: ShardState, session: Session): boolean {
  while (session.resend.length > 0) {
    if (session.sent >= session.sendQuota) return false
    const packetId = session.resend[0]
    const delivery = session.inflight.deliveryOf(packetId)
    session.resend.shift()
    // meanwhile the client may have sent the PUBREC it owed, or another member of a shared group have got it
    const state = session.inflight.stateOf(packetId)
    const isUnanswered = state === InflightState.AWAITING_PUBACK || state === InflightState.AWAITING_PUBREC
    if (delivery === undefined || !isUnanswered) continue
    if (!mayReceiveWaiting(shard, session, delivery)) {
      shard.drop('droppedNotAuthorized', session, 'message not repeated: rules have come to forbid it')
    } else if (sendKept(shard, session, delivery, packetId)) return true
    session.inflight.release(packetId)
    forget(shard, delivery)
  }
  return false
}

function sendNextRetained(shard: ShardState, session: Session): boolean {
  const backlog = session.retainedBacklog
  if (backlog === undefined || !shard.retained.isLoaded) return false
  for (;;) {
    const next = backlog.peek(shard.retained)
    if (next === undefined) {
      session.retainedBacklog = undefined
      return false
    }
    const { message, topic, subscription } = next
    const qos = Math.min(message.qos, subscription.qos) as Qos // [MQTT-3.8.4-8]
    if (qos > 0 && !session.hasQuota) return false
    backlog.advance()
    if (message.expiresAtMs <= shard.nowMs || !mayReceive(shard, session, topic)) continue
    const delivery = new Delivery(message, qos, true, subscription.identifiers, undefined)
    if (sendKept(shard, session, delivery, 0)) return true
  }
}

function sendNextQueued(shard: ShardState, session: Session): boolean {
  for (;;) {
    const next = session.queue.peek()
    if (next === undefined) return false
    if (next.record?.isRefused) {
      dequeue(shard, session)
      forget(shard, next)
      continue // its publisher was told, and may have sent it again
    }
    if (next.message.expiresAtMs <= shard.nowMs) {
      dequeue(shard, session)
      forget(shard, next)
      shard.drop('droppedExpired', session, 'message dropped: it expired while it waited') // [MQTT-3.3.2-5]
      continue
    }
    if (!mayReceiveWaiting(shard, session, next)) {
      dequeue(shard, session)
      forget(shard, next)
      shard.drop('droppedNotAuthorized', session, 'message dropped: rules have come to forbid it while it waited')
      continue
    }
    if (next.qos > 0 && !session.hasQuota) return false
    dequeue(shard, session)
    if (sendKept(shard, session, next, 0)) return true
    forget(shard, next)
  }
}

/**
 * After a reconnection: what was not acknowledged goes out again in its order. PUBLISH keeps within the new quota, and
 * what is left joins the list that `pump` works off; PUBREL waits for nothing [MQTT-3.3.4-10].
 */
export function resumeInflight(shard: ShardState, session: Session): void {
  const outlet = shard.outlets[session.thread]
  for (const packetId of session.inflight.inOrder()) {
    if (session.inflight.stateOf(packetId) === InflightState.AWAITING_PUBCOMP) {
      outlet.ack(session.slot, PacketType.PUBREL, packetId, 0)
      outlet.flushAcks()
    } else {
      session.resend.push(packetId)
      resendNext(shard, session)
    }
  }
  shard.pumpLater(session)
}
