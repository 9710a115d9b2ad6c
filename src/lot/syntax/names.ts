/** Names and literals that stand at fixed places. */
import type { Name, TextNode } from '../tree.js'
import type { Cursor } from './cursor.js'
import { tokenName } from './token.js'

/** A bare name. */
export function parseIdentifier(cursor: Cursor): Name {
  const token = cursor.peek()
  if (token.kind !== 'word') return cursor.fail(['IDENTIFIER'])
  cursor.next()
  return { text: token.text, quoted: false, span: cursor.spanFrom(token) }
}

export function parseQuotedOrBareName(cursor: Cursor): Name {
  const token = cursor.peek()
  if (token.kind !== 'word' && token.kind !== 'text') return cursor.fail(['STRING', 'IDENTIFIER'])
  cursor.next()
  return { text: token.text, quoted: token.kind === 'text', span: cursor.spanFrom(token) }
}

/** A name that must be in quotes; a bare one is reported and taken. */
export function parseQuotedName(cursor: Cursor): Name {
  const token = cursor.peek()
  if (token.kind !== 'word') {
    const { value, span } = parseText(cursor)
    return { text: value, quoted: true, span }
  }
  cursor.report.add('LOT2001', `Expected STRING, but found ${tokenName(token)}`, token, `"${token.text}"`)
  return parseIdentifier(cursor)
}

/**
 * The name of an action, model, route or rule: bare, and for old texts with `-` and `.` inside.
 * Quoted in v1 only, where texts of that time do so.
 */
export function parseEntityName(cursor: Cursor): Name {
  const token = cursor.peek()
  if (token.kind === 'text') {
    cursor.next()
    const name = { text: token.text, quoted: true, span: cursor.spanFrom(token) }
    if (cursor.options.compat !== 'v1') {
      cursor.report.add('LOT2010', 'Found STRING where IDENTIFIER was expected', token, token.text)
    }
    return name
  }
  if (token.kind !== 'word') return cursor.fail(['IDENTIFIER'])
  cursor.next()
  while (goesOn(cursor)) cursor.next()
  const span = cursor.spanFrom(token)
  const text = cursor.source.text.slice(span.start, span.end)
  if (text !== token.text)
    cursor.report.add('LOT9003', `The name ${text} has other signs than letters, digits and _`, span)
  return { text, quoted: false, span }
}

/** Whether the next token touches the one before and can be inside of a name. */
function goesOn(cursor: Cursor): boolean {
  const token = cursor.peek()
  if (token.start !== cursor.previous.end) return false
  return token.kind === 'word' || token.kind === 'number' || (token.kind === 'symbol' && '-.'.includes(token.text))
}

export function parseText(cursor: Cursor): TextNode {
  const token = cursor.peek()
  if (token.kind !== 'text') return cursor.fail(['STRING'])
  cursor.next()
  return textNode(cursor)
}

/** Of the string that was read last. */
export function textNode(cursor: Cursor): TextNode {
  const { text, start, end } = cursor.previous
  return { kind: 'text', value: text, written: cursor.source.text.slice(start, end), span: { start, end } }
}

/** A whole number without sign. */
export function parseWhole(cursor: Cursor): number {
  const token = cursor.peek()
  const value = Number(token.text)
  if (token.kind !== 'number' || !Number.isSafeInteger(value)) return cursor.fail(['NUMBER'])
  cursor.next()
  return value
}

/** One of some keywords. */
export function parseOneOf<const Word extends string>(cursor: Cursor, words: readonly Word[]): Word {
  const word = words.find((candidate) => cursor.at(candidate))
  if (word === undefined) return cursor.fail(words)
  cursor.accept(word)
  return word
}
