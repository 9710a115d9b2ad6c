/** Conditions of rules to closures. */
import { unreachable } from '../../base/errors.js'
import { bare, everyExpression } from '../../lot/check/walk.js'
import { type Compiled, compileError, dynamic, type Scope } from '../../lot/compile/compiled.js'
import { compileExpression } from '../../lot/compile/expression.js'
import { topicTerms } from '../../lot/compile/topic.js'
import { topicLevel } from '../../lot/compile/topic-level.js'
import type { Source, Span } from '../../lot/source.js'
import type { Expression, RuleCondition } from '../../lot/tree.js'
import { compileLinearPattern } from '../../lot/values/linear-pattern.js'
import { equals } from '../../lot/values/operators.js'
import { textOf } from '../../lot/values/value.js'
import type { Asked } from './asked.js'

export interface Condition {
  /** @throws Error where an expression has no value, or a text is too long for its pattern */
  readonly test: (asked: Asked) => boolean
  /** What it comes to for every topic, whatever other topics hold; undefined where it depends on them. @throws as `test` */
  readonly known: (asked: Asked) => boolean | undefined
  /** It asks for levels of the topic. */
  readonly dependsOnTopic: boolean
  /** Where it is false, so is the condition, and nothing has failed or been read before. */
  readonly guard: Guard | undefined
}

/** What many rules begin with, asked once for all of them: whether a level of the topic is this client, say. */
export interface Guard {
  /** The same for the same test. */
  readonly key: string
  readonly test: (asked: Asked) => boolean
}

type Node<Kind extends RuleCondition['kind']> = Extract<RuleCondition, { kind: Kind }>

/** @throws LotCompileError; the checker would have said so */
export function compileCondition(node: RuleCondition, source: Source): Condition {
  return compile(node, ruleScope(source))
}

function compile(node: RuleCondition, scope: Scope): Condition {
  switch (node.kind) {
    case 'userIs': {
      const { negated } = node
      const user = node.user.value
      return ofWhoAsks(({ userName }) => userName !== undefined && (userName === user) !== negated)
    }
    case 'userHas': {
      const property = node.property.text
      return ofWhoAsks((asked) => asked.has(property))
    }
    case 'userInGroup': {
      const group = node.group.value
      return ofWhoAsks((asked) => asked.userName !== undefined && asked.isIn(group))
    }
    case 'is':
      return compileIs(node, scope)
    case 'matches':
      return compileMatches(node, scope)
    case 'topicExists': {
      const topic = compileText(node.topic, scope)
      return ofTopics((asked) => asked.hasRetained(topic(asked)), hasLevels(node.topic))
    }
    case 'topicIs':
      return compileTopicIs(node, scope)
    case 'ruleNot':
      return not(compile(node.operand, scope))
    case 'ruleGroup':
      return compile(node.inner, scope)
    case 'ruleLogic':
      return node.operator === 'AND'
        ? both(compile(node.left, scope), compile(node.right, scope))
        : not(both(not(compile(node.left, scope)), not(compile(node.right, scope))))
    default:
      return unreachable(node)
  }
}

function compileIs({ subject, negated, value }: Node<'is'>, scope: Scope): Condition {
  const text = compileText(value, scope)
  const test =
    subject === 'CLIENTID'
      ? (asked: Asked) => (asked.clientId === text(asked)) !== negated
      : (asked: Asked) => (asked.address === text(asked)) !== negated
  const isOfLevels = hasLevels(value)
  if (!isOfLevels && !has(value, 'getTopic')) return ofWhoAsks(test)
  const wanted = bare(value)
  const key = `${subject} ${negated} ${wanted.kind === 'topicPosition' ? wanted.position : ''}`
  return ofTopics(test, isOfLevels, wanted.kind === 'topicPosition' ? { key, test } : undefined)
}

function compileMatches({ subject, regex, pattern }: Node<'matches'>, scope: Scope): Condition {
  const matches = regex ? compileRegex(pattern.value, pattern.span, scope) : (text: string) => text === pattern.value
  return ofWhoAsks((asked) => matches(subject === 'CLIENTID' ? asked.clientId : asked.address))
}

function compileRegex(written: string, span: Span, scope: Scope): (text: string) => boolean {
  const { pattern, problem } = compileLinearPattern(written)
  if (pattern === undefined) throw compileError(scope, span, problem)
  return (text) => pattern.find(text)
}

