/**
 * Answers to failed logins from this machine come late: its addresses are not banned, because whoever shares them would
 * be locked out too, and yet nobody shall try passwords there as fast as the machine can.
 */
import { Counter, type Counters } from '../contracts/counters.js'

/** Failures within a minute that are answered at once: somebody has mistyped. */
const AT_ONCE_MAX = 3
const DELAY_MS = 1_000
const DELAY_MS_MAX = 5_000
const WINDOW_MS = 60_000
/** Answers that wait. Beyond it they come at once: each still costs the one who tries a connection and a hash. */
const WAITING_MAX = 1_000

export class DelayedRefusals {
  /** At most `WAITING_MAX`, in the order they came in. */
  #waiting: { readonly dueMs: number; readonly refuse: () => void }[] = []
  #failures = 0
  #windowMs = Number.NEGATIVE_INFINITY

  constructor(readonly counters: Counters) {}

  get waiting(): number {
    return this.#waiting.length
  }

  /** Refuses now or later. @param refuse must bear that the connection is gone by then */
  add(refuse: () => void, nowMs: number): void {
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs
      this.#failures = 0
    }
    this.#failures++
    if (this.#failures <= AT_ONCE_MAX || this.#waiting.length >= WAITING_MAX) {
      refuse()
      return
    }
    this.counters[Counter.loginsDelayed]++
    const delayMs = Math.min(DELAY_MS_MAX, (this.#failures - AT_ONCE_MAX) * DELAY_MS)
    this.#waiting.push({ dueMs: nowMs + delayMs, refuse })
  }

  /** Refuses those whose time has come. */
  run(nowMs: number): void {
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= nowMs)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs > nowMs)
    for (const { refuse } of due) refuse()
  }
}
