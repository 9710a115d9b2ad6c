/** Work of which so much runs at once, and the rest waits in a line that has an end. */

type Start = () => void

export class Turns {
  readonly #waiting: Start[] = []
  #running = 0

  /**
   * @param atOnce works that may run together
   * @param waitingMax works that may wait
   */
  constructor(
    private readonly atOnce: number,
    private readonly waitingMax: number,
  ) {}

  get isFull(): boolean {
    return this.#running >= this.atOnce && this.#waiting.length >= this.waitingMax
  }

  /** Ask `isFull` before. Settles as the work does. */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.atOnce) await new Promise<void>((start) => this.#waiting.push(start))
    else this.#running++
    try {
      return await work()
    } finally {
      // the place goes to the next one without becoming free in between
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
