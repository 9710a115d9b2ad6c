/** A regular expression as a tree of what matters for its running time: which characters may stand where, how often. */

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | {
      readonly kind: 'repeat'
      readonly inner: PatternNode
      readonly min: number
      readonly max: number
      /** As written. */
      readonly text: string
    }
  /** Anchors, look-around, back-references. */
  | { readonly kind: 'nothing' }

/** A bit for each ASCII character, and one for all others. */
export type CharSet = bigint

const BEYOND: CharSet = 1n << 128n
const ALL: CharSet = (1n << 129n) - 1n
const NOTHING: PatternNode = { kind: 'nothing' }
/** Deeper patterns are not read; nobody writes them. */
const DEPTH_MAX = 100

/** @returns undefined if it cannot be read */
export function readPattern(pattern: string): PatternNode | undefined {
  const options = /^\(\?([a-z]+)\)/.exec(pattern)
  const reader = new PatternReader(pattern.slice(options?.[0].length ?? 0), options?.[1].includes('i') ?? false)
  return reader.read()
}

class PatternReader {
  #at = 0
  #depth = 0

  constructor(
    readonly text: string,
    readonly ignoresCase: boolean,
  ) {}

  read(): PatternNode | undefined {
    const node = this.#choice()
    return this.#at === this.text.length ? node : undefined
  }

  #choice(): PatternNode | undefined {
    if (++this.#depth > DEPTH_MAX) return undefined
    const options: PatternNode[] = []
    do {
      const option = this.#sequence()
      if (option === undefined) return undefined
      options.push(option)
    } while (this.#take('|'))
    this.#depth--
    return options.length === 1 ? options[0] : { kind: 'choice', options }
  }

  #sequence(): PatternNode | undefined {
    const items: PatternNode[] = []
    while (this.#at < this.text.length && !'|)'.includes(this.text[this.#at])) {
      const start = this.#at
      const inner = this.#atom()
      if (inner === undefined) return undefined
      const item = this.#repeated(inner, start)
      // A group in a group is a sequence within a sequence; one level says the same.
      if (item.kind === 'sequence') items.push(...item.items)
      else items.push(item)
    }
    return items.length === 1 ? items[0] : { kind: 'sequence', items }
  }

