/**
 * What rules let a session receive: asked when the receivers of a topic are put together, when a retained or waiting
 * message is about to be sent, and when a member of a shared subscription is chosen.
 */
import type { AccessChange } from '../contracts/security.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import { parseSharedFilter } from '../mqtt/topic-filter.js'
import { concernsReceiving } from './access.js'
import type { Delivery } from './delivery-queue.js'
import { announce, audienceOf } from './interest.js'
import type { Session } from './session.js'
import { closeConnection, endSession } from './session-end.js'
import type { ShardState } from './shard-state.js'

const DOLLAR = 0x24

/** @param topic a topic name */
export function mayReceive(shard: ShardState, session: Session, topic: string): boolean {
  if (!shard.config.rules.recheckOpenSubscriptions) return true // what SUBSCRIBE was told holds
  if (shard.access.of(session).receivesFreely && !topic.startsWith('$')) return true
  return shard.access.receive(session, topic).allowed
}

/** A message that waits in the queue of the session: rules may have changed since it came. */
export function mayReceiveWaiting(shard: ShardState, session: Session, { message }: Delivery): boolean {
  if (!shard.config.rules.recheckOpenSubscriptions) return true
  if (shard.access.of(session).receivesFreely && message.bytes[message.topicStart] !== DOLLAR) return true
  return shard.access.receive(session, message.topic).allowed
}

/** The session may get other topics than before: those who have put it among receivers look again. */
export function receiversChanged(shard: ShardState, session: Session): void {
  for (const [filter, { group }] of session.subscriptions) {
    audienceOf(shard, group?.filter ?? parseSharedFilter(filter)?.filter ?? filter).version++
  }
  seatInGroups(shard, session)
}

/**
 * Other rules or users. What sessions were told before is doubted only where the change concerns it.
 * @throws BrokerError for rules that cannot be read: those of before stay
 */
export function changeAccess(shard: ShardState, change: AccessChange): void {
  const changed = shard.access.change(change)
  const removedUsers = [...change.removedUsers, ...shard.userRecords.change(change)]
  shard.removedUsers.note({ ...change, removedUsers })
  for (const name of removedUsers) {
    shard.opening?.removedUsers.add(name)
    endSessions(shard, ({ identity }) => identity.userName === name)
  }
  // the broker may have died when a removal was kept, and before sessions were ended for it
  if (change.isWhole) endSessions(shard, (session) => shard.userRecords.isOfOther(session))
  if (concernsReceiving(changed) || change.isWhole) judgeAnew(shard)
}

/** A session that comes back from the store when users and rules are known already. */
export function judgeRestored(shard: ShardState, session: Session): void {
  if (!shard.access.isReady) return // all are judged when they come
  const { userName } = session.identity
  const isRemoved = userName !== undefined && shard.opening?.removedUsers.has(userName) === true
  if (isRemoved || shard.userRecords.isOfOther(session)) endOne(shard, session)
  else seatInGroups(shard, session)
}

/** What anybody may receive is asked again, of all topics. */
export function judgeAnew(shard: ShardState): void {
  shard.topics.doubtAll()
  for (const session of shard.sessions.values()) seatInGroups(shard, session)
}

/** A member whose subscription rules have come to forbid has no turn, and gets it back with its right. */
function seatInGroups(shard: ShardState, session: Session): void {
  for (const subscription of session.subscriptions.values()) {
    const { group } = subscription
    if (group === undefined) continue
    const isSeated = group.memberOf(session) !== undefined
    const isAllowed = maySeat(shard, session, group.filter)
    if (isSeated === isAllowed) continue
    if (isAllowed) group.put(subscription)
    else group.remove(session)
    const audience = audienceOf(shard, group.filter)
    audience.version++
    announce(shard, audience, group, () => {})
  }
}

function maySeat(shard: ShardState, session: Session, filter: string): boolean {
  if (!shard.config.rules.recheckOpenSubscriptions || !shard.access.isReady) return true
  if (shard.access.of(session).receivesFreely && !filter.startsWith('$')) return true
  return shard.access.subscribe(session, filter).allowed
}

/** Nobody of that name comes back; one who gets the name later must not find what was meant for this one. */
function endSessions(shard: ShardState, isTheirs: (session: Session) => boolean): void {
  for (const session of [...shard.sessions.values()]) {
    if (isTheirs(session)) endOne(shard, session)
  }
}

function endOne(shard: ShardState, session: Session): void {
  session.will = undefined
  session.expirySeconds = 0
  if (session.isConnected) closeConnection(shard, session, ReasonCode.NOT_AUTHORIZED, 'the user was removed')
  else endSession(shard, session)
}
