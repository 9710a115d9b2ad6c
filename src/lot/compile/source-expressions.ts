/** Where values come from other than the text itself (2.7 to 2.10). */
import type { Expression } from '../tree.js'
import { operandOf } from '../values/casts.js'
import { timestampFormat } from '../values/timestamp.js'
import { Json, parseJson, textOf, type Value } from '../values/value.js'
import { type Compiled, dynamic, type Scope } from './compiled.js'
import { compileReadTopic } from './topic.js'

type Node<Kind extends Expression['kind']> = Extract<Expression, { kind: Kind }>

export function compileGetTopic(node: Node<'getTopic'>, scope: Scope): Compiled {
  const topic = compileReadTopic(node.topic, scope)
  return dynamic((run) => {
    const name = topic(run)
    return name === undefined ? undefined : run.topicValue(name)
  })
}

export function compileGetEnvironment(node: Node<'getEnvironment'>): Compiled {
  const name = node.name.value
  const { secret } = node
  return dynamic((run) => run.environment(secret, name))
}

export function compileGetModel(node: Node<'getModel'>, scope: Scope): Compiled {
  const value = scope.expression(node.value)
  const question = {
    kind: 'getModel',
    model: node.model.value,
    route: node.route.value,
    field: node.field.text,
    operator: node.operator,
  } as const
  const at = node.span.start
  return dynamic((run) => {
    const wanted = textOf(value.run(run))
    run.at = at
    return answerValue(run.world.call({ ...question, value: wanted }))
  })
}

/** The answer of a call: JSON if it is an object or an array, so that it embeds as such; otherwise text. */
export function answerValue(text: string): Value {
  if (text === '') return undefined
  const first = text.charCodeAt(0)
  const mayBeJson = first === 123 || first === 91 || first <= 32
  const data = mayBeJson ? parseJson(text) : undefined
  return typeof data === 'object' && data !== null ? Json.ofText(text) : text
}

export function compileRandom(node: Node<'random'>, scope: Scope): Compiled {
  const from = scope.expression(node.from)
  const to = scope.expression(node.to)
  const isWhole =
    node.type === 'INT' || (node.type === undefined && isWholeLiteral(node.from) && isWholeLiteral(node.to))
  return dynamic((run) => {
    const a = operandOf(from.run(run))
    const b = operandOf(to.run(run))
    const low = Math.min(a, b)
    const high = Math.max(a, b)
    if (!isWhole) return low + run.world.random() * (high - low)
    const first = Math.ceil(low)
    return first + Math.floor(run.world.random() * (Math.floor(high) - first + 1))
  }, true)
}

/** `10` is whole, `10.0` is not. A bound that is not a literal makes a decimal. */
function isWholeLiteral(node: Expression): boolean {
  if (node.kind === 'negate') return isWholeLiteral(node.operand)
  if (node.kind === 'group') return isWholeLiteral(node.inner)
  if (node.kind === 'cast') return node.type === 'INT'
  return node.kind === 'number' && Number.isInteger(node.value) && !/[.eE]/.test(node.written)
}

export function compileTimestamp(node: Node<'timestamp'>): Compiled {
  const format = timestampFormat(node.format.value)
  return dynamic((run) => format(run.world.now()))
}
