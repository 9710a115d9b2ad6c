/** Averages per minute over 1, 5 and 15 minutes, as `$SYS/broker/load/…` has them: exponentially weighted. */

const WINDOWS: readonly (readonly [name: string, minutes: number])[] = [
  ['1min', 1],
  ['5min', 5],
  ['15min', 15],
]

export class LoadAverages {
  #lastMs: number | undefined
  #lastCounts = new Map<string, number>()
  readonly #averages = new Map<string, number>()

  /**
   * @param counts monotonic counters by the name they have below `load/`
   * @returns topics below `$SYS/broker/` with values of two decimals
   */
  update(nowMs: number, counts: Readonly<Record<string, number>>): [topic: string, value: string][] {
    const elapsedMinutes = this.#lastMs === undefined ? 0 : (nowMs - this.#lastMs) / 60_000
    const topics: [string, string][] = []
    for (const [name, count] of Object.entries(counts)) {
      const added = count - (this.#lastCounts.get(name) ?? count)
      for (const [window, minutes] of WINDOWS) {
        const topic = `load/${name}/${window}`
        let average = this.#averages.get(topic) ?? 0
        if (elapsedMinutes > 0) {
          const keep = Math.exp(-elapsedMinutes / minutes)
          average = average * keep + (added / elapsedMinutes) * (1 - keep)
        }
        this.#averages.set(topic, average)
        topics.push([topic, average.toFixed(2)])
      }
      this.#lastCounts.set(name, count)
    }
    this.#lastMs = nowMs
    return topics
  }
}
