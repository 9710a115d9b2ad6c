/**
 * Names with their last values in shared memory: one thread writes, any number of others read, nobody waits for a lock.
 *
 *   Int32 index  0   bytes of the memory that hold entries
 *   Int32 index  1   buckets, a power of two
 *   Int32 index 16   one word a stripe: odd while the writer changes something in it (a seqlock)
 *   then             one word a bucket: index of its first entry, 0 for none
 *   then             entries, one behind the other, in a circle
 *
 * An entry is, in words: its length in words, its stripe or -1 when it is dead, the hash of the name, the next entry of
 * the bucket, bytes of the name, bytes of the value, whether it was written since the circle last came by; name and value
 * follow, each from a whole word on.
 *
 * The writer goes round in the circle. What it meets dies, unless it was written since the last time round, then it moves
 * to the front: so the least recently written go first, nearly. A reader copies what it finds and looks at the stripe
 * again: what was changed meanwhile is read once more, however torn it looked.
 */
import { copyWords, encodeText, hashBytes } from './bytes.js'

const HEADER_INTS = 16
const STRIPES = 1_024
const TABLE = HEADER_INTS + STRIPES
const ENTRY_INTS = 7
const LENGTH = 0
const STRIPE = 1
const HASH = 2
const NEXT = 3
const NAME_BYTES = 4
const VALUE_BYTES = 5
const WRITTEN = 6
const DEAD = -1
/** Entries with at most this share of unused words are written in place. */
const SLACK_MAX = 4
const BYTES_MIN = 65_536
const MEMORY_BYTES_MAX = 1_073_741_824
/** Looks at a stripe that is being changed before the reader sleeps for a moment: the writer may have lost its core. */
const SPINS_MAX = 200
const words = (bytes: number): number => (bytes + 3) >> 2

/** Finds values. Any thread; `memory` is what the writer had when it was asked. */
export class SharedValuesReader {
  protected readonly ints: Int32Array
  protected readonly bytes: Uint8Array
  protected readonly buckets: number
  protected readonly start: number
  /** A function of the bucket, so that one word guards a whole chain. */
  protected readonly stripeMask: number

  constructor(readonly memory: SharedArrayBuffer) {
    this.ints = new Int32Array(memory)
    this.bytes = new Uint8Array(memory)
    this.buckets = this.ints[1]
    this.start = TABLE + this.buckets
    this.stripeMask = Math.min(STRIPES, this.buckets) - 1
  }

  /** @returns a copy; undefined where there is no value */
  get(name: string): Uint8Array | undefined {
    const bytes = encodeText(name)
    return this.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length))
  }

  /** @param hash `hashBytes` of the name @returns a copy; undefined where there is no value */
  find(name: Uint8Array, at: number, length: number, hash: number): Uint8Array | undefined {
    const stripe = HEADER_INTS + (hash & this.stripeMask)
    for (let spins = 0; ; spins++) {
      const before = Atomics.load(this.ints, stripe)
      if ((before & 1) === 0) {
        const found = this.#look(name, at, length, hash)
        // an exchange and not a load: it cannot happen before the reads above
        if (Atomics.compareExchange(this.ints, stripe, before, before) === before) return found
      } else if (spins > SPINS_MAX) {
        Atomics.wait(this.ints, stripe, before, 1)
      }
    }
  }

  /** May see anything at all while the writer is at work; never leaves the memory and always comes to an end. */
  #look(name: Uint8Array, at: number, length: number, hash: number): Uint8Array | undefined {
    const { ints } = this
    let entry = ints[TABLE + (hash & (this.buckets - 1))]
    for (let steps = 0; entry >= this.start && entry + ENTRY_INTS <= ints.length && steps < 10_000; steps++) {
      if (ints[entry + HASH] === hash && ints[entry + NAME_BYTES] === length && this.isNamed(entry, name, at, length)) {
        const bytes = ints[entry + VALUE_BYTES]
        const from = (entry + ENTRY_INTS + words(length)) * 4
        return bytes < 0 || from + bytes > this.bytes.length ? undefined : this.bytes.slice(from, from + bytes)
      }
      entry = ints[entry + NEXT]
    }
    return undefined
  }

  protected isNamed(entry: number, name: Uint8Array, at: number, length: number): boolean {
    const from = (entry + ENTRY_INTS) * 4
    if (from + length > this.bytes.length) return false
    for (let i = 0; i < length; i++) if (this.bytes[from + i] !== name[at + i]) return false
    return true
  }
}

/** The table of one size. */
class Table extends SharedValuesReader {
  /** Where the next entry goes. */
  #head: number
  /** How far the circle is free from the head on: exclusive. */
  #free: number
  #end: number
  /** Names in it. */
  live = 0
  #liveInts = 0

  constructor(bytes: number) {
    super(newMemory(bytes))
    this.#head = this.start
    this.#end = this.ints.length
    this.#free = this.#end
  }

