/** Reads back what a shard has to know after a start, bit by bit: its sessions, the messages of the log, those retained. */
import { encodeText } from '../src/base/bytes.js'
import {
  LogRecord,
  Progress,
  type RestoredDelivery,
  type RestoredRetained,
  type StoredRetained,
} from '../src/contracts/storage.js'
import { SHARDS_MAX, type StoreReader, TABLE } from './engine.js'
import { readMark, STAMP_MARK, sequenceMark, sessionMark } from './high-water.js'
import { NUMBER_KEY_BYTES, numberKey, readNumberKey, textKey, textKeyPrefix } from './keys.js'
import { readLogValue, ValueMemory } from './log-value.js'
import { readRetainedValue, stampOf } from './retained-value.js'
import { jsonOf } from './store-json.js'
import { StoredSessions } from './stored-sessions.js'
import { ALIVE_KEY } from './writer.js'

/** Records read from the log before others have their turn. */
const SLICE_RECORDS = 500

/** What could not be read. */
export interface RestoreDamage {
  retained: number
  messages: number
}

interface Slice {
  readonly deliveries: readonly RestoredDelivery[]
  readonly next: number | undefined
}

/** Reads the progress of messages beside their log: looking each of them up costs more than the message itself. */
class ProgressScan {
  #ahead: { readonly sequence: number; readonly progress: Int32Array }[] = []
  #next = 0
  #from: number | undefined = 0

  constructor(
    readonly reader: StoreReader,
    readonly table: string,
  ) {}

  /** @param sequence greater than at the last call @returns undefined where nobody has come further than the log says */
  at(sequence: number): Int32Array | undefined {
    for (;;) {
      while (this.#next < this.#ahead.length && this.#ahead[this.#next].sequence < sequence) this.#next++
      const found = this.#ahead[this.#next]
      if (found !== undefined) return found.sequence === sequence ? found.progress : undefined
      if (this.#from === undefined) return undefined
      this.#read(Math.max(this.#from, sequence))
    }
  }

  #read(from: number): void {
    this.#ahead = []
    this.#next = 0
    for (const { key, value } of this.reader.range(this.table, { from: numberKey(from), limit: SLICE_RECORDS })) {
      const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
      const progress = Int32Array.from({ length: value.length >> 2 }, (_, place) => view.getInt32(place * 4, true))
      this.#ahead.push({ sequence: readNumberKey(key), progress })
    }
    const last = this.#ahead.at(-1)
    this.#from = last === undefined || this.#ahead.length < SLICE_RECORDS ? undefined : last.sequence + 1
  }
}

export class Restore implements StoredRetained {
  readonly damage: RestoreDamage = { retained: 0, messages: 0 }
  readonly sessions: StoredSessions
  /** By log: messages from this number on are not of the past. */
  readonly #ends = new Map<number, number>()
  readonly #memory = new ValueMemory()

  /** @param owns whether a client identifier belongs to this shard */
  constructor(
    readonly reader: StoreReader,
    readonly shard: number,
    owns: (clientId: string) => boolean,
  ) {
    // before the sessions: what is written meanwhile is for sessions that are there by then
    const tables = new Set(reader.tables)
    for (let log = 0; log < SHARDS_MAX; log++) {
      if (tables.has(TABLE.log(log))) this.#ends.set(log, this.#lastKey(TABLE.log(log)) + 1)
    }
    this.sessions = new StoredSessions(reader, owns)
  }

  /** When the broker was last known to be alive; undefined in a new store. */
  aliveMs(): number | undefined {
    const value = this.reader.get(TABLE.meta, ALIVE_KEY)
    return value === undefined ? undefined : jsonOf<number>(value)
  }

  /** Of this shard, divided by SHARDS_MAX: never used, also not by sessions that are gone. */
  get nextSession(): number {
    return readMark(this.reader, sessionMark(this.shard))
  }

  /** Of this shard's log: never used, also not by messages that are gone. */
  get nextSequence(): number {
    return readMark(this.reader, sequenceMark(this.shard))
  }

