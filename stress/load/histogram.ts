/**
 * Latencies in whole microseconds, counted in buckets that grow with the value: exact below 256, and never wider than
 * 1/128 of the value above, so a quantile is off by less than 0.8 %.
 *
 *   value    0 … 255   256 … 511   512 … 1,023   …   2^31 … 2^32 - 1
 *   width    1         2           4             …   2^24
 *   buckets  256       128         128           …   128
 */
const SUB_BITS = 7
const SUB_BUCKETS = 1 << SUB_BITS
const SHIFT_MAX = 32 - SUB_BITS - 1
const BUCKETS = SUB_BUCKETS * (SHIFT_MAX + 2)

/** What a report says about a histogram, in microseconds; all 0 when nothing was recorded. */
export interface LatencySummary {
  readonly count: number
  readonly latencyUsMean: number
  readonly latencyUsP50: number
  readonly latencyUsP99: number
  readonly latencyUsP999: number
  readonly latencyUsMax: number
}

export class Histogram {
  /** Doubles, because a soak test counts past 2^32. */
  readonly #buckets = new Float64Array(BUCKETS)
  #count = 0
  #sum = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  get max(): number {
    return this.#max
  }

  /** Hot: once per run of messages with one time stamp. @param value 0 to 2^32 - 1 @param times how often it was seen */
  record(value: number, times = 1): void {
    this.#buckets[bucketOf(value)] += times
    this.#count += times
    this.#sum += value * times
    if (value > this.#max) this.#max = value
  }

  /** @param q 0 to 1 @returns the largest value of the bucket that holds the quantile, at most `max`; 0 when empty */
  quantile(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#count))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket]
      if (seen >= rank) return Math.min(highestOf(bucket), this.#max)
    }
    return 0
  }

  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) this.#buckets[bucket] += other.#buckets[bucket]
    this.#count += other.#count
    this.#sum += other.#sum
    this.#max = Math.max(this.#max, other.#max)
  }

  reset(): void {
    this.#buckets.fill(0)
    this.#count = 0
    this.#sum = 0
    this.#max = 0
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      latencyUsMean: this.#count === 0 ? 0 : Math.round(this.#sum / this.#count),
      latencyUsP50: this.quantile(0.5),
      latencyUsP99: this.quantile(0.99),
      latencyUsP999: this.quantile(0.999),
      latencyUsMax: this.#max,
    }
  }
}

function bucketOf(value: number): number {
  const shift = 31 - SUB_BITS - Math.clz32(value)
  return shift <= 0 ? value : shift * SUB_BUCKETS + (value >>> shift)
}

function highestOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket
  const shift = (bucket >>> SUB_BITS) - 1
  const lowest = (bucket - shift * SUB_BUCKETS) * 2 ** shift
  return lowest + 2 ** shift - 1
}
