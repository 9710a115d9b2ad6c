/**
 * The LoT thread without its thread: holds what is deployed, what waits and what was published last, and lets runners
 * execute. No user's text runs here.
 */
import {
  type EntityRef,
  type EntityState,
  type EnvironmentChange,
  type InternalPublish,
  type LotLink,
  type RunnableDefinition,
  type RunReport,
  type RunRequest,
  type SessionEvent,
  ToLotKind,
} from '../contracts/lot.js'
import { PROGRESS_INTS, type RunnerResult, type RunnerTask } from '../contracts/lot-batch.js'
import { KIND, SLOT } from '../contracts/records.js'
import { Deployments } from './deployments.js'
import { Dispatcher, type Runners, SPARE_THREADS, WAITING_THREADS } from './dispatcher.js'
import type { Entity } from './entity.js'
import { type HostOptions, HostState } from './host-state.js'
import { Intake, keptBytesMax } from './intake.js'
import type { Batch } from './mailbox.js'
import { Outcome } from './outcome.js'
import { Requests } from './requests.js'
import { ActionTimers } from './timers.js'

/** Time for the main thread to collect retained messages. */
const FILL_MS_MAX = 5_000
const COMMAND_TOPIC = '$SYS/Coreflux/Command'
const WRITTEN_TOPICS = ['$SYS/Coreflux/Config/New', '$SYS/Coreflux/Routes/+/Events/+']

export interface LotHostOptions extends HostOptions {
  readonly runners: Runners
  /** As a rule; a few more where they are slow. */
  readonly threads: number
  /** `progressBytes(threads)` long. */
  readonly progress: SharedArrayBuffer
  /** Something was written to rings outside of `work`. */
  readonly poke: () => void
}

/** Threads that are kept: entities that spin take some, and the others must not wait until new ones have started. */
export function threadsReady(threads: number): number {
  return threads + SPARE_THREADS
}

/** Threads that there may be at the same time. */
export function threadsMax(threads: number): number {
  return threads + SPARE_THREADS + WAITING_THREADS
}

export function progressBytes(threads: number): number {
  return threadsMax(threads) * PROGRESS_INTS * 4
}

export class LotHost {
  readonly #state: HostState
  readonly #dispatcher: Dispatcher
  readonly #intake: Intake
  readonly #outcome: Outcome
  readonly #deployments: Deployments
  readonly #timers: ActionTimers
  readonly #requests: Requests
  /** By name of the action; empty for all. */
  readonly #traces = new Map<string, number>()
  readonly #fills = new Map<number, () => void>()
  readonly #poke: () => void
  #lastFill = 0

