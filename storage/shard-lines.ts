/**
 * What each shard has written, in its order, up to a record whose fellows of other shards cannot take effect yet: such
 * records do so in one transaction.
 */
import {
  APPEND_TOGETHER,
  joinInts,
  StoreKind,
  TOGETHER_NUMBER,
  TOGETHER_PARTS,
} from '../src/contracts/store-records.js'

const KIND = 1

export type ShardRecordHandler = (shard: number, bytes: Uint8Array, ints: Int32Array, at: number) => void

/** Several shards write parts of one message, and the one of the publisher says how many there are. */
class Together {
  parts = 0
  /** undefined while it has not been said. */
  expected: number | undefined = undefined
  /** Where its records stand, as shard and place. */
  readonly members: { readonly shard: number; readonly place: number }[] = []
}

interface WaitingRecord {
  readonly bytes: Uint8Array
  readonly ints: Int32Array
  /** 0 if it belongs to no other. */
  readonly number: number
}

/** Records of one shard behind one that waits. Short, because shards answer one another before they do anything else. */
class Line {
  records: WaitingRecord[] = []
  /** Place of the first of them: places go on counting. */
  first = 0
}

export class ShardLines {
  readonly #lines: Line[]
  readonly #together = new Map<number, Together>()

  /** @param take gets the records whose turn has come; their memory is theirs until it returns */
  constructor(
    shards: number,
    readonly take: ShardRecordHandler,
  ) {
    this.#lines = Array.from({ length: shards }, () => new Line())
  }

  /** A record has come from a shard. */
  add(shard: number, bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    const isPart = ints[i + KIND] === StoreKind.APPEND
    const number = isPart
      ? joinInts(ints[i + APPEND_TOGETHER], ints[i + APPEND_TOGETHER + 1])
      : ints[i + KIND] === StoreKind.TOGETHER
        ? joinInts(ints[i + TOGETHER_NUMBER], ints[i + TOGETHER_NUMBER + 1])
        : 0
    const line = this.#lines[shard]
    if (number === 0 && line.records.length === 0) {
      this.take(shard, bytes, ints, at)
      return
    }
    if (number !== 0) {
      const together = this.#togetherOf(number)
      together.members.push({ shard, place: line.first + line.records.length })
      if (isPart) together.parts++
      else together.expected = ints[i + TOGETHER_PARTS]
    }
    const copy = bytes.slice(at, at + ints[i])
    line.records.push({ bytes: copy, ints: new Int32Array(copy.buffer), number })
  }

  /** Hands on what waits for nothing any more: all records of a message, or none. */
  advance(): void {
    const ends = this.#reach()
    for (const [shard, line] of this.#lines.entries()) {
      const passed = line.records.splice(0, ends[shard] - line.first)
      line.first = ends[shard]
      for (const { bytes, ints, number } of passed) {
        this.take(shard, bytes, ints, 0)
        this.#together.delete(number)
      }
    }
  }

  #togetherOf(number: number): Together {
    let together = this.#together.get(number)
    if (together === undefined) {
      together = new Together()
      this.#together.set(number, together)
    }
    return together
  }

  /**
   * How far each line can go, as the place behind the last record. A record can go if all its fellows can; so ends are
   * drawn in until they agree.
   */
  #reach(): number[] {
    const ends = this.#lines.map(({ first, records }) => first + records.length)
    for (let agreed = false; !agreed; ) {
      agreed = true
      for (const [shard, { first, records }] of this.#lines.entries()) {
        for (let place = first; place < ends[shard]; place++) {
          const { number } = records[place - first]
          if (number === 0 || this.#canGo(number, ends)) continue
          ends[shard] = place
          agreed = false
        }
      }
    }
    return ends
  }

  #canGo(number: number, ends: readonly number[]): boolean {
    const together = this.#together.get(number)
    if (together === undefined || together.expected !== together.parts) return false
    return together.members.every(({ shard, place }) => place < ends[shard])
  }
}
