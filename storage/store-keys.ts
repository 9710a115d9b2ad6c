/** Keys of a store: what they may be, and their order. */
import type { RangeOptions } from './engine.js'

/** Bytes of a key at most: what LMDB takes with pages of 4,096 bytes. */
export const KEY_BYTES_MAX = 1_978

/** @throws RangeError for a key without bytes or with too many */
export function checkKey(key: Uint8Array): void {
  if (key.length === 0 || key.length > KEY_BYTES_MAX) {
    throw new RangeError(`a key has 1 to ${KEY_BYTES_MAX} bytes, this one ${key.length}`)
  }
}

/** Below 0 where `a` comes first: by unsigned bytes, a key before those it begins. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false
  for (let index = 0; index < prefix.length; index++) if (key[index] !== prefix[index]) return false
  return true
}

/** The first key behind all that begin with `prefix`; undefined where there is none. */
export function keyBehind(prefix: Uint8Array): Uint8Array | undefined {
  let last = prefix.length - 1
  while (last >= 0 && prefix[last] === 0xff) last--
  if (last < 0) return undefined
  const key = prefix.slice(0, last + 1)
  key[last]++
  return key
}

/** Where a range begins; undefined for the start of the table. */
export function firstKey({ from, prefix }: RangeOptions): Uint8Array | undefined {
  const first = from !== undefined && prefix !== undefined && compareKeys(from, prefix) < 0 ? prefix : (from ?? prefix)
  return first === undefined || first.length === 0 ? undefined : first
}
