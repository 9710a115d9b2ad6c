/** `-runAction`: who waits for which run. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../base/clock.js'
import type { RunReport, RunRequest } from '../contracts/lot.js'
import type { Entity } from './entity.js'

interface Open {
  readonly entity: Entity
  readonly request: RunRequest
  readonly resolve: (report: RunReport) => void
}

export class Requests {
  readonly #open = new Map<number, Open>()
  #lastNumber = 0

  constructor(readonly time: Clock) {}

  open(entity: Entity, request: RunRequest): { readonly number: number; readonly report: Promise<RunReport> } {
    this.#lastNumber = (this.#lastNumber % 0x7fff_ffff) + 1
    const number = this.#lastNumber
    const report = new Promise<RunReport>((resolve) => this.#open.set(number, { entity, request, resolve }))
    return { number, report }
  }

  answer(number: number, report: RunReport): void {
    this.#open.get(number)?.resolve(report)
    this.#open.delete(number)
  }

  /** This one will not run. */
  refuse(number: number, reason: string): void {
    const open = this.#open.get(number)
    if (open !== undefined) this.answer(number, this.#failed(open, reason))
  }

  /** The entity will not run what waits for it. */
  fail(entity: Entity, reason: string): void {
    for (const [number, open] of this.#open) {
      if (open.entity === entity) this.answer(number, this.#failed(open, reason))
    }
  }

  #failed({ entity, request }: Open, error: string): RunReport {
    const at = new Date(this.time.now()).toISOString()
    const message = request.kind === 'message' ? request : undefined
    return {
      action: entity.ref.name,
      traceId: randomUUID(),
      trigger: { topic: message?.topic ?? null, payload: message?.payload ?? null, clientId: null },
      timing: { startUtc: at, endUtc: at, durationMs: 0 },
      published: [],
      result: 'error',
      error,
    }
  }
}
