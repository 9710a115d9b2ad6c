/** CALL and TRIGGER. */
import type { Argument, Expression, Name, Statement, TextNode } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseEntityName, parseIdentifier, parseOneOf, parseText } from './names.js'
import { parseValue } from './parse-expression.js'
import { parseList } from './parse-json.js'
import { type Token, tokenName } from './token.js'
import { EXPRESSION_WORDS } from './words.js'

/** @param start the CALL, which is behind the cursor; likewise below */
export function parseCall(cursor: Cursor, start: Token): Statement {
  const kind = parseOneOf(cursor, ['ACTION', 'PYTHON', 'MCP', 'LLM', 'AGENT'])
  switch (kind) {
    case 'ACTION':
      return parseCallAction(cursor, start)
    case 'PYTHON': {
      const target = parseText(cursor)
      const values = cursor.accept('WITH') ? parsePositional(cursor) : []
      return {
        kind: 'callPython',
        target,
        arguments: values,
        result: parseResult(cursor),
        span: cursor.spanFrom(start),
      }
    }
    case 'MCP': {
      const target = parseMcpTarget(cursor)
      const named = cursor.accept('WITH') ? parseBracketedArguments(cursor) : []
      return { kind: 'callMcp', target, arguments: named, result: parseResult(cursor), span: cursor.spanFrom(start) }
    }
    case 'LLM':
    case 'AGENT': {
      const route = parseText(cursor)
      cursor.expect('METHOD')
      const method = parseText(cursor)
      cursor.expectWord('WITH')
      const named = parseArguments(cursor)
      const result = parseResult(cursor)
      return { kind: 'callModel', service: kind, route, method, arguments: named, result, span: cursor.spanFrom(start) }
    }
  }
}

function parseCallAction(cursor: Cursor, start: Token): Statement {
  const action = parseEntityName(cursor)
  const named = cursor.accept('WITH') ? parseArguments(cursor) : []
  const results: Name[] = []
  if (cursor.accept('RETURN')) {
    cursor.accept('AS')
    do results.push(parseResultName(cursor))
    while (cursor.acceptSymbol(','))
  }
  return { kind: 'callAction', action, arguments: named, results, span: cursor.spanFrom(start) }
}

/** `a = x, b = y`, in parentheses or without. */
function parseArguments(cursor: Cursor): Argument[] {
  if (cursor.atSymbol('(')) return parseBracketedArguments(cursor)
  const named: Argument[] = []
  do named.push(parseArgument(cursor))
  while (cursor.acceptSymbol(','))
  return named
}

function parseBracketedArguments(cursor: Cursor): Argument[] {
  return cursor.bracketed('(', ')', () => parseList(cursor, ')', () => parseArgument(cursor)))
}

function parseArgument(cursor: Cursor): Argument {
  const name = parseIdentifier(cursor)
  cursor.expectSymbol('=')
  return { name, value: parseValue(cursor) }
}

function parsePositional(cursor: Cursor): Expression[] {
  return cursor.bracketed('(', ')', () => parseList(cursor, ')', () => parseValue(cursor)))
}

/** `RETURN AS {v}` */
function parseResult(cursor: Cursor): Name | undefined {
  if (!cursor.accept('RETURN')) return undefined
  cursor.expectWord('AS')
  return parseResultName(cursor)
}

function parseResultName(cursor: Cursor): Name {
  const token = cursor.peek()
  if (token.kind !== 'variable' && token.kind !== 'word' && token.kind !== 'text') {
    return cursor.fail(['IDENTIFIER', '{variable}'])
  }
  if (token.kind === 'variable' && token.text.includes('.')) {
    const message = `A result is bound to a variable, not to the path ${tokenName(token)}`
    return cursor.failWith('LOT2001', message, token)
  }
  cursor.next()
  return { text: token.text, quoted: token.kind === 'text', span: cursor.spanFrom(token) }
}

/** `"Route.tool"`; two strings with TOOL between them are reported and joined. */
function parseMcpTarget(cursor: Cursor): TextNode {
  const target = parseText(cursor)
  const word = cursor.peek()
  if (!cursor.at('TOOL')) return target
  cursor.next()
  const tool = parseText(cursor)
  const joined = `"${target.value}.${tool.value}"`
  const span = { start: target.span.start, end: tool.span.end }
  const message = `Expected WITH, but found ${tokenName(word)}: route and tool are one string`
  cursor.report.add('LOT2021', message, word, { span, replacement: joined })
  return { kind: 'text', value: `${target.value}.${tool.value}`, written: joined, span }
}

/** `TRIGGER "Event" TO Route WITH payload`, or with a mapping `TRIGGER "Route" TO payload FOR mapping`. */
export function parseTriggerStatement(cursor: Cursor, start: Token): Statement {
  const subject = parseText(cursor)
  cursor.expect('TO')
  if (isRouteNext(cursor)) {
    const route = parseEntityName(cursor)
    cursor.expectWith()
    return { kind: 'triggerEvent', event: subject, route, payload: parseValue(cursor), span: cursor.spanFrom(start) }
  }
  const payload = parseValue(cursor)
  cursor.expect('FOR')
  return {
    kind: 'triggerMapping',
    route: subject,
    payload,
    mapping: parseIdentifier(cursor),
    span: cursor.spanFrom(start),
  }
}

/** No value has FOR in it, but some have WITH: `REPLACE "a" WITH "b" IN PAYLOAD`. Where both are missing, the word decides. */
function isRouteNext(cursor: Cursor): boolean {
  if (cursor.isAhead('FOR', 'TRIGGER')) return false
  const { kind, text } = cursor.peek()
  const isBeforeWith = /^WITH$/i.test(cursor.peekSecond().text)
  if (kind !== 'word') return kind === 'text' && isBeforeWith
  return isBeforeWith || (!/^(TRUE|FALSE|NOT)$/i.test(text) && !EXPRESSION_WORDS.has(text))
}
