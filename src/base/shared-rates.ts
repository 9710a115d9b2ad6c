/**
 * How much of its allowance each key has used up, for all threads together. A key has a time: when all that it was
 * charged would have been earned. Charging moves the time on; how far it is ahead of now is what the key owes. A key that
 * owes nothing needs no place, so places free themselves.
 *
 *   Int32 index 0   places, a power of two
 *   Int32 index 1   the word that hashes begin with
 *   byte 64         places of 16 bytes: 4 of hash (0: never used), 4 unused, 8 of time in nanoseconds since 1970
 *
 * Two threads may for a moment have two places for one key, or charge a place that has just become another's: a limit is
 * then missed by one charge. When all places near a key are taken, it shares one, and is slowed more than it should be.
 */
import { randomFillSync } from 'node:crypto'

const HEADER_BYTES = 64
const PLACE_BYTES = 16
const WINDOW = 32
const NS_PER_MS = 1_000_000n
/** Nobody owes more than this, also when the system clock was set back. */
const OWED_MS_MAX = 600_000

/** @param keysMax about so many keys may owe something at one time */
export function createSharedRatesMemory(keysMax: number): SharedArrayBuffer {
  let places = WINDOW
  while (places < keysMax * 2) places *= 2
  const memory = new SharedArrayBuffer(HEADER_BYTES + places * PLACE_BYTES)
  new Int32Array(memory).set([places, randomFillSync(new Int32Array(1))[0]])
  return memory
}

export class SharedRates {
  readonly #ints: Int32Array
  readonly #times: BigInt64Array
  readonly #mask: number

  constructor(memory: SharedArrayBuffer) {
    this.#ints = new Int32Array(memory)
    this.#times = new BigInt64Array(memory)
    this.#mask = this.#ints[0] - 1
  }

  /** What to charge a key by. */
  hashOf(key: string): number {
    let hash = this.#ints[1]
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) | 0 || 1
  }

  /** @param costMs what the key has used, as the time in which it would have earned it @returns milliseconds that it owes */
  charge(hash: number, costMs: number, nowMs: number): number {
    const now = BigInt(Math.round(nowMs)) * NS_PER_MS
    const cost = BigInt(Math.round(Math.min(costMs, OWED_MS_MAX) * 1e6))
    const latest = now + BigInt(OWED_MS_MAX) * NS_PER_MS
    const place = this.#placeOf(hash, now) / 2 + 1
    for (;;) {
      const before = Atomics.load(this.#times, place)
      let after = (before > now ? before : now) + cost
      if (after > latest) after = latest
      if (Atomics.compareExchange(this.#times, place, before, after) === before) return Number(after - now) / 1e6
    }
  }

  /** @returns index of the first int of the key's place */
  #placeOf(hash: number, now: bigint): number {
    for (let attempt = 0; attempt < WINDOW; attempt++) {
      let idle = -1
      for (let step = 0; step < WINDOW; step++) {
        const place = this.#placeAt(hash, step)
        const found = Atomics.load(this.#ints, place)
        if (found === hash) return place
        if (idle < 0 && Atomics.load(this.#times, place / 2 + 1) <= now) idle = place
      }
      if (idle < 0) break
      const before = Atomics.load(this.#ints, idle)
      if (Atomics.compareExchange(this.#ints, idle, before, hash) === before) return idle
    }
    return this.#placeAt(hash, 0)
  }

  #placeAt(hash: number, step: number): number {
    return (HEADER_BYTES + ((hash + step) & this.#mask) * PLACE_BYTES) / 4
  }
}
