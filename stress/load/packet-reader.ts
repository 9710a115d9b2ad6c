import { readVarint, VARINT_MALFORMED, varintBytes } from '../../src/mqtt/varint.js'

/** Receives packets one by one. `bytes` is only valid during the call; the body is `bytes[start … end - 1]`. */
export interface PacketSink {
  onPacket(firstByte: number, bytes: Uint8Array, start: number, end: number): void
}

const CONTINUES = 0x80

/**
 * Cuts the bytes of one connection into packets. A whole chunk is walked at once and nothing is copied, except a packet
 * that two chunks share. It trusts the broker with lengths, since it is a measuring instrument and no server.
 */
export class PacketReader {
  /** The start of a packet whose end has not come yet. */
  #partial = new Uint8Array(0)
  #partialBytes = 0

  constructor(private readonly sink: PacketSink) {}

  /** Forgets a packet that will never be completed, for use with a new connection. */
  reset(): void {
    this.#partialBytes = 0
  }

  /** Hot: once per read. @throws what the sink throws, and an Error for a length that is malformed */
  read(bytes: Uint8Array, length: number): void {
    let at = this.#partialBytes === 0 ? 0 : this.#complete(bytes, length)
    while (length - at >= 2) {
      let start = at + 2
      let remaining = bytes[at + 1]
      if (remaining >= CONTINUES) {
        remaining = remainingLength(bytes, at, length)
        if (remaining < 0) break
        start += varintBytes(remaining) - 1
      }
      const end = start + remaining
      if (end > length) break
      this.sink.onPacket(bytes[at], bytes, start, end)
      at = end
    }
    if (at < length) this.#keep(bytes, at, length)
  }

  /** Adds what is missing of the partial packet and delivers it. @returns how many of the bytes it took */
  #complete(bytes: Uint8Array, length: number): number {
    let taken = 0
    while (taken < length) {
      const remaining = remainingLength(this.#partial, 0, this.#partialBytes)
      if (remaining < 0) {
        this.#keep(bytes, taken, taken + 1)
        taken++
        continue
      }
      const start = 1 + varintBytes(remaining)
      const end = start + remaining
      const missing = Math.min(end - this.#partialBytes, length - taken)
      this.#reserve(end)
      this.#keep(bytes, taken, taken + missing)
      taken += missing
      if (this.#partialBytes < end) break
      this.#partialBytes = 0
      this.sink.onPacket(this.#partial[0], this.#partial, start, end)
      return taken
    }
    this.#deliverEmpty()
    return length
  }

  /** A packet without a body is complete with its length, which may have been the last byte of the chunk. */
  #deliverEmpty(): void {
    if (this.#partialBytes !== 2 || this.#partial[1] !== 0) return
    this.#partialBytes = 0
    this.sink.onPacket(this.#partial[0], this.#partial, 2, 2)
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(this.#partialBytes + to - from)
    this.#partial.set(bytes.subarray(from, to), this.#partialBytes)
    this.#partialBytes += to - from
  }

  #reserve(size: number): void {
    if (size <= this.#partial.length) return
    const grown = new Uint8Array(Math.max(size, 64))
    grown.set(this.#partial.subarray(0, this.#partialBytes))
    this.#partial = grown
  }
}

/** @returns the remaining length of the packet at `at`, or -1 while its bytes are not all there */
function remainingLength(bytes: Uint8Array, at: number, length: number): number {
  const value = readVarint(bytes, at + 1, length)
  if (value === VARINT_MALFORMED) throw new Error('the broker sent a remaining length that is malformed')
  return value
}
