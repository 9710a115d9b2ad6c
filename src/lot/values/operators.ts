/** Operators. Text that looks like a number takes part as one. */

import { unreachable } from '../../base/errors.js'
import type { ArithmeticOperator, ComparisonOperator } from '../tree.js'
import { booleanOf, numberOf, operandOf } from './casts.js'
import { Absent, isEmpty, Json, OuterText, textOf, type Value } from './value.js'

/** One object for all: a model divides by zero at the rate of its data, and making an Error each time is slow. */
export const DIVISION_BY_ZERO = new Error('Division by zero')

/**
 * @param emptyIsZero either side is numeric by its type, so two empty values make 0 rather than an empty text
 */
export function add(left: Value, right: Value, emptyIsZero: boolean): Value {
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (left instanceof Json && Array.isArray(left.data)) return append(left, right)
  const a = addend(left)
  const b = addend(right)
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a === undefined && b === undefined) return emptyIsZero ? 0 : ''
  if (a === undefined && typeof b === 'number') return b
  if (b === undefined && typeof a === 'number') return a
  return textOf(left) + textOf(right)
}

/** undefined for empty, which is 0 beside a number and nothing beside a text; NaN never occurs. */
function addend(value: Value): number | string | undefined {
  if (value === undefined || (value instanceof Absent && value.text === '')) return undefined
  return numberOf(value) ?? ''
}

/** `[1, 2] + 3` appends. */
function append(list: Json, item: Value): Value {
  const data = item instanceof Json ? item.data : item instanceof OuterText ? (item.json ?? item.text) : scalar(item)
  const added = Array.isArray(data) ? data : [data]
  return Json.ofData([...(list.data as []), ...added])
}

function scalar(value: Value): string | number | boolean | null {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  return value === undefined || value instanceof Absent ? null : textOf(value)
}

/** @throws DIVISION_BY_ZERO */
export function calculate(operator: Exclude<ArithmeticOperator, '+'>, left: Value, right: Value): number {
  const a = operandOf(left)
  const b = operandOf(right)
  switch (operator) {
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      if (b === 0) throw DIVISION_BY_ZERO
      return a / b
    case '%':
      if (b === 0) throw DIVISION_BY_ZERO
      return a % b
    default:
      return unreachable(operator)
  }
}

/** Numbers if both are, booleans if both are, otherwise text. Empty equals what is empty and nothing else. */
export function equals(left: Value, right: Value): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left === right
  if (left === undefined || right === undefined) return isEmpty(left) && isEmpty(right)
  if (left instanceof Absent || right instanceof Absent) {
    return (isEmpty(left) && isEmpty(right)) || textOf(left) === textOf(right)
  }
  const a = numberOf(left)
  if (a !== undefined) {
    const b = numberOf(right)
    return b === undefined ? false : a === b
  }
  const truth = booleanOf(left)
  if (truth !== undefined) {
    const other = booleanOf(right)
    if (other !== undefined) return truth === other
  }
  return textOf(left) === textOf(right)
}

/** @returns below 0, 0 or above: numbers if both are (empty counts as 0), otherwise the order of the text's code units */
export function order(left: Value, right: Value): number {
  const a = isEmpty(left) ? 0 : numberOf(left)
  const b = isEmpty(right) ? 0 : numberOf(right)
  if (a !== undefined && b !== undefined) return a - b
  const leftText = textOf(left)
  const rightText = textOf(right)
  return leftText < rightText ? -1 : leftText > rightText ? 1 : 0
}

export function compare(operator: ComparisonOperator, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equals(left, right)
    case '!=':
      return !equals(left, right)
    case '<':
      return order(left, right) < 0
    case '<=':
      return order(left, right) <= 0
    case '>':
      return order(left, right) > 0
    case '>=':
      return order(left, right) >= 0
    case 'CONTAINS':
      return textOf(left).includes(textOf(right))
    case 'STARTS_WITH':
      return textOf(left).startsWith(textOf(right))
    case 'ENDS_WITH':
      return textOf(left).endsWith(textOf(right))
    default:
      return unreachable(operator)
  }
}
