/** SUBSCRIBE and UNSUBSCRIBE (§3.8 to §3.11). */
import { BrokerError } from '../base/errors.js'
import { OutboundKind } from '../contracts/records.js'
import type { StoredSubscription } from '../contracts/storage.js'
import { encodeSuback, encodeUnsuback } from '../mqtt/control-codec.js'
import type { Subscribe, SubscriptionRequest, Unsubscribe } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { filterProblem, parseSharedFilter } from '../mqtt/topic-filter.js'
import { countTopicLevels } from '../mqtt/topic-name.js'
import { deny, UNTOLD } from './denial.js'
import { announce, audienceOf, groupOf, tidy } from './interest.js'
import { NO_ROOM, storeSubscription } from './persistence.js'
import { RetainedBacklog } from './retained-backlog.js'
import type { PendingReply, Session } from './session.js'
import type { ShardState } from './shard-state.js'
import { type Audience, Subscription } from './subscription.js'

/** The answer goes out when every shard knows of the new subscriptions: what is published then arrives. */
export function receiveSubscribe(shard: ShardState, session: Session, packet: Subscribe): void {
  for (const { filter } of packet.subscriptions) {
    const problem = filterProblem(filter)
    // 0x8F is for filters that are well-formed (§3.14.2.1), so these end the connection [MQTT-4.7.1-1], [MQTT-4.7.1-2]
    if (problem !== undefined) throw new BrokerError('MALFORMED_PACKET', { reason: `topic filter: ${problem}` })
  }
  const requests = session.isBridge ? packet.subscriptions.map(bridged) : packet.subscriptions
  const codes: number[] = []
  const { storage } = shard
  const isKnown = (request: SubscriptionRequest): boolean =>
    isSame(session.subscriptions.get(request.filter), request, packet.subscriptionIdentifier ?? 0)
  if (session.isLogged && storage.isFull && !requests.every(isKnown)) {
    refuseAll(shard, session, packet)
    return
  }
  let unknown = 1
  let reason: string | undefined
  const reply: PendingReply = { send: undefined }
  session.replies.push(reply)
  const sendSuback = (): void => {
    const reasonString = session.wantsProblemInformation ? reason : undefined
    const suback = encodeSuback(packet.packetId, codes, session.version, reasonString, session.maximumPacketBytes)
    if (suback !== undefined) shard.outlets[session.thread].send(OutboundKind.SEND, session.slot, suback)
    shard.pumpLater(session) // retained messages
  }
  const known = (): void => {
    unknown--
    if (unknown > 0) return
    reply.send = sendSuback
    sendReplies(session)
  }
  for (const request of requests) {
    const refused = refusal(shard, session, request)
    if (refused !== undefined) {
      const isDenied = refused.reasonCode === ReasonCode.NOT_AUTHORIZED
      if (isDenied) deny(shard, session, `subscribe ${request.filter}`, refused.reason, 'refusedSubscriptions')
      else shard.drop('refusedSubscriptions', session, `subscription refused: ${refused.reason}`)
      const told = isDenied ? UNTOLD : refused.reason
      // MQTT 3.1 has no code for a failed subscription, and a granted QoS would be a lie
      if (session.version === 3)
        throw new BrokerError(isDenied ? 'NOT_AUTHORIZED' : 'TOPIC_FILTER_INVALID', { reason: told })
      codes.push(refused.reasonCode)
      reason ??= told
      continue
    }
    codes.push(request.qos)
    unknown++
    shard.lot.subscribed(session, request.filter, request.qos)
    subscribe(shard, session, request, packet.subscriptionIdentifier ?? 0, known)
  }
  if (session.isLogged) {
    unknown++
    storage.whenFlushed((isKept) => {
      if (!isKept) codes.fill(ReasonCode.QUOTA_EXCEEDED)
      known()
    })
  }
  known()
}

/**
 * What a bridge before MQTT 5 cannot ask for: retained messages stay so on the other side, and what it has published does
 * not come back. A shared subscription cannot be no local [MQTT-3.8.3-4]: what one member may not have is for another.
 */
