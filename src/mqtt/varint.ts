/**
 * Variable byte integers (§1.5.5): seven bits a byte, least significant first, four bytes at most. Only the shortest
 * form of a value is accepted [MQTT-1.5.5-1], so the value alone tells how many bytes it took: `varintBytes(value)`.
 */
export const VARINT_MAX = 268_435_455

/** The bytes end before the integer does. */
export const VARINT_INCOMPLETE = -1
/** Longer than four bytes, or not the shortest form. */
export const VARINT_MALFORMED = -2

/** @returns the value, or VARINT_INCOMPLETE or VARINT_MALFORMED. Hot: never throws, never allocates. */
export function readVarint(bytes: Uint8Array, offset: number, end: number): number {
  if (offset >= end) return VARINT_INCOMPLETE
  const first = bytes[offset]
  if (first < 0x80) return first
  let value = first & 0x7f
  for (let index = 1; index < 4; index++) {
    if (offset + index >= end) return VARINT_INCOMPLETE
    const byte = bytes[offset + index]
    value |= (byte & 0x7f) << (7 * index)
    if (byte < 0x80) return byte === 0 ? VARINT_MALFORMED : value
  }
  return VARINT_MALFORMED
}

/** @param value 0 to VARINT_MAX. @returns 1 to 4 */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  return value < 0x20_0000 ? 3 : 4
}

/** @param value 0 to VARINT_MAX. @returns the offset after it */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  while (value > 0x7f) {
    target[offset++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  target[offset++] = value
  return offset
}
