/** Puts comments and empty lines back between the lines. */
import type { Source } from '../source.js'
import type { Comment } from '../tree.js'
import { INDENT, type Line, type LineRole, type Sheet } from './sheet.js'

interface Row {
  readonly level: number
  readonly text: string
  /** In the source. */
  readonly start: number
  readonly role: LineRole | 'comment'
}

export function assemble({ source, lines, comments }: Sheet): string {
  const places = new Places(lines)
  for (const comment of comments) places.put(comment)
  const rows = lines.flatMap((line, index) => [
    ...commentRows(places.before(index), lines[index - 1], line, source),
    { ...line, text: [line.text, ...places.behind(index)].join(' ') },
  ])
  rows.push(...commentRows(places.before(lines.length), lines.at(-1), undefined, source))
  return textOf(rows, source)
}

/** Where each comment goes: behind a line, or before one. */
class Places {
  readonly #lines: readonly Line[]
  /** Indexes of lines by their place in the source: parts of a panel are written in another order. */
  readonly #order: readonly number[]
  readonly #before = new Map<number, Comment[]>()
  readonly #behind = new Map<number, string[]>()

  constructor(lines: readonly Line[]) {
    this.#lines = lines
    this.#order = lines.map((_, index) => index).toSorted((one, other) => lines[one].start - lines[other].start)
  }

  before(line: number): readonly Comment[] {
    return this.#before.get(line) ?? []
  }

  behind(line: number): readonly string[] {
    return this.#behind.get(line) ?? []
  }

  put(comment: Comment): void {
    const { start } = comment.span
    const next = this.#order.findIndex((index) => this.#lines[index].start >= start)
    const before = next === -1 ? this.#lines.length : this.#order[next]
    const owner = this.#order[next === -1 ? this.#order.length - 1 : next - 1]
    if (owner === undefined) this.#add(before, comment)
    // what stands in the middle of a line goes before it
    else if (this.#lines[owner].end > start) this.#add(owner, comment)
    else if (comment.ownLine || !this.#isFree(owner)) this.#add(before, comment)
    else this.#behind.set(owner, [...this.behind(owner), comment.text])
  }

  #add(line: number, comment: Comment): void {
    this.#before.set(line, [...this.before(line), comment])
  }

  /** Nothing can stand behind a comment that goes to the end of its line. */
  #isFree(line: number): boolean {
    return this.behind(line).every((text) => text.startsWith('/*'))
  }
}

function commentRows(
  comments: readonly Comment[],
  previous: Line | undefined,
  next: Line | undefined,
  source: Source,
): readonly Row[] {
  return comments.map(({ text, span }) => {
    const level = commentLevel(source.positionOf(span.start).column - 1, previous?.level ?? 0, next?.level ?? 0)
    return { level, text, start: span.start, role: 'comment' }
  })
}

/** At the end of a block a comment may belong to the block or to what follows: its column says which. */
function commentLevel(column: number, previous: number, next: number): number {
  return Math.max(next, Math.min(previous, Math.ceil(column / INDENT)))
}

function textOf(rows: readonly Row[], source: Source): string {
  const opens = new Set(rows.flatMap((row, index) => (row.role === 'define' ? [firstOf(index, rows, source)] : [])))
  let text = ''
  for (const [index, row] of rows.entries()) {
    if (index > 0 && (opens.has(index) || keepsGap(row, rows[index - 1], source))) text += '\n'
    text += `${' '.repeat(row.level * INDENT)}${row.text}\n`
  }
  return text
}

/** An entity begins with the comments that stand right above it. */
function firstOf(define: number, rows: readonly Row[], source: Source): number {
  let first = define
  while (first > 0 && rows[first - 1].role === 'comment' && rows[first - 1].level === 0) {
    if (hasGap(rows[first], source)) break
    first--
  }
  return first
}

/** Whether an empty line of the source stays: one between two things of a block, none at its beginning. */
function keepsGap(row: Row, previous: Row, source: Source): boolean {
  if (row.role === 'part' || (row.level > previous.level && previous.role !== 'comment')) return false
  if (source.positionOf(row.start).line === source.positionOf(previous.start).line) return false
  return hasGap(row, source)
}

function hasGap({ start }: Row, source: Source): boolean {
  const { line } = source.positionOf(start)
  return line > 1 && source.lineText(line - 1).trim() === ''
}
