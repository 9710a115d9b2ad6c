/**
 * One producer, one consumer, one SharedArrayBuffer: the data plane between two threads.
 *
 *   Int32 index  0   written   bytes ever published; stored by the producer only
 *   Int32 index 16   read      bytes ever consumed; stored by the consumer only
 *   byte 128         data      2^n bytes
 *
 * Counters wrap at 2^32 and sit 64 bytes apart, so the two threads never write to one cache line. A record starts at a
 * multiple of 8, is contiguous, and begins with its length in bytes (header included, padded to 8):
 *
 *   int 0   length, or WRAP (the rest up to the end of the data is unused), or length | FRAGMENT
 *   int 1…  whatever the two sides agreed on (contracts/records.ts); of a fragment: total length, offset, bytes
 *
 * A producer never fails: what does not fit waits in its overflow, and `isCongested` tells the owner to stop taking work
 * that would add to it. That is how back-pressure travels, and why the overflow is bounded by one piece of work.
 */
const WRITTEN = 0
const READ = 16
const DATA_BYTE = 128
const WRAP = -1
const FRAGMENT = 0x4000_0000
const LENGTH_MASK = 0x3fff_ffff
const FRAGMENT_HEADER_BYTES = 16
const OVERFLOW_CHUNK_BYTES = 65_536

/** Rounds up to a multiple of 8. */
export function aligned8(bytes: number): number {
  return (bytes + 7) & ~7
}

/** Of the record at byte offset `at`, its header included. */
export function recordBytes(ints: Int32Array, at: number): number {
  return ints[at >> 2] & LENGTH_MASK
}

export function createRingMemory(bytes: number): SharedArrayBuffer {
  let capacity = 4_096
  while (capacity < bytes) capacity *= 2
  return new SharedArrayBuffer(DATA_BYTE + capacity)
}

/** Records that wait in ordinary memory for space in the ring, in the layout of the ring. */
class OverflowChunk {
  readonly bytes: Uint8Array
  readonly ints: Int32Array
  used = 0
  taken = 0
  constructor(capacity: number) {
    const memory = new ArrayBuffer(capacity)
    this.bytes = new Uint8Array(memory)
    this.ints = new Int32Array(memory)
  }
}

