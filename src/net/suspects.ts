/** What a connection thread notes of clients that may come to be banned, and tells the main thread. */
import { addressGroup } from '../base/address.js'
import type { BanReport, BanReportConnect } from '../contracts/bans.js'
import { Counter, type Counters } from '../contracts/counters.js'

/** Addresses and client identifiers of one report. What is beyond goes out in a report of its own. */
const NOTED_MAX = 4_096
/** A report goes out so long after the first that is in it, at the latest. */
const REPORT_MS = 50

export class Suspects {
  readonly #failures = new Map<string, number>()
  /** By identifier and user name. */
  readonly #connects = new Map<string, { -readonly [Key in keyof BanReportConnect]: BanReportConnect[Key] }>()
  #timer: NodeJS.Timeout | undefined

  /** @param report hands it to the main thread */
  constructor(
    readonly counters: Counters,
    readonly report: (report: BanReport) => void,
  ) {}

  /** Somebody has shown credentials that are wrong. */
  failed(address: string): void {
    this.counters[Counter.loginsFailed]++
    const group = addressGroup(address)
    this.#failures.set(group, (this.#failures.get(group) ?? 0) + 1)
    this.#reportSoon()
  }

  /** A client was admitted. Call it where flapping is looked for. @param userName undefined for anonymous clients */
  connected(clientId: string, userName: string | undefined): void {
    const key = JSON.stringify([clientId, userName])
    const known = this.#connects.get(key)
    if (known === undefined) this.#connects.set(key, { clientId, userName: userName ?? null, count: 1 })
    else known.count++
    this.#reportSoon()
  }

  /** Tells what there is. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#failures.size + this.#connects.size === 0) return
    this.report({ failures: [...this.#failures], connects: [...this.#connects.values()] })
    this.#failures.clear()
    this.#connects.clear()
  }

  #reportSoon(): void {
    if (this.#failures.size + this.#connects.size >= NOTED_MAX) this.flush()
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.flush(), REPORT_MS)
      this.#timer.unref()
    }
  }
}
