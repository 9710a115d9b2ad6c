/** SIGHUP: the configuration is read again; or its other meaning, that the terminal has gone. */
import { isatty } from 'node:tty'
import { asBrokerError } from '../base/errors.js'
import type { Logger } from '../base/log.js'

const SIGNAL = 'SIGHUP'
const STDIN = 0

/** Where the signal comes from: `process`, or an emitter in tests. */
export interface HangUpSource {
  on(signal: typeof SIGNAL, listener: () => void): unknown
  off(signal: typeof SIGNAL, listener: () => void): unknown
}

export interface HangUps {
  /** Reads the configuration again. */
  readonly reload: () => Promise<unknown>
  /** The terminal that the broker was started on has gone: it ends, as programs do. */
  readonly stop: () => void
  /** Whether this is still a terminal. */
  readonly hasTerminal?: () => boolean
}

/** One reload at a time: a signal that comes meanwhile causes one more. */
export class ReloadSignal {
  readonly #source: HangUpSource
  readonly #handling: HangUps
  readonly #log: Logger
  readonly #hadTerminal: boolean
  #reloading: Promise<void> | undefined
  #isAskedAgain = false

  constructor(source: HangUpSource, handling: HangUps, log: Logger) {
    this.#source = source
    this.#handling = handling
    this.#log = log.area('config')
    this.#hadTerminal = this.#hasTerminal
    source.on(SIGNAL, this.#onSignal)
  }

  close(): void {
    this.#source.off(SIGNAL, this.#onSignal)
  }

  /** Resolves when nothing is being read. */
  get idle(): Promise<void> {
    return this.#reloading ?? Promise.resolve()
  }

  get #hasTerminal(): boolean {
    return this.#handling.hasTerminal?.() ?? isatty(STDIN)
  }

  readonly #onSignal = (): void => {
    if (this.#hadTerminal && !this.#hasTerminal) this.#handling.stop()
    else if (this.#reloading !== undefined) this.#isAskedAgain = true
    else this.#reloading = this.#reload()
  }

  async #reload(): Promise<void> {
    do {
      this.#isAskedAgain = false
      await this.#reloadOnce()
    } while (this.#isAskedAgain)
    this.#reloading = undefined
  }

  async #reloadOnce(): Promise<void> {
    try {
      await this.#handling.reload()
    } catch (error) {
      const { message, remedy } = asBrokerError(error)
      this.#log.error(`the configuration was not read again, and nothing has changed: ${message}`, { remedy })
    }
  }
}
