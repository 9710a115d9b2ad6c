/**
 * Walks over the tokens of one entity. The cursor knows the layout rule: a line that is indented deeper than the statement
 * before it goes on with that statement or is its block; any other line ends the statement. Inside of brackets lines do
 * not matter.
 */
import type { DiagnosticCode } from '../diagnostic-catalogue.js'
import type { Suggestion } from '../diagnostics.js'
import type { Source, Span } from '../source.js'
import type { EntityKind } from '../tree.js'
import type { Report } from './report.js'
import { type Token, tokenName } from './token.js'

export interface ParseOptions {
  /** `v1` also accepts quoted names of actions, models, routes and rules. */
  readonly compat?: 'v1' | 'v2'
  /** Makes the warnings of layout errors. */
  readonly strictIndent?: boolean
}

/** Ends the parsing of a statement; the reason is in the report already. Never leaves the parser. */
export class SyntaxFailure extends Error {
  override readonly name = 'SyntaxFailure'
}

const NESTING_MAX = 100
const EXPRESSION_HEIGHT_MAX = 1_000

export class Cursor {
  #at = 0
  /** Columns: a line indented no deeper ends what is being read. */
  #floor = -1
  /** Index of the token that begins what is being read. */
  #entered = -1
  #brackets = 0
  #nesting = 0
  /** Levels of the expression read last. */
  height = 0

  /** @param tokens of one entity, with an `end` */
  constructor(
    readonly source: Source,
    readonly tokens: readonly Token[],
    readonly report: Report,
    readonly entity: EntityKind,
    readonly options: ParseOptions,
  ) {}

  // ---------- looking ----------

