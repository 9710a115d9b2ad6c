/** One text of the workspace, read, with what an editor asks about it. */
import type { Position, Range } from 'vscode-languageserver'
import { TextDocument } from 'vscode-languageserver-textdocument'
import type { Diagnostic } from '../diagnostics.js'
import { Source, type Span } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import type { Entity, Program } from '../tree.js'
import { type Occurrence, occurrencesIn } from './occurrences.js'

/** Spellings to accept. */
export type Compat = 'v1' | 'v2'

export class LotDocument {
  readonly source: Source
  readonly program: Program
  /** Of the parser. */
  readonly diagnostics: readonly Diagnostic[]
  /** Of the normalised text: lines and columns are those of the editor, offsets those of the source. */
  readonly #text: TextDocument
  #occurrences: readonly Occurrence[] | undefined

  constructor(
    readonly uri: string,
    text: string,
    compat: Compat = 'v2',
  ) {
    this.source = new Source(uri, text)
    this.#text = TextDocument.create(uri, 'lot', 0, this.source.text)
    const { program, diagnostics } = parseProgram(this.source, { compat })
    this.program = program
    this.diagnostics = diagnostics
  }

  /** By place. */
  get occurrences(): readonly Occurrence[] {
    this.#occurrences ??= occurrencesIn(this.program, this.source.text)
    return this.#occurrences
  }

  offsetAt(position: Position): number {
    return this.#text.offsetAt(position)
  }

  range({ start, end }: Span): Range {
    return { start: this.#text.positionAt(start), end: this.#text.positionAt(end) }
  }

  get wholeRange(): Range {
    return this.range({ start: 0, end: this.source.text.length })
  }

  /** The entity that a place belongs to: the last one that begins before it. */
  entityAt(offset: number): Entity | undefined {
    return this.program.entities.findLast(({ span }) => span.start <= offset)
  }

  occurrenceAt(offset: number): Occurrence | undefined {
    return this.occurrences.find(({ span }) => span.start <= offset && offset <= span.end)
  }

  /** The word that a place is in or at the end of; empty if there is none. */
  wordAt(offset: number): { readonly text: string; readonly span: Span } {
    const { text } = this.source
    let start = offset
    while (start > 0 && /\w/.test(text[start - 1])) start--
    let end = offset
    while (end < text.length && /\w/.test(text[end])) end++
    return { text: text.slice(start, end), span: { start, end } }
  }

  /** The line that a place is in, up to it. */
  lineBefore(offset: number): string {
    const { text } = this.source
    return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)
  }
}
