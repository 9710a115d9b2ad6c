/** What happens when a session loses its network connection, and when it ends (§4.1). */
import { partyOf } from '../contracts/audit.js'
import { CloseCause, OutboundKind } from '../contracts/records.js'
import { encodeDisconnect } from '../mqtt/control-codec.js'
import { NEVER_EXPIRES } from '../mqtt/packets.js'
import { dequeue } from './delivery.js'
import { closeReason, disconnectReason } from './disconnect-reason.js'
import { handOver, redeliver, takeGroupMessages } from './hand-over.js'
import { announcePresence } from './interest.js'
import { forget, storeSession } from './persistence.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'
import { removeSubscription } from './subscribe-flow.js'
import { armWill, disarmWill, publishWill } from './will.js'

/** Has the connection closed, with a DISCONNECT where the version has it, and goes on as if it were. */
export function closeConnection(
  shard: ShardState,
  session: Session,
  reasonCode: number,
  reasonString: string | undefined,
): void {
  const reason = session.wantsProblemInformation && reasonString !== undefined ? { reasonString } : {}
  const disconnect =
    session.version === 5 && session.isAccepted
      ? encodeDisconnect(reasonCode, reason, session.maximumPacketBytes)
      : undefined
  shard.outlets[session.thread].send(OutboundKind.CLOSE, session.slot, disconnect)
  detach(shard, session, disconnectReason(reasonCode))
}

/**
 * The session has no network connection any more. What it had sent stays for the next one, if there will be one.
 * @param reason as DISCONNECTREASON tells it
 */
export function detach(shard: ShardState, session: Session, reason: string): void {
  if (session.isAccepted) {
    shard.lot.sessionDisconnected(session, reason)
    const who = partyOf(session.identity)
    shard.audit.record({ kind: 'logout', ...who, what: 'disconnect', success: true, detail: reason })
  }
  shard.quotas.disconnected(session.identity.userName)
  shard.attached[session.thread][session.slot] = undefined
  session.thread = -1
  session.isAccepted = false
  session.slot = -1
  session.isSlow = false
  session.awaitsMark = false
  session.pumpedBytes = 0
  session.sent = 0
  session.received = 0
  session.resend = []
  session.replies.length = 0
  forgetToken(shard, session)
  shard.count('sessionsConnected', -1)
  shard.recent.note(session, shard.nowMs)
  announcePresence(shard, session)
  if (session.expirySeconds === 0) {
    publishWill(shard, session)
    endSession(shard, session)
    return
  }
  shard.count('sessionsDisconnected')
  storeSession(shard, session)
  armWill(shard, session)
  expireSession(shard, session, shard.nowMs)
  handOver(shard, session)
}

/** Its end no longer ends the connection. */
export function forgetToken(shard: ShardState, session: Session): void {
  if (session.tokenTimer !== undefined) shard.timers.cancel(session.tokenTimer)
  session.tokenTimer = undefined
}

/** Ends a session without a connection when its expiry interval has passed. @param sinceMs when it lost the connection */
export function expireSession(shard: ShardState, session: Session, sinceMs: number): void {
  if (session.expirySeconds === NEVER_EXPIRES) return
  const end = (): void => {
    if (session.expirySeconds > 0) shard.count('sessionsExpired')
    endSession(shard, session)
  }
  const dueMs = sinceMs + session.expirySeconds * 1_000
  if (dueMs <= shard.nowMs) end()
  else session.expiryTimer = shard.timers.at(dueMs, end)
}

/** The connection thread has reported the end of a connection. */
export function connectionClosed(shard: ShardState, session: Session, cause: CloseCause): void {
  if (cause === CloseCause.DISCONNECTED && !session.publishesWillAfterDisconnect) disarmWill(shard, session)
  detach(shard, session, closeReason(session, cause))
}

/** Removes the session and all it had [MQTT-4.1.0-2]. A will that still waits for its delay is published now. */
export function endSession(shard: ShardState, session: Session): void {
  if (!session.isConnected && session.expirySeconds > 0) shard.count('sessionsDisconnected', -1)
  if (session.expiryTimer !== undefined) shard.timers.cancel(session.expiryTimer)
  shard.removeSession(session)
  reportMissed(shard, session)
  const groupMessages = takeGroupMessages(shard, session, true)
  // in the store they end with the session, once others have what was for its groups
  for (const filter of [...session.subscriptions.keys()]) removeSubscription(shard, session, filter)
  publishWill(shard, session)
  for (const delivery of groupMessages) redeliver(shard, session, delivery)
  const left = session.queue.length
  if (left > 0) shard.drop('droppedSessionEnded', session, 'messages dropped: their session has ended', left)
  for (let next = dequeue(shard, session); next !== undefined; next = dequeue(shard, session)) forget(shard, next)
  session.awaitingPubrel.clear()
  shard.access.forget(session)
  if (session.number > 0) endStored(shard, session)
}

function endStored(shard: ShardState, session: Session): void {
  for (const packetId of session.inflight.inOrder()) {
    const delivery = session.inflight.deliveryOf(packetId)
    if (delivery !== undefined) forget(shard, delivery)
  }
  shard.storage.deleteSession(session.number)
}

/** Says in one line what a session has missed while it was offline; each message was counted when it was dropped. */
export function reportMissed(shard: ShardState, session: Session): void {
  const { missed, clientId } = session
  session.missed = 0
  if (missed === 0) return
  const message = 'QoS 0 messages dropped while the client was offline'
  shard.clientLog.log('info', `droppedQos0Offline ${clientId}`, message, { clientId, amount: missed })
}

/**
 * The broker stops. Wills are published while there are still connections to get them, so connections with a will are
 * closed first. A session that is not in the store ends with the broker: its will may not wait for its delay.
 */
export function closeAll(shard: ShardState, reasonCode: number, reasonString: string): void {
  const connected = [...shard.sessions.values()].filter((session) => session.isConnected)
  const withWill = connected.filter((session) => session.will !== undefined)
  for (const session of withWill) closeConnection(shard, session, reasonCode, reasonString)
  for (const session of shard.sessions.values()) if (session.number === 0) publishWill(shard, session)
  for (const session of connected) {
    if (session.isConnected) closeConnection(shard, session, reasonCode, reasonString)
  }
}

/** A connection thread died, and its sockets with it. */
export function connectionThreadLost(shard: ShardState, thread: number): void {
  shard.opening?.forget(thread)
  for (const session of shard.attached[thread]) if (session !== undefined) detach(shard, session, 'ConnectionLost')
}