export class RingProducer {
  /** Where the record of the last `begin` lies; shared memory, or the overflow. */
  bytes: Uint8Array
  ints: Int32Array
  readonly #counters: Int32Array
  readonly #ringBytes: Uint8Array
  readonly #ringInts: Int32Array
  readonly #capacity: number
  readonly #recordBytesMax: number
  #written = 0
  #published = 0
  #readSeen = 0
  #inOverflow = false
  #overflow: OverflowChunk[] = []
  #fragmentOffset = 0

  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory, 0, 32)
    this.#ringBytes = new Uint8Array(memory, DATA_BYTE)
    this.#ringInts = new Int32Array(memory, DATA_BYTE)
    this.#capacity = this.#ringBytes.length
    this.#recordBytesMax = this.#capacity >> 2
    this.bytes = this.#ringBytes
    this.ints = this.#ringInts
    this.#written = Atomics.load(this.#counters, WRITTEN)
    this.#published = this.#written
    this.#readSeen = Atomics.load(this.#counters, READ)
  }

  /** True while records wait in the overflow: take no new work until `publish` has moved them. */
  get isCongested(): boolean {
    return this.#overflow.length > 0
  }

  /**
   * Makes room for a record of at most `length` bytes. @returns its byte offset in `bytes` (and, divided by 4, in `ints`).
   * Exactly one record is open at a time; `end` closes it.
   */
  begin(length: number): number {
    const needed = aligned8(length)
    if (this.#overflow.length === 0 && needed <= this.#recordBytesMax) {
      const at = this.#reserve(needed)
      if (at >= 0) {
        this.bytes = this.#ringBytes
        this.ints = this.#ringInts
        this.#inOverflow = false
        return at
      }
    }
    let chunk = this.#overflow[this.#overflow.length - 1]
    if (chunk === undefined || chunk.bytes.length - chunk.used < needed) {
      chunk = new OverflowChunk(Math.max(OVERFLOW_CHUNK_BYTES, needed))
      this.#overflow.push(chunk)
    }
    this.bytes = chunk.bytes
    this.ints = chunk.ints
    this.#inOverflow = true
    return chunk.used
  }

  /** Closes the record at `at`; `length` may be less than was asked for. Invisible to the consumer until `publish`. */
  end(at: number, length: number): void {
    const padded = aligned8(length)
    this.ints[at >> 2] = padded
    if (this.#inOverflow) this.#overflow[this.#overflow.length - 1].used += padded
    else this.#written = (this.#written + padded) | 0
  }

  /** Moves the overflow as far as there is space, and makes all closed records visible. @returns true if there were any */
  publish(): boolean {
    if (this.#overflow.length > 0) this.#moveOverflow()
    if (this.#written === this.#published) return false
    this.#published = this.#written
    Atomics.store(this.#counters, WRITTEN, this.#written)
    return true
  }

  /** @returns the offset of `needed` contiguous bytes, or -1 when the ring is full */
  #reserve(needed: number): number {
    const mask = this.#capacity - 1
    let at = this.#written & mask
    const untilEnd = this.#capacity - at
    const total = untilEnd < needed ? untilEnd + needed : needed
    if (this.#capacity - ((this.#written - this.#readSeen) | 0) < total) {
      this.#readSeen = Atomics.load(this.#counters, READ)
      if (this.#capacity - ((this.#written - this.#readSeen) | 0) < total) return -1
    }
    if (untilEnd < needed) {
      this.#ringInts[at >> 2] = WRAP
      this.#written = (this.#written + untilEnd) | 0
      at = 0
    }
    return at
  }

  #moveOverflow(): void {
    while (this.#overflow.length > 0) {
      const chunk = this.#overflow[0]
      while (chunk.taken < chunk.used) {
        const length = chunk.ints[chunk.taken >> 2]
        const moved =
          length > this.#recordBytesMax ? this.#moveFragments(chunk, length) : this.#moveRecord(chunk, length)
        if (!moved) return
        chunk.taken += length
      }
      this.#overflow.shift()
    }
  }

  #moveRecord(chunk: OverflowChunk, length: number): boolean {
    const at = this.#reserve(length)
    if (at < 0) return false
    this.#ringBytes.set(chunk.bytes.subarray(chunk.taken, chunk.taken + length), at)
    this.#written = (this.#written + length) | 0
    return true
  }

  #moveFragments(chunk: OverflowChunk, total: number): boolean {
    const piece = this.#recordBytesMax - FRAGMENT_HEADER_BYTES
    while (this.#fragmentOffset < total) {
      const size = Math.min(piece, total - this.#fragmentOffset)
      const length = aligned8(size + FRAGMENT_HEADER_BYTES)
      const at = this.#reserve(length)
      if (at < 0) return false
      this.#ringInts[at >> 2] = length | FRAGMENT
      this.#ringInts[(at >> 2) + 1] = total
      this.#ringInts[(at >> 2) + 2] = this.#fragmentOffset
      this.#ringInts[(at >> 2) + 3] = size
      const from = chunk.taken + this.#fragmentOffset
      this.#ringBytes.set(chunk.bytes.subarray(from, from + size), at + FRAGMENT_HEADER_BYTES)
      this.#written = (this.#written + length) | 0
      this.#fragmentOffset += size
    }
    this.#fragmentOffset = 0
    return true
  }
}

/** Called for each record; `at` is its byte offset. The memory is the producer's again when the call returns. */
export type RecordHandler = (bytes: Uint8Array, ints: Int32Array, at: number) => void

export class RingConsumer {
  readonly #counters: Int32Array
  readonly #bytes: Uint8Array
  readonly #ints: Int32Array
  readonly #capacity: number
  #read: number
  #large: Uint8Array | undefined

  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory, 0, 32)
    this.#bytes = new Uint8Array(memory, DATA_BYTE)
    this.#ints = new Int32Array(memory, DATA_BYTE)
    this.#capacity = this.#bytes.length
    this.#read = Atomics.load(this.#counters, READ)
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#counters, WRITTEN) === this.#read
  }

  /**
   * Hands records to `handle` until the ring is empty or `bytesMax` have been taken; at least one if there is any.
   * @returns bytes taken
   */
  drain(handle: RecordHandler, bytesMax: number): number {
    const written = Atomics.load(this.#counters, WRITTEN)
    const available = (written - this.#read) | 0
    if (available === 0) return 0
    const mask = this.#capacity - 1
    let taken = 0
    try {
      while (taken < available && taken < bytesMax) {
        const at = (this.#read + taken) & mask
        const head = this.#ints[at >> 2]
        if (head === WRAP) {
          taken += this.#capacity - at
          continue
        }
        const length = recordBytes(this.#ints, at)
        taken += length // first, so that a record whose handler throws is not handed out again
        if (head & FRAGMENT) this.#collect(at, handle)
        else handle(this.#bytes, this.#ints, at)
      }
    } finally {
      this.#read = (this.#read + taken) | 0
      Atomics.store(this.#counters, READ, this.#read)
    }
    return taken
  }

  #collect(at: number, handle: RecordHandler): void {
    const total = this.#ints[(at >> 2) + 1]
    const offset = this.#ints[(at >> 2) + 2]
    const size = this.#ints[(at >> 2) + 3]
    if (offset === 0) this.#large = new Uint8Array(total)
    const large = this.#large
    if (large === undefined) return
    large.set(this.#bytes.subarray(at + FRAGMENT_HEADER_BYTES, at + FRAGMENT_HEADER_BYTES + size), offset)
    if (offset + size < total) return
    this.#large = undefined
    handle(large, new Int32Array(large.buffer), 0)
  }
}
