/** What the sequence number of a delivered message says about it. */
export const Arrival = {
  /** The first copy, in order. */
  NEW: 0,
  /** The first copy, after one that was sent later. */
  LATE: 1,
  DUPLICATE: 2,
  /** Its receiver has no subscription that matches. */
  UNEXPECTED: 3,
} as const

const NOT_WANTED = -1
/** How far a message may lag behind the newest of its stream and still be told from a duplicate. */
const HISTORY = 4_096

/**
 * Checks that each receiver gets each message of each stream once. A stream is one topic of one publisher; the pair of a
 * stream and a receiver is a cell. Sequence numbers of a stream are 0, 1, 2, … below 2^31.
 *
 * A cell costs 8 bytes while its messages arrive in order. At the first gap it gets a bitmap of the last `HISTORY`
 * messages; what is still missing when the stream has moved that far on will count as lost.
 */
export class SequenceChecker {
  /** Per cell: everything below has arrived or is given up. */
  readonly #base: Int32Array
  /** Per cell: the highest sequence number that arrived, `base - 1` while there is no gap. */
  readonly #highest: Int32Array
  /** Per cell with a gap: bit `sequence % HISTORY` tells whether that message, from `base` on, has arrived. */
  readonly #arrived = new Map<number, Uint32Array>()

  constructor(cells: number) {
    this.#base = new Int32Array(cells)
    this.#highest = new Int32Array(cells).fill(-1)
  }

  /** States that nothing may arrive in this cell. */
  forbid(cell: number): void {
    this.#base[cell] = NOT_WANTED
  }

  /** Hot: once per delivery. */
  accept(cell: number, sequence: number): number {
    if (this.#base[cell] === sequence && this.#highest[cell] === sequence - 1) {
      this.#base[cell] = sequence + 1
      this.#highest[cell] = sequence
      return Arrival.NEW
    }
    return this.#acceptUnordered(cell, sequence)
  }

  #acceptUnordered(cell: number, sequence: number): number {
    const base = this.#base[cell]
    if (base === NOT_WANTED) return Arrival.UNEXPECTED
    if (sequence < base) return Arrival.DUPLICATE
    const arrived = this.#bitmapOf(cell)
    if (sequence - base >= HISTORY) this.#giveUpBelow(cell, arrived, sequence - HISTORY + 1)
    const word = (sequence % HISTORY) >>> 5
    const bit = 1 << (sequence & 31)
    if ((arrived[word] & bit) !== 0) return Arrival.DUPLICATE
    arrived[word] |= bit
    const late = sequence < this.#highest[cell]
    if (!late) this.#highest[cell] = sequence
    this.#advance(cell, arrived)
    return late ? Arrival.LATE : Arrival.NEW
  }

  #bitmapOf(cell: number): Uint32Array {
    let bitmap = this.#arrived.get(cell)
    if (bitmap === undefined) {
      bitmap = new Uint32Array(HISTORY / 32)
      this.#arrived.set(cell, bitmap)
    }
    return bitmap
  }

  /** Moves `base` up to `limit`, clearing the bits it passes. */
  #giveUpBelow(cell: number, arrived: Uint32Array, limit: number): void {
    const base = this.#base[cell]
    if (limit - base >= HISTORY) arrived.fill(0)
    else for (let at = base; at < limit; at++) arrived[(at % HISTORY) >>> 5] &= ~(1 << (at & 31))
    this.#base[cell] = limit
  }

  /** Moves `base` past everything that has arrived without a gap. */
  #advance(cell: number, arrived: Uint32Array): void {
    let base = this.#base[cell]
    const highest = this.#highest[cell]
    while (base <= highest) {
      const word = (base % HISTORY) >>> 5
      const bit = 1 << (base & 31)
      if ((arrived[word] & bit) === 0) break
      arrived[word] &= ~bit
      base++
    }
    this.#base[cell] = base
  }
}
