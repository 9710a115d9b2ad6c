/**
 * Gives batches to runners: one batch of an entity at a time, entities in the order in which they got something to do.
 * It watches what is under way: who takes too long gets its thread ended and is stopped; whose thread died by itself is
 * tried once more.
 */
import { messageOf } from '../base/errors.js'
import {
  PROGRESS_CALLED_MS,
  PROGRESS_EVENT,
  PROGRESS_IN_CALL,
  PROGRESS_INTS,
  PROGRESS_STARTED,
  type RunnerResult,
  type RunnerTask,
} from '../contracts/lot-batch.js'
import type { Entity } from './entity.js'
import type { Batch } from './mailbox.js'

/** An entity that has had so many batches one upon the other gathers messages for a moment before the next one. */
const STREAK_MAX = 32
const REST_MS = 1
/** Milliseconds without work that end a streak. */
const IDLE_MS = 5
/** Milliseconds between looks at what is under way. */
const WATCH_MS = 5
/** A batch that is older keeps nobody waiting any more: another thread may run beside it. */
const SLOW_MS = 10
/** Threads beside the usual ones, while those are slow; always there, because one that has to start takes long then. */
export const SPARE_THREADS = 4
/** The same while they wait for something outside. */
export const WAITING_THREADS = 12
/** Milliseconds that a new thread may take to begin. */
const START_MS_MAX = 20_000
/** Threads that may die of one event before its entity is stopped. */
const DEATHS_MAX = 2

/** Runs tasks in threads that can be ended. */
export interface Runners {
  /**
   * Rejects with an error of code ERR_WORKER_OUT_OF_MEMORY, or any other, when the thread has died.
   * @param end ends the thread
   */
  run(task: RunnerTask, end: AbortController): Promise<RunnerResult>
}

/** What the dispatcher needs of its owner. */
export interface DispatcherOwner {
  /** What a task is sent besides the events. */
  describe(entity: Entity, batch: Batch): Pick<RunnerTask, 'book' | 'values' | 'instances' | 'isTraced'>
  /** Takes what came out. The events before `batch.from` are done. */
  finished(entity: Entity, batch: Batch, generation: number, result: RunnerResult, events: number): void
  /** Events of it that will not run. */
  dropped(entity: Entity, events: number): void
  /** It harmed others and shall not run any more. */
  stop(entity: Entity, reason: string): void
  /** Rings are too full for more. */
  readonly isCongested: boolean
}

interface Flight {
  readonly entity: Entity
  readonly batch: Batch
  readonly slot: number
  readonly generation: number
  readonly inputsVersion: number
  readonly sentMs: number
  startedMs: number | undefined
  readonly abort: AbortController
  /** Why its thread is being ended. */
  reason: string | undefined
}

export class Dispatcher {
  readonly #queue: Entity[] = []
  /** Gather messages for a moment: batches cost as much as many messages do. */
  readonly #resting: Entity[] = []
  #rest: NodeJS.Timeout | undefined
  readonly #flights = new Set<Flight>()
  readonly #progress: Int32Array
  readonly #freeSlots: number[] = []
  #watch: NodeJS.Timeout | undefined
  #allowed: number
  #isClosed = false

