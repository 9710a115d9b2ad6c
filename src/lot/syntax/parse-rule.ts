/** DEFINE RULE: who may do what. */
import { nearestSpelling } from '../../base/spelling.js'
import type { RuleCondition, RuleNode, TextNode, Verdict } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseEntityName, parseIdentifier, parseQuotedOrBareName, parseText, parseWhole } from './names.js'
import { parseSum } from './parse-expression.js'
import { type Joined, parseLogic } from './parse-logic.js'
import type { Token } from './token.js'

const TEST_WORDS = ['USER', 'CLIENTID', 'ENDPOINT', 'TOPIC', 'GET', 'NOT']

/** @param start the DEFINE; the cursor is behind RULE */
export function parseRule(cursor: Cursor, start: Token): RuleNode {
  const name = parseEntityName(cursor)
  cursor.expectWord('WITH')
  cursor.expect('PRIORITY')
  const priority = parseWhole(cursor)
  cursor.expect('FOR')
  if (cursor.at('TOPIC')) {
    const message = 'A rule is FOR a scope such as Publish; its topic follows with TO TOPIC'
    return cursor.failWith('LOT2041', message, cursor.peek())
  }
  const scope = parseIdentifier(cursor)
  let topic: TextNode | undefined
  if (cursor.accept('TO')) {
    cursor.expect('TOPIC')
    topic = parseText(cursor)
  }
  const bodies = cursor.body(() => parseRuleBody(cursor), 'DEFINE RULE')
  const span = cursor.spanFrom(start)
  if (bodies.length > 1) cursor.report.add('LOT2042', 'A rule has one IF, or one ALLOW or DENY', name.span)
  // what is wrong is reported; the safe verdict stands in for it
  const body = bodies[0] ?? { kind: 'always', verdict: 'DENY' }
  return { kind: 'rule', name, priority, scope, topic, body, span }
}

function parseRuleBody(cursor: Cursor): RuleNode['body'] {
  if (!cursor.accept('IF')) return { kind: 'always', verdict: parseVerdict(cursor, ['ALLOW', 'DENY', 'IF']) }
  const condition = parseRuleCondition(cursor)
  cursor.expectWord('THEN', 'LOT2009')
  const verdict = parseVerdictBlock(cursor, 'THEN')
  const otherwise = cursor.acceptAtMargin('ELSE') ? parseVerdictBlock(cursor, 'ELSE') : undefined
  return { kind: 'when', condition, verdict, otherwise }
}

function parseVerdictBlock(cursor: Cursor, owner: string): Verdict {
  const verdicts = cursor.body(() => parseVerdict(cursor, ['ALLOW', 'DENY']), owner)
  return verdicts[0] ?? 'DENY'
}

function parseVerdict(cursor: Cursor, expected: readonly string[]): Verdict {
  const isAllowed = cursor.accept('ALLOW') !== undefined
  if (!isAllowed && !cursor.accept('DENY')) {
    return cursor.fail(expected, 'LOT2001', nearestSpelling(cursor.peek().text, ['ALLOW', 'DENY']))
  }
  if (!cursor.atLineEnd() && !cursor.at('ELSE') && !cursor.hasBlock()) {
    const message = `${cursor.previous.text} stands alone: scope and topic are in the header of the rule`
    return cursor.failWith('LOT2043', message, cursor.peek())
  }
  return isAllowed ? 'ALLOW' : 'DENY'
}

export function parseRuleCondition(cursor: Cursor): RuleCondition {
  const joined: Joined<RuleCondition> = (operator, left, right, span) => ({
    kind: 'ruleLogic',
    operator,
    left,
    right,
    span,
  })
  return parseLogic(cursor, () => parseTerm(cursor), joined)
}

function parseTerm(cursor: Cursor): RuleCondition {
  const start = cursor.peek()
  if (cursor.accept('NOT')) {
    const operand = cursor.nested(() => parseTerm(cursor))
    cursor.grow(0)
    return { kind: 'ruleNot', operand, span: cursor.spanFrom(start) }
  }
  if (cursor.atSymbol('(')) {
    const inner = cursor.bracketed('(', ')', () => cursor.nested(() => parseRuleCondition(cursor)))
    cursor.grow(0)
    return { kind: 'ruleGroup', inner, span: cursor.spanFrom(start) }
  }
  cursor.height = 0
  if (cursor.accept('USER')) return parseUserTest(cursor, start)
  if (cursor.accept('CLIENTID')) return parseSubjectTest(cursor, start, 'CLIENTID')
  if (cursor.accept('ENDPOINT')) return parseSubjectTest(cursor, start, 'ENDPOINT')
  if (cursor.accept('TOPIC')) {
    cursor.expect('EXISTS')
    return { kind: 'topicExists', topic: parseSum(cursor), span: cursor.spanFrom(start) }
  }
  if (cursor.accept('GET')) {
    cursor.expect('TOPIC')
    const topic = parseSum(cursor)
    const negated = parseIs(cursor)
    return { kind: 'topicIs', topic, negated, value: parseSum(cursor), span: cursor.spanFrom(start) }
  }
  return cursor.fail(TEST_WORDS, 'LOT2001', nearestSpelling(start.text, TEST_WORDS))
}

function parseUserTest(cursor: Cursor, start: Token): RuleCondition {
  if (cursor.accept('HAS')) {
    return { kind: 'userHas', property: parseQuotedOrBareName(cursor), span: cursor.spanFrom(start) }
  }
  if (cursor.accept('IN')) {
    cursor.expect('GROUP')
    return { kind: 'userInGroup', group: parseText(cursor), span: cursor.spanFrom(start) }
  }
  if (!cursor.at('IS')) return cursor.fail(['IS', 'HAS', 'IN'])
  const negated = parseIs(cursor)
  return { kind: 'userIs', negated, user: parseText(cursor), span: cursor.spanFrom(start) }
}

function parseSubjectTest(cursor: Cursor, start: Token, subject: 'CLIENTID' | 'ENDPOINT'): RuleCondition {
  if (cursor.accept('MATCHES')) {
    const regex = cursor.accept('REGEX') !== undefined
    return { kind: 'matches', subject, regex, pattern: parseText(cursor), span: cursor.spanFrom(start) }
  }
  if (!cursor.at('IS')) return cursor.fail(['IS', 'MATCHES'])
  const negated = parseIs(cursor)
  return { kind: 'is', subject, negated, value: parseSum(cursor), span: cursor.spanFrom(start) }
}

/** `IS` or `IS NOT`. @returns whether negated */
function parseIs(cursor: Cursor): boolean {
  cursor.expect('IS')
  return cursor.accept('NOT') !== undefined
}