  /** A mark written ahead of them; a store that has none is read to see. */
  get lastStamp(): number {
    if (this.reader.get(TABLE.meta, encodeText(STAMP_MARK)) !== undefined) return readMark(this.reader, STAMP_MARK)
    let last = 0
    for (const { value } of this.reader.range(TABLE.retained)) {
      if (value.length >= NUMBER_KEY_BYTES) last = Math.max(last, stampOf(value))
    }
    return last
  }

  countRetained(): number {
    return this.reader.count(TABLE.retained)
  }

  hasRetained(topic: string): boolean {
    return this.reader.get(TABLE.retained, textKey(encodeText(topic))) !== undefined
  }

  /** What cannot be read is counted when all are read. */
  *retained(prefix?: string): Generator<RestoredRetained> {
    const options = prefix === undefined || prefix === '' ? {} : { prefix: textKeyPrefix(encodeText(prefix)) }
    for (const { value } of this.reader.range(TABLE.retained, options)) {
      const read = readRetainedValue(value, this.#memory)
      if (read !== undefined) yield read
      else if (prefix === undefined) this.damage.retained++
    }
  }

  /** Messages in the logs of all shards: an upper bound of what `deliveries` will go through. */
  countMessages(): number {
    return [...this.#ends.keys()].reduce((sum, log) => sum + this.reader.count(TABLE.log(log)), 0)
  }

  /**
   * What the logs have for sessions of this shard, in the order in which it came. Yields undefined now and then, for
   * others to have their turn: what is read and yet to be read is in the store, whatever happens in between.
   * @param unwanted called for a record that nobody waits for any more: it goes with its only place, 0
   */
  *deliveries(unwanted: (record: LogRecord) => void): Generator<RestoredDelivery | undefined, void, undefined> {
    // a session that has moved here had its messages in other logs before it had them in this one
    const logs = [...this.#ends].sort(([a], [b]) => Number(a === this.shard) - Number(b === this.shard))
    for (const [log, end] of logs) {
      const progress = new ProgressScan(this.reader, TABLE.progress(log))
      for (let from: number | undefined = 0; from !== undefined; ) {
        const slice: Slice = this.#slice(log, from, end, progress, unwanted)
        yield* slice.deliveries
        yield undefined
        from = slice.next
      }
    }
  }

  #slice(log: number, from: number, end: number, progress: ProgressScan, unwanted: (record: LogRecord) => void): Slice {
    const deliveries: RestoredDelivery[] = []
    let next: number | undefined
    let read = 0
    for (const { key, value } of this.reader.range(TABLE.log(log), { from: numberKey(from), limit: SLICE_RECORDS })) {
      const sequence = readNumberKey(key)
      if (sequence >= end) return { deliveries, next: undefined }
      read++
      next = sequence + 1
      const logged = readLogValue(value, this.#memory)
      if (logged === undefined) {
        this.damage.messages++
        unwanted(new LogRecord(log, sequence, 1, 1, false))
        continue
      }
      const { message, receivers } = logged
      const record = new LogRecord(log, sequence, receivers.length, 0, false)
      record.progress = progress.at(sequence)
      for (const [place, receiver] of receivers.entries()) {
        const state = record.progress?.[place] ?? 0
        if (state >> 16 === Progress.DONE || !this.sessions.isKnown(receiver.session)) continue
        if (!this.sessions.isOwn(receiver.session)) {
          record.isSplit = true
          continue
        }
        record.left++
        const packetId = state & 0xffff || receiver.packetId
        const reached = (state >> 16 || (packetId === 0 ? Progress.QUEUED : Progress.SENT)) as Progress
        deliveries.push({ message, record, place, receiver, packetId, progress: reached })
      }
      if (record.left === 0 && !record.isSplit) unwanted(new LogRecord(log, sequence, 1, 1, false))
    }
    return { deliveries, next: read < SLICE_RECORDS ? undefined : next }
  }

  #lastKey(table: string): number {
    const isAtOrAfter = (sequence: number): boolean => {
      for (const _ of this.reader.range(table, { from: numberKey(sequence), limit: 1 })) return true
      return false
    }
    // the greatest number for which there is still a key
    let last = 0
    for (let step = 2 ** 52; step >= 1; step /= 2) if (isAtOrAfter(last + step)) last += step
    return last
  }
}