  /** The next token of the current statement; NEWLINE where it ends. */
  peek(): Token {
    const token = this.tokens[this.#at]
    if (this.#brackets > 0 || token.indent < 0 || token.indent > this.#floor || this.#at === this.#entered) return token
    if (token.kind === 'end') return token
    const { end } = this.#at === 0 ? token : this.tokens[this.#at - 1]
    return { kind: 'newline', text: '', start: end, end, indent: -1 }
  }

  /** The token after the next, wherever it stands. */
  peekSecond(): Token {
    return this.tokens[Math.min(this.#at + 1, this.tokens.length - 1)]
  }

  /** The token `ahead` places further, wherever it stands. */
  peekRaw(ahead = 0): Token {
    return this.tokens[Math.min(this.#at + ahead, this.tokens.length - 1)]
  }

  get previous(): Token {
    return this.tokens[Math.max(0, this.#at - 1)]
  }

  /** A keyword, in whatever case: `accept` reports another case than upper. */
  at(word: string): boolean {
    const token = this.peek()
    return token.kind === 'word' && (token.text === word || token.text.toUpperCase() === word)
  }

  /** As `at`, and on the line of the token before. */
  atInline(word: string): boolean {
    return this.tokens[this.#at].indent < 0 && this.at(word)
  }

  /** A keyword on the line, or at the beginning of a line at the column of the statement or deeper. */
  atMargin(word: string): boolean {
    const token = this.tokens[this.#at]
    if (token.kind !== 'word' || token.text.toUpperCase() !== word) return false
    return token.indent < 0 || token.indent >= this.#floor
  }

  /** Whether a keyword comes in what is left of the statement, outside of brackets and before `stop`. */
  isAhead(word: string, stop: string): boolean {
    let depth = this.#brackets
    const outside = depth
    for (let at = this.#at; ; at++) {
      const { kind, text, indent } = this.tokens[at]
      if (kind === 'end' || (depth === 0 && indent >= 0 && indent <= this.#floor && at !== this.#entered)) return false
      if (kind === 'symbol' && '([{'.includes(text)) depth++
      else if (kind === 'symbol' && ')]}'.includes(text)) depth--
      else if (kind === 'word') {
        const upper = text.toUpperCase()
        if (upper === stop) return false
        if (upper === word && depth === outside) return true
      }
    }
  }

  atSymbol(symbol: string): boolean {
    const token = this.peek()
    return token.kind === 'symbol' && token.text === symbol
  }

  atLineEnd(): boolean {
    const { kind } = this.peek()
    return kind === 'newline' || kind === 'end'
  }

  atEnd(): boolean {
    return this.tokens[this.#at].kind === 'end'
  }

  /** Whether the next line is indented deeper than the statement. */
  hasBlock(): boolean {
    const token = this.tokens[this.#at]
    return this.#brackets === 0 && token.kind !== 'end' && token.indent > this.#floor
  }

  // ---------- taking ----------

  next(): Token {
    const token = this.peek()
    if (token.kind !== 'newline' && token.kind !== 'end') this.#at++
    return token
  }

  accept(word: string): Token | undefined {
    if (!this.at(word)) return undefined
    return this.#keyword(this.next(), word)
  }

  acceptSymbol(symbol: string): Token | undefined {
    return this.atSymbol(symbol) ? this.next() : undefined
  }

  /** A keyword that goes on with the statement from a line of its own, or on the same line. */
  acceptAtMargin(word: string): Token | undefined {
    if (!this.atMargin(word)) return undefined
    return this.#keyword(this.tokens[this.#at++], word)
  }

  expect(word: string): Token {
    return this.accept(word) ?? this.fail([word])
  }

  /** As `expect`, but goes on as if the word were there. */
  expectWord(word: string, code: DiagnosticCode = 'LOT2001'): void {
    if (this.accept(word)) return
    const found = this.peek()
    const after = this.previous
    const span = found.kind === 'newline' || found.indent >= 0 ? after : found
    const insert = { span: { start: after.end, end: after.end }, replacement: ` ${word}` }
    this.report.add(code, `Expected ${word}, but found ${tokenName(found)}`, span, insert)
  }

  /** WITH before a value. Another word in its place is passed over. */
  expectWith(): void {
    const found = this.peek()
    const isOtherWord = found.kind === 'word' && !this.at('WITH') && this.#beginsOperand(this.peekSecond())
    if (isOtherWord) {
      this.report.add('LOT2001', `Expected WITH, but found ${tokenName(found)}`, found, 'WITH')
      this.next()
    } else this.expectWord('WITH')
  }

  expectSymbol(symbol: string): Token {
    return this.acceptSymbol(symbol) ?? this.fail([symbol])
  }

  /** Reads what is in brackets; between them lines do not matter. */
  bracketed<T>(open: string, close: string, inner: () => T): T {
    this.expectSymbol(open)
    this.#brackets++
    const result = inner()
    const found = this.peek()
    if (found.kind !== 'symbol' || found.text !== close) this.fail([close])
    this.#brackets--
    this.#at++
    return result
  }

  /** @throws SyntaxFailure always, after the report */
  fail(expected: readonly string[], code: DiagnosticCode = 'LOT2001', suggestion?: string | Suggestion): never {
    const found = this.peek()
    // inside of brackets that were not closed this is a line of another statement
    const isOtherLine = this.#brackets > 0 && found.indent >= 0 && found.indent <= this.#floor
    const isNewline = found.kind === 'newline' || isOtherLine
    const isAtEnd = isNewline || found.kind === 'end'
    const wanted = expected.length === 1 ? expected[0] : `one of ${expected.join(', ')}`
    const name = isNewline && found.kind !== 'end' ? 'NEWLINE' : tokenName(found)
    this.report.add(code, `Expected ${wanted}, but found ${name}`, isAtEnd ? this.previous : found, suggestion)
    throw new SyntaxFailure()
  }

  /** @throws SyntaxFailure always, after the report */
  failWith(code: DiagnosticCode, message: string, span: Span, suggestion?: string | Suggestion): never {
    this.report.add(code, message, span, suggestion)
    throw new SyntaxFailure()
  }

  spanFrom(start: Span): Span {
    return { start: start.start, end: Math.max(start.end, this.previous.end) }
  }

  // ---------- layout ----------

  /** Reads from the next token on; the line of that token is where what is read stands. */
  line<T>(parse: () => T): T {
    const floor = this.#floor
    const entered = this.#entered
    const token = this.tokens[this.#at]
    if (token.indent >= 0) this.#floor = token.indent
    this.#entered = this.#at
    try {
      return parse()
    } finally {
      this.#floor = floor
      this.#entered = entered
    }
  }

  /** Items of a block, each on lines of its own. A bad item is reported and left out. */
  block<T>(item: () => T, owner: string): T[] {
    if (!this.hasBlock()) {
      const { end } = this.previous
      const message = `Expected INDENT: nothing is indented below ${owner}`
      this.report.add('LOT2005', message, this.atLineEnd() ? this.previous : { start: end, end })
      return []
    }
    return this.nested(() => {
      const items: T[] = []
      const base = this.tokens[this.#at].indent
      this.#checkLayout(this.tokens[this.#at])
      for (let token = this.tokens[this.#at]; this.#isInBlock(token); token = this.tokens[this.#at]) {
        if (token.indent > base) {
          this.report.add('LOT2003', `Unexpected INDENT before ${tokenName(token)}`, token)
          this.#recover(base)
          continue
        }
        if (token.indent < base) {
          this.report.add('LOT2004', 'DEDENT to a column where no block stands', token, this.#reindented(token, base))
        } else if (this.options.strictIndent && items.length > 0) this.#checkLayout(token)
        this.attempt(() => items.push(this.line(item)), base)
      }
      return items
    })
  }

  /** The block of a statement, or the one item that stands on its line. */
  body<T>(item: () => T, owner: string): T[] {
    return this.hasBlock() || this.atLineEnd() ? this.block(item, owner) : [this.nested(item)]
  }

  /** Runs `parse`, and finds the next line at `column` or before it if something is wrong, or is left over. */
  attempt(parse: () => void, column: number): void {
    const brackets = this.#brackets
    const nesting = this.#nesting
    const start = this.#at
    try {
      parse()
      const token = this.tokens[this.#at]
      if (token.kind === 'end' || (token.indent >= 0 && token.indent <= column)) return
      if (token.indent >= 0) this.report.add('LOT2003', `Unexpected INDENT before ${tokenName(token)}`, token)
      else
        this.report.add(
          'LOT2001',
          `Expected NEWLINE, but found ${tokenName(token)}: the line must end before it`,
          token,
        )
    } catch (thrown) {
      if (!(thrown instanceof SyntaxFailure)) throw thrown
    }
    this.#brackets = brackets
    this.#nesting = nesting
    if (this.#at === start) this.#at++
    this.#recover(column)
  }

  /** Runs `parse` for a part of a header; if it fails, the next part begins on the next line, or with `stop`. */
  tolerate<T>(parse: () => T, stop: string): T | undefined {
    const brackets = this.#brackets
    const nesting = this.#nesting
    const start = this.#at
    try {
      return parse()
    } catch (thrown) {
      if (!(thrown instanceof SyntaxFailure)) throw thrown
    }
    this.#brackets = brackets
    this.#nesting = nesting
    while (!this.atEnd() && (this.#at === start || !this.#beginsHeaderPart(stop))) this.#at++
    return undefined
  }

  #beginsHeaderPart(stop: string): boolean {
    const token = this.tokens[this.#at]
    return token.indent >= 0 || token.text === stop
  }

  /** Guards the stack: of whoever reads the tree, too. */
  nested<T>(parse: () => T): T {
    if (this.#nesting >= NESTING_MAX) {
      this.failWith('LOT2027', `More than ${NESTING_MAX} levels are nested`, this.tokens[this.#at])
    }
    this.#nesting++
    const result = parse()
    this.#nesting--
    return result
  }

  /** For operators in a row, whose tree is as deep as the row is long. @param left height of the left operand */
  grow(left: number): void {
    this.height = Math.max(left, this.height) + 1
    if (this.height > EXPRESSION_HEIGHT_MAX) {
      this.failWith(
        'LOT2027',
        `The expression has more than ${EXPRESSION_HEIGHT_MAX} operators in a row`,
        this.previous,
      )
    }
  }

  #isInBlock(token: Token): boolean {
    return token.kind !== 'end' && token.indent > this.#floor
  }

  #recover(column: number): void {
    if (this.report.isFull) this.#at = this.tokens.length - 1
    for (; ; this.#at++) {
      const token = this.tokens[this.#at]
      if (token.kind === 'end') return
      if (token.indent < 0 || token.indent > column) continue
      // what closes a bracket belongs to the statement that was given up
      if (token.kind !== 'symbol' || !'}])'.includes(token.text)) return
    }
  }

  #keyword(token: Token, word: string): Token {
    if (token.text !== word) this.report.add('LOT2002', `Keyword must be upper case: ${word}`, token, word)
    return token
  }

  #beginsOperand(token: Token): boolean {
    return token.kind === 'text' || token.kind === 'number' || token.kind === 'variable' || token.kind === 'word'
  }

  #checkLayout(token: Token): void {
    const lineStart = token.start - this.source.positionOf(token.start).column + 1
    const blanks = this.source.text.slice(lineStart, token.start)
    const span = { start: lineStart, end: token.start }
    const severity = this.options.strictIndent ? 'error' : 'warning'
    if (blanks.includes('\t')) {
      const suggestion = { span, replacement: ' '.repeat(token.indent) }
      this.report.push({ code: 'LOT9002', severity, message: 'A tab indents the line', span, suggestion })
    } else if (token.indent % 4 !== 0) {
      const message = `The line is indented by ${token.indent} spaces, which is no multiple of 4`
      this.report.push({ code: 'LOT9001', severity, message, span })
    }
  }

  #reindented(token: Token, columns: number): Suggestion {
    const lineStart = token.start - this.source.positionOf(token.start).column + 1
    return { span: { start: lineStart, end: token.start }, replacement: ' '.repeat(columns) }
  }
}
