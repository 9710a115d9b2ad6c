/** SIGINT and SIGTERM as promises: the first asks for a clean stop, the second for one at once. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
/** The first and the second. */
const SIGNALS_TAKEN = 2
/** SIGHUP where it means that the terminal has gone. */
export type StopSignal = (typeof SIGNALS)[number] | 'SIGHUP'

/** Where signals come from: `process`, or an emitter in tests. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown
}

export class StopSignals {
  readonly first: Promise<StopSignal>
  readonly second: Promise<StopSignal>
  readonly #resolvers: ((signal: StopSignal) => void)[] = []

  constructor(private readonly source: SignalSource) {
    this.first = new Promise((resolve) => this.#resolvers.push(resolve))
    this.second = new Promise((resolve) => this.#resolvers.push(resolve))
    for (const signal of SIGNALS) source.on(signal, this.#onSignal)
  }

  /** A third signal has the effect that the system gives it: the end of the process. */
  readonly #onSignal = (signal: StopSignal): void => this.take(signal)

  take(signal: StopSignal): void {
    this.#resolvers.shift()?.(signal)
    if (this.#resolvers.length === 0) this.close()
  }

  /** Whether the first has come. */
  get isStopping(): boolean {
    return this.#resolvers.length < SIGNALS_TAKEN
  }

  close(): void {
    for (const signal of SIGNALS) this.source.off(signal, this.#onSignal)
  }
}
