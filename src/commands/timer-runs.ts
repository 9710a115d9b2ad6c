/** When timers of actions ran last, kept over restarts: written together, now and then, not for every run. */
import type { Changes } from './changes.js'
import type { Draft } from './library.js'

const WRITE_AFTER_MS = 5_000
const PREFIX = 'timer/'

export function lastRunOf(notes: ReadonlyMap<string, string>, action: string): number | undefined {
  const text = notes.get(PREFIX + action)
  return text === undefined ? undefined : Number(text)
}

/** An action that is gone, or that is another one now, begins anew. */
export function forgetRuns(draft: Draft, action: string): void {
  draft.notes.delete(PREFIX + action)
}

export class TimerRuns {
  readonly #runs = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly changes: Changes,
    /** Told of what could not be written. */
    private readonly onFailure: (error: unknown) => void,
  ) {}

  note(action: string, atMs: number): void {
    this.#runs.set(action, atMs)
    this.#timer ??= setTimeout(() => this.flush().catch(this.onFailure), WRITE_AFTER_MS).unref()
  }

  /** Resolves when what is noted is kept. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#runs.size === 0) return
    const runs = [...this.#runs]
    this.#runs.clear()
    await this.changes.make((draft) => {
      for (const [action, atMs] of runs) {
        if (draft.entities.has(`action/${action}`)) draft.notes.set(PREFIX + action, String(atMs))
      }
    })
  }
}