function bridged(request: SubscriptionRequest): SubscriptionRequest {
  const isShared = parseSharedFilter(request.filter) !== undefined
  return { ...request, noLocal: !isShared, retainAsPublished: true }
}

/** A client that subscribes again, as many do after each connection, changes nothing that is kept. */
function isSame(old: Subscription | undefined, request: SubscriptionRequest, identifier: number): boolean {
  if (old === undefined) return false
  const { qos, noLocal, retainAsPublished } = old.options
  return (
    qos === request.qos &&
    noLocal === request.noLocal &&
    retainAsPublished === request.retainAsPublished &&
    old.options.identifier === identifier
  )
}

/** There is no room to keep them. */
function refuseAll(shard: ShardState, session: Session, packet: Subscribe): void {
  if (session.version === 3) throw new BrokerError('QUOTA_EXCEEDED', { reason: NO_ROOM })
  shard.drop('refusedSubscriptions', session, `subscription refused: ${NO_ROOM}`, packet.subscriptions.length)
  const codes = packet.subscriptions.map(() => ReasonCode.QUOTA_EXCEEDED)
  const reasonString = session.wantsProblemInformation ? NO_ROOM : undefined
  const suback = encodeSuback(packet.packetId, codes, session.version, reasonString, session.maximumPacketBytes)
  replyInOrder(session, () => {
    if (suback !== undefined) shard.outlets[session.thread].send(OutboundKind.SEND, session.slot, suback)
  })
}

function refusal(
  shard: ShardState,
  session: Session,
  request: SubscriptionRequest,
): { reasonCode: ReasonCode; reason: string } | undefined {
  const { bytesMax, levelsMax } = shard.config.topic
  if (Buffer.byteLength(request.filter) > bytesMax || countTopicLevels(request.filter) > levelsMax) {
    const reason = `more than ${bytesMax} bytes or ${levelsMax} levels`
    return { reasonCode: ReasonCode.TOPIC_FILTER_INVALID, reason }
  }
  const filter = parseSharedFilter(request.filter)?.filter ?? request.filter
  if (filter.startsWith('$') || !shard.access.of(session).receivesFreely) {
    const { allowed, reason } = shard.access.subscribe(session, filter)
    if (!allowed) return { reasonCode: ReasonCode.NOT_AUTHORIZED, reason }
  }
  const { subscriptionsMax } = shard.config.session
  if (session.subscriptions.size >= subscriptionsMax && !session.subscriptions.has(request.filter)) {
    return { reasonCode: ReasonCode.QUOTA_EXCEEDED, reason: `more than ${subscriptionsMax} subscriptions` }
  }
  if (session.subscriptions.has(request.filter)) return undefined
  const exhausted = shard.quotas.subscribe(session.identity)
  if (exhausted === undefined) return undefined
  return { reasonCode: ReasonCode.QUOTA_EXCEEDED, reason: `limits.${exhausted}.subscriptionsMax is reached` }
}

function subscribe(
  shard: ShardState,
  session: Session,
  request: SubscriptionRequest,
  identifier: number,
  whenKnown: () => void,
): void {
  const shared = parseSharedFilter(request.filter)
  const audience = audienceOf(shard, shared?.filter ?? request.filter)
  const group = shared === undefined ? undefined : groupOf(shard, audience, shared.group)
  const { qos, noLocal, retainAsPublished } = request
  const subscription = new Subscription(session, { qos, noLocal, retainAsPublished, identifier }, group)
  const isNew = !session.subscriptions.has(request.filter)
  const isStored = isSame(session.subscriptions.get(request.filter), request, identifier)
  if (!isStored) storeSubscription(shard, session, request.filter, subscription)
  addSubscription(shard, audience, subscription, request.filter, isNew)
  if (group !== undefined) {
    announce(shard, audience, group, whenKnown)
    return // shared subscriptions get no retained messages (§4.8.2)
  }
  const wantsRetained = request.retainHandling === 0 || (request.retainHandling === 1 && isNew)
  if (wantsRetained) {
    session.retainedBacklog ??= new RetainedBacklog()
    session.retainedBacklog.add(request.filter, subscription, shard.retained.arrivals)
  }
  if (audience.subscribers.size === 1 || audience.announcing > 0) {
    // a second subscriber waits for the announcement of the first one too
    audience.announcing++
    announce(shard, audience, undefined, () => {
      audience.announcing--
      whenKnown()
    })
  } else whenKnown()
}

