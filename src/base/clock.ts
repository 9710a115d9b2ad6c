/** Time as a parameter. Milliseconds since the Unix epoch; never goes back while the system clock does not. */
export interface Clock {
  now(): number
}

/**
 * The system clock plus an offset in shared memory: every thread of a broker sees the same time, and a test moves all
 * of them forward at once.
 */
export class SharedClock implements Clock {
  readonly #offsetMs: Float64Array
  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.#offsetMs = new Float64Array(memory)
  }

  now(): number {
    return Date.now() + this.#offsetMs[0]
  }

  advance(ms: number): void {
    this.#offsetMs[0] += ms
  }
}
