/** Cuts a text into tokens and comments. Never fails: what cannot be read is reported and left out. */
import type { Source } from '../source.js'
import type { Comment } from '../tree.js'
import type { Report } from './report.js'
import { readString } from './string-literal.js'
import type { Token, TokenKind } from './token.js'

export interface Lexed {
  /** The last one is of kind `end`. */
  readonly tokens: readonly Token[]
  readonly comments: readonly Comment[]
}

const TAB_COLUMNS = 4
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const VARIABLE = /\{[ \t]*([A-Za-z_][\w.]*)[ \t]*\}/y
const SYMBOL = /==|!=|<>|<=|>=|[-+*/%=<>()[\]{},:.]/y
const TYPOGRAPHIC_QUOTES = '“”„‟″‘’'
const UNTIL_ANY_QUOTE = /[^\n“”„‟″‘’"]*/y
const UNREADABLE = /[^\sA-Za-z0-9_"'{}()[\]+*/%=<>,:.-]+|[^\s]/y

export function lex(source: Source, report: Report): Lexed {
  const lexer = new Lexer(source.text, report)
  lexer.run()
  return lexer
}

class Lexer {
  readonly tokens: Token[] = []
  readonly comments: Comment[] = []
  #at = 0
  /** Blanks that the current line begins with, until its first token is found. */
  #indent = 0
  #lineIsEmpty = true

  constructor(
    readonly text: string,
    readonly report: Report,
  ) {}

  run(): void {
    this.#beginLine()
    while (this.#at < this.text.length) this.#step()
    this.#lineIsEmpty = true
    this.#indent = 0
    this.#push('end', '', this.#at)
  }

  #step(): void {
    const character = this.text[this.#at]
    if (character === '\n') {
      this.#at++
      this.#beginLine()
    } else if (character === ' ' || character === '\t' || character === '\f' || character === '\v') this.#at++
    else if (this.#isLineComment(character)) this.#lineComment()
    else if (character === '/' && this.text[this.#at + 1] === '*') this.#blockComment()
    else if (character === '"' || character === "'") this.#string()
    else if (!(this.#word() || this.#number() || this.#variable() || this.#symbol())) this.#unreadable()
  }

  #beginLine(): void {
    let columns = 0
    for (; ; this.#at++) {
      const character = this.text[this.#at]
      if (character === ' ') columns++
      else if (character === '\t') columns += TAB_COLUMNS - (columns % TAB_COLUMNS)
      else break
    }
    this.#indent = columns
    this.#lineIsEmpty = true
  }

  /** `--` is a comment only where it cannot be a minus before a negative number. */
  #isLineComment(character: string): boolean {
    const next = this.text[this.#at + 1]
    if (character === '/') return next === '/'
    if (character !== '-' || next !== '-') return false
    if (this.#lineIsEmpty) return true
    const after = this.text[this.#at + 2]
    return isBlank(this.text[this.#at - 1]) && (after === undefined || isBlank(after))
  }

  #lineComment(): void {
    const lineEnd = this.text.indexOf('\n', this.#at)
    this.#comment(lineEnd < 0 ? this.text.length : lineEnd)
  }

  #blockComment(): void {
    const close = this.text.indexOf('*/', this.#at + 2)
    if (close < 0) {
      const span = { start: this.#at, end: this.#at + 2 }
      this.report.add('LOT1003', 'The comment has no end', span)
    }
    const ownLine = this.#lineIsEmpty
    this.#comment(close < 0 ? this.text.length : close + 2)
    this.#lineIsEmpty = ownLine
  }

  #comment(end: number): void {
    const span = { start: this.#at, end }
    this.comments.push({ text: this.text.slice(this.#at, end).trimEnd(), ownLine: this.#lineIsEmpty, span })
    this.#at = end
  }

  #string(): void {
    const start = this.#at
    const { value, end, isTerminated } = readString(this.text, start)
    if (!isTerminated) {
      const quote = this.text[start]
      const insert = { span: { start: end, end }, replacement: quote }
      this.report.add('LOT1001', 'The string has no closing quote on its line', { start, end }, insert)
    }
    this.#at = end
    this.#push('text', value, start)
  }

  #word(): boolean {
    const word = this.#match(WORD)
    if (word === undefined) return false
    this.#push('word', word, this.#at - word.length)
    return true
  }

  #number(): boolean {
    const number = this.#match(NUMBER)
    if (number === undefined) return false
    const start = this.#at - number.length
    if (!Number.isFinite(Number(number))) {
      this.report.add('LOT1005', 'The number is too large', { start, end: this.#at })
    }
    this.#push('number', number, start)
    return true
  }

  /** `{` with anything else than a name behind it opens JSON. */
  #variable(): boolean {
    const variable = this.#match(VARIABLE)
    if (variable === undefined) return false
    const start = this.#at - variable.length
    const path = variable.slice(1, -1).trim()
    if (path.split('.').includes('')) {
      this.report.add('LOT1004', 'A part of the path is missing', { start, end: this.#at })
    }
    const parts = path.split('.').filter((part) => part !== '')
    this.#push('variable', parts.join('.'), start)
    return true
  }

  #symbol(): boolean {
    const symbol = this.#match(SYMBOL)
    if (symbol === undefined) return false
    this.#push('symbol', symbol, this.#at - symbol.length)
    return true
  }

  #unreadable(): void {
    if (TYPOGRAPHIC_QUOTES.includes(this.text[this.#at])) {
      this.#typographicString(this.#at)
      return
    }
    const found = this.#match(UNREADABLE) ?? this.text[this.#at++]
    const span = { start: this.#at - found.length, end: this.#at }
    const replacement = { '&&': 'AND', '||': 'OR', '!': 'NOT', ';': '' }[found]
    this.report.add('LOT1002', `Unexpected ${JSON.stringify(found.slice(0, 20))}`, span, replacement)
  }

  /** What was meant as a string is read as one, so that the rest of the line makes sense. */
  #typographicString(start: number): void {
    this.report.add('LOT1006', 'A typographic quote does not begin a string', { start, end: start + 1 }, '"')
    const content = this.#match(UNTIL_ANY_QUOTE, start + 1) ?? ''
    this.#at = start + 1 + content.length
    if (this.#at < this.text.length && this.text[this.#at] !== '\n') this.#at++
    this.#push('text', content, start)
  }

  #match(pattern: RegExp, at = this.#at): string | undefined {
    pattern.lastIndex = at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #push(kind: TokenKind, text: string, start: number): void {
    this.tokens.push({ kind, text, start, end: this.#at, indent: this.#lineIsEmpty ? this.#indent : -1 })
    this.#lineIsEmpty = false
  }
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\n'
}
