/** Fields of a model to closures: in the order of declaration, each from those before it and from its own past. */
import { LotCompileError } from '../program.js'
import type { Source } from '../source.js'
import type { Expression, FieldType, TextNode } from '../tree.js'
import { toFieldType } from '../values/json-text.js'
import { parseNumberBytes } from '../values/number-text.js'
import { DIVISION_BY_ZERO } from '../values/operators.js'
import { Json, OuterText, type Value } from '../values/value.js'
import { part } from './action-scope.js'
import { type Compiled, compileError, constant, dynamic, type Evaluate, type Scope } from './compiled.js'
import { makeScope } from './expression.js'
import { compileWriter, findShape, type Layout, type Leaf } from './model-layout.js'
import type { Run } from './run.js'

/** Gives the number of a topic among the model's inputs. */
export type InputOf = (topic: TextNode, source: Source) => number

export interface CompiledField {
  readonly leaf: Leaf
  /** Yields a value of the field's type; undefined for null. */
  readonly run: Evaluate
  readonly hasSource: boolean
}

export function compileField(leaf: Leaf, layout: Layout, inputOf: InputOf): CompiledField {
  const { node, source } = leaf.member
  const from = node.kind === 'field' ? node.source : undefined
  if (from === undefined) return { leaf, run: () => undefined, hasSource: false }
  if (from.kind === 'topic') {
    return { leaf, run: readInput(inputOf(from.filter, source), leaf.type), hasSource: true }
  }
  const scope = makeFieldScope(layout, leaf.slot, leaf.path.slice(0, -1), source, inputOf)
  const value = scope.expression(from.value)
  return { leaf, run: typed(value, leaf.type, mayDivide(from.value)), hasSource: true }
}

/** A name means a field: today's value if that is declared before `slot`, otherwise the one before. */
export function makeFieldScope(
  layout: Layout,
  slot: number,
  within: readonly string[],
  source: Source,
  inputOf: InputOf,
): Scope {
  const read = (path: readonly string[], span: Expression['span']): Compiled => {
    const found = findShape(layout.root, within, path)
    if (found === undefined) throw compileError({ source }, span, `the model has no field "${path.join('.')}"`)
    const { shape, rest } = found
    if (shape.kind !== 'leaf') {
      const write = compileWriter(shape)
      return dynamic((run) => Json.ofText(write(run.slots, undefined)))
    }
    const { slot: from, type } = shape.leaf
    const evaluate: Evaluate = from < slot ? (run) => run.slots[from] : (run) => run.previous[from]
    if (rest.length > 0) return dynamic((run) => part(evaluate(run), rest))
    return dynamic(evaluate, isNumericType(type))
  }
  return makeScope({
    source,
    variable: read,
    field: read,
    topicValue: (topic) => dynamic(readInput(inputOf(topic, source), undefined)),
  })
}

function isNumericType(type: FieldType | undefined): boolean {
  return type === 'INT' || type === 'DOUBLE' || type === 'FLOAT'
}

/** The value of a topic that belongs to the model, of the type of the field. */
function readInput(input: number, type: FieldType | undefined): Evaluate {
  const other = (run: Run): OuterText | undefined => {
    const topic = run.topics[input]
    return topic === undefined ? undefined : run.topicValue(topic)
  }
  if (type === 'DOUBLE' || type === 'FLOAT') {
    return (run) => {
      const payload = run.received[input] ?? other(run)?.bytes
      return payload === undefined ? undefined : (parseNumberBytes(payload) ?? 0)
    }
  }
  return (run) => {
    const payload = run.received[input]
    return toFieldType(payload === undefined ? other(run) : new OuterText(payload), type)
  }
}

/** In a model, what divides by zero is null. */
function typed(value: Compiled, type: FieldType | undefined, mayFail: boolean): Evaluate {
  const { run } = value
  if (value.constant !== undefined) {
    const literal = toFieldType(value.constant.value, type)
    return constant(literal).run
  }
  if (!mayFail) return (state) => toFieldType(run(state), type)
  return (state) => {
    let made: Value
    try {
      made = run(state)
    } catch (error) {
      if (error !== DIVISION_BY_ZERO) throw error
      return undefined
    }
    return toFieldType(made, type)
  }
}

/** Whether `/` or `%` stands anywhere in an expression. */
function mayDivide(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  if ('operator' in node && (node.operator === '/' || node.operator === '%')) return true
  return Object.values(node).some(mayDivide)
}

/** @throws LotCompileError: an output other than JSON has no specification */
export function refuseFormat(format: string | undefined, source: Source, start: number): void {
  if (format === undefined || format === 'JSON') return
  const { line, column } = source.positionOf(start)
  throw new LotCompileError(`WITH FORMAT ${format} is not supported; models publish JSON`, line, column)
}
