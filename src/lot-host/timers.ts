/** Timers of actions: one timer of the process for all of them, set for what is due next. */
import type { Clock } from '../base/clock.js'
import type { Entity } from './entity.js'
import { isLongInterval, nextDueMs } from './schedule.js'

/** The process's timers reach no further. */
const DELAY_MS_MAX = 2_000_000_000

interface Armed {
  /** Intervals count from here. */
  readonly startMs: number
  dueMs: number
}

export class ActionTimers {
  readonly #armed = new Map<Entity, Armed>()
  #timer: NodeJS.Timeout | undefined
  #nextMs = Number.POSITIVE_INFINITY

  /**
   * @param fire gives the entity a run
   * @param remember a run is worth being remembered over a restart
   */
  constructor(
    readonly time: Clock,
    readonly fire: (entity: Entity) => void,
    readonly remember: (entity: Entity, atMs: number) => void,
  ) {}

  /** @param lastRunMs of before a restart */
  arm(entity: Entity, lastRunMs: number | undefined): void {
    this.disarm(entity)
    const { timer } = entity.plan
    if (timer === undefined) return
    const now = this.time.now()
    const startMs = lastRunMs !== undefined && isLongInterval(timer) && lastRunMs <= now ? lastRunMs : now
    const dueMs = nextDueMs(timer, startMs, now)
    if (dueMs === undefined) return
    this.#armed.set(entity, { startMs, dueMs })
    this.#schedule(dueMs)
  }

  disarm(entity: Entity): void {
    this.#armed.delete(entity)
  }

  nextMs(entity: Entity): number | undefined {
    return this.#armed.get(entity)?.dueMs
  }

  /** Runs what is due. */
  tick(): void {
    const now = this.time.now()
    clearTimeout(this.#timer)
    if (now < this.#nextMs) {
      this.#set(now) // the process's timers may be a little early
      return
    }
    this.#nextMs = Number.POSITIVE_INFINITY
    for (const [entity, armed] of this.#armed) {
      if (armed.dueMs <= now) this.#run(entity, armed, now)
      this.#nextMs = Math.min(this.#nextMs, this.#armed.get(entity)?.dueMs ?? Number.POSITIVE_INFINITY)
    }
    this.#set(now)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #run(entity: Entity, armed: Armed, now: number): void {
    const { timer } = entity.plan
    if (timer === undefined) return
    this.fire(entity)
    if (isLongInterval(timer)) this.remember(entity, armed.dueMs)
    const dueMs = nextDueMs(timer, armed.startMs, now)
    if (dueMs === undefined) this.#armed.delete(entity)
    else armed.dueMs = dueMs
  }

  #schedule(dueMs: number): void {
    if (dueMs >= this.#nextMs) return
    this.#nextMs = dueMs
    clearTimeout(this.#timer)
    this.#set(this.time.now())
  }

  #set(now: number): void {
    if (this.#nextMs === Number.POSITIVE_INFINITY) return
    const delay = Math.min(DELAY_MS_MAX, Math.max(0, Math.ceil(this.#nextMs - now)))
    this.#timer = setTimeout(() => this.tick(), delay)
  }
}
