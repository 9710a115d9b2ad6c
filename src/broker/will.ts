/** Will messages (§3.1.2.5): when they are published and when they are not. */
import type { WillRequest } from '../contracts/records.js'
import { decodePublishProperties } from '../mqtt/publish-properties.js'
import { deny, reservedReason } from './denial.js'
import { createMessage, type Message } from './message.js'
import { storeSession } from './persistence.js'
import { quotaInTheWay, retainedIsFull, route } from './routing.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'

/** Milliseconds between looks for the rules, after a start. */
const RULES_AWAITED_MS = 100

/**
 * The connection was lost: publishes the will now or after its delay, at the latest when the session ends.
 * @param sinceMs when it was lost
 */
export function armWill(shard: ShardState, session: Session, sinceMs = shard.nowMs): void {
  const { will } = session
  if (will === undefined) return
  const delaySeconds = Math.min(will.delaySeconds, session.expirySeconds)
  const dueMs = sinceMs + delaySeconds * 1_000
  if (dueMs <= shard.nowMs) publishWill(shard, session)
  else session.willTimer = shard.timers.at(dueMs, () => publishWill(shard, session))
}

/** A new connection came before the delay had passed: the will is not sent [MQTT-3.1.3-9]. */
export function disarmWill(shard: ShardState, session: Session): void {
  if (session.willTimer !== undefined) shard.timers.cancel(session.willTimer)
  session.willTimer = undefined
  if (session.will === undefined) return
  session.will = undefined
  if (!session.isConnected) storeSession(shard, session)
}

/** Publishes the will, once [MQTT-3.1.2-10]. */
export function publishWill(shard: ShardState, session: Session): void {
  const { will } = session
  if (will === undefined) return
  if (session.willTimer !== undefined) shard.timers.cancel(session.willTimer)
  session.willTimer = undefined
  if (!shard.access.isReady) {
    // from the store, and due while the broker starts: it is judged by the rules once they are known
    session.willTimer = shard.timers.at(shard.nowMs + RULES_AWAITED_MS, () => publishWill(shard, session))
    return
  }
  session.will = undefined
  // in the order of what its client does: the next connection may have something newer to say
  if (shard.opening === undefined) publishNow(shard, session, will)
  else shard.opening.wait(will.payload.length, () => publishNow(shard, session, will))
}

function publishNow(shard: ShardState, session: Session, will: WillRequest): void {
  routeWill(shard, session, will)
  // after the message: a crash in between sends the will twice rather than never
  const isThere = shard.sessions.get(session.clientId) === session
  if (isThere && !session.isConnected && session.expirySeconds > 0) storeSession(shard, session)
}

function routeWill(shard: ShardState, session: Session, will: WillRequest): void {
  const { fields } = shard
  fields.readMessage(messageOf(will, shard.nowMs), shard.nowMs)
  const entry = shard.topics.find(fields.bytes, fields.topicStart, fields.topicBytes, fields.topicHash)
  const { allowed, reason } = entry.isReserved
    ? { allowed: false, reason: reservedReason(entry.name) }
    : shard.access.publish(session, entry.name)
  if (!allowed) {
    deny(shard, session, `publish its will to ${entry.name}`, reason)
    return
  }
  if (retainedIsFull(shard, fields, entry)) {
    shard.drop('droppedRetainedFull', session, 'will not retained: no room for more retained messages')
    fields.retain = false
  }
  const quota = quotaInTheWay(shard, session, fields, entry)
  if (quota !== undefined) {
    shard.drop(quota.counter, session, `will not retained: ${quota.limit} is reached`)
    fields.retain = false
  }
  route(shard, fields, entry, undefined, entry.isWatched, session.identity)
  shard.count('willsPublished')
}

function messageOf(request: WillRequest, nowMs: number): Message {
  const properties = new Uint8Array(Buffer.from(request.publishProperties, 'base64'))
  const { expirySeconds } = decodePublishProperties(properties)
  return createMessage({
    topic: request.topic,
    payload: Buffer.from(request.payload, 'base64'),
    properties,
    qos: request.qos,
    retain: request.retain,
    expiresAtMs: expirySeconds === undefined ? Number.POSITIVE_INFINITY : nowMs + expirySeconds * 1_000,
  })
}
