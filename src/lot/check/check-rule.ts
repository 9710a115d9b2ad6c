/** Rules: scopes, topics, priorities and patterns. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Report } from '../syntax/report.js'
import type { Expression, RuleCondition, RuleNode, TextNode } from '../tree.js'
import { compileLinearPattern } from '../values/linear-pattern.js'
import { compileRegex } from '../values/regex.js'
import { checkExpression, type ExpressionScope } from './check-expression.js'
import { ANY_OCCASION } from './occasion.js'
import { filterProblem, literalPieces } from './topics.js'
import { everyExpression } from './walk.js'
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
      checkValue(condition.value, scope)
      return
    case 'matches':
      if (condition.regex) checkLinearPattern(condition.pattern, report)
      return
    case 'topicExists':
      checkTopic(condition.topic, scope)
      return
    case 'topicIs':
      checkTopic(condition.topic, scope)
      checkValue(condition.value, scope)
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

/** What is the same whenever a rule is asked by the same client about the same topic, but for other topics' values. */
const RULE_EXPRESSIONS: ReadonlySet<Expression['kind']> = new Set([
  'text',
  'number',
  'boolean',
  'empty',
  'topicPosition',
  'getTopic',
  'getJson',
  'cast',
  'negate',
  'group',
])
const RULE_WORDS: ReadonlySet<string> = new Set(['CLIENTID', 'USER', 'ENDPOINT'])

function checkValue(value: Expression, scope: ExpressionScope): void {
  checkExpression(value, scope)
  for (const part of everyExpression(value)) {
    // reported by the scope
    if (part.kind === 'variable') continue
    if (!isOfRules(part)) {
      const message =
        'A rule knows CLIENTID, USER, ENDPOINT, TOPIC POSITION, GET TOPIC, texts and numbers, and nothing else'
      scope.report.add('LOT3206', message, part.span)
    } else if (part.kind === 'getTopic') checkOneTopic(part.topic, scope)
  }
}

function isOfRules(part: Expression): boolean {
  if (part.kind === 'session') return RULE_WORDS.has(part.word)
  if (part.kind === 'arithmetic') return part.operator === '+'
  return RULE_EXPRESSIONS.has(part.kind)
}

function checkTopic(topic: Expression, scope: ExpressionScope): void {
  checkValue(topic, scope)
  checkOneTopic(topic, scope)
}

function checkOneTopic(topic: Expression, { report }: ExpressionScope): void {
  const wildcard = literalPieces(topic).pieces.find((piece) => /[+#]/.test(piece))
  if (wildcard === undefined) return
  report.add('LOT3011', 'A rule looks at one topic: + and # do not stand for one', topic.span)
}

function checkLinearPattern({ value, span }: TextNode, report: Report): void {
  const { problem } = compileLinearPattern(value)
  if (problem === undefined) return
  const isOfActions = compileRegex(value).problem === undefined
  if (isOfActions) report.add('LOT3205', `The regular expression cannot be used in a rule: ${problem}`, span)
  else report.add('LOT3014', `The regular expression cannot be used: ${problem}`, span)
}
