const LINE_MS = 250
const LOG_SECONDS = 10

/** A line that is rewritten in place on a terminal, and printed every ten seconds elsewhere. */
export class StatusLine {
  #lastMs: number
  #isShown = false

  /** @param nowMs a monotonic clock */
  constructor(
    private readonly stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#lastMs = stream.isTTY ? Number.NEGATIVE_INFINITY : nowMs()
  }

  /** Cheap to call often: most calls print nothing. @param text made only when it is printed */
  show(text: () => string): void {
    const nowMs = this.nowMs()
    if (nowMs - this.#lastMs < (this.stream.isTTY ? LINE_MS : LOG_SECONDS * 1_000)) return
    this.#lastMs = nowMs
    if (!this.stream.isTTY) {
      this.stream.write(`${text()}\n`)
      return
    }
    this.#isShown = true
    this.stream.write(`\r\x1b[2K${text().slice(0, (this.stream.columns || 120) - 1)}`)
  }

  /** Removes the line, so that what follows starts on a clean one. */
  clear(): void {
    if (this.#isShown) this.stream.write('\r\x1b[2K')
    this.#isShown = false
  }
}