/** A topic without a value is EMPTY, and equal to nothing else: not to another without one, nor to no user. */
function compileTopicIs({ topic, negated, value }: Node<'topicIs'>, scope: Scope): Condition {
  const name = compileText(topic, scope)
  const wanted = compileText(value, scope)
  const isEmpty = bare(value).kind === 'empty'
  return ofTopics((asked) => {
    const found = asked.value(name(asked))
    return (found === undefined ? isEmpty : equals(found, wanted(asked))) !== negated
  }, hasLevels(topic) || hasLevels(value))
}

// ---------- logic ----------

function ofWhoAsks(test: (asked: Asked) => boolean): Condition {
  return { test, known: test, dependsOnTopic: false, guard: undefined }
}

function ofTopics(test: (asked: Asked) => boolean, dependsOnTopic: boolean, guard?: Guard): Condition {
  return { test, known: () => undefined, dependsOnTopic, guard }
}

function not({ test, known, dependsOnTopic, guard }: Condition): Condition {
  const isFalse = (asked: Asked): boolean => !test(asked)
  return {
    test: isFalse,
    known: (asked) => {
      const truth = known(asked)
      return truth === undefined ? undefined : !truth
    },
    dependsOnTopic,
    guard: guard?.test === test ? { key: `NOT ${guard.key}`, test: isFalse } : undefined,
  }
}

/** What the second would read is not read where the first is false. */
function both(one: Condition, other: Condition): Condition {
  return {
    test: (asked) => one.test(asked) && other.test(asked),
    known: (asked) => {
      const first = one.known(asked)
      if (first === false) return false
      const second = other.known(asked)
      return second === false ? false : first && second
    },
    dependsOnTopic: one.dependsOnTopic || other.dependsOnTopic,
    guard: one.guard,
  }
}

// ---------- expressions ----------

type Text = (asked: Asked) => string

/** Terms between `+` are joined as text, as in topics: who is called `1` is not the sum of anything. */
function compileText(node: Expression, scope: Scope): Text {
  const terms = topicTerms(node).map((term) => compileTerm(term, scope))
  const whole = terms.every((term) => typeof term === 'string') ? terms.join('') : undefined
  if (whole !== undefined) return () => whole
  const [first, second, ...others] = terms.map((term): Text => (typeof term === 'string' ? () => term : term))
  if (second === undefined) return first
  if (others.length === 0) return (asked) => first(asked) + second(asked)
  return (asked) => {
    let text = first(asked) + second(asked)
    for (const other of others) text += other(asked)
    return text
  }
}

/** @returns what it always comes to, if that is known */
function compileTerm(node: Expression, scope: Scope): Text | string {
  const inner = bare(node)
  if (inner.kind === 'topicPosition') {
    const { position } = inner
    return (asked) => asked.level(position)
  }
  if (inner.kind === 'session' && inner.word === 'CLIENTID') return (asked) => asked.clientId
  if (inner.kind === 'session' && inner.word === 'USER') return (asked) => asked.user
  if (inner.kind === 'session' && inner.word === 'ENDPOINT') return (asked) => asked.address
  const { run, constant } = scope.expression(node)
  return constant === undefined ? (asked) => textOf(run(asked.run)) : textOf(constant.value)
}

function hasLevels(node: Expression): boolean {
  return has(node, 'topicPosition')
}

function has(node: Expression, wanted: Expression['kind']): boolean {
  for (const { kind } of everyExpression(node)) if (kind === wanted) return true
  return false
}

function ruleScope(source: Source): Scope {
  const unknown = (span: Span): never => {
    throw compileError({ source }, span, 'rules have no variables')
  }
  const scope: Scope = {
    source,
    variable: (_path, span) => unknown(span),
    field: (_path, span) => unknown(span),
    topicValue: ({ span }) => unknown(span),
    expression: (node) => (node.kind === 'topicPosition' ? levelOf(node.position) : compileExpression(node, scope)),
  }
  return scope
}

/** Empty for a wildcard of a subscription: a client that calls itself `+` is not meant by it. */
function levelOf(position: number): Compiled {
  return dynamic(({ occasion }) => {
    const level = topicLevel(occasion.topic, position)
    return level === '+' || level === '#' ? '' : level
  })
}
