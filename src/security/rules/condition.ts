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
      return ofTopics((asked) => asked.hasRetained(topic(asked)))
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
  return dependsOnTopics(value) ? ofTopics(test) : ofWhoAsks(test)
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
  })
}

// ---------- logic ----------

function ofWhoAsks(test: (asked: Asked) => boolean): Condition {
  return { test, known: test }
}

function ofTopics(test: (asked: Asked) => boolean): Condition {
  return { test, known: () => undefined }
}

function not({ test, known }: Condition): Condition {
  return {
    test: (asked) => !test(asked),
    known: (asked) => {
      const truth = known(asked)
      return truth === undefined ? undefined : !truth
    },
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
  }
}

// ---------- expressions ----------

type Text = (asked: Asked) => string

/** Terms between `+` are joined as text, as in topics: who is called `1` is not the sum of anything. */
function compileText(node: Expression, scope: Scope): Text {
  const terms = topicTerms(node).map((term) => scope.expression(term))
  if (terms.every((term) => term.constant !== undefined)) {
    const whole = terms.map((term) => textOf(term.constant?.value)).join('')
    return () => whole
  }
  const [first, ...others] = terms.map(({ run }) => run)
  if (others.length === 0) return (asked) => textOf(first(asked.run))
  return (asked) => {
    let text = textOf(first(asked.run))
    for (const other of others) text += textOf(other(asked.run))
    return text
  }
}

function dependsOnTopics(node: Expression): boolean {
  for (const { kind } of everyExpression(node)) if (kind === 'topicPosition' || kind === 'getTopic') return true
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
