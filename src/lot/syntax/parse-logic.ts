/** AND and OR, which bind in this order, between conditions of any kind. */
import type { Span } from '../source.js'
import type { LogicOperator } from '../tree.js'
import type { Cursor } from './cursor.js'

/** Makes the node of two; its span is from the beginning of the left to the end of the right. */
export type Joined<Condition> = (operator: LogicOperator, left: Condition, right: Condition, span: Span) => Condition

/** @param term parses what stands between them */
export function parseLogic<Condition extends { readonly span: Span }>(
  cursor: Cursor,
  term: () => Condition,
  joined: Joined<Condition>,
): Condition {
  const chain = (operator: LogicOperator, operand: () => Condition): Condition => {
    let left = operand()
    while (cursor.at(operator)) {
      const height = cursor.height
      cursor.accept(operator)
      const right = operand()
      cursor.grow(height)
      left = joined(operator, left, right, { start: left.span.start, end: right.span.end })
    }
    return left
  }
  return chain('OR', () => chain('AND', term))
}
