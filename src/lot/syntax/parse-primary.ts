/** The smallest expressions: literals, variables, and everything that begins with a keyword. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Expression, SessionWord } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseIdentifier, parseOneOf, parseText, textNode } from './names.js'
import { parseComparisonOperator, parseSum, parseValue } from './parse-expression.js'
import { parseArray, parseObject } from './parse-json.js'
import { parseFilter, parseReplace, parseSplit, parseTrim, parseUncastSource } from './parse-pipeline.js'
import { parseGottenTopic } from './parse-topic.js'
import { type Token, tokenName } from './token.js'
import { EXPRESSION_WORDS, RESERVED_WORDS } from './words.js'

/** @throws SyntaxFailure where no value begins */
export function parsePrimary(cursor: Cursor): Expression {
  cursor.height = 0
  const token = cursor.peek()
  switch (token.kind) {
    case 'text':
      cursor.next()
      return textNode(cursor)
    case 'number':
      cursor.next()
      return { kind: 'number', value: Number(token.text), written: token.text, span: cursor.spanFrom(token) }
    case 'variable':
      cursor.next()
      return { kind: 'variable', path: token.text.split('.'), span: cursor.spanFrom(token) }
    case 'word':
      return parseWord(cursor, token)
    case 'symbol':
      if (token.text === '(') return cursor.nested(() => parseGroup(cursor, token))
      if (token.text === '{') return cursor.nested(() => parseObject(cursor))
      if (token.text === '[') return cursor.nested(() => parseArray(cursor))
      return failWithoutValue(cursor, token)
    case 'newline':
    case 'end':
      return failWithoutValue(cursor, token)
  }
}

function parseGroup(cursor: Cursor, start: Token): Expression {
  const inner = cursor.bracketed('(', ')', () => parseValue(cursor))
  cursor.grow(0)
  return { kind: 'group', inner, span: cursor.spanFrom(start) }
}

function parseWord(cursor: Cursor, token: Token): Expression {
  if (/^(true|false)$/i.test(token.text)) {
    cursor.next()
    const value = token.text.toLowerCase() === 'true'
    return { kind: 'boolean', value, written: token.text, span: cursor.spanFrom(token) }
  }
  if (token.text === 'null') {
    // as in JSON
    cursor.next()
    return { kind: 'empty', word: 'NULL', span: cursor.spanFrom(token) }
  }
  const upper = token.text.toUpperCase()
  const isKeyword = EXPRESSION_WORDS.has(upper) && (upper === token.text || cursor.entity !== 'model')
  if (!isKeyword) return parseBareName(cursor, token)
  cursor.accept(upper)
  const expression = cursor.nested(() => parseKeyword(cursor, token, upper))
  cursor.grow(0)
  return expression
}

/** @param start the keyword, which is behind the cursor */
function parseKeyword(cursor: Cursor, start: Token, word: string): Expression {
  switch (word) {
    case 'PAYLOAD':
      return { kind: 'payload', span: cursor.spanFrom(start) }
    case 'RESULT':
      return { kind: 'result', span: cursor.spanFrom(start) }
    case 'EMPTY':
    case 'NULL':
      return { kind: 'empty', word, span: cursor.spanFrom(start) }
    case 'TOPIC':
      return parseTopicWord(cursor, start)
    case 'GET':
      return parseGet(cursor, start)
    case 'RANDOM':
      return parseRandom(cursor, start)
    case 'TIMESTAMP':
      cursor.accept('WITH')
      return { kind: 'timestamp', format: parseText(cursor), span: cursor.spanFrom(start) }
    case 'FILTER':
      return parseFilter(cursor, start)
    case 'SPLIT':
      return parseSplit(cursor, start)
    case 'REPLACE':
      return parseReplace(cursor, start)
    case 'TRIM':
      return parseTrim(cursor, start)
    case 'IF': {
      const message = 'IF inside of an expression needs parentheses around it'
      return cursor.failWith('LOT2033', message, start)
    }
    default:
      return { kind: 'session', word: word as SessionWord, span: cursor.spanFrom(start) }
  }
}

