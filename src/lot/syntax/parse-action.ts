/** DEFINE ACTION: what fires it or what it takes, its statements, and what it returns. */
import { nearestSpelling } from '../../base/spelling.js'
import type { ActionNode, DaySet, InputType, Name, TextNode, TimeUnit, Trigger } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseEntityName, parseIdentifier, parseOneOf, parseQuotedOrBareName, parseText, parseWhole } from './names.js'
import { parseStatement } from './parse-statement.js'
import { type Token, tokenName } from './token.js'

export const TIME_UNITS: readonly TimeUnit[] = [
  'MILLISECOND',
  'SECOND',
  'MINUTE',
  'HOUR',
  'DAY',
  'WEEK',
  'MONTH',
  'YEAR',
]
export const DAY_SETS: readonly DaySet[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
  'WEEKDAY',
  'WEEKEND',
]
export const INPUT_TYPES: readonly InputType[] = ['STRING', 'INT', 'DOUBLE', 'BOOL', 'JSON']
export const TRIGGER_WORDS = ['EVERY', 'TIMESTAMP', 'TOPIC', 'CHANGE', 'START', 'CONNECT', 'DISCONNECT', 'SUBSCRIBE']

/** @param start the DEFINE; the cursor is behind ACTION */
export function parseAction(cursor: Cursor, start: Token): ActionNode {
  const name = parseEntityName(cursor)
  const inputs = parseInputs(cursor)
  const hasTrigger = cursor.atMargin('ON')
  const trigger = cursor.tolerate(() => parseTriggerLine(cursor), 'DO')
  if (trigger !== undefined && inputs.length > 0) {
    cursor.report.add('LOT2037', 'An action has a trigger or inputs, not both', trigger.span)
  }
  expectDo(cursor, name, hasTrigger || inputs.length > 0)
  const body = cursor.body(() => parseStatement(cursor), 'DO')
  const outputs = parseReturn(cursor, trigger)
  const description = parseDescription(cursor)
  return { kind: 'action', name, trigger, inputs, body, outputs, description, span: cursor.spanFrom(start) }
}

function parseInputs(cursor: Cursor): { name: Name; type: InputType }[] {
  const inputs: { name: Name; type: InputType }[] = []
  while (cursor.atMargin('INPUT')) {
    cursor.tolerate(() => {
      cursor.acceptAtMargin('INPUT')
      const name = parseIdentifier(cursor)
      cursor.expectWord('AS')
      inputs.push({ name, type: parseOneOf(cursor, INPUT_TYPES) })
    }, 'DO')
  }
  return inputs
}

function parseTriggerLine(cursor: Cursor): Trigger | undefined {
  const isIndented = cursor.hasBlock()
  const on = cursor.acceptAtMargin('ON')
  if (on === undefined) return undefined
  if (isIndented) {
    const blanks = { start: on.start - on.indent, end: on.start }
    cursor.report.add('LOT2008', 'Unexpected INDENT before ON', on, { span: blanks, replacement: '' })
  }
  return parseTrigger(cursor, on)
}

function parseTrigger(cursor: Cursor, on: Token): Trigger {
  const word = cursor.peek()
  switch (parseTriggerWord(cursor)) {
    case 'EVERY':
      return parseEvery(cursor, on)
    case 'TIMESTAMP':
      return { kind: 'timestamp', time: parseText(cursor), span: cursor.spanFrom(on) }
    case 'TOPIC':
      return { kind: 'topic', filter: parseText(cursor), span: cursor.spanFrom(on) }
    case 'CHANGE':
      return { kind: 'change', filter: parseText(cursor), span: cursor.spanFrom(on) }
    case 'START':
      return { kind: 'start', span: cursor.spanFrom(on) }
    case 'CONNECT':
      return { kind: 'connect', span: cursor.spanFrom(on) }
    case 'DISCONNECT':
      return { kind: 'disconnect', span: cursor.spanFrom(on) }
    case 'SUBSCRIBE': {
      const filter = cursor.peek().kind === 'text' ? parseText(cursor) : undefined
      return { kind: 'subscribe', filter, span: cursor.spanFrom(on) }
    }
    default:
      return cursor.fail(TRIGGER_WORDS, 'LOT2001', nearestSpelling(word.text, TRIGGER_WORDS))
  }
}

function parseTriggerWord(cursor: Cursor): string | undefined {
  const word = TRIGGER_WORDS.find((candidate) => cursor.at(candidate))
  if (word !== undefined) cursor.accept(word)
  return word
}

function parseEvery(cursor: Cursor, on: Token): Trigger {
  if (cursor.peek().kind !== 'number') {
    const days = DAY_SETS.find((candidate) => cursor.at(candidate))
    if (days === undefined) return cursor.fail(['NUMBER', ...DAY_SETS])
    cursor.accept(days)
    cursor.expect('AT')
    return { kind: 'days', days, time: parseText(cursor), span: cursor.spanFrom(on) }
  }
  const number = cursor.peek()
  const count = parseWhole(cursor)
  if (count === 0) cursor.report.add('LOT2038', 'An interval is at least 1', number, '1')
  return { kind: 'every', count, unit: parseTimeUnit(cursor), span: cursor.spanFrom(on) }
}

export function parseTimeUnit(cursor: Cursor): TimeUnit {
  const token = cursor.peek()
  const unit = TIME_UNITS.find((candidate) => cursor.at(candidate) || cursor.at(`${candidate}S`))
  if (unit !== undefined) {
    cursor.accept(unit) ?? cursor.accept(`${unit}S`)
    return unit
  }
  const units = TIME_UNITS.map((candidate) => `${candidate}S`)
  const message = `Expected a time unit, but found ${tokenName(token)}: one of ${units.join(', ')}`
  const isLineEnd = cursor.atLineEnd()
  const { end } = cursor.previous
  const insert = { span: { start: end, end }, replacement: ' SECONDS' }
  if (isLineEnd || cursor.at('DO')) return cursor.failWith('LOT2011', message, cursor.previous, insert)
  return cursor.failWith('LOT2011', message, token, nearestSpelling(token.text, units))
}

/** DO on the line of the trigger or on its own. */
function expectDo(cursor: Cursor, name: Name, hasHeader: boolean): void {
  if (cursor.acceptAtMargin('DO')) return
  if (!hasHeader) {
    const message = `Action has no trigger: ${name.text} needs ON …, INPUT … or DO`
    cursor.report.add('LOT2019', message, name.span)
    return
  }
  cursor.expectWord('DO', 'LOT2039')
}

function parseReturn(cursor: Cursor, trigger: Trigger | undefined): Name[] {
  const token = cursor.acceptAtMargin('RETURN')
  if (token === undefined) return []
  if (trigger !== undefined) cursor.report.add('LOT2037', 'Nothing takes what an action with a trigger returns', token)
  if (cursor.atInline('OUTPUT')) {
    const span = { start: token.end, end: cursor.peek().start }
    const suggestion = { span, replacement: '\n    ' }
    cursor.report.add('LOT2020', 'Expected a line break after RETURN', cursor.peek(), suggestion)
    const outputs: Name[] = []
    while (cursor.accept('OUTPUT')) outputs.push(parseQuotedOrBareName(cursor))
    return outputs
  }
  return cursor.block(() => {
    cursor.expect('OUTPUT')
    return parseQuotedOrBareName(cursor)
  }, 'RETURN')
}

function parseDescription(cursor: Cursor): TextNode | undefined {
  return cursor.acceptAtMargin('DESCRIPTION') ? parseText(cursor) : undefined
}
