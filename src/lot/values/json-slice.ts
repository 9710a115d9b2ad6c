/** The part of a JSON text that a path leads to, as it was written. The text is known to be JSON. */

const SPACE = 32
const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/** @returns undefined where the path leads nowhere; of a key that occurs twice, the last counts */
export function jsonSlice(text: string, path: readonly string[]): string | undefined {
  let start = skipBlank(text, 0)
  for (const key of path) {
    const open = text.charCodeAt(start)
    if (open !== OPEN_OBJECT && open !== OPEN_LIST) return undefined
    const inner = open === OPEN_OBJECT ? memberStart(text, start, key) : itemStart(text, start, Number(key))
    if (inner === undefined) return undefined
    start = inner
  }
  return text.slice(start, skipValue(text, start))
}

function memberStart(text: string, open: number, key: string): number | undefined {
  let found: number | undefined
  for (let at = skipBlank(text, open + 1); text.charCodeAt(at) === QUOTE; ) {
    const end = skipValue(text, at)
    const value = skipBlank(text, skipBlank(text, end) + 1)
    if (text.slice(at + 1, end - 1) === key || JSON.parse(text.slice(at, end)) === key) found = value
    at = skipBlank(text, skipValue(text, value))
    if (text.charCodeAt(at) === COMMA) at = skipBlank(text, at + 1)
  }
  return found
}

function itemStart(text: string, open: number, index: number): number | undefined {
  let at = skipBlank(text, open + 1)
  for (let count = 0; text.charCodeAt(at) !== CLOSE_LIST; count++) {
    if (count === index) return at
    at = skipBlank(text, skipValue(text, at))
    if (text.charCodeAt(at) === COMMA) at = skipBlank(text, at + 1)
  }
  return undefined
}

function skipBlank(text: string, at: number): number {
  while (text.charCodeAt(at) <= SPACE) at++
  return at
}

/** @returns the offset behind the value at `at` */
function skipValue(text: string, at: number): number {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      for (i++; text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++
      if (depth === 0) return i + 1
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) depth++
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (depth === 0) return i
      if (--depth === 0) return i + 1
    } else if (depth === 0 && (code === COMMA || code === COLON || code <= SPACE)) return i
  }
  return text.length
}
