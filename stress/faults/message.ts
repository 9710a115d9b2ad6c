/** What stands in every payload, so that a delivery can be told from all others: stream and sequence number. */
import { readUint32, writeUint32 } from '../load/payload.js'

/** byte 0: number of the stream, uint32; byte 4: sequence number in the stream, uint32; the rest is filler. */
const STAMP_BYTES = 8

export interface Stamp {
  readonly stream: number
  readonly sequence: number
}

/** @param size of the whole payload in bytes, 8 or more */
export function encodeMessage(stamp: Stamp, size: number): Uint8Array {
  const payload = new Uint8Array(Math.max(size, STAMP_BYTES)).fill(FILLER)
  writeUint32(payload, 0, stamp.stream)
  writeUint32(payload, 4, stamp.sequence)
  return payload
}

/** @returns undefined for a payload that `encodeMessage` did not make, or that was damaged on the way */
export function decodeMessage(payload: Uint8Array): Stamp | undefined {
  if (payload.length < STAMP_BYTES) return undefined
  for (let at = STAMP_BYTES; at < payload.length; at++) if (payload[at] !== FILLER) return undefined
  return { stream: readUint32(payload, 0), sequence: readUint32(payload, 4) }
}

const FILLER = 0x2e
