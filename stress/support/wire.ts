/** Bytes for test packets, built by hand so that a test can also build what no encoder would. */

/** Anything that can stand in a packet: bytes, a list of byte values, or a text (UTF-8, without a length). */
export type Part = Uint8Array | readonly number[] | string

/** All parts behind one another. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from(part))))
}

export function uint16(value: number): Uint8Array {
  return Buffer.of((value >>> 8) & 0xff, value & 0xff)
}

export function uint32(value: number): Uint8Array {
  return bytes(uint16(Math.floor(value / 0x1_0000)), uint16(value % 0x1_0000))
}

/** A Variable Byte Integer (§1.5.5); `length` above the minimum makes the padded form that a receiver must refuse. */
export function varint(value: number, length = 1): Uint8Array {
  const digits: number[] = []
  do {
    digits.push(value % 128)
    value = Math.floor(value / 128)
  } while (value > 0 || digits.length < length)
  return Buffer.from(digits.map((digit, index) => (index < digits.length - 1 ? digit | 0x80 : digit)))
}

/** Length-prefixed: a UTF-8 Encoded String (§1.5.4) for a text, Binary Data (§1.5.6) for bytes. */
export function prefixed(content: Part): Uint8Array {
  const body = bytes(content)
  return bytes(uint16(body.length), body)
}

/** A control packet: first byte from type and flags, remaining length, body. */
export function packet(type: number, flags: number, ...body: readonly Part[]): Uint8Array {
  const content = bytes(...body)
  return bytes([(type << 4) | flags], varint(content.length), content)
}

/** The same bytes with some replaced, for making one thing wrong in a packet that is right. */
export function patched(original: Uint8Array, at: number, ...replacement: readonly number[]): Uint8Array {
  const copy = Buffer.from(original)
  copy.set(replacement, at)
  return copy
}
