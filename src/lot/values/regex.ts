/** Regular expressions of LoT: .NET's, as far as JavaScript has the same. */

export type RegexResult =
  | { readonly regex: RegExp; readonly problem?: undefined }
  | { readonly problem: string; readonly regex?: undefined }

/**
 * Made once, when a text is compiled. Options at the start (`(?i)`, `(?im)`, `(?s)`) become flags.
 * @returns a global expression, or in words what JavaScript cannot do
 */
export function compileRegex(pattern: string): RegexResult {
  const options = /^\(\?([a-z]+)\)/.exec(pattern)
  const body = options === null ? pattern : pattern.slice(options[0].length)
  const flags = new Set('g')
  for (const option of options?.[1] ?? '') {
    if (!'ims'.includes(option)) return { problem: `the option (?${option}) is not supported` }
    flags.add(option)
  }
  const translated = translate(body)
  if (translated.problem !== undefined) return translated
  if (translated.isUnicode) flags.add('u')
  try {
    return { regex: new RegExp(translated.source, [...flags].join('')) }
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /s, '') : String(error)
    return { problem: `not a regular expression: ${reason}` }
  }
}

type Translation =
  | { readonly source: string; readonly isUnicode: boolean; readonly problem?: undefined }
  | { readonly problem: string }

const ANCHORS: Readonly<Record<string, string>> = { A: '(?<![\\s\\S])', z: '(?![\\s\\S])', Z: '(?=\\n?(?![\\s\\S]))' }

function translate(pattern: string): Translation {
  let source = ''
  let isUnicode = false
  let inClass = false
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '\\') {
      const next = pattern[++at] ?? ''
      if (next === 'G') return { problem: '\\G is not supported' }
      if (next === 'p' || next === 'P') isUnicode = true
      source += !inClass && ANCHORS[next] !== undefined ? ANCHORS[next] : `\\${next}`
      continue
    }
    if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '(' && !inClass && pattern[at + 1] === '?') {
      const rest = pattern.slice(at + 2)
      if (rest.startsWith('>')) return { problem: 'atomic groups (?>…) are not supported' }
      if (rest.startsWith('(')) return { problem: 'conditional groups (?(…)…) are not supported' }
      if (rest.startsWith('#')) {
        const close = pattern.indexOf(')', at)
        if (close < 0) return { problem: 'a comment (?#…) is not closed' }
        at = close
        continue
      }
      const quoted = /^'(\w+)'/.exec(rest)
      if (quoted !== null) {
        source += `(?<${quoted[1]}>`
        at += 1 + quoted[0].length
        continue
      }
      if (/^[a-z]*(?:-[a-z]+)?[:)]/.test(rest) && !rest.startsWith(':')) {
        return { problem: 'options such as (?i) are supported at the start only' }
      }
    } else if (char === '+' && !inClass && /[*+?}]/.test(pattern[at - 1] ?? '') && !isEscaped(pattern, at - 1)) {
      return { problem: 'possessive quantifiers (*+, ++, ?+) are not supported' }
    }
    source += char
  }
  return { source, isUnicode }
}

function isEscaped(pattern: string, at: number): boolean {
  let backslashes = 0
  while (at - 1 - backslashes >= 0 && pattern[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}
