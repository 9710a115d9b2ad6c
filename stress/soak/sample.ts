import { Histogram } from '../load/histogram.js'
import { usageOf } from '../load/process-usage.js'
import type { Mix } from './mix.js'

/** One line of the samples file: the time since the sample before. */
export interface Sample {
  /** ISO 8601. */
  readonly time: string
  /** Since the load began. */
  readonly seconds: number
  readonly sentPerSecond: number
  readonly deliveredPerSecond: number
  readonly latencyUsP50: number
  readonly latencyUsP99: number
  readonly latencyUsMax: number
  /** Totals since the load began. */
  readonly duplicated: number
  readonly outOfOrder: number
  readonly connectionsLost: number
  readonly activitiesFailed: number
  /** Sent and not yet delivered to everybody, as it is at this moment. */
  readonly underWay: number
  /** undefined where the process of the broker is not known. */
  readonly memoryBytes: number | undefined
  readonly cpuCores: number | undefined
  readonly loadMemoryBytes: number
}

/** Takes samples of a mix and of the process of its broker. */
export class Sampler {
  readonly #startMs = performance.now()
  #before: { readonly ms: number; readonly sent: number; readonly delivered: number; readonly cpuSeconds?: number }

  constructor(
    private readonly mix: Mix,
    private readonly pid: number | undefined,
  ) {
    for (const { traffic, isRoaming } of mix.strands) traffic.ledger.isMeasuring = !isRoaming
    this.#before = this.#totals()
  }

  take(): Sample {
    const before = this.#before
    const now = this.#totals()
    this.#before = now
    const seconds = (now.ms - before.ms) / 1_000
    const counts = this.mix.strands.map(({ traffic }) => traffic.counts())
    const sum = (of: (count: (typeof counts)[number]) => number): number =>
      counts.reduce((all, one) => all + of(one), 0)
    const { latencyUsP50, latencyUsP99, latencyUsMax } = this.#latency().summary()
    return {
      time: new Date().toISOString(),
      seconds: (now.ms - this.#startMs) / 1_000,
      sentPerSecond: (now.sent - before.sent) / seconds,
      deliveredPerSecond: (now.delivered - before.delivered) / seconds,
      latencyUsP50,
      latencyUsP99,
      latencyUsMax,
      duplicated: sum(({ duplicated }) => duplicated),
      outOfOrder: sum(({ outOfOrder }) => outOfOrder),
      connectionsLost: sum(({ connectionsLost }) => connectionsLost),
      activitiesFailed: this.mix.activities.reduce((all, lanes) => all + lanes.report().failed, 0),
      underWay: sum(({ lost }) => lost),
      memoryBytes: now.memoryBytes,
      cpuCores:
        now.cpuSeconds === undefined || before.cpuSeconds === undefined
          ? undefined
          : (now.cpuSeconds - before.cpuSeconds) / seconds,
      loadMemoryBytes: process.memoryUsage.rss(),
    }
  }

  #totals() {
    const ledgers = this.mix.strands.map(({ traffic }) => traffic.ledger)
    const usage = this.pid === undefined ? undefined : usageOf(this.pid)
    return {
      ms: performance.now(),
      sent: ledgers.reduce((sum, ledger) => sum + ledger.sentTotal(), 0),
      delivered: ledgers.reduce((sum, ledger) => sum + ledger.delivered, 0),
      cpuSeconds: usage?.cpuSeconds,
      memoryBytes: usage?.memoryBytes,
    }
  }

  /** Of all strands since the last sample. */
  #latency(): Histogram {
    const all = new Histogram()
    for (const { traffic } of this.mix.strands) {
      traffic.ledger.recordRun()
      all.add(traffic.ledger.latency)
      traffic.ledger.latency.reset()
    }
    return all
  }
}