  /** @returns index of the entry, or 0 */
  entryOf(name: Uint8Array, at: number, length: number, hash: number): number {
    const { ints } = this
    let entry = ints[TABLE + (hash & (this.buckets - 1))]
    while (entry !== 0) {
      if (ints[entry + HASH] === hash && ints[entry + NAME_BYTES] === length && this.isNamed(entry, name, at, length))
        return entry
      entry = ints[entry + NEXT]
    }
    return 0
  }

  /** Puts a value in place of the old one. @returns false where it does not fit into the place of the old one */
  overwrite(entry: number, value: Uint8Array, valueWords: Int32Array | undefined, at: number, length: number): boolean {
    const { ints } = this
    const needed = ENTRY_INTS + words(ints[entry + NAME_BYTES]) + words(length)
    if (needed > ints[entry + LENGTH] || ints[entry + LENGTH] > needed * SLACK_MAX + 16) return false
    const stripe = this.#lock(ints[entry + HASH])
    ints[entry + VALUE_BYTES] = length
    ints[entry + WRITTEN] = 1
    this.#copy(value, valueWords, at, (entry + ENTRY_INTS + words(ints[entry + NAME_BYTES])) * 4, length)
    Atomics.add(ints, stripe, 1)
    return true
  }

  /** Frees the entry of a name that is in the table. */
  remove(entry: number): void {
    const { ints } = this
    const bucket = TABLE + (ints[entry + HASH] & (this.buckets - 1))
    const stripe = this.#lock(ints[entry + HASH])
    let before = ints[bucket]
    if (before === entry) ints[bucket] = ints[entry + NEXT]
    else {
      while (ints[before + NEXT] !== entry) before = ints[before + NEXT]
      ints[before + NEXT] = ints[entry + NEXT]
    }
    ints[entry + STRIPE] = DEAD
    Atomics.add(ints, stripe, 1)
    this.live--
    this.#liveInts -= ints[entry + LENGTH]
  }

