/** Long work of a thread in slices, between which everything else has its turn. */

export class TimeSlice {
  #endsMs: number

  /** The first slice begins now. */
  constructor(readonly ms: number) {
    this.#endsMs = performance.now() + ms
  }

  get isOver(): boolean {
    return performance.now() >= this.#endsMs
  }

  /** Lets others work, and begins the next slice. */
  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#endsMs = performance.now() + this.ms
  }
}