  /** @param threads that run at the same time as a rule @param progress for `threads` and all spare ones */
  constructor(
    readonly runners: Runners,
    readonly owner: DispatcherOwner,
    readonly threads: number,
    progress: SharedArrayBuffer,
    readonly limits: { readonly runMsMax: number; readonly heapBytesMax: number },
  ) {
    this.#progress = new Int32Array(progress)
    this.#allowed = threads
    for (let slot = 0; slot < this.#progress.length / PROGRESS_INTS; slot++) this.#freeSlots.push(slot)
  }

  get isIdle(): boolean {
    return this.#flights.size === 0 && this.#queue.length === 0 && this.#resting.length === 0
  }

  /** The entity has something to do. */
  ready(entity: Entity): void {
    if (entity.isQueued || entity.isInFlight || !entity.mayRun || entity.mailbox.isEmpty) return
    entity.isQueued = true
    if (!mayRest(entity)) {
      this.#queue.push(entity)
      return
    }
    this.#resting.push(entity)
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined
      this.#queue.push(...this.#resting.splice(0))
      this.pump()
    }, REST_MS)
  }

  /** Sends what can be sent. */
  pump(): void {
    while (this.#queue.length > 0 && this.#flights.size < this.#allowed && !this.owner.isCongested && !this.#isClosed) {
      const entity = this.#queue.shift()
      if (entity === undefined) return
      entity.isQueued = false
      const batch = entity.mayRun ? entity.mailbox.take() : undefined
      if (batch !== undefined) this.#send(entity, batch)
    }
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#watch)
    clearTimeout(this.#rest)
  }

  #send(entity: Entity, batch: Batch): void {
    const slot = this.#freeSlots.pop()
    if (slot === undefined) throw new Error('more tasks than threads')
    const { generation, inputsVersion } = entity
    this.#progress.fill(0, slot * PROGRESS_INTS, (slot + 1) * PROGRESS_INTS)
    const sentMs = performance.now()
    const abort = new AbortController()
    const facts = { entity, batch, slot, generation, inputsVersion, sentMs, abort }
    const flight: Flight = { ...facts, startedMs: undefined, reason: undefined }
    this.#flights.add(flight)
    entity.isInFlight = true
    const task: RunnerTask = {
      slot,
      generation,
      kind: entity.ref.kind,
      name: entity.ref.name,
      ...this.owner.describe(entity, batch),
      events: batch.copy(),
      from: batch.from,
      to: batch.to < 0 ? batch.used : batch.to,
    }
    this.runners.run(task, abort).then(
      (result) => this.#done(flight, result),
      (error: unknown) => this.#lost(flight, error),
    )
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS)
  }

  #land(flight: Flight): void {
    this.#flights.delete(flight)
    this.#freeSlots.push(flight.slot)
    flight.entity.isInFlight = false
    flight.entity.landedMs = performance.now()
    if (this.#flights.size > 0) return
    clearInterval(this.#watch)
    this.#watch = undefined
    this.#allowed = this.threads
  }

  #done(flight: Flight, result: RunnerResult): void {
    if (this.#isClosed) return
    const { entity, batch } = flight
    this.#land(flight)
    const events = entity.mailbox.finish(batch, result.next)
    if (events > 0) entity.deaths = 0
    this.owner.finished(entity, batch, flight.generation, result, events)
    const { harm } = entity
    // undefined: it was deployed anew meanwhile; otherwise what came before the event that did harm is to be done first
    const isHarmNext = harm !== undefined && batch.from >= batch.to
    if (harm === undefined) batch.to = -1
    if (isObsolete(flight)) this.#drop(entity, batch)
    else if (isHarmNext) this.#stop(entity, batch, harm)
    else if (batch.from < batch.used) entity.mailbox.putBack(batch)
    this.ready(entity)
    this.pump()
  }

  #lost(flight: Flight, error: unknown): void {
    if (this.#isClosed) return
    const { entity, batch, slot } = flight
    const words = slot * PROGRESS_INTS
    const culprit = Math.max(batch.from, this.#progress[words + PROGRESS_EVENT])
    const hasBegun = this.#progress[words + PROGRESS_STARTED] === 1
    this.#land(flight)
    const reason = flight.reason ?? this.#judge(entity, error)
    const isSame = flight.generation === entity.generation
    if (isObsolete(flight)) this.#drop(entity, batch)
    else if (reason === undefined || !isSame) entity.mailbox.putBack(batch)
    else if (culprit > batch.from) {
      // earlier events of the batch did nothing wrong, and what came of them was lost with the thread
      batch.to = culprit
      entity.harm = reason
      entity.mailbox.putBack(batch)
    } else if (hasBegun) this.#stop(entity, batch, reason)
    else {
      entity.mailbox.putBack(batch)
      this.owner.stop(entity, reason)
    }
    this.ready(entity)
    this.pump()
  }

  /** What comes first in the batch did harm. It alone is lost for sure: the owner decides about all others. */
  #stop(entity: Entity, batch: Batch, reason: string): void {
    this.owner.dropped(entity, entity.mailbox.finish(batch, batch.from + batch.ints[batch.from >> 2]))
    if (batch.from < batch.used) entity.mailbox.putBack(batch)
    this.owner.stop(entity, reason)
  }

  #drop(entity: Entity, batch: Batch): void {
    this.owner.dropped(entity, entity.mailbox.finish(batch, batch.used))
  }

  /** @returns why it shall be stopped; undefined if the batch may be tried again */
  #judge(entity: Entity, error: unknown): string | undefined {
    if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return `it needed more than ${this.limits.heapBytesMax} bytes of memory`
    }
    if (++entity.deaths < DEATHS_MAX) return undefined
    return `the thread that ran it died ${entity.deaths} times: ${messageOf(error)}`
  }

  /** Ends what takes too long, and lets others run beside what is slow. */
  #look(): void {
    const now = performance.now()
    let slow = 0
    let waiting = 0
    for (const flight of this.#flights) {
      const words = flight.slot * PROGRESS_INTS
      if (flight.startedMs === undefined) {
        if (Atomics.load(this.#progress, words + PROGRESS_STARTED) === 1) flight.startedMs = now
        else if (now - flight.sentMs > START_MS_MAX) this.#end(flight, 'no thread began with it')
        continue
      }
      const isWaiting = Atomics.load(this.#progress, words + PROGRESS_IN_CALL) !== 0
      const ranMs = now - flight.startedMs - Atomics.load(this.#progress, words + PROGRESS_CALLED_MS)
      if (isWaiting) waiting++
      else if (ranMs > SLOW_MS) slow++
      if (!isWaiting && ranMs > this.limits.runMsMax) {
        this.#end(flight, `it ran longer than ${this.limits.runMsMax} ms`)
      }
    }
    this.#allowed = this.threads + Math.min(slow, SPARE_THREADS) + Math.min(waiting, WAITING_THREADS)
    this.pump()
  }

  #end(flight: Flight, reason: string): void {
    if (flight.reason !== undefined) return
    flight.reason = reason
    flight.abort.abort()
  }
}

/** Whether it shall gather messages; counts its streak. */
function mayRest(entity: Entity): boolean {
  if (performance.now() - entity.landedMs > IDLE_MS) entity.streak = 0
  else if (entity.streak < STREAK_MAX) entity.streak++
  return entity.streak === STREAK_MAX && !entity.mailbox.isRipe
}

/** Nobody can do anything with the rest of its batch. */
function isObsolete({ entity, inputsVersion }: Flight): boolean {
  return entity.isRemoved || entity.inputsVersion !== inputsVersion
}
