/** Cuts a text into entities without understanding them, so that each can be deployed, stored and published as it is. */
import type { EntityKind } from '../tree.js'

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

const HEAD =
  /^DEFINE[ \t]+(ACTION|MODEL|ROUTE|RULE|THEME|PANEL|VISU|THING)\b[ \t]*(?:"([^"\r\n]*)"|'([^'\r\n]*)'|([\w.-]+))?/

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
 * An entity begins with DEFINE in the first column. What stands before the first one belongs to it, and what stands
 * between two belongs to the earlier one: comments stay with their entity.
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
  const starts: Start[] = []
  let line = 0
  let isInComment = false
  for (const { offset, content } of linesOf(text)) {
    line++
    const head = isInComment ? null : HEAD.exec(content)
    if (head !== null) {
      const name = head[2] ?? head[3] ?? head[4] ?? ''
      starts.push({ offset, line, kind: KINDS[head[1]], name })
    }
    isInComment = commentGoesOn(content, isInComment)
  }
  return starts
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

/** What begins a comment, or hides what looks like one. */
const MARK = /\/\*|\/\/|^[ \t]*--|[ \t]--(?=[ \t]|$)|"(?:\\.|[^"\\])*(?:"|\\?$)|'(?:\\.|[^'\\])*(?:'|\\?$)/g

/** Whether the line ends inside of a comment that begins with slash and star. */
function commentGoesOn(line: string, isInComment: boolean): boolean {
  for (let at = 0; ; ) {
    if (isInComment) {
      const close = line.indexOf('*/', at)
      if (close < 0) return true
      at = close + 2
    }
    MARK.lastIndex = at
    const mark = MARK.exec(line)
    if (mark === null || mark[0] === '//' || mark[0].trim() === '--') return false
    isInComment = mark[0] === '/*'
    at = MARK.lastIndex
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
