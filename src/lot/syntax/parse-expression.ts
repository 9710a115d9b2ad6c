/** Expressions, loosest operators first; docs/lot/expressions.md has the table of precedence. */
import type { ArithmeticOperator, CastType, ComparisonOperator, Expression } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseOneOf } from './names.js'
import { type Joined, parseLogic } from './parse-logic.js'
import { parsePipelineStages } from './parse-pipeline.js'
import { parsePrimary } from './parse-primary.js'

const COMPARISON_SYMBOLS: Readonly<Record<string, ComparisonOperator>> = {
  '==': '==',
  '=': '==',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}
const COMPARISON_WORDS: Readonly<Record<string, ComparisonOperator>> = {
  EQUALS: '==',
  EQUAL: '==',
  CONTAINS: 'CONTAINS',
  STARTS_WITH: 'STARTS_WITH',
  ENDS_WITH: 'ENDS_WITH',
}
export const CAST_TYPES: readonly CastType[] = [
  'INT',
  'DOUBLE',
  'FLOAT',
  'BOOL',
  'STRING',
  'TIMESTAMP',
  'ARRAY',
  'OBJECT',
  'BYTES',
]

/** Any value, with `AND_THEN` stages. @throws SyntaxFailure as all of these */
export function parseValue(cursor: Cursor): Expression {
  const source = parseChoice(cursor)
  if (!cursor.at('AND_THEN')) return source
  const height = cursor.height
  refuseBytes(cursor, source)
  const stages = parsePipelineStages(cursor)
  cursor.grow(height)
  return { kind: 'pipeline', source, stages, span: { start: source.span.start, end: cursor.previous.end } }
}

/** `IF c THEN a ELSE b` as a value, or a plain expression. */
export function parseChoice(cursor: Cursor): Expression {
  const start = cursor.accept('IF')
  if (start === undefined) return parseCondition(cursor)
  return cursor.nested(() => {
    const branches: { condition: Expression; value: Expression }[] = []
    let otherwise: Expression | undefined
    let height = 0
    for (;;) {
      const condition = parseCondition(cursor)
      height = Math.max(height, cursor.height)
      cursor.expectWord('THEN', 'LOT2009')
      branches.push({ condition, value: parseChoice(cursor) })
      height = Math.max(height, cursor.height)
      if (!cursor.accept('ELSE')) break
      if (cursor.accept('IF')) continue
      otherwise = parseChoice(cursor)
      break
    }
    cursor.grow(height)
    return { kind: 'choice', branches, otherwise, span: cursor.spanFrom(start) }
  })
}

export function parseCondition(cursor: Cursor): Expression {
  const joined: Joined<Expression> = (operator, left, right, span) => ({ kind: 'logic', operator, left, right, span })
  return parseLogic(cursor, () => parseNot(cursor), joined)
}

function parseNot(cursor: Cursor): Expression {
  const start = cursor.accept('NOT')
  if (start === undefined) return parseComparison(cursor)
  const operand = cursor.nested(() => parseNot(cursor))
  cursor.grow(0)
  return { kind: 'not', operand, span: cursor.spanFrom(start) }
}

function parseComparison(cursor: Cursor): Expression {
  let left = parseSum(cursor)
  for (let count = 0; ; count++) {
    const start = cursor.peek()
    const operator = parseComparisonOperator(cursor)
    if (operator === undefined) return left
    if (count > 0) {
      const message = 'A comparison cannot be compared again: join two comparisons with AND'
      cursor.report.add('LOT2030', message, start)
    }
    const written = cursor.source.text.slice(start.start, cursor.previous.end).replace(/\s+/g, ' ')
    const height = cursor.height
    const right = parseSum(cursor)
    cursor.grow(height)
    left = {
      kind: 'comparison',
      operator,
      written,
      left,
      right,
      span: { start: left.span.start, end: right.span.end },
    }
  }
}

export function parseComparisonOperator(cursor: Cursor): ComparisonOperator | undefined {
  const token = cursor.peek()
  if (token.kind === 'symbol') {
    const operator = Object.hasOwn(COMPARISON_SYMBOLS, token.text) ? COMPARISON_SYMBOLS[token.text] : undefined
    if (operator !== undefined) cursor.next()
    return operator
  }
  if (token.kind !== 'word') return undefined
  if (cursor.at('IS')) {
    cursor.accept('IS')
    return cursor.accept('NOT') ? '!=' : '=='
  }
  const isEqualityNext = /^EQUALS?$/i.test(cursor.peekSecond().text)
  if (isEqualityNext && cursor.accept('NOT')) {
    cursor.accept('EQUALS') ?? cursor.expect('EQUAL')
    return '!='
  }
  const word = token.text.toUpperCase()
  if (!Object.hasOwn(COMPARISON_WORDS, word)) return undefined
  cursor.accept(word)
  return COMPARISON_WORDS[word]
}

/** `+` and `-`, and what binds tighter. */
export function parseSum(cursor: Cursor): Expression {
  return parseArithmetic(cursor, ['+', '-'], () => parseArithmetic(cursor, ['*', '/', '%'], () => parseUnary(cursor)))
}

function parseArithmetic(
  cursor: Cursor,
  operators: readonly ArithmeticOperator[],
  operand: () => Expression,
): Expression {
  let left = operand()
  for (;;) {
    const operator = operators.find((candidate) => cursor.atSymbol(candidate))
    if (operator === undefined) return left
    const height = cursor.height
    cursor.next()
    const right = operand()
    cursor.grow(height)
    left = { kind: 'arithmetic', operator, left, right, span: { start: left.span.start, end: right.span.end } }
  }
}

/** A term with its sign: for places that take one literal. */
export function parseUnary(cursor: Cursor): Expression {
  const start = cursor.acceptSymbol('-')
  if (start === undefined) return parseCast(cursor)
  const operand = cursor.nested(() => parseUnary(cursor))
  cursor.grow(0)
  return { kind: 'negate', operand, span: cursor.spanFrom(start) }
}

/** A primary with its casts. */
export function parseCast(cursor: Cursor): Expression {
  let operand = parsePrimary(cursor)
  while (cursor.accept('AS')) {
    const type = parseOneOf(cursor, CAST_TYPES)
    cursor.grow(0)
    operand = { kind: 'cast', operand, type, span: { start: operand.span.start, end: cursor.previous.end } }
  }
  return operand
}

/** Bytes are passed on as they are: text functions would damage them. */
export function refuseBytes(cursor: Cursor, source: Expression): void {
  let inner = source
  while (inner.kind === 'group') inner = inner.inner
  if (inner.kind !== 'cast' || inner.type !== 'BYTES') return
  cursor.report.add('LOT2031', 'Bytes cannot be transformed', inner.span)
}
