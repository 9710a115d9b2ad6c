/** Strict validation of UTF-8 Encoded Strings (§1.5.4), on bytes and without allocating. */

/**
 * Whether `bytes[start, end)` is well formed [MQTT-1.5.4-1] and without U+0000 [MQTT-1.5.4-2]: no overlong forms, no
 * surrogates, nothing above U+10FFFF. U+FEFF is a character like others [MQTT-1.5.4-3]; so are control and
 * non-characters, which the specification lets a receiver accept. Hot: once per string of every packet.
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let position = start
  while (position < end) {
    const lead = bytes[position]
    if (lead < 0x80) {
      if (lead === 0) return false
      position += 1
    } else {
      const length = sequenceLength(bytes, position, end)
      if (length === 0) return false
      position += length
    }
  }
  return true
}

/** Bytes of the multi-byte sequence at `position`; 0 when it is ill formed (Unicode, table 3-7). */
function sequenceLength(bytes: Uint8Array, position: number, end: number): number {
  const lead = bytes[position]
  if (lead < 0xc2 || lead > 0xf4) return 0
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (end - position < length) return 0
  const second = bytes[position + 1]
  if (second < lowestSecond(lead) || second > highestSecond(lead)) return 0
  if (length > 2 && !isContinuation(bytes[position + 2])) return 0
  if (length > 3 && !isContinuation(bytes[position + 3])) return 0
  return length
}

function lowestSecond(lead: number): number {
  if (lead === 0xe0) return 0xa0 // below are overlong forms of two bytes
  if (lead === 0xf0) return 0x90 // below are overlong forms of three bytes
  return 0x80
}

function highestSecond(lead: number): number {
  if (lead === 0xed) return 0x9f // above are the surrogates
  if (lead === 0xf4) return 0x8f // above is beyond U+10FFFF
  return 0xbf
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}
