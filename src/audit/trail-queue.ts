/** Records that wait to be written. Bounded: what has no place is counted, and the loss becomes a record itself. */
import type { AuditEntry } from '../contracts/audit.js'
import { ownEntry } from './own-entry.js'

/** Characters of all that waits: minutes of a busy broker whose disk is full. */
const CHARS_MAX = 16_777_216
/** Of a record besides its texts. */
const RECORD_CHARS = 200

export class TrailQueue {
  #entries: AuditEntry[] = []
  #chars = 0
  #lost = { count: 0, sinceMs: 0 }
  /** Records that were lost since the start. */
  lostTotal = 0

  constructor(private readonly charsMax: number = CHARS_MAX) {}

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  push(entry: AuditEntry): void {
    const chars = charsOf(entry)
    if (this.#lost.count > 0 || this.#chars + chars > this.charsMax) {
      if (this.#lost.count === 0) this.#lost.sinceMs = entry.timeMs
      this.#lost.count += entry.count
      this.lostTotal += entry.count
      return
    }
    this.#entries.push(entry)
    this.#chars += chars
  }

  /** The oldest ones; they stay until `drop`. */
  first(count: number): readonly AuditEntry[] {
    return this.#entries.slice(0, count)
  }

  /** They are written: there is room again, first of all for the record of a loss. */
  drop(count: number, nowMs: number, reason: string): void {
    for (const entry of this.#entries.splice(0, count)) this.#chars -= charsOf(entry)
    const { count: lost, sinceMs } = this.#lost
    if (lost === 0) return
    this.#lost.count = 0
    const since = new Date(sinceMs).toISOString()
    const loss = {
      ...ownEntry(nowMs, 'audit trail', false, `records since ${since} were lost: ${reason}`),
      count: lost,
    }
    this.#entries.push(loss)
    this.#chars += charsOf(loss)
  }
}

function charsOf({ user, clientId, address, what, detail }: AuditEntry): number {
  return RECORD_CHARS + user.length + clientId.length + address.length + what.length + detail.length
}
