/**
 * Numbers as text and back. A text is a number if it is a decimal one with a dot, with or without sign and exponent;
 * white space around it is of no account. Hexadecimal, thousands separators, `NaN` and `Infinity` are not.
 */

const ZERO = 48
const NINE = 57
const PLUS = 43
const MINUS = 45
const DOT = 46

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)
/** Below this, one more digit keeps an integer exact. */
const EXACT_MAX = 2 ** 53 / 10 - 1

/** @returns undefined if `text` is not a number */
export function parseNumber(text: string): number | undefined {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  if (start === end) return undefined
  let at = start
  const first = text.charCodeAt(at)
  if (first === MINUS || first === PLUS) at++
  let digits = 0
  let value = 0
  let decimals = 0
  for (let dotted = false; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code >= ZERO && code <= NINE) {
      digits++
      if (value > EXACT_MAX) return parseLong(text, start, end)
      value = value * 10 + (code - ZERO)
      if (dotted) decimals++
    } else if (code === DOT && !dotted) dotted = true
    else return digits > 0 && (code | 32) === 101 ? parseLong(text, start, end) : undefined
  }
  if (digits === 0) return undefined
  if (decimals > 22) return parseLong(text, start, end)
  if (decimals > 0) value /= POWERS[decimals]
  return first === MINUS ? 0 - value : value
}

/** The same, for the ASCII bytes of a payload. */
export function parseNumberBytes(bytes: Uint8Array): number | undefined {
  let start = 0
  let end = bytes.length
  while (start < end && isBlank(bytes[start])) start++
  while (end > start && isBlank(bytes[end - 1])) end--
  if (start === end) return undefined
  let at = start
  const first = bytes[at]
  if (first === MINUS || first === PLUS) at++
  let digits = 0
  let value = 0
  let decimals = 0
  for (let dotted = false; at < end; at++) {
    const code = bytes[at]
    if (code >= ZERO && code <= NINE) {
      digits++
      if (value > EXACT_MAX) return parseLongBytes(bytes, start, end)
      value = value * 10 + (code - ZERO)
      if (dotted) decimals++
    } else if (code === DOT && !dotted) dotted = true
    else return digits > 0 && (code | 32) === 101 ? parseLongBytes(bytes, start, end) : undefined
  }
  if (digits === 0) return undefined
  if (decimals > 22) return parseLongBytes(bytes, start, end)
  if (decimals > 0) value /= POWERS[decimals]
  return first === MINUS ? 0 - value : value
}

const LONG_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const LONG_NUMBER_LENGTH_MAX = 1_000

/** Many digits or an exponent. One that a double cannot hold is not a number. */
function parseLong(text: string, start: number, end: number): number | undefined {
  if (end - start > LONG_NUMBER_LENGTH_MAX) return undefined
  const trimmed = text.slice(start, end)
  if (!LONG_NUMBER.test(trimmed)) return undefined
  const value = Number(trimmed)
  return Number.isFinite(value) ? value : undefined
}

function parseLongBytes(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > LONG_NUMBER_LENGTH_MAX) return undefined
  const text = String.fromCharCode(...bytes.subarray(start, end))
  return parseLong(text, 0, text.length)
}

/** Shortest decimal text that gives the number back; whole numbers have no fraction. What is not finite has no text. */
export function numberToText(value: number): string {
  const thousandths = Math.round(value * 1_000)
  // Measured values have few decimals. Of up to 15 digits, no shorter text means the same double, so this is the shortest.
  if (thousandths / 1_000 === value && thousandths > -QUICK_MAX && thousandths < QUICK_MAX) {
    return thousandths < 0 ? `-${thousandthsToText(-thousandths)}` : thousandthsToText(thousandths)
  }
  return value - value === 0 ? String(value) : ''
}

const QUICK_MAX = 1e12

function thousandthsToText(thousandths: number): string {
  const whole = Math.trunc(thousandths / 1_000)
  const rest = thousandths - whole * 1_000
  if (rest === 0) return String(whole)
  if (rest % 100 === 0) return `${whole}.${rest / 100}`
  if (rest % 10 === 0) return rest < 100 ? `${whole}.0${rest / 10}` : `${whole}.${rest / 10}`
  return `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`
}