function addSubscription(
  shard: ShardState,
  audience: Audience,
  subscription: Subscription,
  filter: string,
  isNew: boolean,
): void {
  const { session, group } = subscription
  session.subscriptions.set(filter, subscription) // replaces one of the same filter [MQTT-3.8.4-3]
  audience.version++
  if (isNew) shard.count(group === undefined ? 'subscriptions' : 'sharedSubscriptions')
  if (group === undefined) audience.subscribers.set(session, subscription)
  else group.put(subscription)
}

/** A subscription that the store has. @param whenKnown called when the other shards know of it */
export function restoreSubscription(
  shard: ShardState,
  session: Session,
  stored: StoredSubscription,
  whenKnown: () => void,
): void {
  const { filter, qos, noLocal, retainAsPublished, identifier } = stored
  const shared = parseSharedFilter(filter)
  const audience = audienceOf(shard, shared?.filter ?? filter)
  const group = shared === undefined ? undefined : groupOf(shard, audience, shared.group)
  const subscription = new Subscription(session, { qos, noLocal, retainAsPublished, identifier }, group)
  addSubscription(shard, audience, subscription, filter, true)
  shard.quotas.restored(session.identity)
  // of a client that has just subscribed the others may not know yet
  const isUnknown = audience.subscribers.size === 1 || audience.announcing > 0
  if (group !== undefined || isUnknown) announce(shard, audience, group, whenKnown)
  else whenKnown()
}

export function receiveUnsubscribe(shard: ShardState, session: Session, packet: Unsubscribe): void {
  const codes = packet.filters.map((filter) =>
    unsubscribe(shard, session, filter) ? ReasonCode.SUCCESS : ReasonCode.NO_SUBSCRIPTION_EXISTED,
  )
  const unsuback = encodeUnsuback(packet.packetId, codes, session.version, undefined, session.maximumPacketBytes)
  const send = (): void => {
    if (unsuback !== undefined) shard.outlets[session.thread].send(OutboundKind.SEND, session.slot, unsuback)
  }
  if (!session.isLogged) {
    replyInOrder(session, send)
    return
  }
  const reply: PendingReply = { send: undefined }
  session.replies.push(reply)
  shard.storage.whenFlushed(() => {
    reply.send = send
    sendReplies(session)
  })
}

/** Answers now, or behind the answers that are still to come. */
export function replyInOrder(session: Session, send: () => void): void {
  session.replies.push({ send })
  sendReplies(session)
}

/** A connection that ends takes its waiting answers with it, so those that are here have somebody to go to. */
function sendReplies(session: Session): void {
  for (let first = session.replies[0]; first?.send !== undefined; first = session.replies[0]) {
    session.replies.shift()
    first.send()
  }
}

/** @param filter as sent, compared character by character [MQTT-3.10.4-1]. @returns false if there was none */
function unsubscribe(shard: ShardState, session: Session, filter: string): boolean {
  const isThere = removeSubscription(shard, session, filter)
  if (isThere && session.isLogged) shard.storage.deleteSubscription(session.number, filter)
  return isThere
}

/** What the store has of it stays, for whoever ends the session. @returns false if there was none */
export function removeSubscription(shard: ShardState, session: Session, filter: string): boolean {
  const subscription = session.subscriptions.get(filter)
  if (subscription === undefined) return false
  session.subscriptions.delete(filter)
  shard.quotas.unsubscribed(session.identity)
  const { group } = subscription
  const audience = audienceOf(shard, group?.filter ?? filter)
  audience.version++
  shard.count(group === undefined ? 'subscriptions' : 'sharedSubscriptions', -1)
  if (group !== undefined) {
    group.remove(session)
    announce(shard, audience, group, () => {})
  } else {
    audience.subscribers.delete(session)
    session.retainedBacklog?.remove(filter)
    if (audience.subscribers.size === 0) announce(shard, audience, undefined, () => {})
  }
  tidy(shard, audience)
  return true
}
