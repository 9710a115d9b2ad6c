/** Executes batches, one at a time: the only place where what users wrote runs. */
import { randomUUID } from 'node:crypto'
import { messageOf } from '../base/errors.js'
import type { RunReport, RunRequest } from '../contracts/lot.js'
import {
  EVENT_DEPTH,
  EVENT_EXTRA_BYTES,
  EVENT_HEADER_BYTES,
  EVENT_INPUT,
  EVENT_INSTANCE,
  EVENT_KIND,
  EVENT_NUMBER,
  EVENT_PAYLOAD_BYTES,
  EVENT_TOPIC_BYTES,
  EVENT_TOPIC_HASH,
  EventKind,
  PROGRESS_CALLED_MS,
  PROGRESS_EVENT,
  PROGRESS_INTS,
  PROGRESS_STARTED,
  type RunFailure,
  type RunnerResult,
  type RunnerSetup,
  type RunnerTask,
} from '../contracts/lot-batch.js'
import { type Effect, LotRuntimeError, type ModelInstance, type Occasion } from '../lot/program.js'
import { EffectWriter } from './effect-writer.js'
import { Instances } from './instances.js'
import { type Program, Programs } from './programs.js'
import { conceal, concealReport, makeReport, payloadBytes, type Timed } from './reports.js'
import { type Outside, RunWorld } from './run-world.js'
import { capturesOf, IncomingTopics } from './topic-texts.js'

/** A batch that takes longer is broken off after the event at hand, so that others get their turn. */
const SLICE_MS = 20
/** The same for one that publishes much. */
const EFFECT_BYTES_MAX = 1_048_576
const NO_CAPTURES: readonly string[] = []
const NO_SECRETS: ReadonlySet<string> = new Set()

export class Runner {
  readonly #programs: Programs
  readonly #world: RunWorld
  readonly #topics = new IncomingTopics()
  readonly #writer = new EffectWriter()
  readonly #instances = new Instances()
  readonly #progress: Int32Array
  #task: RunnerTask | undefined
  #ints = new Int32Array(0)
  #bytes = new Uint8Array(0)
  readonly #effects: Effect[] = []
  readonly #warnings: string[] = []
  #open: (ModelInstance | undefined)[] = []

  /** @param elapsedMs a stopwatch; a batch is broken off by it */
  constructor(
    setup: RunnerSetup,
    outside: Outside,
    readonly elapsedMs: () => number = () => performance.now(),
  ) {
    this.#programs = new Programs(setup)
    this.#world = new RunWorld(setup, this.#programs, outside, elapsedMs)
    this.#progress = new Int32Array(setup.progress)
  }

