/** Text functions: as stages after `AND_THEN`, and in front of what they transform. */
import type { Expression, PipelineStage, TextNode } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseText } from './names.js'
import { parseCast, parseChoice, parseValue, refuseBytes } from './parse-expression.js'
import { parsePrimary } from './parse-primary.js'
import type { Token } from './token.js'

const STAGE_WORDS = ['TRIM', 'FILTER', 'REPLACE', 'SPLIT']

export function parsePipelineStages(cursor: Cursor): PipelineStage[] {
  const stages: PipelineStage[] = []
  while (cursor.accept('AND_THEN')) stages.push(parseStage(cursor))
  return stages
}

function parseStage(cursor: Cursor): PipelineStage {
  const start = cursor.peek()
  if (cursor.accept('TRIM')) return { kind: 'trim', span: cursor.spanFrom(start) }
  if (cursor.accept('FILTER')) {
    cursor.accept('RESULT')
    const pattern = parsePattern(cursor)
    return { kind: 'filter', pattern, span: cursor.spanFrom(start) }
  }
  if (cursor.accept('REPLACE')) {
    const find = parseText(cursor)
    cursor.expectWith()
    // without stages of its own: those that follow belong to the pipeline
    const replacement = parseChoice(cursor)
    if (cursor.accept('IN')) cursor.expect('RESULT')
    return { kind: 'replace', find, replacement, span: cursor.spanFrom(start) }
  }
  if (cursor.accept('SPLIT')) {
    cursor.accept('RESULT')
    const separator = parseSeparator(cursor)
    return { kind: 'split', separator, span: cursor.spanFrom(start) }
  }
  return cursor.fail(STAGE_WORDS)
}

/** `FILTER source USING REGEX "re"` */
export function parseFilter(cursor: Cursor, start: Token): Expression {
  const source = parseSource(cursor)
  const pattern = parsePattern(cursor)
  return { kind: 'filter', source, pattern, span: cursor.spanFrom(start) }
}

/** `SPLIT source USING CSV` or a separator. */
export function parseSplit(cursor: Cursor, start: Token): Expression {
  const source = parseSource(cursor)
  const separator = parseSeparator(cursor)
  return { kind: 'split', source, separator, span: cursor.spanFrom(start) }
}

/** `REPLACE "find" WITH value IN source` */
export function parseReplace(cursor: Cursor, start: Token): Expression {
  if (cursor.atSymbol('(')) {
    const message = 'LoT has no function calls: write REPLACE "a" WITH "b" IN PAYLOAD'
    return cursor.failWith('LOT2015', message, start)
  }
  const find = parseText(cursor)
  cursor.expectWith()
  const replacement = parseValue(cursor)
  cursor.expect('IN')
  const source = parseUncastSource(cursor)
  return { kind: 'replace', find, replacement, source, span: cursor.spanFrom(start) }
}

/** `TRIM source` */
export function parseTrim(cursor: Cursor, start: Token): Expression {
  const source = parseUncastSource(cursor)
  return { kind: 'trim', source, span: cursor.spanFrom(start) }
}

function parseSource(cursor: Cursor): Expression {
  const source = parseCast(cursor)
  refuseBytes(cursor, source)
  return source
}

/** A source at the end of its function: a cast behind it is one of the result. */
export function parseUncastSource(cursor: Cursor): Expression {
  const source = parsePrimary(cursor)
  refuseBytes(cursor, source)
  return source
}

function parsePattern(cursor: Cursor): TextNode {
  cursor.expect('USING')
  cursor.expect('REGEX')
  return parseText(cursor)
}

function parseSeparator(cursor: Cursor): TextNode | undefined {
  cursor.expect('USING')
  if (cursor.accept('CSV')) return undefined
  return cursor.peek().kind === 'text' ? parseText(cursor) : cursor.fail(['CSV', 'STRING'])
}
