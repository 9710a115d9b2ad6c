/** The variables of an action: each name has a slot, so that nothing is looked up by name when it runs. */
import type { Source, Span } from '../source.js'
import { follow } from '../values/json-path.js'
import { fromJson, jsonDataOf, type Value } from '../values/value.js'
import { type Compiled, compileError, dynamic, type Evaluate, type Scope } from './compiled.js'
import { makeScope } from './expression.js'
import { UNSET } from './run.js'

export interface ActionScope extends Scope {
  /** The slot of a variable; made at its first mention. */
  readonly slotOf: (name: string) => number
  /** How many there are by now. */
  readonly slotCount: () => number
}

export function makeActionScope(source: Source): ActionScope {
  const slots = new Map<string, number>()
  const slotOf = (name: string): number => {
    const known = slots.get(name)
    if (known !== undefined) return known
    slots.set(name, slots.size)
    return slots.size - 1
  }
  const variable = ([name, ...path]: readonly string[]): Compiled => {
    const slot = slotOf(name)
    const warning = `variable {${name}} is read before it is set`
    const read: Evaluate = (run) => {
      const value = run.slots[slot]
      if (value !== UNSET) return value
      run.warn(warning)
      return undefined
    }
    return dynamic(path.length === 0 ? read : (run) => part(read(run), path))
  }
  const onlyInModels = (span: Span, what: string): never => {
    throw compileError({ source }, span, `${what} has a meaning in models only`)
  }
  const scope = makeScope({
    source,
    variable,
    field: (path, span) => onlyInModels(span, `the bare name ${path.join('.')}`),
    topicValue: (topic) => onlyInModels(topic.span, 'TOPIC as a value'),
  })
  return { ...scope, slotOf, slotCount: () => slots.size }
}

/** `{name.a.b}`: empty stays empty; a key that is not there is a missing key. */
export function part(value: Value, path: readonly string[]): Value {
  return value === undefined ? undefined : fromJson(follow(jsonDataOf(value), path))
}
