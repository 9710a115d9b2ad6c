/**
 * Numbers are never given out twice, also when everything that had them has left the store: how far each kind has come
 * is written in the transaction that first goes beyond it, a block ahead.
 */
import { type StoreReader, type StoreTransaction, TABLE } from './engine.js'
import { numberKey, readNumberKey } from './keys.js'

const BLOCK = 65_536
/** Of stamps: a second, which a broker takes at least to begin anew. */
const STAMP_BLOCK = 1_024_000

/** Name of the mark for sequence numbers of a shard's log. */
export function sequenceMark(shard: number): string {
  return `sequence.${shard}`
}

/** Name of the mark for session numbers of a shard, divided by SHARDS_MAX. */
export function sessionMark(shard: number): string {
  return `session.${shard}`
}

/** Name of the mark for stamps of retained messages, of all shards. */
export const STAMP_MARK = 'stamp'

/** @returns a number that was never given out, nor any after it */
export function readMark(reader: StoreReader, name: string): number {
  const value = reader.get(TABLE.meta, Buffer.from(name))
  return value === undefined ? 1 : readNumberKey(value)
}

export class HighWater {
  readonly #marks = new Map<string, number>()
  /** Not written yet. */
  readonly #raised = new Set<string>()

  /** A number has been given out. */
  note(name: string, number: number): void {
    if (number < (this.#marks.get(name) ?? 0)) return
    this.#marks.set(name, number + (name === STAMP_MARK ? STAMP_BLOCK : BLOCK))
    this.#raised.add(name)
  }

  apply(transaction: StoreTransaction): void {
    for (const name of this.#raised) {
      transaction.put(TABLE.meta, Buffer.from(name), numberKey(this.#marks.get(name) ?? 0))
    }
  }

  /** The transaction is committed. */
  clear(): void {
    this.#raised.clear()
  }
}