function parseTopicWord(cursor: Cursor, start: Token): Expression {
  if (cursor.accept('POSITION')) {
    const number = cursor.next()
    const position = Number(number.text)
    if (number.kind !== 'number' || !Number.isSafeInteger(position)) {
      return cursor.failWith('LOT2001', `Expected NUMBER, but found ${tokenName(number)}`, number)
    }
    if (position === 0) cursor.report.add('LOT2012', 'TOPIC POSITION is 1-based', number, '1')
    return { kind: 'topicPosition', position, span: cursor.spanFrom(start) }
  }
  if (cursor.entity === 'model' && cursor.peek().kind === 'text') {
    return { kind: 'topicValue', topic: parseText(cursor), span: cursor.spanFrom(start) }
  }
  if (cursor.peek().kind !== 'text') return cursor.fail(['POSITION'])
  cursor.report.add('LOT2001', 'Expected GET before TOPIC', start, 'GET TOPIC')
  return { kind: 'getTopic', topic: parseGottenTopic(cursor), span: cursor.spanFrom(start) }
}

function parseGet(cursor: Cursor, start: Token): Expression {
  switch (parseOneOf(cursor, ['TOPIC', 'JSON', 'ENV', 'SECRET', 'MODEL'])) {
    case 'TOPIC':
      return { kind: 'getTopic', topic: parseGottenTopic(cursor), span: cursor.spanFrom(start) }
    case 'JSON': {
      const path = parseText(cursor)
      cursor.expect('IN')
      const source = parseUncastSource(cursor)
      return { kind: 'getJson', path, source, span: cursor.spanFrom(start) }
    }
    case 'ENV':
      return { kind: 'getEnvironment', secret: false, name: parseText(cursor), span: cursor.spanFrom(start) }
    case 'SECRET':
      return { kind: 'getEnvironment', secret: true, name: parseText(cursor), span: cursor.spanFrom(start) }
    case 'MODEL': {
      const model = parseText(cursor)
      cursor.expect('FROM')
      const route = parseText(cursor)
      cursor.expect('WHERE')
      const field = parseIdentifier(cursor)
      const operator = parseComparisonOperator(cursor) ?? cursor.fail(['EQUALS', '==', '!=', '<', '<=', '>', '>='])
      const value = parseSum(cursor)
      return { kind: 'getModel', model, route, field, operator, value, span: cursor.spanFrom(start) }
    }
  }
}

function parseRandom(cursor: Cursor, start: Token): Expression {
  if (cursor.accept('UUID')) return { kind: 'uuid', span: cursor.spanFrom(start) }
  const type = cursor.accept('INT') ? 'INT' : cursor.accept('DOUBLE') ? 'DOUBLE' : undefined
  if (!cursor.accept('BETWEEN')) return cursor.fail(type ? ['BETWEEN'] : ['UUID', 'INT', 'DOUBLE', 'BETWEEN'])
  const from = parseSum(cursor)
  const height = cursor.height
  cursor.expect('AND')
  const to = parseSum(cursor)
  cursor.grow(height)
  return { kind: 'random', type, from, to, span: cursor.spanFrom(start) }
}

/** In models a field; elsewhere a variable without its braces, or something that LoT does not have. */
function parseBareName(cursor: Cursor, token: Token): Expression {
  if (RESERVED_WORDS.has(token.text)) return failWithoutValue(cursor, token)
  cursor.next()
  const path = [token.text]
  while (cursor.atSymbol('.')) {
    cursor.next()
    const part = cursor.peek()
    if (part.kind !== 'word' && part.kind !== 'number') return cursor.fail(['IDENTIFIER'])
    path.push(...part.text.split('.'))
    cursor.next()
  }
  const span = cursor.spanFrom(token)
  if (cursor.atSymbol('(') && cursor.peek().start === span.end) {
    const called = path.join('.')
    const remedy = called === 'JSON.stringify' ? 'write the value itself, JSON is text' : `${called}(…) is not known`
    return cursor.failWith('LOT2015', `LoT has no function calls: ${remedy}`, span)
  }
  if (cursor.entity === 'model') return { kind: 'field', path, span }
  const keyword = /^[A-Z_]+$/.test(token.text) ? nearestSpelling(token.text, EXPRESSION_WORDS) : undefined
  const name = path.join('.')
  const suggestion = keyword ?? `{${name}}`
  const message = keyword ? `Unknown word ${name}` : `A variable stands in braces: {${name}}`
  cursor.report.add('LOT2013', message, span, suggestion)
  return { kind: 'variable', path, span }
}

function failWithoutValue(cursor: Cursor, token: Token): never {
  const { previous } = cursor
  const after = previous.kind === 'word' ? ` after ${previous.text}` : ''
  const isLineEnd = token.kind === 'newline' || token.kind === 'end'
  const message = `Expected a value${after}, but found ${tokenName(token)}`
  return cursor.failWith('LOT2007', message, isLineEnd ? previous : token)
}
