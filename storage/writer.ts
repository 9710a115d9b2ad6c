/**
 * The only one that changes the store: takes what all shards have written meanwhile, and commits it as one transaction
 * with one sync. While that runs, the next group gathers in the rings; nothing waits for a timer.
 */
import type { Doorbell } from '../src/base/doorbell.js'
import { BrokerError } from '../src/base/errors.js'
import type { RingConsumer } from '../src/base/ring.js'
import { FlushWord, STORE_NUMBER } from '../src/contracts/store-records.js'
import { Batch } from './batch.js'
import { type StoreEngine, TABLE } from './engine.js'
import { RetainedWriter } from './retained-writer.js'
import { ShardLines, type ShardRecordHandler } from './shard-lines.js'

/** Bytes taken from one ring for one transaction: bounds memory, and the time until the first of them is on disk. */
const BATCH_BYTES_MAX = 4_194_304
/** Milliseconds between attempts to write while there is no room. */
const RETRY_MS = 500
/** How exactly it is known when a broker that was killed was last alive: expiry intervals count from then. */
const ALIVE_MS_MIN = 1_000
const ALIVE_MS_MAX = 60_000
/** What must find room before messages are taken again. */
const PROBE_BYTES = 262_144
/** A shard that has not looked by then has died. */
const SEEN_MS_MAX = 1_000
const PROBE_KEY = Buffer.from('probe')

export const ALIVE_KEY = Buffer.from('aliveMs')

/** One shard's end of the writer. */
export interface ShardSource {
  ring: RingConsumer
  readonly words: Int32Array
  readonly bell: Doorbell
}

export interface WriterStatistics {
  readonly commits: number
  readonly records: number
  /** Messages that needed no writing. */
  readonly elided: number
}

export class StoreWriter {
  readonly #batch = new Batch(new RetainedWriter())
  readonly #take: ShardRecordHandler
  #lines: ShardLines
  /** Of each shard's last record in the batch. */
  readonly #numbers: number[]
  #isFull = false
  #retryAtMs = 0
  #aliveMs = 0
  #commits = 0
  #records = 0
  #elided = 0

  /**
   * @param now milliseconds since the epoch
   * @param onFull told when room runs out, and when it is back
   */
  constructor(
    readonly engine: StoreEngine,
    readonly sources: readonly ShardSource[],
    readonly now: () => number,
    readonly onFull: (reason: string | undefined) => void,
  ) {
    this.#numbers = sources.map(({ words }) => Atomics.load(words, FlushWord.FLUSHED))
    const take: ShardRecordHandler = (shard, bytes, ints, at) => {
      this.#numbers[shard] = ints[(at >> 2) + STORE_NUMBER]
      this.#batch.add(bytes, ints, at)
    }
    this.#take = take
    this.#lines = new ShardLines(sources.length, take)
  }

