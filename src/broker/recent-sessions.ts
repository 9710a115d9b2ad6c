/** Sessions whose network connection came or went last, for lists that people read: bounded, however many there are. */
import { SESSIONS_LISTED_MAX, type SessionSummary } from '../contracts/sessions.js'
import type { Session } from './session.js'

export class RecentSessions {
  /** In the order of their last change, with its time in milliseconds since 1970. */
  readonly #changes = new Map<Session, number>()

  /** Its connection has come or gone. */
  note(session: Session, nowMs: number): void {
    this.#changes.delete(session)
    this.#changes.set(session, nowMs)
    if (this.#changes.size <= SESSIONS_LISTED_MAX) return
    for (const oldest of this.#changes.keys()) {
      this.#changes.delete(oldest)
      return
    }
  }

  /** It has ended. */
  forget(session: Session): void {
    this.#changes.delete(session)
  }

  /** The latest first, then others of `sessions` while there are fewer than `SESSIONS_LISTED_MAX`. */
  list(sessions: Iterable<Session>): readonly SessionSummary[] {
    const listed = [...this.#changes].reverse().map(([session, sinceMs]) => summaryOf(session, sinceMs))
    if (listed.length >= SESSIONS_LISTED_MAX) return listed
    for (const session of sessions) {
      if (this.#changes.has(session)) continue
      listed.push(summaryOf(session, undefined))
      if (listed.length >= SESSIONS_LISTED_MAX) break
    }
    return listed
  }
}

function summaryOf(session: Session, sinceMs: number | undefined): SessionSummary {
  const { userName, address, port } = session.identity
  return {
    clientId: session.clientId,
    userName,
    address,
    port,
    protocolVersion: session.version,
    isBridge: session.isBridge,
    isConnected: session.isConnected,
    sinceMs,
    keepAliveSeconds: session.keepAliveSeconds,
    expirySeconds: session.expirySeconds,
    subscriptions: session.subscriptions.size,
    queuedMessages: session.queue.length,
    inflightMessages: session.inflight.size,
  }
}
