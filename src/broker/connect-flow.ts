/** CONNECT of an admitted client, and DISCONNECT (§3.1, §3.2, §3.14). */

import { hashText } from '../base/bytes.js'
import { BrokerError } from '../base/errors.js'
import { type ConnectRequest, OutboundKind } from '../contracts/records.js'
import { encodeConnack } from '../mqtt/control-codec.js'
import type { Connack, Disconnect } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { announcePresence } from './interest.js'
import { admitToStore } from './persistence.js'
import { pumpAll, resumeInflight } from './pump.js'
import { Session } from './session.js'
import { closeConnection, detach, endSession, reportMissed } from './session-end.js'
import type { ShardState } from './shard-state.js'
import { disarmWill } from './will.js'

export function receiveConnect(shard: ShardState, thread: number, slot: number, request: ConnectRequest): void {
  const endsStored = (shard.sessions.get(request.clientId)?.number ?? 0) > 0
  const old = takeOver(shard, request)
  const session = old ?? new Session(request.clientId, hashText(request.clientId))
  if (old === undefined && !shard.addSession(session)) {
    shard.count('sessionsRefused')
    shard.clientLog.log('warn', 'sessionsRefused', 'connection refused: session.sessionsMax is reached')
    refuse(shard, thread, slot, request)
    return
  }
  attach(shard, session, thread, slot, request)
  const { connection } = session
  const accept = (isKept: boolean): void => {
    if (session.connection !== connection || !session.isConnected) return // taken over, or gone
    if (!isKept && old === undefined) {
      // a session that cannot be kept is not what the client has asked for
      refuse(shard, thread, slot, request)
      session.will = undefined
      session.expirySeconds = 0
      detach(shard, session, 'QuotaExceeded')
      return
    }
    session.isAccepted = true
    const connack = encodeConnack(answer(shard, session, request, old !== undefined), request.version)
    shard.outlets[thread].send(OutboundKind.ACCEPT, slot, connack)
    shard.lot.sessionConnected(session, request.cleanStart)
    if (old === undefined) return
    resumeInflight(shard, session)
    pumpAll(shard)
  }
  if (session.isLogged || endsStored) shard.storage.whenFlushed(accept)
  else accept(true)
}

/** Ends what is in the way of the new connection. @returns the session to resume; undefined to start a new one */
function takeOver(shard: ShardState, request: ConnectRequest): Session | undefined {
  const session = shard.sessions.get(request.clientId)
  if (session === undefined) return undefined
  if (session.isConnected) {
    const reason = new BrokerError('SESSION_TAKEN_OVER', { clientId: request.clientId })
    closeConnection(shard, session, reason.reasonCode, reason.message) // [MQTT-3.1.4-3]
  }
  // it may have ended with its connection
  if (shard.sessions.get(request.clientId) !== session) return undefined
  if (!request.cleanStart) return session // [MQTT-3.1.2-5]
  endSession(shard, session) // [MQTT-3.1.2-4]
  return undefined
}

function attach(shard: ShardState, session: Session, thread: number, slot: number, request: ConnectRequest): void {
  if (session.expiryTimer !== undefined) {
    shard.timers.cancel(session.expiryTimer)
    session.expiryTimer = undefined
  }
  if (session.connection > 0) shard.count('sessionsDisconnected', -1)
  const { inflightMax, expirySecondsMax } = shard.config.session
  session.thread = thread
  session.slot = slot
  disarmWill(shard, session) // connected by now: the session is written once, below
  session.connection++
  session.version = request.version
  session.keepAliveSeconds = request.keepAliveSeconds
  session.userName = request.userName
  session.address = request.address
  session.port = request.port
  session.expirySeconds = Math.min(request.sessionExpirySeconds, expirySecondsMax)
  session.sendQuota = Math.min(request.receiveMaximum, inflightMax)
  session.maximumPacketBytes = request.maximumPacketBytes
  session.wantsProblemInformation = request.requestProblemInformation
  session.will = request.will
  session.publishesWillAfterDisconnect = false
  shard.attached[thread][slot] = session
  admitToStore(shard, session)
  shard.count('sessionsConnected')
  announcePresence(shard, session)
  reportMissed(shard, session)
}

function answer(shard: ShardState, session: Session, request: ConnectRequest, sessionPresent: boolean): Connack {
  if (request.version < 5) return { sessionPresent, reasonCode: ReasonCode.SUCCESS }
  const { connection, session: limits, responseInformation } = shard.config
  const granted = session.expirySeconds
  return {
    sessionPresent,
    reasonCode: ReasonCode.SUCCESS,
    sessionExpirySeconds: granted === request.sessionExpirySeconds ? undefined : granted,
    receiveMaximum: limits.receiveMaximum === 65_535 ? undefined : limits.receiveMaximum,
    maximumPacketBytes: connection.packetBytesMax,
    assignedClientId: request.assigned ? session.clientId : undefined, // [MQTT-3.2.2-16]
    topicAliasMaximum: connection.topicAliasMax === 0 ? undefined : connection.topicAliasMax,
    serverKeepAliveSeconds: request.serverKeepAliveSeconds,
    responseInformation: request.requestResponseInformation ? responseInformation : undefined, // [MQTT-3.1.2-28]
    authenticationMethod: request.authenticationMethod,
    authenticationData:
      request.authenticationData === undefined ? undefined : Buffer.from(request.authenticationData, 'base64'),
  }
}

function refuse(shard: ShardState, thread: number, slot: number, request: ConnectRequest): void {
  const connack = encodeConnack({ sessionPresent: false, reasonCode: ReasonCode.QUOTA_EXCEEDED }, request.version)
  shard.outlets[thread].send(OutboundKind.CLOSE, slot, connack)
}

/** That an expiry interval may be set at all was checked by the connection thread. */
export function receiveDisconnect(shard: ShardState, session: Session, packet: Disconnect): void {
  const { sessionExpirySeconds } = packet
  if (sessionExpirySeconds !== undefined) {
    session.expirySeconds = Math.min(sessionExpirySeconds, shard.config.session.expirySecondsMax)
  }
  // only a normal disconnection takes the will away [MQTT-3.14.4-3]
  session.publishesWillAfterDisconnect = packet.reasonCode !== ReasonCode.SUCCESS
}
