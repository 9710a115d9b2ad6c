/** Statements of actions. CALL and TRIGGER are in parse-call.ts. */
import { unreachable } from '../../base/errors.js'
import { nearestSpelling } from '../../base/spelling.js'
import type { Expression, Name, Statement } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseOneOf, parseQuotedOrBareName, parseText } from './names.js'
import { parseCall, parseTriggerStatement } from './parse-call.js'
import { parseIf, parseLoop, parseSwitch } from './parse-control.js'
import { CAST_TYPES, parseSum, parseValue } from './parse-expression.js'
import { type Token, tokenName } from './token.js'
import { isStatementWord, STATEMENT_WORDS } from './words.js'

/** Words that belong to a statement or header further left, and where they stand. */
const MISPLACED: Readonly<Record<string, string>> = {
  ELSE: 'ELSE stands at the column of its IF',
  UNTIL: 'UNTIL stands at the column of its LOOP',
  CASE: 'CASE stands one level deeper than its SWITCH',
  DEFAULT: 'DEFAULT stands one level deeper than its SWITCH',
  RETURN: 'RETURN stands at the column of DEFINE, after the last statement',
  OUTPUT: 'OUTPUT stands below RETURN',
  INPUT: 'INPUT stands between DEFINE ACTION and DO',
  ON: 'ON stands at the column of DEFINE, before DO',
  DO: 'DO stands once, after the trigger or the inputs',
  DESCRIPTION: 'DESCRIPTION stands at the column of DEFINE, after the last statement',
}

/** @throws SyntaxFailure */
export function parseStatement(cursor: Cursor): Statement {
  const start = cursor.peek()
  const word = start.kind === 'word' ? start.text.toUpperCase() : ''
  if (!isStatementWord(word)) return failOnUnknown(cursor, start, word)
  cursor.accept(word)
  switch (word) {
    case 'SET':
      return parseSet(cursor, start)
    case 'PUBLISH':
      return parsePublish(cursor, start)
    case 'KEEP':
      return parseKeep(cursor, start)
    case 'DELETE': {
      const secret = parseOneOf(cursor, ['ENV', 'SECRET']) === 'SECRET'
      return { kind: 'deleteEnvironment', secret, name: parseText(cursor), span: cursor.spanFrom(start) }
    }
    case 'IF':
      return parseIf(cursor, start)
    case 'SWITCH':
      return parseSwitch(cursor, start)
    case 'CALL':
      return parseCall(cursor, start)
    case 'TRIGGER':
      return parseTriggerStatement(cursor, start)
    case 'LOOP':
    case 'REPEAT':
      return parseLoop(cursor, start)
    default:
      return unreachable(word)
  }
}

function parseSet(cursor: Cursor, start: Token): Statement {
  const variable = parseVariableName(cursor)
  const isAs = cursor.at('AS')
  if (!(cursor.accept('WITH') || cursor.accept('TO') || cursor.accept('AS') || cursor.acceptSymbol('='))) {
    const { end } = cursor.previous
    return cursor.fail(['WITH', 'TO', 'AS', '='], 'LOT2034', { span: { start: end, end }, replacement: ' WITH' })
  }
  const type = cursor.peek()
  if (isAs && (CAST_TYPES as readonly string[]).includes(type.text) && cursor.peekSecond().indent >= 0) {
    const message = `SET takes a value: AS ${type.text} alone has none`
    return cursor.failWith('LOT2026', message, type)
  }
  return { kind: 'set', variable, value: parseValue(cursor), span: cursor.spanFrom(start) }
}

/** What SET assigns to: `"name"` or `name`; `{name}` is how a variable is read. */
function parseVariableName(cursor: Cursor): Name {
  const token = cursor.peek()
  if (token.kind !== 'variable') return parseQuotedOrBareName(cursor)
  cursor.next()
  const message = `Expected one of STRING, IDENTIFIER, but found ${tokenName(token)}`
  cursor.report.add('LOT2001', message, token, `"${token.text}"`)
  return { text: token.text, quoted: true, span: cursor.spanFrom(token) }
}

function parsePublish(cursor: Cursor, start: Token): Statement {
  if (cursor.accept('MODEL')) return parsePublishModel(cursor, start)
  acceptTopicWord(cursor, ['TOPIC', 'MODEL'])
  const topic = parseSum(cursor)
  refuseUsing(cursor)
  cursor.expectWith()
  return { kind: 'publish', topic, value: parseValue(cursor), span: cursor.spanFrom(start) }
}

