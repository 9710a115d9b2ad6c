/** Instances of models: what they remember, and what they publish when a trigger fires. */
import type { Effect, ModelInstance, Occasion, World } from '../program.js'
import { encodeText } from '../values/text-bytes.js'
import { textOf, type Value } from '../values/value.js'
import type { ModelProgram } from './model.js'
import { evaluateFields, NO_LIMITS, neverEvaluated } from './model-evaluation.js'
import { compileWriter, type Shape } from './model-layout.js'
import { openState, saveState } from './model-state.js'
import { isFor, type TopicPattern } from './model-topics.js'
import { explode } from './reception.js'
import { Run, runtimeError } from './run.js'
import { checkedTopic } from './topic.js'

export class Instance implements ModelInstance {
  readonly #program: ModelProgram
  readonly #captures: readonly string[]
  /** Concrete, for each input. */
  readonly #topics: readonly (string | undefined)[]
  readonly #received: (Uint8Array | undefined)[]
  #values: Value[]
  /** The values of the evaluation before the last; written over by the next one. */
  #spare: Value[]
  readonly #output: string | undefined

  constructor(program: ModelProgram, captures: readonly string[], state: string | undefined) {
    this.#program = program
    this.#captures = captures
    this.#topics = program.inputs.map(({ pattern }) => pattern.fill(captures))
    this.#output = program.output?.fill(captures)
    const saved = openState(state)
    const topics = new Map(saved.topics)
    this.#received = program.inputs.map(({ pattern, isShared }) => (isShared ? undefined : topics.get(pattern.text)))
    this.#values = neverEvaluated(program)
    this.#spare = neverEvaluated(program)
    const values = new Map(saved.fields)
    for (const { slot, path } of program.layout.leaves) {
      const name = path.join('.')
      if (values.has(name)) this.#values[slot] = values.get(name)
    }
  }

  receive(world: World, occasion: Occasion, effects: Effect[]): void {
    const { inputs } = this.#program
    let isFired = false
    for (let i = 0; i < inputs.length; i++) {
      if (!isFor(this.#topics[i], occasion.topic)) continue
      if (!inputs[i].isShared) this.#received[i] = occasion.payload
      if (inputs[i].isTrigger) isFired = true
    }
    if (isFired) this.#fire(world, occasion, effects)
  }

  #fire(world: World, { topic, payload }: Occasion, effects: Effect[]): void {
    const program = this.#program
    const begin = effects.length
    const occasion = { topic, payload, captures: this.#captures }
    const run = new Run(world, occasion, effects, undefined, NO_LIMITS, this.#spare, begin, 0, undefined)
    run.previous = this.#values
    run.received = this.#received
    run.topics = this.#topics
    evaluateFields(program, run, undefined)
    try {
      this.#publish(run)
    } catch (error) {
      effects.length = begin
      throw runtimeError(error, program.source, 0)
    }
    this.#spare = this.#values
    this.#values = run.slots
  }

  #publish(run: Run): void {
    const program = this.#program
    const { qos, retain, stores } = program
    const topic = this.#output
    if (topic === undefined) return
    const json = program.publishesJson || stores.length > 0 ? program.write(run.slots, undefined) : ''
    if (program.publishesJson) {
      run.effects.push({ kind: 'publish', topic: checkedTopic(topic), payload: encodeText(json), qos, retain })
    }
    if (program.publishesFields) publishFields(program, program.layout.root, topic, run)
    for (const { route, table, when } of stores) {
      if (when === undefined || when(run)) run.effects.push({ kind: 'store', route, table, record: json })
    }
  }

  save(): string {
    const { layout, inputs } = this.#program
    return saveState({
      fields: layout.leaves.map(({ slot, path }) => [path.join('.'), this.#values[slot]]),
      topics: inputs.flatMap(({ pattern }, index) => {
        const payload = this.#received[index]
        return payload === undefined ? [] : [[pattern.text, payload] as const]
      }),
    })
  }
}

/** Each field on a topic of its own, bare; those of an object below the object's. */
function publishFields(program: ModelProgram, shape: Shape, above: string, run: Run): void {
  if (shape.kind !== 'object') return
  for (const { name, shape: inner } of shape.entries) {
    const topic = `${above}/${name}`
    if (inner.kind === 'object') {
      publishFields(program, inner, topic, run)
      continue
    }
    const text =
      inner.kind === 'leaf' ? bareText(run.slots[inner.leaf.slot]) : compileWriter(inner)(run.slots, undefined)
    const { qos, retain } = program
    run.effects.push({ kind: 'publish', topic: checkedTopic(topic), payload: encodeText(text), qos, retain })
  }
}

function bareText(value: Value): string {
  return value === undefined ? 'null' : textOf(value)
}

/** It remembers nothing. */
export class ReceptionInstance implements ModelInstance {
  readonly #topic: string | undefined
  constructor(
    readonly header: { readonly retain: boolean; readonly qos: 0 | 1 | 2 },
    pattern: TopicPattern,
    captures: readonly string[],
  ) {
    this.#topic = pattern.fill(captures)
  }

  receive(_world: World, occasion: Occasion, effects: Effect[]): void {
    if (isFor(this.#topic, occasion.topic)) explode(occasion, this.header.qos, this.header.retain, effects)
  }

  save(): string {
    return ''
  }
}
