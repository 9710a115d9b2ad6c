/** Expressions to closures: nothing of the tree is left when they run. */
import { unreachable } from '../../base/errors.js'
import type { Expression } from '../tree.js'
import { getJson, parseJsonPath } from '../values/json-path.js'
import { jsonTextOf, quote } from '../values/json-text.js'
import { Json, type Value } from '../values/value.js'
import { type Compiled, constant, dynamic, fold, type Scope } from './compiled.js'
import {
  compileArithmetic,
  compileCast,
  compileChoice,
  compileComparison,
  compileLogic,
  compileNegate,
  compileNot,
} from './operator-expressions.js'
import {
  compileGetEnvironment,
  compileGetModel,
  compileGetTopic,
  compileRandom,
  compileTimestamp,
} from './source-expressions.js'
import { topicLevel } from './topic-level.js'
import { compileFilter, compilePipeline, compileReplace, compileSplit, compileTrim } from './transform-expressions.js'

/** A scope from what its names mean; expressions compile within it. */
export function makeScope(names: Omit<Scope, 'expression'>): Scope {
  const scope: Scope = { ...names, expression: (node) => compileExpression(node, scope) }
  return scope
}

/** @throws LotCompileError for a regular expression or topic that cannot be */
export function compileExpression(node: Expression, scope: Scope): Compiled {
  switch (node.kind) {
    case 'text':
    case 'number':
    case 'boolean':
      return constant(node.value)
    case 'empty':
      return constant(undefined)
    case 'variable':
      return scope.variable(node.path, node.span)
    case 'field':
      return scope.field(node.path, node.span)
    case 'payload':
      return dynamic((run) => run.payload)
    case 'session': {
      const { word } = node
      return dynamic((run) => run.occasion.session?.[word])
    }
    case 'result':
      return dynamic((run) => run.result)
    case 'topicPosition': {
      const { position } = node
      return dynamic((run) => topicLevel(run.occasion.topic, position))
    }
    case 'getTopic':
      return compileGetTopic(node, scope)
    case 'topicValue':
      return scope.topicValue(node.topic)
    case 'getJson': {
      const source = scope.expression(node.source)
      const path = parseJsonPath(node.path.value)
      return fold([source], (run) => getJson(source.run(run), path))
    }
    case 'getEnvironment':
      return compileGetEnvironment(node)
    case 'getModel':
      return compileGetModel(node, scope)
    case 'uuid':
      return dynamic((run) => run.world.uuid())
    case 'random':
      return compileRandom(node, scope)
    case 'timestamp':
      return compileTimestamp(node)
    case 'filter':
      return compileFilter(node, scope)
    case 'split':
      return compileSplit(node, scope)
    case 'replace':
      return compileReplace(node, scope)
    case 'trim':
      return compileTrim(node, scope)
    case 'cast':
      return compileCast(node, scope)
    case 'negate':
      return compileNegate(node, scope)
    case 'not':
      return compileNot(node, scope)
    case 'arithmetic':
      return compileArithmetic(node, scope)
    case 'comparison':
      return compileComparison(node, scope)
    case 'logic':
      return compileLogic(node, scope)
    case 'choice':
      return compileChoice(node, scope)
    case 'pipeline':
      return compilePipeline(node, scope)
    case 'object':
      return compileObject(node.members, scope)
    case 'array':
      return compileArray(node.items, scope)
    case 'group':
      return scope.expression(node.inner)
    default:
      return unreachable(node)
  }
}

function compileObject(members: Extract<Expression, { kind: 'object' }>['members'], scope: Scope): Compiled {
  const values = members.map((member) => scope.expression(member.value))
  const heads = members.map((member, index) => `${index === 0 ? '' : ','}${quote(member.key.text)}:`)
  return fold(values, (run) => {
    let text = '{'
    for (let i = 0; i < values.length; i++) text += heads[i] + jsonTextOf(values[i].run(run))
    return Json.ofText(`${text}}`)
  })
}

function compileArray(items: readonly Expression[], scope: Scope): Compiled {
  const values = items.map((item) => scope.expression(item))
  return fold(values, (run) => {
    let text = '['
    for (let i = 0; i < values.length; i++) text += (i === 0 ? '' : ',') + jsonTextOf(values[i].run(run))
    return Json.ofText(`${text}]`)
  })
}

/** JSON of the values of arguments, in order: what a call outside is given. */
export function jsonArrayOf(values: readonly Value[]): string {
  return `[${values.map(jsonTextOf).join(',')}]`
}

/** For arguments with names. */
export function jsonObjectOf(entries: readonly (readonly [string, Value])[]): string {
  return `{${entries.map(([name, value]) => `${quote(name)}:${jsonTextOf(value)}`).join(',')}}`
}