function parseKeep(cursor: Cursor, start: Token): Statement {
  const isSecret = cursor.at('SECRET')
  if (cursor.accept('ENV') || cursor.accept('SECRET')) {
    const name = parseText(cursor)
    cursor.expectWith()
    const value = parseValue(cursor)
    return { kind: 'keepEnvironment', secret: isSecret, name, value, span: cursor.spanFrom(start) }
  }
  acceptTopicWord(cursor, ['TOPIC', 'ENV', 'SECRET'])
  const topic = parseSum(cursor)
  refuseUsing(cursor)
  cursor.expectWith()
  return { kind: 'keep', topic, value: parseValue(cursor), span: cursor.spanFrom(start) }
}

/** Passes TOPIC; where a topic follows without the word, says so and goes on. */
function acceptTopicWord(cursor: Cursor, words: readonly string[]): void {
  if (cursor.accept('TOPIC')) return
  const { kind } = cursor.peek()
  if (kind !== 'text' && kind !== 'variable') cursor.fail(words)
  cursor.expectWord('TOPIC')
}

function refuseUsing(cursor: Cursor): void {
  if (!cursor.at('USING')) return
  const message = 'USING does not stand behind a topic: write TOPIC REPLACE "a" WITH "b" IN "topic" WITH …'
  cursor.failWith('LOT2047', message, cursor.peek())
}

type Assignment = Extract<Statement, { kind: 'publishModel' }>['assignments'][number]

function parsePublishModel(cursor: Cursor, start: Token): Statement {
  const model = parseQuotedOrBareName(cursor)
  cursor.expect('TO')
  const topic = parseSum(cursor)
  cursor.expectWith()
  const assignments: Assignment[] = []
  if (cursor.hasBlock() || cursor.atLineEnd()) {
    cursor.block(() => parseAssignments(cursor, assignments), 'WITH')
  } else parseAssignments(cursor, assignments)
  return { kind: 'publishModel', model, topic, assignments, span: cursor.spanFrom(start) }
}

/** Those of one line; a comma at its end means nothing. */
function parseAssignments(cursor: Cursor, assignments: Assignment[]): void {
  do assignments.push(parseAssignment(cursor))
  while (cursor.acceptSymbol(',') && !cursor.atLineEnd())
}

function parseAssignment(cursor: Cursor): Assignment {
  const start = cursor.peek()
  const path: string[] = []
  do {
    const part = cursor.peek()
    if (part.kind !== 'word' && !(part.kind === 'number' && path.length > 0)) cursor.fail(['IDENTIFIER'])
    path.push(cursor.next().text)
  } while (cursor.acceptSymbol('.'))
  const span = cursor.spanFrom(start)
  cursor.expectSymbol('=')
  const value: Expression = parseValue(cursor)
  return { path, value, span }
}

function failOnUnknown(cursor: Cursor, start: Token, word: string): never {
  if (Object.hasOwn(MISPLACED, word)) return cursor.failWith('LOT2035', MISPLACED[word], start)
  switch (word) {
    case 'WHILE':
      return cursor.failWith('LOT2014', 'LoT has no WHILE: write LOOP … UNTIL with the opposite condition', start)
    case 'END':
      return cursor.failWith('LOT2018', 'Unknown statement END: a block ends where the indentation ends', start)
    case 'DEFINE':
      return cursor.failWith('LOT2029', 'DEFINE stands at the beginning of its line, without indentation', start)
  }
  if (start.kind !== 'word') return cursor.fail(STATEMENT_WORDS)
  const second = cursor.peekSecond()
  if (second.text === '(' && second.start === start.end) {
    return cursor.failWith('LOT2015', `LoT has no function calls: ${start.text}(…) is not known`, start)
  }
  if (second.text === '=' || second.text === '.') {
    const message = `Unknown statement ${start.text}: a variable is assigned with SET "${start.text}" WITH …`
    return cursor.failWith('LOT2006', message, start)
  }
  const nearest = nearestSpelling(start.text, STATEMENT_WORDS)
  return cursor.failWith('LOT2006', `Unknown statement ${start.text}`, start, nearest)
}
