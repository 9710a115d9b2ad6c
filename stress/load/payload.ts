/**
 * The stamp at the start of every payload; the rest is filler.
 *   byte 0   stream     which topic of which publisher, uint32
 *   byte 4   sequence   0, 1, 2, … in the stream, uint32
 *   byte 8   sent       microseconds of `nowMicros`, uint32, wraps after 71 minutes
 * Four bytes at a time by hand: a DataView would have to be made for each chunk of a socket.
 */
export const STAMP_BYTES = 12

/** Microseconds of the monotonic clock as uint32. The difference of two, `>>> 0`, is right up to 71 minutes. */
export function nowMicros(): number {
  return (performance.now() * 1_000) >>> 0
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
}