  /**
   * Adds a name that is not in the table.
   * @param mayEvict whether old entries die for it @returns false if there is no room
   */
  add(
    name: Uint8Array,
    nameAt: number,
    nameLength: number,
    hash: number,
    value: Uint8Array,
    valueWords: Int32Array | undefined,
    valueAt: number,
    valueLength: number,
    mayEvict: boolean,
  ): boolean {
    const needed = ENTRY_INTS + words(nameLength) + words(valueLength)
    if (needed * 4 > this.#end - this.start) return false
    if (!this.#makeRoom(needed, mayEvict)) return false
    const { ints } = this
    const entry = this.#head
    this.#head += needed
    const bucket = TABLE + (hash & (this.buckets - 1))
    const stripe = this.#lock(hash)
    ints[entry + LENGTH] = needed
    ints[entry + STRIPE] = stripe
    ints[entry + HASH] = hash
    ints[entry + NEXT] = ints[bucket]
    ints[entry + NAME_BYTES] = nameLength
    ints[entry + VALUE_BYTES] = valueLength
    ints[entry + WRITTEN] = 0
    const to = (entry + ENTRY_INTS) * 4
    for (let i = 0; i < nameLength; i++) this.bytes[to + i] = name[nameAt + i]
    this.#copy(value, valueWords, valueAt, to + words(nameLength) * 4, valueLength)
    ints[bucket] = entry
    Atomics.add(ints, stripe, 1)
    this.live++
    this.#liveInts += needed
    return true
  }

  /** Living entries of a table that has not gone round yet, oldest first. */
  *entries(): Generator<number> {
    const { ints } = this
    for (let at = this.start; at < this.#head; at += ints[at]) if (ints[at + STRIPE] !== DEAD) yield at
  }

  /** Whether more than half of it would come free without the dead. */
  get isMostlyDead(): boolean {
    return this.#liveInts * 2 < this.#end - this.start
  }

  nameAt(entry: number): number {
    return (entry + ENTRY_INTS) * 4
  }
  nameLength(entry: number): number {
    return this.ints[entry + NAME_BYTES]
  }
  hashOf(entry: number): number {
    return this.ints[entry + HASH]
  }
  valueLength(entry: number): number {
    return this.ints[entry + VALUE_BYTES]
  }
  valueAt(entry: number): number {
    return (entry + ENTRY_INTS + words(this.ints[entry + NAME_BYTES])) * 4
  }
  get words(): Int32Array {
    return this.ints
  }
  get content(): Uint8Array {
    return this.bytes
  }

  #lock(hash: number): number {
    const stripe = HEADER_INTS + (hash & this.stripeMask)
    Atomics.add(this.ints, stripe, 1)
    return stripe
  }

  #copy(value: Uint8Array, valueWords: Int32Array | undefined, at: number, to: number, length: number): void {
    if (valueWords !== undefined && (at & 3) === 0) copyWords(valueWords, value, at, this.ints, this.bytes, to, length)
    else if (length <= 32) for (let i = 0; i < length; i++) this.bytes[to + i] = value[at + i]
    else this.bytes.set(value.subarray(at, at + length), to)
  }

  /** Makes `needed` words free at the head. */
  #makeRoom(needed: number, mayEvict: boolean): boolean {
    const { ints } = this
    // each entry is moved at most once a round, so two rounds find room
    for (let budget = 2 * (this.#end - this.start); budget > 0; ) {
      if (this.#free - this.#head >= needed) return true
      if (this.#free === this.#end) {
        if (!mayEvict) return false
        // the rest up to the end stays unused; an entry of no length marks it
        if (this.#head < this.#end) ints[this.#head] = 0
        budget -= this.#end - this.#head
        this.#head = this.start
        this.#free = this.start
        continue
      }
      const entry = this.#free
      const length = ints[entry]
      if (length === 0) {
        budget -= this.#end - entry
        this.#free = this.#end
        continue
      }
      budget -= length
      if (ints[entry + STRIPE] === DEAD) this.#free += length
      else if (ints[entry + WRITTEN] === 0) {
        this.remove(entry)
        this.#free += length
      } else this.#moveToHead(entry, length)
    }
    return false
  }

  /** There is room: at least the place of the entry itself comes free. */
  #moveToHead(entry: number, length: number): void {
    const { ints } = this
    const bucket = TABLE + (ints[entry + HASH] & (this.buckets - 1))
    const stripe = this.#lock(ints[entry + HASH])
    const to = this.#head
    if (ints[bucket] === entry) ints[bucket] = to
    else {
      let before = ints[bucket]
      while (ints[before + NEXT] !== entry) before = ints[before + NEXT]
      ints[before + NEXT] = to
    }
    if (to !== entry) ints.copyWithin(to, entry, entry + length)
    ints[to + WRITTEN] = 0
    Atomics.add(ints, stripe, 1)
    this.#head += length
    this.#free = entry + length
  }
}

/** The writing side. One thread. */
export class SharedValues {
  #table: Table

  readonly #bytesMax: number

  /** @param bytesMax of the memory, which begins small and doubles; more than 1 GiB are not used */
  constructor(bytesMax: number) {
    this.#bytesMax = Math.min(bytesMax, MEMORY_BYTES_MAX)
    this.#table = new Table(Math.min(BYTES_MIN, bytesMax))
  }

  /** For readers. Another one after it has grown: whoever keeps the old one sees what was in it then. */
  get memory(): SharedArrayBuffer {
    return this.#table.memory
  }

  get size(): number {
    return this.#table.live
  }

  /** @returns a copy */
  get(name: string): Uint8Array | undefined {
    return this.#table.get(name)
  }

  put(name: string, value: Uint8Array): boolean {
    const bytes = encodeText(name)
    return this.set(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length), value, undefined, 0, value.length)
  }

  /**
   * @param valueWords the words of the memory of `value` where there are such: makes copies from whole words on fast
   * @returns false if the value is too large to be kept; then the name has none
   */
  set(
    name: Uint8Array,
    nameAt: number,
    nameLength: number,
    hash: number,
    value: Uint8Array,
    valueWords: Int32Array | undefined,
    valueAt: number,
    valueLength: number,
  ): boolean {
    const old = this.#table.entryOf(name, nameAt, nameLength, hash)
    if (old !== 0) {
      if (this.#table.overwrite(old, value, valueWords, valueAt, valueLength)) return true
      this.#table.remove(old)
    }
    for (;;) {
      const mayEvict = this.#table.memory.byteLength * 2 > this.#bytesMax
      const table = this.#table
      if (table.add(name, nameAt, nameLength, hash, value, valueWords, valueAt, valueLength, mayEvict)) return true
      if (mayEvict) return false
      this.#grow()
    }
  }

  delete(name: Uint8Array, at: number, length: number, hash: number): void {
    const entry = this.#table.entryOf(name, at, length, hash)
    if (entry !== 0) this.#table.remove(entry)
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Table(old.memory.byteLength * (old.isMostlyDead ? 1 : 2))
    for (const entry of old.entries()) {
      const [nameAt, nameLength, valueAt] = [old.nameAt(entry), old.nameLength(entry), old.valueAt(entry)]
      const bytes = old.content
      const length = old.valueLength(entry)
      this.#table.add(bytes, nameAt, nameLength, old.hashOf(entry), bytes, old.words, valueAt, length, false)
    }
  }
}

function newMemory(bytes: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes & ~3)
  const ints = new Int32Array(memory)
  let buckets = 64
  while (buckets * 2 * 64 <= bytes) buckets *= 2
  ints[0] = bytes
  ints[1] = buckets
  return memory
}