  constructor(options: LotHostOptions) {
    const { config, clock } = options
    const state = new HostState(options)
    this.#state = state
    this.#poke = options.poke
    const limits = config.lot
    this.#dispatcher = new Dispatcher(options.runners, this.#owner(), options.threads, options.progress, limits)
    this.#intake = new Intake(state, this.#dispatcher, (entity) => this.#isTraced(entity))
    this.#outcome = new Outcome(state, this.#intake)
    this.#requests = new Requests(clock)
    this.#timers = new ActionTimers(
      clock,
      (entity) => this.#fire(entity),
      (entity, atMs) => state.tell({ kind: 'timerRan', action: entity.ref.name, atMs }),
    )
    this.#deployments = new Deployments(state, {
      activated: (entity, lastRunMs) => this.#activated(entity, lastRunMs),
      deactivated: (entity) => this.#deactivated(entity, 'it was deployed anew or removed'),
      fill: (filters) => this.#fill(filters),
      flush: options.poke,
    })
    for (const filter of [COMMAND_TOPIC, ...WRITTEN_TOPICS]) {
      state.interest.want(filter)
      state.topics.use(filter, filter === COMMAND_TOPIC ? 'command' : 'write')
    }
    if (config.lot.lastValues === 'all') {
      state.interest.want('#')
      state.topics.read('#')
    }
  }

  // ---------- what rings bring ----------

  /** One round. @returns bytes taken from the rings */
  work(): number {
    const { shards } = this.#state
    if (shards.flush()) return 0
    const taken = shards.drain(this.#receive)
    this.#dispatcher.pump()
    return taken
  }

  readonly #receive = (bytes: Uint8Array, ints: Int32Array, at: number): void => {
    const i = at >> 2
    switch (ints[i + KIND]) {
      case ToLotKind.MESSAGE:
        this.#intake.message(bytes, ints, at)
        return
      case ToLotKind.SESSION: {
        const json = Buffer.from(bytes.slice(at + 16, at + 16 + ints[i + 3])).toString()
        this.#intake.session(JSON.parse(json) as SessionEvent)
        return
      }
      case ToLotKind.WANTED:
        this.#state.interest.answered(ints[i + SLOT], ints[i + 3])
    }
  }

  // ---------- calls ----------

  install(definitions: readonly RunnableDefinition[]): Promise<void> {
    return this.#deployments.install(definitions)
  }

  remove(entities: readonly EntityRef[]): Promise<void> {
    return this.#deployments.remove(entities)
  }

  setEnvironment(changes: readonly EnvironmentChange[]): void {
    this.#outcome.setEnvironment(changes)
  }

  /** @throws Error if there is no such action */
  async runAction(name: string, request: RunRequest): Promise<RunReport> {
    const entity = this.#state.find({ kind: 'action', name })
    if (entity === undefined) throw new Error(`there is no action "${name}"`)
    const { number, report } = this.#requests.open(entity, request)
    if (entity.stopped !== undefined) this.#requests.fail(entity, entity.stopped)
    else if (!this.#intake.request(entity, number, JSON.stringify(request))) {
      this.#requests.refuse(number, `too much waits for action ${name}`)
    }
    this.#dispatcher.pump()
    return report
  }

  trace(action: string | undefined, untilMs: number): void {
    if (untilMs > 0) this.#traces.set(action ?? '', untilMs)
    else if (action === undefined) this.#traces.clear()
    else this.#traces.delete(action)
  }

  giveValues(number: number, values: readonly InternalPublish[]): void {
    for (const { topic, payload } of values) this.#outcome.fill(topic, payload)
    this.#fills.get(number)?.()
  }

  lastValue(topic: string): Uint8Array | undefined {
    return this.#state.values.get(topic)
  }

  async replaceShard(index: number, link: LotLink): Promise<void> {
    this.#state.shards.replace(index, link)
    for (const entity of this.#state.entities.values()) {
      // the publishers that waited are gone with it
      entity.held.splice(0, entity.held.length, ...entity.held.filter(({ shard }) => shard !== index))
    }
    const told = this.#state.interest.tellAgain(index)
    this.#poke()
    await told
  }

  entityState(ref: EntityRef): EntityState | undefined {
    const entity = this.#state.find(ref)
    if (entity === undefined) return undefined
    return {
      runs: entity.runs,
      failures: entity.failures,
      dropped: entity.dropped,
      waiting: entity.mailbox.waiting,
      lastRunUtc: utc(entity.lastRunMs),
      lastError: entity.lastError,
      stopped: entity.stopped,
      nextRunUtc: utc(this.#timers.nextMs(entity)),
      averageRunMicros: entity.runs === 0 ? 0 : Math.round((entity.micros / entity.runs) * 10) / 10,
    }
  }

  /** Runs what is due. */
  tick(): void {
    this.#timers.tick()
    this.#dispatcher.pump()
  }

  /** Nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#dispatcher.isIdle
  }

  close(): void {
    this.#timers.close()
    this.#dispatcher.close()
    this.#state.failures.close()
  }

  // ---------- entities ----------

  #owner(): ConstructorParameters<typeof Dispatcher>[1] {
    const { shards } = this.#state
    return {
      get isCongested(): boolean {
        return shards.isCongested
      },
      describe: (entity, batch) => this.#describe(entity, batch),
      finished: (entity, batch, generation, result, events) => {
        this.#finished(entity, batch, generation, result, events)
      },
      dropped: (entity, events) => this.#state.drop(entity, events),
      stop: (entity, reason) => this.#stop(entity, reason),
    }
  }

  #activated(entity: Entity, lastRunMs: number | undefined): void {
    this.#timers.arm(entity, lastRunMs)
    if (entity.plan.isAtStart) this.#fire(entity)
    // what has come since it was stopped
    this.#dispatcher.ready(entity)
    this.#dispatcher.pump()
  }

  #deactivated(entity: Entity, reason: string): void {
    this.#timers.disarm(entity)
    this.#requests.fail(entity, reason)
    entity.hasMoment = false
    for (const answer of entity.held.splice(0)) {
      if (--answer.waiting === 0) this.#state.shards.answer(answer.shard, answer.number, true)
    }
  }

  /** A timer, or START. */
  #fire(entity: Entity): void {
    if (entity.hasMoment) return
    entity.hasMoment = this.#intake.moment(entity)
    this.#dispatcher.pump()
  }

  async #fill(filters: readonly string[]): Promise<void> {
    const number = ++this.#lastFill
    const filled = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FILL_MS_MAX)
      this.#fills.set(number, () => {
        clearTimeout(timer)
        resolve()
      })
    })
    this.#state.tell({ kind: 'needValues', number, filters })
    await filled
    this.#fills.delete(number)
  }

  // ---------- batches ----------

  #describe(entity: Entity, batch: Batch): Pick<RunnerTask, 'book' | 'values' | 'instances' | 'isTraced'> {
    // a timer that comes while the run before it is under way waits
    entity.hasMoment = false
    return {
      book: this.#state.book.memory,
      values: this.#state.values.memory,
      instances: batch.instances.map(({ id, captures, version, state }) => ({ id, captures, version, state })),
      isTraced: this.#isTraced(entity),
    }
  }

  #finished(entity: Entity, batch: Batch, generation: number, result: RunnerResult, events: number): void {
    entity.runs += events
    this.#state.countFailures(entity, result.failures)
    entity.micros += result.micros
    entity.lastRunMs = this.#state.clock.now()
    this.#state.count('lotRuns', events)
    if (generation === entity.generation) {
      result.states.forEach((state, index) => {
        if (state === undefined) return
        const instance = batch.instances[index]
        instance.state = state
        instance.version++
      })
    }
    this.#outcome.apply(entity, result)
    for (const { number, report } of result.reports) this.#requests.answer(number, report)
    for (const trace of result.traces) this.#state.publishText(entity.ref, `${entity.topicBase}/Trace`, trace)
    if (result.failure !== undefined && !entity.isRemoved) {
      this.#state.failures.report(entity, result.failure, result.failures)
    }
    this.#intake.release(entity)
    this.#poke()
  }

  #stop(entity: Entity, reason: string): void {
    const { kind, name } = entity.ref
    const message = `stopped: ${reason}; deploy it again to start it`
    entity.stopped = message
    this.#state.drop(entity, entity.mailbox.keepCertain(keptBytesMax(this.#state.config.lot)))
    this.#deactivated(entity, message)
    this.#state.log.error(`${kind} ${name} was stopped: ${reason}`, { name })
    this.#state.fail(entity, message, 1)
    this.#poke()
  }

  #isTraced(entity: Entity): boolean {
    if (this.#traces.size === 0 || entity.ref.kind !== 'action') return false
    for (const name of [entity.ref.name, '']) {
      const untilMs = this.#traces.get(name)
      if (untilMs === undefined) continue
      if (untilMs > this.#state.clock.now()) return true
      this.#traces.delete(name)
    }
    return false
  }
}

function utc(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
