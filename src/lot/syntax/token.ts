/** The words of a LoT text. Layout is no token of its own: a token that begins a line knows how far it is indented. */
import type { Span } from '../source.js'

export type TokenKind =
  /** A keyword or a bare name; which of them, the place decides. */
  | 'word'
  /** A string; `text` is what it stands for. */
  | 'text'
  | 'number'
  /** `{name}` or `{name.a.b}`; `text` is the dotted path. */
  | 'variable'
  | 'symbol'
  /** What the cursor shows where a statement must end. */
  | 'newline'
  | 'end'

export interface Token extends Span {
  readonly kind: TokenKind
  readonly text: string
  /** Columns of blanks before a token that is the first of its line; -1 for the others. */
  readonly indent: number
}

/** What a token is called in a message. */
export function tokenName(token: Token): string {
  switch (token.kind) {
    case 'word':
      return /^[A-Z][A-Z0-9_]*$/.test(token.text) ? token.text : `IDENTIFIER ${shortened(token.text)}`
    case 'text':
      return `STRING "${shortened(token.text)}"`
    case 'number':
      return `NUMBER ${shortened(token.text)}`
    case 'variable':
      return `{${shortened(token.text)}}`
    case 'symbol':
      return token.text
    case 'newline':
      return 'NEWLINE'
    case 'end':
      return 'the end of the text'
  }
}

const SHOWN_LENGTH_MAX = 40

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > SHOWN_LENGTH_MAX ? `${line.slice(0, SHOWN_LENGTH_MAX)}…` : line
}
