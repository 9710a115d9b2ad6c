/** CONNECT of an admitted client, and DISCONNECT (§3.1, §3.2, §3.14). */

import { hashText } from '../base/bytes.js'
import { BrokerError } from '../base/errors.js'
import { type AuditRecord, partyOf } from '../contracts/audit.js'
import { type ConnectRequest, OutboundKind } from '../contracts/records.js'
import type { Identity } from '../contracts/security.js'
import { encodeConnack } from '../mqtt/control-codec.js'
import type { Connack, Disconnect } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { UNTOLD } from './denial.js'
import { announcePresence } from './interest.js'
import { admitToStore, NO_ROOM } from './persistence.js'
import { pumpAll, resumeInflight } from './pump.js'
import { receiversChanged } from './receiving.js'
import { Session } from './session.js'
import { closeConnection, detach, endSession, forgetToken, reportMissed } from './session-end.js'
import type { ShardState } from './shard-state.js'
import { disarmWill } from './will.js'

export function receiveConnect(shard: ShardState, thread: number, slot: number, request: ConnectRequest): void {
  const identity = identityOf(request)
  const problem = refusal(shard, identity, request.knownChange)
  if (problem !== undefined) {
    shard.count('connectionsDenied')
    const { clientId, address } = identity
    shard.clientLog.log('warn', `denied ${clientId}`, `connection refused: ${problem.reason}`, { clientId, address })
    shard.audit.record(auditOf(identity, 'denial', problem.reason))
    const told = problem.reasonCode === ReasonCode.NOT_AUTHORIZED ? UNTOLD : problem.reason
    refuse(shard, thread, slot, request, problem.reasonCode, told)
    return
  }
  const current = shard.sessions.get(request.clientId)
  const isReplaced = current?.isConnected === true && current.identity.userName === identity.userName
  if (!shard.quotas.connect(identity.userName, isReplaced)) {
    shard.count('connectionsRefusedUser')
    refuse(shard, thread, slot, request, ReasonCode.QUOTA_EXCEEDED, 'limits.perUser.connectionsMax is reached')
    return
  }
  yieldToUser(shard, identity)
  const endsStored = (shard.sessions.get(request.clientId)?.number ?? 0) > 0
  const old = takeOver(shard, request)
  const session = old ?? new Session(request.clientId, hashText(request.clientId))
  if (old === undefined && !shard.addSession(session)) {
    shard.quotas.disconnected(identity.userName)
    shard.count('sessionsRefused')
    shard.clientLog.log('warn', 'sessionsRefused', 'connection refused: session.sessionsMax is reached')
    refuse(shard, thread, slot, request, ReasonCode.QUOTA_EXCEEDED, 'session.sessionsMax is reached')
    return
  }
  attach(shard, session, thread, slot, request)
  const { connection } = session
  const accept = (isKept: boolean): void => {
    if (session.connection !== connection || !session.isConnected) return // taken over, or gone
    if (!isKept && old === undefined) {
      // a session that cannot be kept is not what the client has asked for
      refuse(shard, thread, slot, request, ReasonCode.QUOTA_EXCEEDED, NO_ROOM)
      session.will = undefined
      session.expirySeconds = 0
      detach(shard, session, 'QuotaExceeded')
      return
    }
    session.isAccepted = true
    shard.audit.record(auditOf(identity, 'login', ''))
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

function identityOf({ userName, clientId, address, port, claims }: ConnectRequest): Identity {
  return { userName, clientId, address, port, claims }
}

/** @returns why the client may not connect, or not with this client identifier; undefined if it may */
function refusal(
  shard: ShardState,
  identity: Identity,
  knownChange: number,
): { readonly reasonCode: ReasonCode; readonly reason: string } | undefined {
  if (!shard.access.isReady) {
    return { reasonCode: ReasonCode.SERVER_UNAVAILABLE, reason: 'the broker is starting: connect again in a moment' }
  }
  if (shard.removedUsers.mayInclude(identity.userName, knownChange)) {
    return { reasonCode: ReasonCode.SERVER_UNAVAILABLE, reason: 'users have changed meanwhile: connect again' }
  }
  const { allowed, reason } = shard.access.decide({ identity, scope: 'Connect', topic: undefined })
  if (!allowed) return { reasonCode: ReasonCode.NOT_AUTHORIZED, reason }
  const owner = shard.sessions.get(identity.clientId)?.identity.userName
  if (owner === undefined || owner === identity.userName || shard.config.session.takeoverByOthers) return undefined
  return {
    reasonCode: ReasonCode.NOT_AUTHORIZED,
    reason: 'the client identifier belongs to the session of another user',
  }
}

/** A session of nobody does not keep a user from the client identifier; what waits in it is not for the user. */
function yieldToUser(shard: ShardState, { clientId, userName }: Identity): void {
  const session = shard.sessions.get(clientId)
  if (session === undefined || userName === undefined || session.identity.userName !== undefined) return
  if (shard.config.session.takeoverByOthers) return
  const reason = new BrokerError('SESSION_TAKEN_OVER', { clientId })
  session.expirySeconds = 0
  if (session.isConnected) closeConnection(shard, session, reason.reasonCode, reason.message)
  else endSession(shard, session)
}

/** Sets whose the session is, and closes its connection when the token expires that says so. */
export function adoptIdentity(shard: ShardState, session: Session, identity: Identity): void {
  shard.quotas.moved(session, identity)
  session.identity = identity
  session.userCreatedAt = shard.userRecords.createdAtOf(identity.userName)
  shard.access.forget(session)
  receiversChanged(shard, session)
  forgetToken(shard, session)
  const expiresAtMs = identity.claims?.expiresAtMs
  if (expiresAtMs === undefined) return
  session.tokenTimer = shard.timers.at(expiresAtMs, () => {
    session.tokenTimer = undefined
    closeConnection(shard, session, ReasonCode.MAXIMUM_CONNECT_TIME, 'the token of the user has expired')
  })
}

function auditOf(identity: Identity, kind: 'login' | 'denial', detail: string): AuditRecord {
  return { kind, ...partyOf(identity), what: 'connect', success: kind === 'login', detail }
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
  session.isBridge = request.isBridge
  session.keepAliveSeconds = request.keepAliveSeconds
  adoptIdentity(shard, session, identityOf(request))
  session.expirySeconds = Math.min(request.sessionExpirySeconds, expirySecondsMax)
  session.sendQuota = Math.min(request.receiveMaximum, inflightMax)
  session.maximumPacketBytes = request.maximumPacketBytes
  session.wantsProblemInformation = request.requestProblemInformation
  session.will = request.will
  session.publishesWillAfterDisconnect = false
  shard.attached[thread][slot] = session
  admitToStore(shard, session)
  shard.count('sessionsConnected')
  shard.recent.note(session, shard.nowMs)
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

function refuse(
  shard: ShardState,
  thread: number,
  slot: number,
  request: ConnectRequest,
  reasonCode: ReasonCode,
  reason: string,
): void {
  const reasonString = request.requestProblemInformation ? reason : undefined
  const connack = encodeConnack({ sessionPresent: false, reasonCode, reasonString }, request.version)
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
