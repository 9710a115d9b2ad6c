/** Reads back what a shard has to know after a start: its sessions at once, the messages of the log bit by bit. */
import { decodeText, encodeText } from '../src/base/bytes.js'
import {
  LogRecord,
  Progress,
  type RestoredDelivery,
  type RestoredRetained,
  type RestoredSession,
  type StoredRetained,
  type StoredSession,
  type StoredSubscription,
} from '../src/contracts/storage.js'
import { SHARDS_MAX, type StoreEntry, type StoreReader, TABLE } from './engine.js'
import { readMark, STAMP_MARK, sequenceMark, sessionMark } from './high-water.js'
import { NUMBER_KEY_BYTES, numberKey, readNumberKey, textKey, textKeyPrefix } from './keys.js'
import { readLogValue, ValueMemory } from './log-value.js'
import { readRetainedValue, stampOf } from './retained-value.js'
import { ALIVE_KEY } from './writer.js'

/** Records read from the log before others have their turn. */
const SLICE_RECORDS = 500

/** What could not be read. */
export interface RestoreDamage {
  sessions: number
  subscriptions: number
  retained: number
  messages: number
}

function parse<T>(value: Uint8Array): T | undefined {
  try {
    return JSON.parse(decodeText(value, 0, value.length)) as T
  } catch {
    return undefined
  }
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

/**
 * Entries whose keys begin with the number of a session, read beside the sessions: a look-up for each of 100,000 sessions
 * takes a hundred times as long.
 */
class EntriesOfSessions {
  readonly #entries: Iterator<StoreEntry>
  #next: StoreEntry | undefined

  constructor(entries: Iterable<StoreEntry>) {
    this.#entries = entries[Symbol.iterator]()
    this.#advance()
  }

  /** @param session greater than at the last call */
  take(session: number): StoreEntry[] {
    const taken: StoreEntry[] = []
    for (let entry = this.#next; entry !== undefined; entry = this.#advance()) {
      const owner = readNumberKey(entry.key)
      if (owner > session) break
      if (owner === session) taken.push(entry)
    }
    return taken
  }

  #advance(): StoreEntry | undefined {
    const { value, done } = this.#entries.next()
    this.#next = done ? undefined : value
    return this.#next
  }
}

export class Restore implements StoredRetained {
  readonly damage: RestoreDamage = { sessions: 0, subscriptions: 0, retained: 0, messages: 0 }
  /** By log: messages from this number on are not of the past. */
  readonly #ends = new Map<number, number>()
  /** Numbers of all sessions in the store, of all shards, and of those of this one. */
  readonly #known = new Set<number>()
  readonly #own = new Set<number>()
  readonly #memory = new ValueMemory()

  /** @param owns whether a client identifier belongs to this shard */
  constructor(
    readonly reader: StoreReader,
    readonly shard: number,
    readonly owns: (clientId: string) => boolean,
  ) {
    // before the sessions: what is written meanwhile is for sessions that are there by then
    const tables = new Set(reader.tables)
    for (let log = 0; log < SHARDS_MAX; log++) {
      if (tables.has(TABLE.log(log))) this.#ends.set(log, this.#lastKey(TABLE.log(log)) + 1)
    }
  }

  /** When the broker was last known to be alive; undefined in a new store. */
  aliveMs(): number | undefined {
    const value = this.reader.get(TABLE.meta, ALIVE_KEY)
    return value === undefined ? undefined : parse<number>(value)
  }

  /**
   * Those of this shard, one by one: all of them at once would be in memory together with what is made of them. To be read
   * to the end before anything else is asked for.
   */
  *sessions(): Generator<RestoredSession, void, undefined> {
    const subscriptions = new EntriesOfSessions(this.reader.range(TABLE.subscriptions))
    const received = new EntriesOfSessions(this.reader.range(TABLE.received))
    for (const { key, value } of this.reader.range(TABLE.sessions)) {
      const number = readNumberKey(key)
      const session = parse<StoredSession>(value)
      if (session === undefined) {
        this.damage.sessions++
        continue
      }
      this.#known.add(number)
      if (!this.owns(session.clientId)) continue
      this.#own.add(number)
      yield {
        session,
        subscriptions: this.#subscriptionsOf(subscriptions.take(number)),
        received: received.take(number).map(({ key }) => (key[NUMBER_KEY_BYTES] << 8) | key[NUMBER_KEY_BYTES + 1]),
      }
    }
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
        if (state >> 16 === Progress.DONE || !this.#known.has(receiver.session)) continue
        if (!this.#own.has(receiver.session)) {
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

  #subscriptionsOf(entries: readonly StoreEntry[]): StoredSubscription[] {
    const subscriptions: StoredSubscription[] = []
    for (const { value } of entries) {
      const subscription = parse<StoredSubscription>(value)
      if (subscription === undefined) this.damage.subscriptions++
      else subscriptions.push(subscription)
    }
    return subscriptions
  }
}
