/**
 * Looks now and then at what the certificates of listeners, revocation lists and OCSP responses say of their time, and
 * warns before it is up. What is wrong with them at the start, whoever starts the broker is told.
 */
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/log.js'
import { checkCertificates } from '../config/check-certificates.js'
import type { Finding } from '../config/finding.js'
import type { BrokerConfig } from '../config/schema.js'

/** Lists and responses may hold for a day and less. */
const LOOK_MS = 3_600_000
/** From a warning to the next one of the same. */
const REPEAT_MS = 86_400_000
/** Milliseconds between looks at the clock. */
const TICK_MS = 60_000

export class CertificateWatch {
  readonly #config: Pick<BrokerConfig, 'listeners'>
  readonly #clock: Clock
  readonly #log: Logger
  /** When each that there is was told, by its text. */
  #toldMs: ReadonlyMap<string, number> = new Map()
  #dueMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(config: Pick<BrokerConfig, 'listeners'>, clock: Clock, log: Logger) {
    this.#config = config
    this.#clock = clock
    this.#log = log.area('listener')
  }

  /** What was found at the last look; undefined where no listener has certificates. */
  get warnings(): number | undefined {
    return this.#config.listeners.some(({ tls }) => tls !== undefined) ? this.#toldMs.size : undefined
  }

  start(): void {
    const nowMs = this.#clock.now()
    this.#toldMs = new Map(this.#look(nowMs).map(({ message }) => [message, nowMs]))
    this.#dueMs = nowMs + LOOK_MS
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref()
  }

  /** Looks when it is time. */
  tick(): void {
    const nowMs = this.#clock.now()
    if (nowMs < this.#dueMs) return
    this.#dueMs = nowMs + LOOK_MS
    const told = this.#look(nowMs).map(({ message, remedy }): [string, number] => {
      const lastMs = this.#toldMs.get(message) ?? Number.NEGATIVE_INFINITY
      if (nowMs - lastMs < REPEAT_MS) return [message, lastMs]
      this.#log.warn(message, { remedy })
      return [message, nowMs]
    })
    this.#toldMs = new Map(told)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(nowMs: number): Finding[] {
    return this.#config.listeners.flatMap((listener, index) => checkCertificates(`listeners.${index}`, listener, nowMs))
  }
}
