/** Keys of the store's tables. Numbers are big-endian, so that the order of bytes is the order of numbers. */
import { createHash } from 'node:crypto'
import type { Publisher } from '../src/contracts/storage.js'

/** What LMDB takes, less the session number. */
const TEXT_KEY_BYTES_MAX = 1_900
const KEPT_PREFIX_BYTES = 1_800

export const NUMBER_KEY_BYTES = 8

/** Writes `value`, 0 to 2^53 - 1, as the eight bytes at `at`. */
export function writeNumberKey(target: Uint8Array, at: number, value: number): void {
  const low = value % 0x1_0000_0000
  const high = Math.floor(value / 0x1_0000_0000)
  target[at] = high >>> 24
  target[at + 1] = high >>> 16
  target[at + 2] = high >>> 8
  target[at + 3] = high
  target[at + 4] = low >>> 24
  target[at + 5] = low >>> 16
  target[at + 6] = low >>> 8
  target[at + 7] = low
}

export function numberKey(value: number): Uint8Array {
  const key = new Uint8Array(NUMBER_KEY_BYTES)
  writeNumberKey(key, 0, value)
  return key
}

export function readNumberKey(key: Uint8Array, at = 0): number {
  const high = key[at] * 0x100_0000 + (key[at + 1] << 16) + (key[at + 2] << 8) + key[at + 3]
  const low = key[at + 4] * 0x100_0000 + (key[at + 5] << 16) + (key[at + 6] << 8) + key[at + 7]
  return high * 0x1_0000_0000 + low
}

/** Of a QoS 2 message received from a session. */
export function receivedKey({ session, packetId }: Publisher): Uint8Array {
  const key = new Uint8Array(NUMBER_KEY_BYTES + 2)
  writeNumberKey(key, 0, session)
  key[NUMBER_KEY_BYTES] = packetId >> 8
  key[NUMBER_KEY_BYTES + 1] = packetId
  return key
}

/** Of a topic or filter: its own bytes, or what a hash tells apart where they are too many for a key. */
export function textKey(text: Uint8Array): Uint8Array {
  if (text.length <= TEXT_KEY_BYTES_MAX) return text
  const key = new Uint8Array(KEPT_PREFIX_BYTES + 32)
  key.set(text.subarray(0, KEPT_PREFIX_BYTES))
  key.set(createHash('sha256').update(text).digest(), KEPT_PREFIX_BYTES)
  return key
}

/** What the keys of all texts begin with that begin with this one. */
export function textKeyPrefix(text: Uint8Array): Uint8Array {
  return text.length <= KEPT_PREFIX_BYTES ? text : text.subarray(0, KEPT_PREFIX_BYTES)
}

/** Of a subscription. */
export function subscriptionKey(session: number, filter: Uint8Array): Uint8Array {
  const text = textKey(filter)
  const key = new Uint8Array(NUMBER_KEY_BYTES + text.length)
  writeNumberKey(key, 0, session)
  key.set(text, NUMBER_KEY_BYTES)
  return key
}
