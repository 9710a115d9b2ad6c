/**
 * Runs LoT without a broker: the parser, compiler and evaluator are those of the broker, topics and timers are found as
 * its LoT thread does, but everything happens in the thread that calls, one run after the other, and time moves when the
 * caller says so. What is published triggers others, as in the broker.
 */
import { encodeText, hashBytes } from '../base/bytes.js'
import { messageOf } from '../base/errors.js'
import { SharedBook } from '../base/shared-book.js'
import { BrokerConfig } from '../config/schema.js'
import type { EntityRef, SessionEvent } from '../contracts/lot.js'
import { type Effect, LotRuntimeError, type ModelInstance, type Occasion } from '../lot/program.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import type { ActionNode, ModelNode } from '../lot/tree.js'
import { Entity } from '../lot-host/entity.js'
import type { Instance } from '../lot-host/instance.js'
import { isMeant, sessionWords } from '../lot-host/intake.js'
import { planAction, planModel } from '../lot-host/plan.js'
import { Topics } from '../lot-host/topics.js'
import { EffectWriter } from '../lot-runner/effect-writer.js'
import { Programs } from '../lot-runner/programs.js'
import { capturesOf } from '../lot-runner/topic-texts.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import { SimulatedTimers } from './simulated-timers.js'
import { type AnswerCall, SimulatedWorld } from './simulated-world.js'

/** Of one simulation; more is an endless exchange of messages. */
const RUNS_MAX = 5_000_000
const NO_CAPTURES: readonly string[] = []

export interface Definition extends EntityRef {
  /** One entity, or a text that has it. */
  readonly source: string
}

export interface SimulatorOptions {
  readonly compat: 'v1' | 'v2'
  readonly startMs: number
  /** Of random numbers. */
  readonly seed: number
  /** Python, models and other services. */
  readonly answer: AnswerCall
  readonly onEvent: (event: SimulatedEvent) => void
}

/** What a run brought about. */
export type SimulatedEvent = { readonly entity: EntityRef; readonly atMs: number } & (
  | { readonly kind: 'effect'; readonly effect: Effect }
  | { readonly kind: 'warning'; readonly message: string }
  /** The run has no effects. `line` counts within the entity's text. */
  | {
      readonly kind: 'failure'
      readonly message: string
      readonly line: number | undefined
      readonly statement: string | undefined
    }
)

interface Run {
  readonly entity: Entity
  /** Of a model. */
  readonly instance: Instance | undefined
  readonly occasion: Occasion
  /** Runs before it of which each triggered the next. */
  readonly depth: number
}

export class Simulator {
  readonly world: SimulatedWorld
  readonly #programs: Programs
  readonly #book = new SharedBook()
  readonly #entities = new Map<string, Entity>()
  readonly #topics: Topics
  readonly #timers = new SimulatedTimers()
  readonly #open = new Map<Instance, ModelInstance>()
  readonly #queue: Run[] = []
  readonly #config: BrokerConfig
  /** Knows which effects the broker would refuse. */
  readonly #writer = new EffectWriter()
  #lastInstance = 0
  #runs = 0

