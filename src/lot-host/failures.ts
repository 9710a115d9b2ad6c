/** Error topics: what failed last in an entity, retained, at a bounded rate however often it fails. */
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import type { RunFailure } from '../contracts/lot-batch.js'
import type { Entity } from './entity.js'

/** Between two messages on the Error topic of one entity. */
const INTERVAL_MS = 250

interface Told {
  lastMs: number
  /** Failures since then. */
  count: number
  latest: RunFailure | undefined
}

export class Failures {
  readonly #told = new Map<Entity, Told>()
  readonly #log: RateLimitedLog
  #timer: NodeJS.Timeout | undefined

  /** @param publish retained on the entity's behalf; an empty payload only clears what is there */
  constructor(
    readonly publish: (entity: Entity, topic: string, payload: string) => void,
    readonly time: Clock,
    log: Logger,
  ) {
    this.#log = new RateLimitedLog(log, () => time.now())
  }

  /** @param count failures of a batch, of which `failure` was the last */
  report(entity: Entity, failure: RunFailure, count: number): void {
    entity.lastError = failure.message
    let told = this.#told.get(entity)
    if (told === undefined) {
      told = { lastMs: Number.NEGATIVE_INFINITY, count: 0, latest: undefined }
      this.#told.set(entity, told)
    }
    told.count += count
    told.latest = failure
    const { kind, name } = entity.ref
    const fields = { name, line: failure.line, error: failure.message }
    this.#log.log('warn', `${kind} ${name}`, `a run of ${kind} ${name} failed`, fields)
    if (performance.now() - told.lastMs >= INTERVAL_MS) this.#tell(entity, told)
    else this.#timer ??= setTimeout(() => this.#tellAll(), INTERVAL_MS)
  }

  /** For what is not a failure of one run. */
  describe(message: string): RunFailure {
    const timestampUtc = new Date(this.time.now()).toISOString()
    return { message, line: undefined, statement: undefined, traceId: crypto.randomUUID(), timestampUtc }
  }

  /** Deployed anew or removed: its Error topic is empty. */
  clear(entity: Entity): void {
    this.#told.delete(entity)
    this.publish(entity, `${entity.topicBase}/Error`, '')
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #tellAll(): void {
    this.#timer = undefined
    for (const [entity, told] of this.#told) if (told.latest !== undefined) this.#tell(entity, told)
    this.#log.report()
  }

  #tell(entity: Entity, told: Told): void {
    const { latest, count } = told
    if (latest === undefined) return
    told.lastMs = performance.now()
    told.count = 0
    told.latest = undefined
    const { kind, name } = entity.ref
    const { message, line, statement, traceId, timestampUtc } = latest
    const json = { [kind]: name, message, line, statement, traceId, timestampUtc, ...(count > 1 ? { count } : {}) }
    this.publish(entity, `${entity.topicBase}/Error`, JSON.stringify(json))
  }
}