  /** Takes what there is and commits it. @returns bytes taken */
  work(): number {
    let taken = 0
    for (const [shard, { ring }] of this.sources.entries()) {
      taken += ring.drain((bytes, ints, at) => this.#lines.add(shard, bytes, ints, at), BATCH_BYTES_MAX)
    }
    if (taken === 0) return 0
    this.#lines.advance()
    this.#records += this.#batch.records
    this.#batch.records = 0
    this.#commit(false)
    return taken
  }

  /** What is due by time alone: another try when there was no room, the mark of being alive. */
  tick(): void {
    const nowMs = this.now()
    if (this.#isFull) {
      if (nowMs >= this.#retryAtMs) this.#commit(true)
    } else if (nowMs - this.#aliveMs >= ALIVE_MS_MAX) this.#commit(false)
  }

  get hasInput(): boolean {
    return this.sources.some(({ ring }) => !ring.isEmpty)
  }

  /** Commits all that is there. */
  drain(): void {
    while (this.work() > 0);
  }

  /**
   * All shards are started anew: what the old ones had written is committed, but for messages whose parts have not all
   * come, which nobody has acknowledged.
   */
  replaceRings(rings: readonly RingConsumer[]): void {
    this.drain()
    this.#lines = new ShardLines(rings.length, this.#take)
    for (const [shard, { words }] of this.sources.entries()) {
      this.sources[shard].ring = rings[shard]
      this.#numbers[shard] = words[FlushWord.FLUSHED]
    }
  }

  /** Since the start. */
  get statistics(): WriterStatistics {
    return { commits: this.#commits, records: this.#records, elided: this.#elided }
  }

  /** @param probes writes more than is asked for, to see whether there is room again */
  #commit(probes: boolean): void {
    let isKept = true
    const spares = this.#isFull && !probes
    if (spares) isKept = !this.#batch.refuseGrowth()
    if (this.#tryCommit(probes, spares)) {
      this.#batch.clear()
      if (probes) this.#setFull(undefined)
    } else {
      isKept = false
      this.#batch.refuseGrowth()
      this.#retryAtMs = this.now() + RETRY_MS
      // what frees room may still find some; what does not even then stays for the next try
      if (this.#tryCommit(false, true)) this.#batch.clear()
    }
    this.#announce(isKept)
  }

  /** @param spares what grows is not in the batch any more @returns false if there was no room */
  #tryCommit(probes: boolean, spares: boolean): boolean {
    const nowMs = this.now()
    const tellsAlive = nowMs - this.#aliveMs >= ALIVE_MS_MIN
    try {
      if (probes)
        this.engine.commit((transaction) => transaction.put(TABLE.meta, PROBE_KEY, new Uint8Array(PROBE_BYTES)))
      this.engine.commit((transaction) => {
        this.#batch.apply(transaction)
        if (tellsAlive) transaction.put(TABLE.meta, ALIVE_KEY, Buffer.from(JSON.stringify(nowMs)))
        if (probes) transaction.delete(TABLE.meta, PROBE_KEY)
      }, spares)
    } catch (thrown) {
      if (!(thrown instanceof BrokerError) || thrown.code !== 'STORE_FULL') throw thrown
      this.#setFull(thrown.message)
      return false
    }
    if (tellsAlive) this.#aliveMs = nowMs
    this.#commits++
    this.#elided += this.#batch.elided
    return true
  }

  #announce(isKept: boolean): void {
    for (const [shard, { words, bell }] of this.sources.entries()) {
      const number = this.#numbers[shard]
      const flushed = words[FlushWord.FLUSHED]
      if (number === flushed) continue
      if (!isKept) this.#announceRefused(words, flushed, number, bell)
      Atomics.store(words, FlushWord.FLUSHED, number)
      bell.ring()
    }
  }

  /** Goes on with a range that the shard has not seen yet, if this one follows it; or waits until it has. */
  #announceRefused(words: Int32Array, after: number, last: number, bell: Doorbell): void {
    const unseen = words[FlushWord.REFUSED]
    for (let waitedMs = 0; waitedMs < SEEN_MS_MAX; waitedMs++) {
      const seen = Atomics.load(words, FlushWord.REFUSED_SEEN)
      if (seen === unseen || unseen === after) break
      bell.ring()
      Atomics.wait(words, FlushWord.REFUSED_SEEN, seen, 1)
    }
    if (unseen !== after || Atomics.load(words, FlushWord.REFUSED_SEEN) === unseen) {
      Atomics.store(words, FlushWord.REFUSED_AFTER, after)
    }
    Atomics.store(words, FlushWord.REFUSED, last)
  }

  #setFull(reason: string | undefined): void {
    if (this.#isFull === (reason !== undefined)) return
    this.#isFull = reason !== undefined
    for (const { words } of this.sources) Atomics.store(words, FlushWord.FULL, this.#isFull ? 1 : 0)
    this.onFull(reason)
  }
}
