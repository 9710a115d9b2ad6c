/** Rules: scopes, topics, priorities and patterns. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Report } from '../syntax/report.js'
import type { RuleCondition, RuleNode } from '../tree.js'
import { checkExpression, type ExpressionScope } from './check-expression.js'
import { ANY_OCCASION } from './occasion.js'
import { checkPattern } from './patterns.js'
import { filterProblem } from './topics.js'
import type { CheckOptions } from './world.js'

const TOPIC_SCOPES = ['Publish', 'Subscribe', 'PublishSys', 'SubscribeSys']
/** Of connectors that version 1 had: accepted, never asked. */
const ASSET_SCOPE = /^AssetManagement[A-Z]\w*$/
/** What a rule may be FOR. */
export const RULE_SCOPES: readonly string[] = [
  ...TOPIC_SCOPES,
  'Connect',
  'CommandCall',
  'ShellCommand',
  'SystemConfiguration',
  ...['Creation', 'Remove', 'PasswordChange', 'Update'].map((what) => `UserManagement${what}`),
  ...['Creation', 'Remove'].map((what) => `RuleManagement${what}`),
  ...['Creation', 'Remove'].map((what) => `ModelManagement${what}`),
  ...['Creation', 'Remove', 'Run'].map((what) => `ActionManagement${what}`),
  ...['Creation', 'Remove'].map((what) => `RouteManagement${what}`),
  ...['Creation', 'Update', 'Remove', 'Read'].map((what) => `LogManagement${what}`),
]
const LOCKED_PRIORITY_MAX = 99

export function checkRule(rule: RuleNode, { compat }: CheckOptions, report: Report): void {
  if (rule.priority <= LOCKED_PRIORITY_MAX) {
    const code = compat === 'v1' ? 'LOT4201' : 'LOT3201'
    report.add(code, `Priority ${rule.priority} is reserved (0-${LOCKED_PRIORITY_MAX})`, rule.name.span)
  }
  checkScope(rule, report)
  if (rule.body.kind === 'when') checkCondition(rule.body.condition, report)
}

function checkScope({ scope, topic }: RuleNode, report: Report): void {
  const { text, span } = scope
  if (ASSET_SCOPE.test(text)) {
    report.add('LOT4202', `The scope ${text} is of version 1: nothing asks for it any more`, span)
    return
  }
  if (!RULE_SCOPES.includes(text)) {
    report.add('LOT3202', `Unknown scope ${text}`, span, nearestSpelling(text, RULE_SCOPES))
    return
  }
  const takesTopic = TOPIC_SCOPES.includes(text)
  if (topic === undefined) {
    if (takesTopic) report.add('LOT3204', `A rule for ${text} says for which topics: TO TOPIC "…"`, span)
    return
  }
  if (!takesTopic) {
    report.add('LOT3203', `A rule for ${text} has no topic`, topic.span)
    return
  }
  const problem = filterProblem(topic.value)
  if (problem !== undefined) report.add('LOT3012', `The topic filter is not valid: ${problem}`, topic.span)
}

function checkCondition(condition: RuleCondition, report: Report): void {
  const scope: ExpressionScope = {
    report,
    occasion: ANY_OCCASION,
    variable: (path, span) => {
      report.add('LOT3001', `Unknown variable {${path.join('.')}}: rules have no variables`, span)
    },
    field: () => {},
  }
  switch (condition.kind) {
    case 'is':
      checkExpression(condition.value, scope)
      return
    case 'matches':
      if (condition.regex) checkPattern(condition.pattern, report)
      return
    case 'topicExists':
      checkExpression(condition.topic, scope)
      return
    case 'topicIs':
      checkExpression(condition.topic, scope)
      checkExpression(condition.value, scope)
      return
    case 'ruleNot':
      checkCondition(condition.operand, report)
      return
    case 'ruleLogic':
      checkCondition(condition.left, report)
      checkCondition(condition.right, report)
      return
    case 'ruleGroup':
      checkCondition(condition.inner, report)
      return
    default:
  }
}
