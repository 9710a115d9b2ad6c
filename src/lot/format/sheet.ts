/** Lines of formatted text, each with the place in the source that it stands for. */
import type { Source, Span } from '../source.js'
import type { Comment } from '../tree.js'
import { flat, type List, type Piece } from './pieces.js'

export const COLUMNS_MAX = 100
export const INDENT = 4

export interface Line {
  readonly level: number
  readonly text: string
  /** Where what stands on the line begins in the source. */
  readonly start: number
  /** Where it ends, as far as the tree knows: keywords behind it are not part of any node. */
  readonly end: number
  readonly role: LineRole
}

/** `define`: an empty line goes before it; `item`: one stays if the source has one; `part`: none. */
export type LineRole = 'define' | 'item' | 'part'

export class Sheet {
  readonly lines: Line[] = []

  constructor(
    readonly source: Source,
    readonly comments: readonly Comment[],
  ) {}

  /** One line; or several, where lists are spread because the source does so, or because the line would be too long. */
  add(level: number, pieces: readonly Piece[], span: Span, role: LineRole): void {
    const isWide = level * INDENT + flat(pieces).length > COLUMNS_MAX
    let text = ''
    let { start } = span
    let part = role
    for (const piece of pieces) {
      if (typeof piece === 'string') text += piece
      else if (piece.items.length === 0 || !(isWide || this.isSpread(piece))) text += flat([piece])
      else {
        this.#push(level, text + piece.open, start, piece.span.start + 1, part)
        const { items } = piece
        for (const [index, item] of items.entries()) {
          this.add(level + 1, index < items.length - 1 ? [...item.pieces, ','] : item.pieces, item.span, 'part')
        }
        text = piece.close
        start = Math.max(start, piece.span.end - 1)
        part = 'part'
      }
    }
    this.#push(level, text, start, span.end, part)
  }

  /** Whether the source has the items of a list, or of one within it, on lines of their own. */
  isSpread({ span, items }: List): boolean {
    if (items.length === 0) return false
    if (this.hasBreak(span.start, items[0].span.start) || this.hasComment(span)) return true
    return items.some(({ pieces }) => this.hasSpread(pieces))
  }

  hasSpread(pieces: readonly Piece[]): boolean {
    return pieces.some((piece) => typeof piece !== 'string' && this.isSpread(piece))
  }

  hasBreak(start: number, end: number): boolean {
    return this.source.text.slice(start, end).includes('\n')
  }

  hasComment({ start, end }: Span): boolean {
    return this.comments.some(({ span }) => span.start >= start && span.end <= end)
  }

  /** Where a keyword stands that no node covers. @returns `from` if it is not there */
  find(word: string, from: number, to: number): number {
    const text = this.source.text.slice(from, to)
    for (const found of text.matchAll(new RegExp(`\\b${word}\\b`, 'gi'))) {
      const at = from + found.index
      if (!this.comments.some(({ span }) => span.start <= at && at < span.end)) return at
    }
    return from
  }

  #push(level: number, text: string, start: number, end: number, role: LineRole): void {
    this.lines.push({ level, text, start, end, role })
  }
}
