/** Reads what certificates and the like are made of: DER (ITU-T X.690), as far as dates are found in it. */

export const DerTag = {
  INTEGER: 0x02,
  OCTET_STRING: 0x04,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  /** `[0]`, around something else. */
  EXPLICIT_0: 0xa0,
} as const

/** A tag and its content, which is a view of what it was read from. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
}

const LENGTH_BYTES_MAX = 4
/** The century of a year with two digits (RFC 5280, 4.1.2.5.1). */
const CENTURY_FROM = 50
const TIME = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/** The elements that the bytes consist of. @throws Error where they are no DER */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]
    const [start, length] = lengthAt(bytes, at + 1)
    const end = start + length
    if (end > bytes.length) throw new Error('an element is longer than what holds it')
    elements.push({ tag, content: bytes.subarray(start, end) })
    at = end
  }
  return elements
}

/** @returns milliseconds since 1970; undefined for what is no time */
export function derTime({ tag, content }: DerElement): number | undefined {
  const match = isDerTime(tag) ? TIME.exec(content.toString('latin1')) : null
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number)
  const century = match[1].length === 4 ? 0 : year < CENTURY_FROM ? 2_000 : 1_900
  return Date.UTC(century + year, month - 1, day, hour, minute, second)
}

export function isDerTime(tag: number): boolean {
  return tag === DerTag.UTC_TIME || tag === DerTag.GENERALIZED_TIME
}

/** @returns where the content begins, and its length */
function lengthAt(bytes: Buffer, at: number): readonly [start: number, length: number] {
  const first = bytes.at(at)
  if (first === undefined) throw new Error('the length of an element is missing')
  if (first < 0x80) return [at + 1, first]
  const count = first & 0x7f
  if (count === 0 || count > LENGTH_BYTES_MAX || at + 1 + count > bytes.length) {
    throw new Error('the length of an element cannot be read')
  }
  return [at + 1 + count, bytes.readUIntBE(at + 1, count)]
}
