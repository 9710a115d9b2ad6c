/** Statements of an action, in the order in which they run. */

import type { Report } from '../syntax/report.js'
import type { Expression, Statement } from '../tree.js'
import { checkCallAction, checkCallMcp, checkCallPython, checkTriggerEvent, checkTriggerMapping } from './check-call.js'
import { checkExpression, type ExpressionScope } from './check-expression.js'
import { checkAfterLoop, checkIf, checkLoop, checkSwitch } from './check-flow.js'
import { checkPublishModel } from './check-publish-model.js'
import type { Occasion } from './occasion.js'
import { comesBack, literalPieces, nameProblem } from './topics.js'
import { assignedIn, type Variables } from './variables.js'
import { assignedBy, blocksOf, expressionsOf } from './walk.js'
import type { CheckWorld } from './world.js'

export interface StatementScope {
  readonly report: Report
  readonly world: CheckWorld
  readonly occasion: Occasion
  /** undefined where a variable may come from elsewhere: in a panel, from the component. */
  readonly variables: Variables | undefined
  /** Name of the action; undefined in a panel. */
  readonly action: string | undefined
  /** Of ON TOPIC and ON CHANGE. */
  readonly ownFilter: string | undefined
}

export function checkBody(body: readonly Statement[], scope: StatementScope): void {
  for (const statement of body) checkStatement(statement, scope)
  checkAfterLoop(body, scope.report)
}

function checkStatement(statement: Statement, scope: StatementScope): void {
  const { report, variables } = scope
  const expressions = expressionScope(scope)
  if (statement.kind === 'loop') {
    // what the end of the body sets, its beginning may read the next time
    variables?.assign(assignedIn(statement.body))
    checkBody(statement.body, scope)
  }
  for (const expression of expressionsOf(statement)) checkExpression(expression, expressions)
  checkKind(statement, scope)
  variables?.assign(assignedBy(statement))
  if (statement.kind === 'loop') checkLoop(statement, report)
  else for (const block of blocksOf(statement)) checkBody(block, scope)
}

function expressionScope({ report, occasion, variables }: StatementScope): ExpressionScope {
  return {
    report,
    occasion,
    variable: (path, span) => {
      variables?.read(path[0], span, (name) => `{${[name, ...path.slice(1)].join('.')}}`)
    },
    // the parser has said that bare names are for models
    field: () => {},
  }
}

function checkKind(statement: Statement, scope: StatementScope): void {
  const { report, world } = scope
  switch (statement.kind) {
    case 'publish':
      checkWrittenTopic(statement.topic, scope)
      checkOwnTopic(statement.topic, scope)
      return
    case 'keep':
      checkWrittenTopic(statement.topic, scope)
      return
    case 'publishModel':
      checkWrittenTopic(statement.topic, scope)
      checkOwnTopic(statement.topic, scope)
      checkPublishModel(statement, world, report)
      return
    case 'if':
      checkIf(statement, report)
      return
    case 'switch':
      checkSwitch(statement, report)
      return
    case 'callAction':
      checkCallAction(statement, world, report, scope.action)
      return
    case 'callPython':
      checkCallPython(statement, world, report)
      return
    case 'callMcp':
      checkCallMcp(statement, report)
      return
    case 'triggerEvent':
      checkTriggerEvent(statement, world, report)
      return
    case 'triggerMapping':
      checkTriggerMapping(statement, world, report)
      return
  }
}

/** The topic of PUBLISH and KEEP: `+` only where the trigger has a level for it, and never `#`. */
function checkWrittenTopic(topic: Expression, { report, occasion }: StatementScope): void {
  const { pieces, whole } = literalPieces(topic)
  const problem = whole === undefined ? undefined : nameProblem(whole)
  if (problem !== undefined) {
    report.add('LOT3013', `Nothing can be published to it: ${problem}`, topic.span)
    return
  }
  const text = pieces.join('')
  if (text.includes('#')) {
    report.add('LOT3011', 'A topic that is published to has no #', topic.span)
    return
  }
  const plus = text.split('/').filter((level) => level.includes('+'))
  const merged = whole === undefined ? undefined : plus.find((level) => level !== '+')
  if (merged !== undefined) {
    report.add('LOT3011', `+ is a level of its own, not a part of "${merged}"`, topic.span)
    return
  }
  if (occasion.captures === undefined || plus.length <= occasion.captures) return
  const had = occasion.captures === 0 ? 'no +' : `${occasion.captures} +`
  const message = `The topic has ${plus.length} +, the trigger has ${had}: nothing says what they stand for`
  report.add('LOT3011', message, topic.span)
}

/** Whoever publishes what fires it runs for ever, or to the limit of a chain. */
function checkOwnTopic(topic: Expression, { report, ownFilter }: StatementScope): void {
  const { whole } = literalPieces(topic)
  if (whole === undefined || ownFilter === undefined || !comesBack(ownFilter, whole)) return
  report.add('LOT4007', `The action fires itself: its trigger "${ownFilter}" takes what it publishes`, topic.span)
}
