/** What is known of the value of an expression before it runs. */

import type { Expression } from '../tree.js'
import { booleanOf, numberOf, truthOf } from '../values/casts.js'
import { compare } from '../values/operators.js'
import type { Value } from '../values/value.js'

/** The value may be empty, so it is wrapped. */
export interface Constant {
  readonly value: Value
}

/** Of literals, and of what compares and joins literals. */
export function constantOf(expression: Expression): Constant | undefined {
  switch (expression.kind) {
    case 'text':
    case 'number':
    case 'boolean':
      return { value: expression.value }
    case 'empty':
      return { value: undefined }
    case 'group':
      return constantOf(expression.inner)
    case 'negate': {
      const operand = constantOf(expression.operand)
      return typeof operand?.value === 'number' ? { value: -operand.value } : undefined
    }
    case 'not': {
      const operand = constantOf(expression.operand)
      return operand && { value: !truthOf(operand.value) }
    }
    case 'comparison': {
      const left = constantOf(expression.left)
      const right = constantOf(expression.right)
      return left && right && { value: compare(expression.operator, left.value, right.value) }
    }
    case 'logic': {
      const left = constantOf(expression.left)
      const right = constantOf(expression.right)
      const decides = expression.operator === 'OR'
      for (const side of [left, right]) {
        if (side !== undefined && truthOf(side.value) === decides) return { value: decides }
      }
      return left && right && { value: !decides }
    }
    default:
      return undefined
  }
}

/** Whether a condition always or never holds; undefined if that is not known. */
export function verdictOf(condition: Expression): boolean | undefined {
  const constant = constantOf(condition)
  return constant && truthOf(constant.value)
}

type Kind = 'number' | 'boolean'

/** What the text of an expression says of its type; empty values aside. */
function kindOf(expression: Expression): Kind | undefined {
  switch (expression.kind) {
    case 'number':
    case 'negate':
    case 'random':
      return 'number'
    case 'boolean':
    case 'comparison':
    case 'logic':
    case 'not':
      return 'boolean'
    case 'arithmetic':
      return expression.operator === '+' ? undefined : 'number'
    case 'cast':
      if (expression.type === 'BOOL') return 'boolean'
      return expression.type === 'INT' || expression.type === 'DOUBLE' || expression.type === 'FLOAT'
        ? 'number'
        : undefined
    case 'group':
      return kindOf(expression.inner)
    default:
      return undefined
  }
}

/** @returns in words why the two sides of a comparison never mean the same kind of value */
export function mismatch(left: Expression, right: Expression): string | undefined {
  return mismatchOf(left, right) ?? mismatchOf(right, left)
}

function mismatchOf(typed: Expression, literal: Expression): string | undefined {
  const kind = kindOf(typed)
  const value = constantOf(literal)?.value
  if (kind === 'number' && typeof value === 'boolean') return `a number is never ${value}`
  if (kind === undefined || typeof value !== 'string' || value === '') return undefined
  if (kind === 'number' && numberOf(value) === undefined) return `a number is never the text "${value}"`
  if (kind === 'boolean' && booleanOf(value) === undefined) return `true and false are never the text "${value}"`
  return undefined
}