  #repeated(inner: PatternNode, start: number): PatternNode {
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.text.slice(this.#at, this.#at + 24))?.[0]
    if (quantifier === undefined) return inner
    this.#at += quantifier.length
    const [min, max] = bounds(quantifier)
    return { kind: 'repeat', inner, min, max, text: this.text.slice(start, this.#at) }
  }

  #atom(): PatternNode | undefined {
    const char = this.text[this.#at++]
    switch (char) {
      case '^':
      case '$':
        return NOTHING
      case '.':
        return { kind: 'set', set: ALL & ~bit('\n') }
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '\\':
        return this.#escape()
      default:
        return this.#literal(char)
    }
  }

  #literal(char: string): PatternNode {
    return { kind: 'set', set: this.ignoresCase ? bit(char.toLowerCase()) | bit(char.toUpperCase()) : bit(char) }
  }

  #group(): PatternNode | undefined {
    const head = /^\?(?::|<?[=!]|<\w+>|'\w+'|>)/.exec(this.text.slice(this.#at, this.#at + 80))?.[0] ?? ''
    if (head === '' && this.text[this.#at] === '?') return undefined
    this.#at += head.length
    const inner = this.#choice()
    if (inner === undefined || !this.#take(')')) return undefined
    return /[=!]$/.test(head) ? NOTHING : inner
  }

  #escape(): PatternNode | undefined {
    const char = this.text[this.#at++]
    if (char === undefined) return undefined
    if (/[bBAzZG]/.test(char)) return NOTHING
    if (/[1-9]/.test(char)) {
      while (/\d/.test(this.text[this.#at] ?? '')) this.#at++
      return NOTHING
    }
    if (char === 'k') {
      this.#at += /^<\w+>/.exec(this.text.slice(this.#at))?.[0].length ?? 0
      return NOTHING
    }
    return { kind: 'set', set: this.#escaped(char) }
  }

  /** The characters that an escape stands for; the reader is behind its letter. */
  #escaped(char: string): CharSet {
    const named = CLASSES[char]
    if (named !== undefined) return named
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(char + this.text.slice(this.#at, this.#at + 4))
    if (code !== null) {
      this.#at += code[0].length - 1
      return bit(String.fromCharCode(Number.parseInt(code[1] ?? code[2], 16)))
    }
    if (char === 'p' || char === 'P') {
      this.#at += /^\{[^}]*\}/.exec(this.text.slice(this.#at))?.[0].length ?? 0
      return ALL
    }
    return bit(ESCAPES[char] ?? char)
  }

  #class(): PatternNode | undefined {
    const isNegated = this.#take('^')
    let set: CharSet = 0n
    let last: string | undefined
    for (let isFirst = true; isFirst || this.text[this.#at] !== ']'; isFirst = false) {
      const char = this.text[this.#at++]
      if (char === undefined) return undefined
      // An empty class matches nothing.
      if (isFirst && char === ']') return { kind: 'set', set: isNegated ? ALL : 0n }
      if (char === '\\') {
        const escaped = this.text[this.#at++] ?? ''
        set |= this.#escaped(escaped)
        last = CLASSES[escaped] === undefined ? (ESCAPES[escaped] ?? escaped) : undefined
      } else if (char === '-' && last !== undefined && this.text[this.#at] !== ']') {
        const end = this.text[this.#at++]
        set |= range(last, end === '\\' ? (this.text[this.#at++] ?? '') : (end ?? ''))
        last = undefined
      } else {
        set |= bit(char)
        last = char
      }
    }
    this.#at++
    if (this.ignoresCase) set |= otherCase(set)
    return { kind: 'set', set: isNegated ? ALL & ~(set & ~BEYOND) : set }
  }

  #take(char: string): boolean {
    if (this.text[this.#at] !== char) return false
    this.#at++
    return true
  }
}

function bounds(quantifier: string): [min: number, max: number] {
  switch (quantifier[0]) {
    case '*':
      return [0, Number.POSITIVE_INFINITY]
    case '+':
      return [1, Number.POSITIVE_INFINITY]
    case '?':
      return [0, 1]
    default: {
      const [, min, comma, max] = /^\{(\d+)(,?)(\d*)\}/.exec(quantifier) ?? []
      if (comma === '') return [Number(min), Number(min)]
      return [Number(min), max === '' ? Number.POSITIVE_INFINITY : Number(max)]
    }
  }
}

function bit(char: string): CharSet {
  const code = char.charCodeAt(0)
  return code < 128 ? 1n << BigInt(code) : BEYOND
}

function range(from: string, to: string): CharSet {
  let set: CharSet = to.charCodeAt(0) > 127 ? BEYOND : 0n
  for (let code = from.charCodeAt(0); code <= Math.min(to.charCodeAt(0), 127); code++) set |= 1n << BigInt(code)
  return set
}

/** The letters of the other case. */
function otherCase(set: CharSet): CharSet {
  const upper = range('A', 'Z')
  const lower = range('a', 'z')
  return ((set & upper) << 32n) | ((set & lower) >> 32n)
}

const DIGITS = range('0', '9')
const WORD = DIGITS | range('a', 'z') | range('A', 'Z') | bit('_')
const BLANK = [' ', '\t', '\n', '\r', '\f', '\v'].reduce((set, char) => set | bit(char), BEYOND)
const CLASSES: Readonly<Record<string, CharSet>> = {
  d: DIGITS,
  D: ALL & ~DIGITS,
  w: WORD,
  W: ALL & ~WORD,
  s: BLANK,
  S: ALL & ~(BLANK & ~BEYOND),
}
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' }
