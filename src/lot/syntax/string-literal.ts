/** How a string is written: double or single quotes, on one line. */

export interface ReadString {
  /** What the string stands for. */
  readonly value: string
  /** Offset after the closing quote; of the line end where there is none. */
  readonly end: number
  readonly isTerminated: boolean
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', r: '\r', t: '\t', '"': '"' }

/**
 * Reads a string. A backslash that begins none of `\\ \" \n \r \t \uXXXX` (and `\'` in single quotes) stands for itself,
 * so that `"\d+"` is what it looks like.
 * @param start offset of the opening quote
 */
export function readString(text: string, start: number): ReadString {
  const quote = text[start]
  let value = ''
  let from = start + 1
  for (let at = from; at < text.length && text[at] !== '\n'; ) {
    const character = text[at]
    if (character === quote) return { value: value + text.slice(from, at), end: at + 1, isTerminated: true }
    const escaped = character === '\\' ? readEscape(text, at, quote) : undefined
    if (escaped === undefined) {
      at++
      continue
    }
    value += text.slice(from, at) + escaped.value
    at = from = escaped.end
  }
  const lineEnd = text.indexOf('\n', start)
  const end = lineEnd < 0 ? text.length : lineEnd
  return { value: value + text.slice(from, end), end, isTerminated: false }
}

function readEscape(text: string, at: number, quote: string): { value: string; end: number } | undefined {
  const letter = text[at + 1]
  if (letter === undefined) return undefined
  if (letter === 'u') {
    const digits = text.slice(at + 2, at + 6)
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) return undefined
    return { value: String.fromCharCode(Number.parseInt(digits, 16)), end: at + 6 }
  }
  const value = letter === quote ? quote : SIMPLE_ESCAPES[letter]
  return value === undefined ? undefined : { value, end: at + 2 }
}

const MEANS_SOMETHING_AFTER_BACKSLASH = /^$|[\\"nrtu\n\r\t]/

/** How a value is written as a string: the inverse of `readString`. */
export function writeString(value: string): string {
  let written = '"'
  for (let at = 0; at < value.length; at++) {
    const character = value[at]
    if (character === '"') written += '\\"'
    else if (character === '\n') written += '\\n'
    else if (character === '\r') written += '\\r'
    else if (character === '\t') written += '\\t'
    else if (character === '\\' && MEANS_SOMETHING_AFTER_BACKSLASH.test(value[at + 1] ?? '')) written += '\\\\'
    else written += character
  }
  return written + '"'
}
