/** Conditions that are known beforehand, and what they make of the statements behind them. */
import type { Span } from '../source.js'
import type { Report } from '../syntax/report.js'
import type { Expression, Statement } from '../tree.js'
import { changesByItself } from './check-expression.js'
import { constantOf, verdictOf } from './constants.js'
import { assignedIn } from './variables.js'
import { everyExpression } from './walk.js'

type Node<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>

export function checkIf({ branches, otherwise }: Node<'if'>, report: Report): void {
  let isDecided = false
  for (const { condition, body } of branches) {
    if (isDecided) {
      reportUnreachable(body, 'the condition before it always holds', report)
      continue
    }
    const verdict = verdictOf(condition)
    if (verdict === undefined) continue
    if (verdict) {
      report.add('LOT4003', 'The condition always holds', condition.span)
      isDecided = true
    } else reportUnreachable(body, 'its condition never holds', report)
  }
  if (isDecided && otherwise !== undefined) reportUnreachable(otherwise, 'the condition before it always holds', report)
}

export function checkSwitch({ cases }: Node<'switch'>, report: Report): void {
  const seen: string[] = []
  for (const { value, body } of cases) {
    const constant = constantOf(value)
    if (constant === undefined) continue
    const text = String(constant.value)
    if (seen.includes(text)) reportUnreachable(body, `a CASE before it takes ${text} already`, report)
    seen.push(text)
  }
}

/** @returns whether what follows the loop can be reached */
export function checkLoop({ body, until }: Node<'loop'>, report: Report): boolean {
  const verdict = verdictOf(until)
  if (verdict === false) report.add('LOT4004', 'The loop never ends: its condition never holds', until.span)
  else if (verdict === true) report.add('LOT4003', 'The condition always holds: the body runs once', until.span)
  else if (!mayChange(until, body)) {
    report.add('LOT4004', 'The loop may never end: nothing in its body changes the condition', until.span)
  }
  return verdict !== false
}

function mayChange(until: Expression, body: readonly Statement[]): boolean {
  if (changesByItself(until)) return true
  const assigned = assignedIn(body)
  for (const part of everyExpression(until)) {
    if (part.kind === 'variable' && assigned.has(part.path[0])) return true
    // RESULT is what any statement with a value has left behind
    if (part.kind === 'result' && assigned.size > 0) return true
  }
  return false
}

export function reportUnreachable(body: readonly Statement[], reason: string, report: Report): void {
  const span = spanOf(body)
  if (span !== undefined) report.add('LOT4002', `This is never reached: ${reason}`, span)
}

function spanOf(body: readonly Statement[]): Span | undefined {
  const first = body[0]
  return first && { start: first.span.start, end: first.span.end }
}

/** Statements behind a loop that never ends. */
export function checkAfterLoop(body: readonly Statement[], report: Report): void {
  const index = body.findIndex((statement) => statement.kind === 'loop' && verdictOf(statement.until) === false)
  if (index >= 0) reportUnreachable(body.slice(index + 1), 'the loop before it never ends', report)
}
