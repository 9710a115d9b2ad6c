import { messageOf } from '../../src/base/errors.js'
import { Histogram, type LatencySummary } from './histogram.js'

/** What a side activity of a scenario did while it was measured. */
export interface LanesReport extends LatencySummary {
  readonly name: string
  readonly done: number
  readonly failed: number
  /** The first failures. */
  readonly reasons: readonly string[]
}

/** Does one thing and tells `record` how long the part of interest took. @throws when it fails */
export type Operation = (lane: number, record: (micros: number) => void) => Promise<void>

const REASONS_KEPT = 5
/** After a failure, so that a broker that refuses everything is not also hammered. */
const PAUSE_MS = 100

/** Repeats an operation in several lanes side by side, flat out or at a rate. */
export class Lanes {
  isMeasuring = false
  #isRunning = false
  #done = 0
  #failed = 0
  #lanes: Promise<void>[] = []
  readonly #reasons: string[] = []
  readonly #latency = new Histogram()
  readonly #wakers = new Set<() => void>()

  /** @param ratePerSecond operations of all lanes together; 0 is flat out */
  constructor(
    private readonly name: string,
    private readonly lanes: number,
    private readonly ratePerSecond: number,
    private readonly operation: Operation,
  ) {}

  start(): void {
    this.#isRunning = true
    this.#lanes = Array.from({ length: this.lanes }, (_, lane) => this.#run(lane))
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isRunning = false
    for (const wake of this.#wakers) wake()
    await Promise.all(this.#lanes)
  }

  report(): LanesReport {
    const { name } = this
    return { name, done: this.#done, failed: this.#failed, reasons: this.#reasons, ...this.#latency.summary() }
  }

  async #run(lane: number): Promise<void> {
    const intervalMs = this.ratePerSecond === 0 ? 0 : (1_000 * this.lanes) / this.ratePerSecond
    let nextMs = performance.now() + (intervalMs * lane) / this.lanes
    const record = (micros: number): void => {
      if (this.isMeasuring) this.#latency.record(micros)
    }
    while (this.#isRunning) {
      if (intervalMs > 0) await this.#sleep(nextMs - performance.now())
      if (!this.#isRunning) return
      nextMs += intervalMs
      try {
        await this.operation(lane, record)
        if (this.isMeasuring) this.#done++
      } catch (error) {
        this.#failed++
        if (this.#reasons.length < REASONS_KEPT) this.#reasons.push(messageOf(error))
        await this.#sleep(PAUSE_MS)
      }
    }
  }

  #sleep(ms: number): Promise<void> {
    if (ms <= 0 || !this.#isRunning) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wakers.add(wake)
    })
  }
}
