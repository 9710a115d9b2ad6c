/** Rules as lines. */
import { unreachable } from '../../base/errors.js'
import type { RuleCondition, RuleNode } from '../tree.js'
import { nameText, type Piece, piecesOf } from './pieces.js'
import type { Sheet } from './sheet.js'
import { writeKeyword } from './write-statement.js'

export function writeRule(sheet: Sheet, { name, priority, scope, topic, body, span }: RuleNode): void {
  const target = topic === undefined ? '' : ` TO TOPIC ${topic.written}`
  const header = `DEFINE RULE ${nameText(name)} WITH PRIORITY ${priority} FOR ${nameText(scope)}${target}`
  const headerEnd = (topic ?? scope).span.end
  sheet.add(0, [header], { start: span.start, end: headerEnd }, 'define')
  if (body.kind === 'always') {
    writeKeyword(sheet, body.verdict, headerEnd, span.end, 1)
    return
  }
  const { condition, verdict, otherwise } = body
  sheet.add(1, ['IF ', ...conditionPieces(condition), ' THEN'], condition.span, 'part')
  writeKeyword(sheet, verdict, condition.span.end, span.end, 2)
  if (otherwise === undefined) return
  const elseStart = sheet.find('ELSE', condition.span.end, span.end)
  sheet.add(1, ['ELSE'], { start: elseStart, end: elseStart + 1 }, 'part')
  writeKeyword(sheet, otherwise, elseStart, span.end, 2)
}

function conditionPieces(condition: RuleCondition): readonly Piece[] {
  switch (condition.kind) {
    case 'userIs':
      return [`USER ${isText(condition)} ${condition.user.written}`]
    case 'userHas':
      return [`USER HAS ${nameText(condition.property)}`]
    case 'userInGroup':
      return [`USER IN GROUP ${condition.group.written}`]
    case 'is':
      return [`${condition.subject} ${isText(condition)} `, ...piecesOf(condition.value)]
    case 'matches':
      return [`${condition.subject} MATCHES ${condition.regex ? 'REGEX ' : ''}${condition.pattern.written}`]
    case 'topicExists':
      return ['TOPIC EXISTS ', ...piecesOf(condition.topic)]
    case 'topicIs':
      return ['GET TOPIC ', ...piecesOf(condition.topic), ` ${isText(condition)} `, ...piecesOf(condition.value)]
    case 'ruleNot':
      return ['NOT ', ...conditionPieces(condition.operand)]
    case 'ruleLogic':
      return [...conditionPieces(condition.left), ` ${condition.operator} `, ...conditionPieces(condition.right)]
    case 'ruleGroup':
      return ['(', ...conditionPieces(condition.inner), ')']
    default:
      return unreachable(condition)
  }
}

function isText({ negated }: { readonly negated: boolean }): string {
  return negated ? 'IS NOT' : 'IS'
}
