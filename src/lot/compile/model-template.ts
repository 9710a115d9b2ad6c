/** A model filled by PUBLISH MODEL: what is assigned stands for what the definition says. */
import { LotRuntimeError, type ModelTemplate } from '../program.js'
import { jsonTextOf, toFieldType } from '../values/json-text.js'
import { Json, type JsonData, jsonDataOf, parseJson, type Value } from '../values/value.js'
import type { ModelProgram } from './model.js'
import { evaluateFields, NO_LIMITS, neverEvaluated } from './model-evaluation.js'
import { type Found, findShape, type Shape } from './model-layout.js'
import { Run } from './run.js'

export class Template implements ModelTemplate {
  readonly retain: boolean
  readonly qos: 0 | 1 | 2
  readonly #targets: readonly Found[]
  /** Slots and objects that are given as a whole; what leads deeper into one is put in afterwards. */
  readonly #never: readonly Value[]

  constructor(
    readonly program: ModelProgram,
    paths: readonly (readonly string[])[],
  ) {
    this.retain = program.retain
    this.qos = program.qos
    this.#never = neverEvaluated(program)
    this.#targets = paths.map((path) => {
      const found = findShape(program.layout.root, [], path)
      if (found === undefined || !mayHold(found)) {
        throw new Error(`model "${program.name}" has no field "${path.join('.')}"`)
      }
      return found
    })
  }

  json(caller: Run, values: readonly Value[]): string {
    const { program } = this
    const { world, occasion, effects, firstEffect, depth } = caller
    const slots = new Map<number, Value>()
    const shapes = new Map<Shape, Value>()
    for (let i = 0; i < this.#targets.length; i++) {
      const { shape, rest } = this.#targets[i]
      if (shape.kind !== 'leaf') shapes.set(shape, toFieldType(values[i], 'OBJECT') ?? Json.ofText('null'))
      else if (rest.length === 0) slots.set(shape.leaf.slot, toFieldType(values[i], shape.leaf.type))
      else slots.set(shape.leaf.slot, putInto(slots.get(shape.leaf.slot), rest, values[i]))
    }
    const run = new Run(world, occasion, effects, undefined, NO_LIMITS, [], firstEffect, depth, caller)
    run.previous = this.#never
    run.topics = program.inputs.map(({ pattern }) => pattern.fill(occasion.captures))
    try {
      evaluateFields(program, run, slots)
    } catch (error) {
      if (!(error instanceof LotRuntimeError)) throw error
      throw new Error(`in model "${program.name}", line ${error.line}: ${error.message}`, { cause: error })
    }
    return program.write(run.slots, shapes.size === 0 ? undefined : shapes)
  }
}

/** A path may go on into JSON, and not into a number or text. */
function mayHold({ shape, rest }: Found): boolean {
  if (rest.length === 0 || shape.kind !== 'leaf') return true
  const { type } = shape.leaf
  return type === undefined || type === 'OBJECT'
}

/** A copy of the object with one more member, deep within. */
function putInto(object: Value, path: readonly string[], value: Value): Value {
  const data = jsonDataOf(object)
  const base = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {}
  return Json.ofData(withMember(base, path, parseJson(jsonTextOf(value)) ?? null))
}

function withMember(data: JsonData | undefined, [key, ...rest]: readonly string[], value: JsonData): JsonData {
  const base = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {}
  const inner = rest.length === 0 ? value : withMember(Object.hasOwn(base, key) ? base[key] : undefined, rest, value)
  return { ...base, [key]: inner }
}