  constructor(readonly options: SimulatorOptions) {
    this.#config = BrokerConfig.parse({ compat: options.compat })
    const { lot, models, compat, python } = this.#config
    const config = { lot, models, compat, python }
    this.#programs = new Programs({ config, clock: new SharedArrayBuffer(8), progress: new SharedArrayBuffer(0) })
    this.world = new SimulatedWorld(this.#programs, options.startMs, options.answer, options.seed)
    this.#topics = new Topics((entity, captures) => entity.instance(captures, () => ++this.#lastInstance))
  }

  /**
   * Models are found by those that inherit from them, in whatever order. Nothing runs yet.
   * @throws LotCompileError
   */
  deploy(definitions: readonly Definition[]): void {
    for (const { kind, name, source } of definitions) this.#book.set(`${kind} ${name}`, source)
    this.#programs.follow(this.#book.memory)
    const parsed = definitions.map((definition) => ({ definition, ...parse(definition, this.options.compat) }))
    const find = (name: string): { node: ModelNode; source: Source } | undefined => {
      const found = parsed.find(({ node }) => node.kind === 'model' && node.name.text === name)
      return found && { node: found.node as ModelNode, source: found.source }
    }
    for (const { definition, node, source } of parsed) {
      const plan =
        node.kind === 'action' ? planAction(node) : planModel(node, source, find, this.#config.models.plainOutput)
      const { kind, name } = definition
      this.#programs.find(kind, name)
      const entity = new Entity({ kind, name }, definition.source, plan, 0, { bytes: 0 })
      this.#entities.set(`${kind} ${name}`, entity)
      this.#topics.add(entity)
      this.#timers.arm(entity, this.world.nowMs)
    }
  }

  /** Runs what is ON START. */
  start(): void {
    for (const entity of this.#entities.values()) if (entity.plan.isAtStart) this.#moment(entity)
    this.#settle()
  }

  /** A client's message. @returns whether any trigger is for its topic */
  publish(topic: string, payload: Uint8Array): boolean {
    const isMeant = this.#deliver(topic, payload, 0)
    this.#settle()
    return isMeant
  }

  session(event: SessionEvent): void {
    for (const entity of this.#entities.values()) {
      const { session } = entity.plan
      if (session?.kind !== event.hook) continue
      if (session.kind === 'subscribe' && !isMeant(session.filter?.value, event.filter)) continue
      const occasion = { topic: '', payload: undefined, captures: NO_CAPTURES, session: sessionWords(event) }
      this.#queue.push({ entity, instance: undefined, occasion, depth: 0 })
    }
    this.#settle()
  }

  /** Timers that come due meanwhile run at their time. */
  advanceTo(ms: number): void {
    for (let due = this.#timers.next(ms); due !== undefined; due = this.#timers.next(ms)) {
      this.world.nowMs = due.atMs
      this.#moment(due.entity)
      this.#settle()
    }
    this.world.nowMs = Math.max(this.world.nowMs, ms)
  }

  /** Whether it is an action without trigger. */
  isCallable(name: string): boolean {
    const plan = this.#entities.get(`action ${name}`)?.plan
    if (plan === undefined) return false
    const { inputs, timer, session, isAtStart } = plan
    return inputs.length === 0 && timer === undefined && session === undefined && !isAtStart
  }

  /** @returns the outputs of a callable action; undefined if it failed. @throws Error if there is none of this name */
  call(name: string, inputs: Readonly<Record<string, unknown>>): Record<string, string> | undefined {
    const entity = this.#entities.get(`action ${name}`)
    const action = this.world.action(name)
    if (entity === undefined || action === undefined) throw new Error(`there is no action "${name}"`)
    let outputs: Record<string, string> | undefined
    this.#attempt(entity, 0, (effects, warnings) => {
      outputs = action.invoke(this.world, inputs, effects, warnings)
    })
    this.#settle()
    return outputs
  }

  /** Runs one action for a message, whatever its trigger is; nobody else gets the message. */
  trigger(name: string, topic: string, payload: Uint8Array | undefined): void {
    const entity = this.#entities.get(`action ${name}`)
    if (entity === undefined) throw new Error(`there is no action "${name}"`)
    const filter = entity.plan.inputs[0]?.filter
    const captures = filter !== undefined && filterMatches(filter, topic) ? levels(topic, filter) : NO_CAPTURES
    this.#queue.push({ entity, instance: undefined, occasion: { topic, payload, captures }, depth: 0 })
    this.#settle()
  }

  #moment(entity: Entity): void {
    const occasion = { topic: '', payload: undefined, captures: NO_CAPTURES }
    this.#queue.push({ entity, instance: undefined, occasion, depth: 0 })
  }

