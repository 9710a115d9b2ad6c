/** `Comms/Logins`: an event for each client that comes, goes or is refused, at a bounded rate. */
import { encodeText } from '../base/bytes.js'
import type { AuditEntry } from '../contracts/audit.js'
import type { InternalPublish } from '../contracts/threads.js'

export const LOGINS_TOPIC = '$SYS/Coreflux/Comms/Logins'
/** Events of one second; the others are counted in one that follows. */
export const EVENTS_PER_SECOND_MAX = 100

export class LoginEvents {
  #left = EVENTS_PER_SECOND_MAX
  #suppressed = 0

  /** @param entries of any kind @returns what is to be published at once */
  take(entries: readonly AuditEntry[]): readonly InternalPublish[] {
    const messages: InternalPublish[] = []
    for (const entry of entries) {
      if (!isLogin(entry)) continue
      if (this.#left === 0) this.#suppressed += entry.count
      else {
        this.#left--
        messages.push(message(eventOf(entry)))
      }
    }
    return messages
  }

  /** Another second begins. */
  tick(): readonly InternalPublish[] {
    const count = this.#suppressed
    this.#suppressed = 0
    this.#left = EVENTS_PER_SECOND_MAX
    return count === 0 ? [] : [message({ event: 'suppressed', count })]
  }
}

function isLogin({ kind, what }: AuditEntry): boolean {
  return kind === 'login' || kind === 'logout' || (kind === 'denial' && what === 'connect')
}

function eventOf({ kind, timeMs, clientId, user, address, success, detail, count }: AuditEntry): object {
  return {
    event: kind === 'logout' ? 'disconnect' : 'connect',
    timestampUtc: new Date(timeMs).toISOString(),
    clientId,
    user: user === '' ? null : user,
    address,
    success,
    reason: detail,
    count,
  }
}

function message(event: object): InternalPublish {
  return { topic: LOGINS_TOPIC, payload: encodeText(JSON.stringify(event)), retain: false }
}
