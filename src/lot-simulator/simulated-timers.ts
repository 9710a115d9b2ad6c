/** Timers on a clock that is moved by hand. */
import type { Entity } from '../lot-host/entity.js'
import { nextDueMs } from '../lot-host/schedule.js'

interface Due {
  readonly entity: Entity
  readonly startMs: number
  dueMs: number
}

export class SimulatedTimers {
  readonly #due: Due[] = []

  arm(entity: Entity, nowMs: number): void {
    const { timer } = entity.plan
    const dueMs = timer && nextDueMs(timer, nowMs, nowMs)
    if (dueMs !== undefined) this.#due.push({ entity, startMs: nowMs, dueMs })
  }

  /** @returns what is due next, until then; entities in the order in which they were armed */
  next(untilMs: number): { readonly atMs: number; readonly entity: Entity } | undefined {
    let first: Due | undefined
    for (const due of this.#due) if (first === undefined || due.dueMs < first.dueMs) first = due
    if (first === undefined || first.dueMs > untilMs) return undefined
    const { entity, startMs, dueMs: atMs } = first
    const { timer } = entity.plan
    first.dueMs = (timer && nextDueMs(timer, startMs, atMs)) ?? Number.POSITIVE_INFINITY
    return { atMs, entity }
  }
}
