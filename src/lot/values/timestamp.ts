/** `TIMESTAMP "format"`: named formats and patterns as .NET knows them, in UTC, with English names. */

/** A format made ready. @param ms since 1970 */
export type TimestampFormat = (ms: number) => string

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = 'January February March April May June July August September October November December'.split(' ')

export function isoText(ms: number): string {
  return new Date(ms).toISOString()
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value))
const hour12 = (date: Date): number => date.getUTCHours() % 12 || 12

const TOKENS: Readonly<Record<string, (date: Date) => string>> = {
  yyyy: (date) => String(date.getUTCFullYear()).padStart(4, '0'),
  yy: (date) => two(date.getUTCFullYear() % 100),
  MMMM: (date) => MONTHS[date.getUTCMonth()],
  MMM: (date) => MONTHS[date.getUTCMonth()].slice(0, 3),
  MM: (date) => two(date.getUTCMonth() + 1),
  M: (date) => String(date.getUTCMonth() + 1),
  dddd: (date) => DAYS[date.getUTCDay()],
  ddd: (date) => DAYS[date.getUTCDay()].slice(0, 3),
  dd: (date) => two(date.getUTCDate()),
  d: (date) => String(date.getUTCDate()),
  HH: (date) => two(date.getUTCHours()),
  H: (date) => String(date.getUTCHours()),
  hh: (date) => two(hour12(date)),
  h: (date) => String(hour12(date)),
  mm: (date) => two(date.getUTCMinutes()),
  m: (date) => String(date.getUTCMinutes()),
  ss: (date) => two(date.getUTCSeconds()),
  s: (date) => String(date.getUTCSeconds()),
  fff: (date) => String(date.getUTCMilliseconds()).padStart(3, '0'),
  ff: (date) => two(Math.floor(date.getUTCMilliseconds() / 10)),
  f: (date) => String(Math.floor(date.getUTCMilliseconds() / 100)),
  tt: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  t: (date) => (date.getUTCHours() < 12 ? 'A' : 'P'),
  zzz: () => '+00:00',
  zz: () => '+00',
  z: () => '+0',
  K: () => 'Z',
}

/** `HOUR`, `LOCAL`: a word in capitals that is no pattern is the name of a format that does not exist. */
const UNKNOWN_NAME = /^(?=.*[^yMdHhmsftzKTZ\W])[A-Z][A-Z-]+$/

const EMPTY: TimestampFormat = () => ''

/** @returns for a pattern that is not valid, a format that yields no text */
export function timestampFormat(format: string): TimestampFormat {
  switch (format) {
    case 'ISO':
      return lastKept(isoText)
    case 'UTC':
      return lastKept((ms) => isoText(ms).slice(0, 19).replace('T', ' '))
    case 'UNIX':
      return (ms) => String(Math.floor(ms / 1_000))
    case 'UNIX-MS':
      return (ms) => String(Math.floor(ms))
    default:
      return UNKNOWN_NAME.test(format) ? EMPTY : pattern(format)
  }
}

/** Many messages share a millisecond. */
function lastKept(format: TimestampFormat): TimestampFormat {
  let lastMs = Number.NaN
  let lastText = ''
  return (ms) => {
    if (ms !== lastMs) {
      lastText = format(ms)
      lastMs = ms
    }
    return lastText
  }
}

/** A run of one letter, a quoted literal, an escaped character, or any other one. */
const PIECE = /([a-zA-Z])\1*|'([^']*)'|"([^"]*)"|\\([\s\S])|[\s\S]/g

function pattern(format: string): TimestampFormat {
  const pieces: ((date: Date) => string)[] = []
  for (const [whole, letter, single, double, escaped] of format.matchAll(PIECE)) {
    const literal = single ?? double ?? escaped
    const token = literal === undefined && letter !== undefined ? tokenOf(whole, letter) : undefined
    // A quote without its partner, or a backslash with nothing behind it.
    if (literal === undefined && (whole === "'" || whole === '"' || whole === '\\')) return EMPTY
    const text = literal ?? whole
    pieces.push(token ?? (() => text))
  }
  return lastKept((ms) => {
    const date = new Date(ms)
    return pieces.map((piece) => piece(date)).join('')
  })
}

/** Longer runs than the longest token mean that token, but for fractions, where they add digits. */
function tokenOf(run: string, letter: string): ((date: Date) => string) | undefined {
  const exact = TOKENS[run]
  if (exact !== undefined) return exact
  if (letter === 'f') return (date) => TOKENS.fff(date).padEnd(Math.min(run.length, 7), '0')
  const longest = [4, 3, 2, 1].map((length) => letter.repeat(length)).find((name) => TOKENS[name] !== undefined)
  if (longest === undefined) return undefined
  return letter === 'y' && run.length < 4 ? TOKENS.yyyy : TOKENS[longest]
}

const ISO_TEXT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+-]\d\d:?\d\d)?)?$/
/** Smaller numbers are seconds since 1970, larger ones milliseconds. */
const SECONDS_MAX = 1e11
const INSTANT_MAX = 8.64e15

/** @param value ISO text (without zone: UTC), or seconds or milliseconds since 1970 @returns ms since 1970 */
export function instantOf(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') {
    const ms = Math.abs(value) < SECONDS_MAX ? value * 1_000 : value
    return Math.abs(ms) <= INSTANT_MAX ? Math.trunc(ms) : undefined
  }
  const parts = ISO_TEXT.exec(value.trim())
  if (parts === null) return undefined
  const [, date, time = '00:00:00', zone = 'Z'] = parts
  const ms = Date.parse(`${date}T${time}${zone}`)
  return Number.isNaN(ms) ? undefined : ms
}
