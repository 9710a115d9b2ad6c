import { type Usage, usageOf } from './process-usage.js'
import type { Point } from './trend.js'

/** What a broker used during a run; memory is sampled by whoever calls `sample`. */
export interface BrokerUsage {
  readonly cpuCores: number
  readonly cpuUsPerDelivery: number | undefined
  readonly memoryBytesBefore: number
  readonly memoryBytesPeak: number
  readonly memoryBytesAfter: number
}

/** Follows the CPU and the memory of one process, from before the first connection to after the last. */
export class UsageMeter {
  readonly samples: Point[] = []
  readonly #before: Usage | undefined
  #measuredFrom: Usage | undefined
  #measuredTo: Usage | undefined
  #peakBytes = 0

  /** @param pid undefined or out of reach: there will be no report */
  constructor(private readonly pid: number | undefined) {
    this.#before = this.#read()
  }

  get memoryBytesBefore(): number | undefined {
    return this.#before?.memoryBytes
  }

  startMeasuring(): void {
    this.#measuredFrom = this.#read()
  }

  stopMeasuring(): void {
    this.#measuredTo = this.#read()
  }

  /** @param seconds of the run @returns bytes */
  sample(seconds: number): number | undefined {
    const bytes = this.#read()?.memoryBytes
    if (bytes !== undefined) this.samples.push({ seconds, value: bytes })
    return bytes
  }

  /** To be called last, when all clients have left. */
  report(measuredSeconds: number, deliveries: number): BrokerUsage | undefined {
    const after = this.#read()
    if (this.#before === undefined || this.#measuredFrom === undefined) return undefined
    if (this.#measuredTo === undefined || after === undefined) return undefined
    const cpuSeconds = this.#measuredTo.cpuSeconds - this.#measuredFrom.cpuSeconds
    return {
      cpuCores: cpuSeconds / measuredSeconds,
      cpuUsPerDelivery: deliveries === 0 ? undefined : (cpuSeconds * 1e6) / deliveries,
      memoryBytesBefore: this.#before.memoryBytes,
      memoryBytesPeak: this.#peakBytes,
      memoryBytesAfter: after.memoryBytes,
    }
  }

  #read(): Usage | undefined {
    const usage = this.pid === undefined ? undefined : usageOf(this.pid)
    if (usage !== undefined) this.#peakBytes = Math.max(this.#peakBytes, usage.memoryBytes)
    return usage
  }
}
