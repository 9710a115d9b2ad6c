/**
 * Counts by key that several threads share, so that a limit holds for all of them together. Each thread writes its own
 * part and reads all: nobody waits, and what a dead thread has counted is taken back by clearing its part.
 *
 *   Int32 index 0   parts
 *   Int32 index 1   slots of a part, a power of two
 *   Int32 index 2   two words that hashes begin with, so that nobody outside can choose keys that meet in one place
 *   byte 64         the parts, one after the other: slots of 16 bytes, 8 of hash (0: free) and 8 of count
 *
 * A key is in one of the `WINDOW` slots from where its hash points to. Keys with the same 64 bits of hash would be
 * counted as one.
 */
import { randomFillSync } from 'node:crypto'

const HEADER_BYTES = 64
const SLOT_BYTES = 16
const WINDOW = 64

/** @param keysMax about so many keys have room in the part of one thread */
export function createSharedCountsMemory(parts: number, keysMax: number): SharedArrayBuffer {
  let slots = WINDOW
  while (slots < keysMax * 2) slots *= 2
  const memory = new SharedArrayBuffer(HEADER_BYTES + parts * slots * SLOT_BYTES)
  const seed = randomFillSync(new Int32Array(2))
  new Int32Array(memory).set([parts, slots, seed[0], seed[1]])
  return memory
}

/** Index in 64-bit words of the count of the slot whose first int has this index. */
function countOf(slot: number): number {
  return slot / 2 + 1
}

/** Forgets what a thread has counted that is no more. */
export function clearSharedCounts(memory: SharedArrayBuffer, part: number): void {
  const bytes = new Int32Array(memory)[1] * SLOT_BYTES
  new Uint8Array(memory, HEADER_BYTES + part * bytes, bytes).fill(0)
}

export class SharedCounts {
  readonly #ints: Int32Array
  readonly #counts: BigInt64Array
  readonly #parts: number
  readonly #slots: number
  /** Hash of the key at hand. */
  #high = 0
  #low = 0

  /** @param part of this thread: nobody else may write to it */
  constructor(
    memory: SharedArrayBuffer,
    readonly part: number,
  ) {
    this.#ints = new Int32Array(memory)
    this.#counts = new BigInt64Array(memory)
    this.#parts = this.#ints[0]
    this.#slots = this.#ints[1]
  }

  /**
   * Adds to what this thread has counted, which never goes below 0. Of threads that add at the same time, at least one
   * sees what the others have added: who compares the answer with a limit, and takes back what is too much, keeps it.
   * @param amount whole, also negative
   * @returns the count of all threads; undefined when there is no room for another key, and nothing was added
   */
  add(key: string, amount: number): number | undefined {
    this.#hash(key)
    let slot = this.#find(this.part)
    if (slot < 0) {
      if (amount <= 0) return this.#sum()
      slot = this.#freeSlot()
      if (slot < 0) return undefined
    }
    const count = Math.max(0, Number(Atomics.load(this.#counts, countOf(slot))) + amount)
    // whoever finds the hash must find the count that belongs to it
    if (count === 0) this.#name(slot, 0, 0)
    Atomics.store(this.#counts, countOf(slot), BigInt(count))
    if (count > 0) this.#name(slot, this.#high, this.#low)
    return this.#sum()
  }

  /** The count of all threads. */
  get(key: string): number {
    this.#hash(key)
    return this.#sum()
  }

  #sum(): number {
    let sum = 0
    for (let part = 0; part < this.#parts; part++) {
      const slot = this.#find(part)
      if (slot < 0) continue
      const count = Number(Atomics.load(this.#counts, countOf(slot)))
      if (Atomics.load(this.#ints, slot) === this.#high) sum += count // else it was freed meanwhile
    }
    return sum
  }

  /** @returns index of the slot's first int, or -1 */
  #find(part: number): number {
    const [ints, high, low] = [this.#ints, this.#high, this.#low]
    for (let step = 0; step < WINDOW; step++) {
      const slot = this.#slotAt(part, step)
      if (Atomics.load(ints, slot) === high && Atomics.load(ints, slot + 1) === low) return slot
    }
    return -1
  }

  #freeSlot(): number {
    for (let step = 0; step < WINDOW; step++) {
      const slot = this.#slotAt(this.part, step)
      if (this.#ints[slot] === 0) return slot
    }
    return -1
  }

  #slotAt(part: number, step: number): number {
    return (HEADER_BYTES + (part * this.#slots + ((this.#low + step) & (this.#slots - 1))) * SLOT_BYTES) / 4
  }

  #name(slot: number, high: number, low: number): void {
    Atomics.store(this.#ints, slot + 1, low)
    Atomics.store(this.#ints, slot, high)
  }

  /** Two hashes of 32 bits that share what they multiply with; the first is never 0. */
  #hash(key: string): void {
    let high = this.#ints[2]
    let low = this.#ints[3]
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i)
      high = Math.imul(high ^ code, 0x9e3779b1)
      low = Math.imul(low ^ code, 0x5f356495)
    }
    high = Math.imul(high ^ (low >>> 15), 0x85ebca6b)
    low = Math.imul(low ^ (high >>> 13), 0xc2b2ae35)
    this.#high = (high ^ (low >>> 16)) | 0 || 1
    this.#low = (low ^ (high >>> 16)) | 0
  }
}
