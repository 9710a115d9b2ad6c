/** CALL and TRIGGER. */
import { type Effect, LotRuntimeError, type OutsideCall } from '../program.js'
import type { Argument, InputType, Name, Statement } from '../tree.js'
import { cast } from '../values/casts.js'
import { bytesOf, Json, jsonDataOf, textOf, type Value } from '../values/value.js'
import type { ActionScope } from './action-scope.js'
import type { Evaluate } from './compiled.js'
import { jsonArrayOf, jsonObjectOf } from './expression.js'
import type { Run } from './run.js'
import { answerValue } from './source-expressions.js'

type Node<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>
type Execute = (run: Run) => void

/** A value as an INPUT of the type takes it; empty is the type's default. */
export function toInput(value: Value, type: InputType): Value {
  if (value === undefined) return INPUT_DEFAULTS[type]
  if (type !== 'JSON') return cast(value, type) ?? INPUT_DEFAULTS[type]
  if (value instanceof Json) return value
  const data = jsonDataOf(value)
  return typeof data === 'object' && data !== null ? Json.ofText(textOf(value)) : value
}

const INPUT_DEFAULTS: Readonly<Record<InputType, Value>> = {
  STRING: '',
  INT: 0,
  DOUBLE: 0,
  BOOL: false,
  JSON: undefined,
}

export function compileCallAction(node: Node<'callAction'>, scope: ActionScope): Execute {
  const name = node.action.text
  const given = new Map(node.arguments.map(({ name, value }) => [name.text, scope.expression(value).run]))
  const slots = node.results.map((result) => scope.slotOf(result.text))
  const at = node.span.start
  return (run) => {
    run.at = at
    const callee = run.world.action(name)
    if (callee === undefined) throw new Error(`there is no action "${name}"`)
    const inputs = callee.inputs.map((input) => {
      const argument = given.get(input.name)
      if (argument === undefined) run.warn(`action "${name}" is called without ${input.name}`)
      return toInput(argument?.(run), input.type)
    })
    run.at = at
    const outputs = perform(name, () => callee.perform(run, inputs))
    for (let i = 0; i < slots.length; i++) {
      run.slots[slots[i]] = outputs[i]
      run.result = outputs[i]
    }
  }
}

/** A failure within another action is one of this action, at its CALL; the message says where it was. */
function perform(name: string, work: () => Value[]): Value[] {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof LotRuntimeError) || error.cause instanceof CalleeFailed) {
      throw error instanceof LotRuntimeError ? error.cause : error
    }
    throw new CalleeFailed(`in action "${name}", line ${error.line}: ${error.message}`, { cause: error })
  }
}

class CalleeFailed extends Error {
  override readonly name = 'CalleeFailed'
}

export function compileCallPython(node: Node<'callPython'>, scope: ActionScope): Execute {
  const values = node.arguments.map((argument) => scope.expression(argument).run)
  const target = node.target.value
  return compileOutsideCall(node, scope, node.result, (run) => ({
    kind: 'python',
    target,
    arguments: jsonArrayOf(values.map((value) => value(run))),
  }))
}

export function compileCallMcp(node: Node<'callMcp'>, scope: ActionScope): Execute {
  const named = compileNamed(node.arguments, scope)
  const target = node.target.value
  return compileOutsideCall(node, scope, node.result, (run) => ({ kind: 'mcp', target, arguments: named(run) }))
}

export function compileCallModel(node: Node<'callModel'>, scope: ActionScope): Execute {
  const named = compileNamed(node.arguments, scope)
  const kind = node.service === 'LLM' ? 'llm' : 'agent'
  const route = node.route.value
  const method = node.method.value
  return compileOutsideCall(node, scope, node.result, (run) => ({ kind, route, method, arguments: named(run) }))
}

function compileNamed(given: readonly Argument[], scope: ActionScope): (run: Run) => string {
  const values = given.map(({ name, value }): readonly [string, Evaluate] => [name.text, scope.expression(value).run])
  return (run) => jsonObjectOf(values.map(([name, value]) => [name, value(run)]))
}

function compileOutsideCall(
  node: Statement,
  scope: ActionScope,
  result: Name | undefined,
  question: (run: Run) => OutsideCall,
): Execute {
  const slot = result === undefined ? undefined : scope.slotOf(result.text)
  const at = node.span.start
  return (run) => {
    run.at = at
    const asked = question(run)
    run.at = at
    const answer = answerValue(run.world.call(asked))
    run.result = answer
    if (slot !== undefined) run.slots[slot] = answer
  }
}

export function compileTriggerEvent(node: Node<'triggerEvent'>, scope: ActionScope): Execute {
  return trigger(node, { route: node.route.text, target: node.event.value, isMapping: false }, scope)
}

export function compileTriggerMapping(node: Node<'triggerMapping'>, scope: ActionScope): Execute {
  return trigger(node, { route: node.route.value, target: node.mapping.text, isMapping: true }, scope)
}

function trigger(
  node: Node<'triggerEvent' | 'triggerMapping'>,
  { route, target, isMapping }: Pick<Extract<Effect, { kind: 'routeEvent' }>, 'route' | 'target' | 'isMapping'>,
  scope: ActionScope,
): Execute {
  const { run: payload } = scope.expression(node.payload)
  const at = node.span.start
  return (run) => {
    run.at = at
    run.effects.push({ kind: 'routeEvent', route, target, isMapping, payload: bytesOf(payload(run)) })
  }
}
