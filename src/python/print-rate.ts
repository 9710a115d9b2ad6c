/** Holds back what scripts print where it is more than anybody reads: so many texts a second for each script. */

const TEXTS_PER_SECOND = 100
const SCRIPTS_MAX = 10_000

interface Window {
  startMs: number
  texts: number
  dropped: number
}

export class PrintRate {
  readonly #windows = new Map<string, Window>()

  /** @returns undefined to drop this one; otherwise how many were dropped since the last one that was not */
  admit(script: string, nowMs: number): number | undefined {
    let window = this.#windows.get(script)
    if (window === undefined) {
      if (this.#windows.size >= SCRIPTS_MAX) this.#windows.clear()
      window = { startMs: nowMs, texts: 0, dropped: 0 }
      this.#windows.set(script, window)
    }
    if (nowMs - window.startMs >= 1_000) {
      window.startMs = nowMs
      window.texts = 0
    }
    if (window.texts >= TEXTS_PER_SECOND) {
      window.dropped++
      return undefined
    }
    window.texts++
    const { dropped } = window
    window.dropped = 0
    return dropped
  }
}
