/** Texts that clients choose, as keys of maps. */
import { createHash } from 'node:crypto'

/**
 * Of a longer string V8 hashes nothing but the length: all of one length would meet in one bucket of a map, and each
 * look-up would compare them one by one.
 */
const HASHED_LENGTH_MAX = 16_383

/** @returns the text, or what stands for a long one: no other text that MQTT allows has the same key [MQTT-1.5.4-2] */
export function mapKey(text: string): string {
  if (text.length <= HASHED_LENGTH_MAX) return text
  return `\u0000${createHash('sha256').update(text).digest('base64')}`
}
