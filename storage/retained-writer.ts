/** Writes retained messages to the store: of two for one topic, the one with the later stamp stays. */
import { type StoreTransaction, TABLE } from './engine.js'
import { seal } from './log-value.js'
import { STAMP_BYTES, stampOf } from './retained-value.js'

/** Cleared topics whose stamps are remembered, because shards may tell of an older message later. */
const CLEARED_MAX = 16_384

export class RetainedWriter {
  /** Stamps of cleared topics by their keys as Latin-1 text, the oldest first. */
  readonly #cleared = new Map<string, number>()

  /** @param value its stamp, then the message unless `isCleared` */
  apply(transaction: StoreTransaction, key: Uint8Array, value: Uint8Array, isCleared: boolean): void {
    const stamp = stampOf(value)
    const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
    const stored = transaction.get(TABLE.retained, key)
    const last = Math.max(stored === undefined ? -1 : stampOf(stored), this.#cleared.get(name) ?? -1)
    if (last > stamp) return
    // a stamp of a cleared topic stays beside a later message: the transaction may yet fail
    if (!isCleared) {
      seal(value.subarray(STAMP_BYTES))
      transaction.put(TABLE.retained, key, value)
      return
    }
    transaction.delete(TABLE.retained, key)
    this.#cleared.delete(name)
    this.#cleared.set(name, stamp)
    if (this.#cleared.size <= CLEARED_MAX) return
    for (const oldest of this.#cleared.keys()) {
      this.#cleared.delete(oldest)
      break
    }
  }
}
