/** Cuts a text into entities without understanding them, so that each can be deployed, stored and published as it is. */
import { Source } from '../source.js'
import type { Comment, EntityKind } from '../tree.js'
import { lex } from './lexer.js'
import { Report } from './report.js'
import type { Token } from './token.js'

export interface EntityText {
  /** `thing` cannot be deployed; the parser says so. */
  readonly kind: EntityKind | 'thing'
  /** Without quotes; empty where there is none. */
  readonly name: string
  /** As it stands in the text, line ends included, up to the last line that is not blank. */
  readonly text: string
  /** Of the first character of `text`, from 1. */
  readonly line: number
}

const KINDS: Readonly<Record<string, EntityKind | 'thing'>> = {
  ACTION: 'action',
  MODEL: 'model',
  ROUTE: 'route',
  RULE: 'rule',
  THEME: 'theme',
  PANEL: 'panel',
  VISU: 'panel',
  THING: 'thing',
}

interface Start {
  readonly offset: number
  readonly line: number
  readonly kind: EntityKind | 'thing'
  readonly name: string
}

/**
 * An entity begins with DEFINE in the first column, or behind comments that begin there: where the parser sees one, too.
 * What stands before the first one belongs to it, and what stands between two belongs to the earlier one: comments stay
 * with their entity.
 * @returns empty where no entity begins
 */
export function splitEntities(text: string): EntityText[] {
  const starts = findStarts(text)
  return starts.map(({ offset, line, kind, name }, index) => {
    const isFirst = index === 0
    const end = starts[index + 1]?.offset ?? text.length
    const from = isFirst ? leadingEnd(text) : offset
    const own = text.slice(from, end)
    const lineOffset = isFirst ? lineBreaks(text.slice(from, offset)) : 0
    return { kind, name, text: own.trimEnd() + trailingLineEnd(own), line: line - lineOffset }
  })
}

/** Offset of the first line that is not blank; a byte order mark is left out. */
function leadingEnd(text: string): number {
  const blank = /^\uFEFF?(?:[ \t]*(?:\r\n|\r|\n))*/.exec(text)
  return blank?.[0].length ?? 0
}

/** One line end is kept, as the text has it. */
function trailingLineEnd(text: string): string {
  const blanks = text.slice(text.trimEnd().length)
  return /\r\n|\r|\n/.exec(blanks)?.[0] ?? ''
}

function findStarts(text: string): Start[] {
  const source = new Source('', text)
  const { tokens, comments } = lex(source, new Report())
  const lineOffsets = [...linesOf(text)].map(({ offset }) => offset)
  const starts: Start[] = []
  tokens.forEach((token, index) => {
    if (!beginsEntity(token)) return
    const kind = tokens[index + 1].text.toUpperCase()
    if (!Object.hasOwn(KINDS, kind)) return
    const { line, column } = source.positionOf(withComments(token.start, comments, source.text))
    const name = nameOf(tokens[index + 2], source.text)
    starts.push({ offset: lineOffsets[line - 1] + column - 1, line, kind: KINDS[kind], name })
  })
  return starts
}

export function beginsEntity(token: Token): boolean {
  return token.indent === 0 && token.kind === 'word' && token.text.toUpperCase() === 'DEFINE'
}

/** @returns where the comments begin that stand before an offset on its line */
function withComments(offset: number, comments: readonly Comment[], text: string): number {
  let start = offset
  for (let index = firstBehind(comments, offset) - 1; index >= 0; index--) {
    const { span } = comments[index]
    if (!/^[ \t\f\v]*$/.test(text.slice(span.end, start))) break
    start = span.start
  }
  return start
}

/** @returns index of the first comment behind an offset */
function firstBehind(comments: readonly Comment[], offset: number): number {
  let low = 0
  for (let high = comments.length; low < high; ) {
    const middle = (low + high) >> 1
    if (comments[middle].span.start < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Old texts have other signs than letters in names. */
const BARE_NAME = /[\w.-]+/y

function nameOf(token: Token | undefined, text: string): string {
  if (token?.kind === 'text') return token.text
  if (token?.kind !== 'word') return ''
  BARE_NAME.lastIndex = token.start
  return BARE_NAME.exec(text)?.[0] ?? ''
}

function* linesOf(text: string): Generator<{ offset: number; content: string }> {
  let offset = text.startsWith('\uFEFF') ? 1 : 0
  const lineEnd = /\r\n|\r|\n|$/g
  while (offset <= text.length) {
    lineEnd.lastIndex = offset
    const found = lineEnd.exec(text)
    if (found === null) return
    yield { offset, content: text.slice(offset, found.index) }
    if (found[0] === '') return
    offset = found.index + found[0].length
  }
}

function lineBreaks(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0
}

/**
 * Takes the blanks away that all lines begin with, so that a block copied out of a list or a quotation is LoT again.
 * Blank lines do not count; line ends stay as they are.
 */
export function dedentCommon(text: string): string {
  let common: string | undefined
  for (const { content } of linesOf(text)) {
    if (content.trim() === '') continue
    const blanks = /^[ \t]*/.exec(content)?.[0] ?? ''
    common = common === undefined ? blanks : sharedStart(common, blanks)
    if (common === '') return text
  }
  if (common === undefined) return text
  const columns = common.length
  return text.replace(/[^\r\n]+/g, (line) => (line.startsWith(common) ? line.slice(columns) : line.trimStart()))
}

function sharedStart(one: string, other: string): string {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return one.slice(0, length)
}