  /** @returns whether any trigger is for the topic */
  #deliver(topicText: string, payload: Uint8Array, depth: number): boolean {
    let isMeant = false
    const bytes = encodeText(topicText)
    const topic = this.#topics.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length))
    for (const { entity, input, instance } of topic.destinations) {
      isMeant = true
      const { plan } = entity
      if (plan.isOnChange && !entity.isChange(topicText, payload, 0, payload.length)) continue
      const planned = plan.inputs.find(({ index }) => index === input)
      const captures = levels(topicText, planned?.filter ?? topicText)
      const occasion = { topic: topicText, payload, captures }
      if (entity.ref.kind === 'action') this.#queue.push({ entity, instance: undefined, occasion, depth })
      else {
        const instances = instance === undefined ? entity.instances.values() : [instance]
        for (const one of instances) this.#queue.push({ entity, instance: one, occasion, depth })
      }
    }
    this.world.values.set(topicText, payload)
    return isMeant
  }

  #settle(): void {
    for (let run = this.#queue.shift(); run !== undefined; run = this.#queue.shift()) this.#run(run)
  }

  #run({ entity, instance, occasion, depth }: Run): void {
    if (++this.#runs > RUNS_MAX) throw new Error(`the simulation ended after ${RUNS_MAX} runs`)
    this.#attempt(entity, depth, (effects, warnings) => {
      const { kind, name } = entity.ref
      if (kind === 'action') this.#programs.action(name)?.action.run(this.world, occasion, effects, warnings)
      else if (instance !== undefined) this.#instance(name, instance)?.receive(this.world, occasion, effects)
    })
  }

  #instance(model: string, instance: Instance): ModelInstance | undefined {
    let open = this.#open.get(instance)
    if (open === undefined) {
      open = this.#programs.model(model)?.model.open(instance.captures, undefined)
      if (open !== undefined) this.#open.set(instance, open)
    }
    return open
  }

  #attempt(entity: Entity, depth: number, run: (effects: Effect[], warnings: string[]) => void): void {
    const effects: Effect[] = []
    const warnings: string[] = []
    try {
      run(effects, warnings)
      this.#writer.check(effects)
    } catch (error) {
      this.#fail(entity, error)
      return
    }
    const from = { entity: entity.ref, atMs: this.world.nowMs }
    for (const message of warnings) this.options.onEvent({ ...from, kind: 'warning', message })
    for (const effect of effects) {
      this.options.onEvent({ ...from, kind: 'effect', effect })
      this.world.apply(effect)
      if (effect.kind === 'publish') this.#chain(entity, effect.topic, effect.payload, depth + 1)
    }
  }

  #chain(entity: Entity, topic: string, payload: Uint8Array, depth: number): void {
    const { chainDepthMax } = this.#config.lot
    if (depth < chainDepthMax) this.#deliver(topic, payload, depth)
    else this.#fail(entity, new Error(`stopped after ${chainDepthMax} runs of which each one triggered the next`))
  }

  #fail(entity: Entity, error: unknown): void {
    const own = error instanceof LotRuntimeError ? error : undefined
    this.options.onEvent({
      entity: entity.ref,
      atMs: this.world.nowMs,
      kind: 'failure',
      message: messageOf(error),
      line: own?.line,
      statement: own?.statement,
    })
  }
}

function parse(
  { kind, name, source: text }: Definition,
  compat: 'v1' | 'v2',
): { readonly node: ActionNode | ModelNode; readonly source: Source } {
  const source = new Source(`${kind} ${name}`, text)
  const { entities } = parseProgram(source, { compat }).program
  const node = entities.find((entity) => entity.kind === kind && entity.name.text === name)
  if (node?.kind === 'action' || node?.kind === 'model') return { node, source }
  throw new Error(`the text does not define ${kind} ${name}`)
}

function levels(topic: string, filter: string): readonly string[] {
  return capturesOf({ bytes: new Uint8Array(0), text: topic, captures: new Map() }, filter)
}
