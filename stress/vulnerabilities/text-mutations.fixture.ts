/** For tests: texts that are nearly right. */
import type { Random } from '../load/random.js'

/** Characters and words that mean something to one parser or another. */
const PIECES = [
  '"',
  "'",
  '\\',
  '\n',
  '\r\n    ',
  '\t',
  '\0',
  '\u2028',
  '\ufeff',
  '//',
  '(',
  ')',
  '#',
  '+',
  '/',
  '$SYS/',
  '{',
  '}',
  '{{',
  '-1',
  '1e999',
  '99999999999999999999',
  'ALLOW',
  'DENY',
  'ELSE',
  'NOT ',
  'OR USER IS "ann"',
  'DEFINE RULE ',
  'REGEX "(a+)+$"',
  '__proto__',
  'constructor',
  '-requestId x',
  '\ud800',
  'ä',
  '😀',
]

/** @returns the text with one to four changes; now and then something else altogether */
export function mutated(text: string, random: Random): string {
  if (random.integer(20) === 0) return noise(random)
  let result = text
  for (let count = 1 + random.integer(4); count > 0; count--) result = mutatedOnce(result, random)
  return result
}

function mutatedOnce(text: string, random: Random): string {
  const from = random.integer(text.length + 1)
  const to = Math.min(text.length, from + random.integer(12))
  const [before, part, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)]
  switch (random.integer(6)) {
    case 0:
      return before + after
    case 1:
      return before + part.repeat(1 + random.integer(40)) + after
    case 2:
      return before + PIECES[random.integer(PIECES.length)]! + after
    case 3:
      return before + PIECES[random.integer(PIECES.length)]! + part + after
    case 4:
      return before + part.toLowerCase() + after
    default:
      return before
  }
}

function noise(random: Random): string {
  return Buffer.from(Array.from({ length: random.integer(200) }, () => random.integer(256))).toString()
}
