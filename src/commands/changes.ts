/** Makes changes one after the other, as many as wait in one go: each go is one transaction, one sync. */
import { Draft, type Library } from './library.js'

/** Keeps the main thread from being busy for long with parsing. */
const CHANGES_MAX = 250

type Step<Answer> = (draft: Draft) => Answer

interface Waiting {
  /** Never throws, and leaves the draft as it was where it refuses. */
  readonly step: Step<unknown>
  readonly resolve: (answer: unknown) => void
  readonly reject: (reason: unknown) => void
}

export class Changes {
  readonly #waiting: Waiting[] = []
  #working: Promise<void> = Promise.resolve()
  #isWorking = false

  /** @param commit puts a draft into force; when it rejects, nothing of it is */
  constructor(
    private readonly library: Library,
    private readonly commit: (draft: Draft) => Promise<void>,
  ) {}

  /** @returns what the step answers, once its changes are in force; rejects when they could not be kept */
  make<Answer>(step: Step<Answer>): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ step, resolve: resolve as (answer: unknown) => void, reject })
    })
    if (!this.#isWorking) {
      this.#isWorking = true
      this.#working = this.#work()
    }
    return answer
  }

  /** Resolves when all changes that were asked for until now are in force or refused. */
  async settled(): Promise<void> {
    if (this.#isWorking) await this.make(() => {}).catch(() => {})
  }

  /** Resolves when no change waits any more. */
  get idle(): Promise<void> {
    return this.#working
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0, CHANGES_MAX)
      if (await this.#attempt(together, together.length > 1)) continue
      // one of them is at fault, or does not fit on the disk: the others need not suffer
      for (const one of together) await this.#attempt([one], false)
    }
    this.#isWorking = false
  }

  /** @param mayRetry leave them unanswered when they fail @returns whether all are answered */
  async #attempt(steps: readonly Waiting[], mayRetry: boolean): Promise<boolean> {
    try {
      const draft = new Draft(this.library)
      const answers = steps.map(({ step }) => step(draft))
      await this.commit(draft)
      for (const [index, { resolve }] of steps.entries()) resolve(answers[index])
    } catch (error) {
      if (mayRetry) return false
      for (const { reject } of steps) reject(error)
    }
    return true
  }
}
