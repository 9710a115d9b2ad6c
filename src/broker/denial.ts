/** Something that rules forbid: counted, logged at a bounded rate, and told to the audit trail. */
import { partyOf } from '../contracts/audit.js'
import type { CounterName } from '../contracts/counters.js'
import type { Session } from './session.js'
import type { ShardState } from './shard-state.js'

/** What a client is told: which rule decided is for the log and the audit trail. */
export const UNTOLD = 'not authorized'

/** Where bridges of Mosquitto, and of brokers like it, tell their state unless they are told otherwise. */
const BRIDGE_STATE = '$SYS/broker/connection/'

/** Why no client publishes to this topic, at once or by its will. */
export function reservedReason(topic: string): string {
  const reason = 'clients may not publish to $SYS'
  if (!topic.startsWith(BRIDGE_STATE)) return reason
  return `${reason}; set notifications_local_only or notification_topic where the bridge is configured`
}

/** @param what for people: `publish line/1/setpoint` @param reason which rule, or what else decided */
export function deny(
  shard: ShardState,
  session: Session,
  what: string,
  reason: string,
  counter: CounterName = 'droppedNotAuthorized',
): void {
  shard.drop(counter, session, `not allowed to ${what}: ${reason}`)
  shard.audit.record({ kind: 'denial', ...partyOf(session.identity), what, success: false, detail: reason })
}

/** What an Action was not allowed to do, in the place of a client without user. */
export function denyLot(shard: ShardState, what: string, reason: string): void {
  shard.count('droppedNotAuthorized')
  shard.clientLog.log('warn', 'droppedNotAuthorized lot', `LoT is not allowed to ${what}: ${reason}`, { reason })
  shard.audit.record({
    kind: 'denial',
    user: '',
    clientId: '',
    address: '',
    what: `${what} (PUBLISH MODEL)`,
    success: false,
    detail: reason,
  })
}