  run(task: RunnerTask): RunnerResult {
    const started = this.elapsedMs()
    const slot = task.slot * PROGRESS_INTS
    this.#progress[slot + PROGRESS_CALLED_MS] = 0
    Atomics.store(this.#progress, slot + PROGRESS_STARTED, 1)
    this.#task = task
    this.#ints = new Int32Array(task.events)
    this.#bytes = new Uint8Array(task.events)
    this.#open = task.instances.map(() => undefined)
    this.#programs.follow(task.book)
    const outcome: Outcome = { runs: 0, failures: 0, failure: undefined, traces: [], reports: [] }
    const program = this.#find(task, outcome)
    // what cannot be compiled has no use for its events; those of another deployment wait for that one
    let at = outcome.failure === undefined ? task.from : task.to
    if (program !== undefined) {
      this.#world.begin(task, program.readsTopics)
      while (at < task.to) {
        this.#progress[slot + PROGRESS_EVENT] = at
        this.#runEvent(program, task, at, outcome)
        at += this.#ints[at >> 2]
        if (this.elapsedMs() - started > SLICE_MS || this.#writer.used > EFFECT_BYTES_MAX) break
      }
    }
    this.#world.end()
    return {
      next: at,
      ...outcome,
      ...this.#writer.take(),
      states: program === undefined ? [] : this.#saveInstances(program, task),
      micros: Math.round((this.elapsedMs() - started) * 1_000),
    }
  }

  #find(task: RunnerTask, outcome: Outcome): Program | undefined {
    try {
      const program = this.#programs.find(task.kind, task.name)
      return program?.generation === task.generation ? program : undefined
    } catch (error) {
      outcome.failures++
      outcome.failure = describeFailure(error, randomUUID(), NO_SECRETS)
      return undefined
    }
  }

  #runEvent(program: Program, task: RunnerTask, at: number, outcome: Outcome): void {
    const i = at >> 2
    const isRequest = this.#ints[i + EVENT_KIND] === EventKind.REQUEST
    const timed =
      isRequest || task.isTraced
        ? { traceId: randomUUID(), startMs: this.#world.now(), begun: this.elapsedMs() }
        : undefined
    this.#effects.length = 0
    this.#warnings.length = 0
    this.#world.forgetSecrets()
    outcome.runs++
    let failure: RunFailure | undefined
    let outputs: Record<string, string> | undefined
    try {
      outputs = isRequest ? this.#answer(program, at) : this.#execute(program, at)
      this.#writer.check(this.#effects)
      const depth = this.#ints[i + EVENT_DEPTH]
      for (const effect of this.#effects) this.#writer.write(effect, depth)
      this.#world.remember(this.#effects)
    } catch (error) {
      this.#effects.length = 0
      failure = describeFailure(error, timed?.traceId ?? randomUUID(), this.#world.secretsRead)
      outcome.failures++
      outcome.failure = failure
    }
    if (timed !== undefined) this.#report(program, at, timed, failure, outputs, outcome)
  }

  #execute(program: Program, at: number): undefined {
    const i = at >> 2
    if (program.kind === 'model') {
      const index = this.#ints[i + EVENT_INSTANCE]
      const filter = program.model.inputs[this.#ints[i + EVENT_INPUT]]?.filter
      if (index < 0 || filter === undefined) return
      const instance = this.#openInstance(program, index)
      instance.receive(this.#world, this.#occasion(filter, at, true), this.#effects)
      return
    }
    program.action.run(this.#world, this.#occasion(program.filter, at, false), this.#effects, this.#warnings)
  }

  #openInstance(program: Program, index: number): ModelInstance {
    let instance = this.#open[index]
    if (instance === undefined) {
      if (program.kind !== 'model' || this.#task === undefined) throw new Error('no model')
      instance = this.#instances.open(program, this.#task.instances[index])
      this.#open[index] = instance
    }
    return instance
  }

  /** @param copies whether the payload may be kept beyond the batch */
  #occasion(filter: string | undefined, at: number, copies: boolean): Occasion {
    const i = at >> 2
    const kind = this.#ints[i + EVENT_KIND]
    if (kind === EventKind.MESSAGE && filter !== undefined) {
      const topicBytes = this.#ints[i + EVENT_TOPIC_BYTES]
      const topicAt = at + EVENT_HEADER_BYTES
      const topic = this.#topics.find(this.#bytes, topicAt, topicBytes, this.#ints[i + EVENT_TOPIC_HASH])
      const payloadAt = topicAt + topicBytes
      const payloadEnd = payloadAt + this.#ints[i + EVENT_PAYLOAD_BYTES]
      const payload = copies ? this.#bytes.slice(payloadAt, payloadEnd) : this.#bytes.subarray(payloadAt, payloadEnd)
      return { topic: topic.text, payload, captures: capturesOf(topic, filter) }
    }
    if (kind === EventKind.SESSION) {
      return { topic: '', payload: undefined, captures: NO_CAPTURES, session: JSON.parse(this.#extra(at)) }
    }
    return { topic: '', payload: undefined, captures: NO_CAPTURES }
  }

  /** `-runAction` */
  #answer(program: Program, at: number): Record<string, string> | undefined {
    if (program.kind !== 'action') throw new Error('models are not run by request')
    const request = JSON.parse(this.#extra(at)) as RunRequest
    const { action, filter } = program
    if (request.kind === 'inputs') {
      return action.invoke(this.#world, request.inputs, this.#effects, this.#warnings)
    }
    const captures = filter === undefined ? NO_CAPTURES : this.#topics.captures(request.topic, filter)
    const occasion = { topic: request.topic, payload: payloadBytes(request.payload), captures }
    action.run(this.#world, occasion, this.#effects, this.#warnings)
    return undefined
  }

  #report(
    program: Program,
    at: number,
    timed: Timed,
    failure: RunFailure | undefined,
    outputs: Record<string, string> | undefined,
    outcome: Outcome,
  ): void {
    if (program.kind !== 'action') return
    const endMs = timed.startMs + (this.elapsedMs() - timed.begun)
    const isRequest = this.#ints[(at >> 2) + EVENT_KIND] === EventKind.REQUEST
    const trigger = isRequest ? requestTrigger(this.#extra(at)) : this.#trigger(at)
    const report = concealReport(
      makeReport(program.action.name, timed, endMs, trigger, this.#effects, this.#warnings, failure, outputs),
      this.#world.secretsRead,
    )
    if (isRequest) outcome.reports.push({ number: this.#ints[(at >> 2) + EVENT_NUMBER], report })
    if (this.#task?.isTraced) outcome.traces.push(JSON.stringify(report))
  }

  #trigger(at: number): { topic: string | undefined; payload: Uint8Array | undefined; clientId: string | undefined } {
    const i = at >> 2
    const kind = this.#ints[i + EVENT_KIND]
    if (kind === EventKind.SESSION) {
      const clientId = (JSON.parse(this.#extra(at)) as Record<string, string>).CLIENTID
      return { topic: undefined, payload: undefined, clientId }
    }
    if (kind !== EventKind.MESSAGE) return { topic: undefined, payload: undefined, clientId: undefined }
    const topicBytes = this.#ints[i + EVENT_TOPIC_BYTES]
    const topicAt = at + EVENT_HEADER_BYTES
    const payloadAt = topicAt + topicBytes
    return {
      topic: this.#topics.find(this.#bytes, topicAt, topicBytes, this.#ints[i + EVENT_TOPIC_HASH]).text,
      payload: this.#bytes.subarray(payloadAt, payloadAt + this.#ints[i + EVENT_PAYLOAD_BYTES]),
      clientId: this.#extra(at),
    }
  }

  #extra(at: number): string {
    const i = at >> 2
    const start = at + EVENT_HEADER_BYTES + this.#ints[i + EVENT_TOPIC_BYTES] + this.#ints[i + EVENT_PAYLOAD_BYTES]
    return Buffer.from(this.#bytes.buffer, start, this.#ints[i + EVENT_EXTRA_BYTES]).toString()
  }

  #saveInstances(program: Program, task: RunnerTask): (string | undefined)[] {
    if (program.kind !== 'model') return []
    return this.#open.map((instance, index) => {
      if (instance === undefined) return undefined
      const { id, version } = task.instances[index]
      this.#instances.keep(program, id, version + 1, instance)
      return instance.save()
    })
  }
}

interface Outcome {
  runs: number
  failures: number
  failure: RunFailure | undefined
  readonly traces: string[]
  readonly reports: { readonly number: number; readonly report: RunReport }[]
}

function describeFailure(error: unknown, traceId: string, secrets: ReadonlySet<string>): RunFailure {
  const own = error instanceof LotRuntimeError ? error : undefined
  const timestampUtc = new Date().toISOString()
  const message = conceal(messageOf(error), secrets)
  return { message, line: own?.line, statement: own?.statement, traceId, timestampUtc }
}

function requestTrigger(json: string): {
  topic: string | undefined
  payload: Uint8Array | undefined
  clientId: undefined
} {
  const request = JSON.parse(json) as RunRequest
  if (request.kind === 'inputs') return { topic: undefined, payload: undefined, clientId: undefined }
  return { topic: request.topic, payload: payloadBytes(request.payload), clientId: undefined }
}
