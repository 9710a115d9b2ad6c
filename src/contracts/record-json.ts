/** JSON in records, for the rare ones. */
import { encodeText } from '../base/bytes.js'

export function jsonBytes(value: unknown): Uint8Array {
  return encodeText(JSON.stringify(value))
}
