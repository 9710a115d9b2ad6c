/** Log lines at a bounded rate, for events that a client can cause as often as it likes. */
import type { LogFields, Logger, LogSeverity } from './log.js'

export interface LogRate {
  /** Lines per key and interval; what follows is counted. */
  readonly linesMax: number
  readonly intervalMs: number
  /** Keys remembered at once; further ones share one allowance. */
  readonly keysMax: number
}

interface Allowance {
  startedMs: number
  lines: number
  suppressed: number
  /** Of the first suppressed line, to say which kind it was. */
  message: string
  level: LogSeverity
}

const DEFAULT_RATE: LogRate = { linesMax: 5, intervalMs: 60_000, keysMax: 1_024 }
const SHARED_KEY = '(others)'

/**
 * At most `linesMax` lines per key and interval, then one line that says how many were suppressed. That line comes with
 * the next one of the key, or with `report()`, which its owner calls now and then from a timer.
 */
export class RateLimitedLog {
  readonly #allowances = new Map<string, Allowance>()

  /** @param now milliseconds, never going back */
  constructor(
    private readonly logger: Logger,
    private readonly now: () => number,
    private readonly rate: LogRate = DEFAULT_RATE,
  ) {}

  /** @param key what shares an allowance, for example reason and client identifier */
  log(level: LogSeverity, key: string, message: string, fields?: LogFields): void {
    if (!this.logger.isOn(level)) return
    const { key: heldKey, allowance } = this.#allowanceOf(key)
    if (this.now() - allowance.startedMs >= this.rate.intervalMs) {
      this.#reportSuppressed(heldKey, allowance)
      allowance.startedMs = this.now()
      allowance.lines = 0
    }
    if (allowance.lines < this.rate.linesMax) {
      allowance.lines++
      this.logger[level](message, fields)
      return
    }
    if (allowance.suppressed === 0) {
      allowance.message = message
      allowance.level = level
    }
    allowance.suppressed++
  }

  /** Says what was suppressed in intervals that are over, and forgets their keys. */
  report(): void {
    for (const [key, allowance] of this.#allowances) {
      if (this.now() - allowance.startedMs < this.rate.intervalMs) continue
      this.#reportSuppressed(key, allowance)
      this.#allowances.delete(key)
    }
  }

  #allowanceOf(key: string): { key: string; allowance: Allowance } {
    let held = this.#allowances.get(key)
    if (held === undefined && this.#allowances.size >= this.rate.keysMax) {
      this.report()
      if (this.#allowances.size >= this.rate.keysMax) {
        key = SHARED_KEY
        held = this.#allowances.get(key)
      }
    }
    if (held === undefined) {
      held = { startedMs: this.now(), lines: 0, suppressed: 0, message: '', level: 'warn' }
      this.#allowances.set(key, held)
    }
    return { key, allowance: held }
  }

  #reportSuppressed(key: string, allowance: Allowance): void {
    if (allowance.suppressed === 0) return
    this.logger[allowance.level](`${allowance.suppressed} more lines like "${allowance.message}" were suppressed`, {
      key,
    })
    allowance.suppressed = 0
  }
}
