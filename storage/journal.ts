/** A shard's side of the store: writes what happens to the ring of the storage thread, and knows what is flushed. */
import { encodeText } from '../src/base/bytes.js'
import type { RingProducer } from '../src/base/ring.js'
import {
  type KeptMessage,
  type LoggedMessage,
  type LogReceiver,
  LogRecord,
  Progress,
  type Publisher,
  type RetainedLimits,
  type ShardStorage,
  type StoredSession,
  type StoredSubscription,
} from '../src/contracts/storage.js'
import {
  APPEND_HEADER_INTS,
  APPEND_PACKET_ID,
  APPEND_PUBLISHER,
  APPEND_TOGETHER,
  APPEND_VALUE_BYTES,
  FlushWord,
  highInt,
  lowInt,
  PROGRESS_HEADER_INTS,
  PROGRESS_PLACES,
  PUT_HEADER_INTS,
  PUT_KEY_BYTES,
  PUT_TABLE,
  PUT_VALUE_BYTES,
  RETAIN_HEADER_INTS,
  RETAIN_KEY,
  STORE_LOG,
  STORE_NUMBER,
  STORE_SEQUENCE,
  StoreKind,
  StoreTable,
  TOGETHER_INTS,
  TOGETHER_NUMBER,
  TOGETHER_PACKET_ID,
  TOGETHER_PARTS,
  TOGETHER_PUBLISHER,
} from '../src/contracts/store-records.js'
import { SHARDS_MAX } from './engine.js'
import { numberKey, receivedKey, subscriptionKey, textKey, writeNumberKey } from './keys.js'
import { ReceiverList } from './log-value.js'
import { MemoryRetained } from './memory-retained.js'
import { NumberedQueue } from './numbered-queue.js'
import { STAMP_BYTES } from './retained-value.js'

/** Number of this record on int 1, as in base/ring.ts. */
const KIND = 1
const NO_BYTES = new Uint8Array(0)
const NOBODY: Publisher = { session: 0, packetId: 0 }

export interface JournalOptions {
  readonly shard: number
  readonly ring: RingProducer
  /** `FlushWord`s of this shard. */
  readonly words: SharedArrayBuffer
  readonly retained: RetainedLimits
  /** Greater than all in the store. */
  readonly nextSequence: number
  /** As `nextSequence`, of session numbers divided by SHARDS_MAX. */
  readonly nextSession: number
}

export class Journal<Message extends KeptMessage<Message>> implements ShardStorage<Message> {
  readonly retained: MemoryRetained<Message>
  readonly isDurable = true
  readonly #ring: RingProducer
  readonly #words: Int32Array
  readonly #shard: number
  /** Of the last record written. Counts on where records and words wrap: those have its lower 32 bits. */
  #number: number
  #nextSequence: number
  #nextSession: number
  readonly #receivers = new ReceiverList()
  #draft: LogRecord | undefined
  #dirty: LogRecord[] = []
  /** What is to be done when a record is flushed; bounded by what clients may have unacknowledged. */
  readonly #waiters = new NumberedQueue<(isKept: boolean) => void>()
  /** Messages that may still be refused. */
  readonly #unflushed = new NumberedQueue<LogRecord>()

  constructor(options: JournalOptions) {
    this.#ring = options.ring
    this.#words = new Int32Array(options.words)
    this.#number = Atomics.load(this.#words, FlushWord.FLUSHED) >>> 0
    this.#shard = options.shard
    this.#nextSequence = options.nextSequence
    this.#nextSession = options.nextSession
    this.retained = new MemoryRetained(options.retained)
  }

  get isFull(): boolean {
    return this.#words[FlushWord.FULL] !== 0
  }

  get isFlushed(): boolean {
    return this.#dirty.length === 0 && this.#read(FlushWord.FLUSHED) === this.#number
  }

  whenFlushed(done: (isKept: boolean) => void): void {
    if (this.#dirty.length > 0) this.writeProgress()
    this.#waiters.push(this.#number, done)
  }

  /** Whether `runFlushed` would call somebody. */
  get hasFlushed(): boolean {
    const first = this.#waiters.firstNumber
    return first !== undefined && first <= this.#read(FlushWord.FLUSHED)
  }

  /** Calls those whose records are flushed by now. @returns how many */
  runFlushed(): number {
    const flushed = this.#read(FlushWord.FLUSHED)
    const isRefused = this.#takeRefused(flushed)
    if (isRefused === undefined) this.#unflushed.dropTo(flushed)
    else for (const { number, item } of this.#unflushed.takeTo(flushed)) item.isRefused = isRefused(number)
    let ran = 0
    for (const { number, item } of this.#waiters.takeTo(flushed)) {
      ran++
      item(!isRefused?.(number))
    }
    return ran
  }

  get nextSequence(): number {
    return this.#nextSequence
  }

  /** The number that a word says; it is less than 2^31 behind the last record. */
  #read(word: number): number {
    return this.#exact(Atomics.load(this.#words, word))
  }

  /** The number that a word of 32 bits stands for: at most 2^31 behind the last one written. */
  #exact(word: number): number {
    return this.#number - ((this.#number - word) | 0)
  }

  /** @returns which records were refused since the last time, or handed over together with one that was */
  #takeRefused(flushed: number): ((number: number) => boolean) | undefined {
    const word = Atomics.load(this.#words, FlushWord.REFUSED)
    if (word === this.#words[FlushWord.REFUSED_SEEN]) return undefined
    const last = this.#exact(word)
    if (last > flushed) return undefined // its turn has not come
    const after = this.#exact(Atomics.load(this.#words, FlushWord.REFUSED_AFTER))
    Atomics.store(this.#words, FlushWord.REFUSED_SEEN, word)
    return (number) => number > after && number <= last
  }

  nextSessionNumber(): number {
    return this.#nextSession++ * SHARDS_MAX + this.#shard
  }

  putSession(session: StoredSession): void {
    this.#put(StoreTable.SESSIONS, numberKey(session.number), encodeText(JSON.stringify(session)))
  }

  deleteSession(number: number): void {
    const key = numberKey(number)
    this.#delete(StoreKind.DELETE, StoreTable.SESSIONS, key)
    this.#delete(StoreKind.DELETE_PREFIX, StoreTable.SUBSCRIPTIONS, key)
    this.#delete(StoreKind.DELETE_PREFIX, StoreTable.RECEIVED, key)
  }

  putSubscription(session: number, subscription: StoredSubscription): void {
    const key = subscriptionKey(session, encodeText(subscription.filter))
    this.#put(StoreTable.SUBSCRIPTIONS, key, encodeText(JSON.stringify(subscription)))
  }

  deleteSubscription(session: number, filter: string): void {
    this.#delete(StoreKind.DELETE, StoreTable.SUBSCRIPTIONS, subscriptionKey(session, encodeText(filter)))
  }

  addReceiver(receiver: LogReceiver): LogRecord {
    this.#draft ??= new LogRecord(this.#shard, this.#nextSequence++, 0, 0, false)
    this.#draft.places++
    this.#draft.left++
    this.#receivers.add(receiver)
    return this.#draft
  }

  get hasReceivers(): boolean {
    return this.#draft !== undefined
  }

  append(message: LoggedMessage, publisher: Publisher | undefined, together: number): boolean {
    const draft = this.#draft
    if (draft === undefined) {
      if (together > 0) {
        this.beginTogether(together)
        return true
      }
      if (publisher === undefined) return false
      this.#put(StoreTable.RECEIVED, receivedKey(publisher), NO_BYTES)
      return true
    }
    // first what led to it: its packet identifiers may have been freed, or earlier messages sent, just now
    if (this.#dirty.length > 0) this.writeProgress()
    const header = APPEND_HEADER_INTS * 4
    const at = this.#begin(StoreKind.APPEND, header + this.#receivers.valueBytes(message))
    const { ints, bytes } = this.#ring
    const i = at >> 2
    this.#writeSequence(i, draft)
    this.#unflushed.push(this.#number, draft)
    ints[i + APPEND_PUBLISHER] = publisher === undefined ? 0 : lowInt(publisher.session)
    ints[i + APPEND_PUBLISHER + 1] = publisher === undefined ? 0 : highInt(publisher.session)
    ints[i + APPEND_PACKET_ID] = publisher?.packetId ?? 0
    ints[i + APPEND_TOGETHER] = lowInt(together)
    ints[i + APPEND_TOGETHER + 1] = highInt(together)
    const length = this.#receivers.write(message, ints, bytes, at + header)
    ints[i + APPEND_VALUE_BYTES] = length
    this.#ring.end(at, header + length + 4) // `copyWords` may have written three bytes further
    this.#draft = undefined
    this.#receivers.clear()
    // a session may have been done with it before it was written
    if (draft.left === 0) this.#writeDone(draft)
    return true
  }

  /** Also the part of a message that nobody of this shard has to keep, but somebody has to wait for. */
  beginTogether(together: number): void {
    const at = this.#begin(StoreKind.APPEND, APPEND_HEADER_INTS * 4)
    const { ints } = this.#ring
    const i = at >> 2
    ints.fill(0, i + STORE_LOG, i + APPEND_HEADER_INTS)
    ints[i + APPEND_TOGETHER] = lowInt(together)
    ints[i + APPEND_TOGETHER + 1] = highInt(together)
    this.#ring.end(at, APPEND_HEADER_INTS * 4)
  }

  commitTogether(together: number, parts: number, publisher: Publisher | undefined): void {
    this.writeProgress() // some of it may belong to this
    const at = this.#begin(StoreKind.TOGETHER, TOGETHER_INTS * 4)
    const { ints } = this.#ring
    const i = at >> 2
    ints[i + TOGETHER_PARTS] = parts
    ints[i + TOGETHER_NUMBER] = lowInt(together)
    ints[i + TOGETHER_NUMBER + 1] = highInt(together)
    const { session, packetId } = publisher ?? NOBODY
    ints[i + TOGETHER_PUBLISHER] = lowInt(session)
    ints[i + TOGETHER_PUBLISHER + 1] = highInt(session)
    ints[i + TOGETHER_PACKET_ID] = packetId
    this.#ring.end(at, TOGETHER_INTS * 4)
  }

  sent(record: LogRecord, place: number, packetId: number): void {
    this.#advance(record, place, packetId | (Progress.SENT << 16))
  }

  released(record: LogRecord, place: number, packetId: number): void {
    this.#advance(record, place, packetId | (Progress.RELEASED << 16))
  }

  done(record: LogRecord, place: number): void {
    record.left--
    // of a draft there may be more to come
    if (record.left === 0 && !record.isSplit && record !== this.#draft) {
      this.#writeDone(record)
      return
    }
    this.#advance(record, place, Progress.DONE << 16)
  }

  /** Writes how far sessions have come since the last call; before anything that depends on it, and once a turn. */
  writeProgress(): void {
    const dirty = this.#dirty
    if (dirty.length === 0) return
    this.#dirty = []
    for (const record of dirty) {
      record.isDirty = false
      if (record === this.#draft) {
        // there is no message yet that could be told of
        record.isDirty = true
        this.#dirty.push(record)
        continue
      }
      if (record.left === 0 && !record.isSplit) continue
      const progress = progressOf(record)
      const length = (PROGRESS_HEADER_INTS + progress.length) * 4
      const at = this.#begin(StoreKind.PROGRESS, length)
      const { ints } = this.#ring
      const i = at >> 2
      this.#writeSequence(i, record)
      ints[i + PROGRESS_PLACES] = progress.length
      for (let place = 0; place < progress.length; place++) ints[i + PROGRESS_HEADER_INTS + place] = progress[place]
      this.#ring.end(at, length)
    }
  }

  deleteReceived(publisher: Publisher): void {
    this.#delete(StoreKind.DELETE, StoreTable.RECEIVED, receivedKey(publisher))
  }

  putRetained(topic: string, message: LoggedMessage, stamp: number): void {
    const key = textKey(encodeText(topic))
    const isCleared = message.payloadBytes === 0
    const none = new ReceiverList()
    const start = RETAIN_HEADER_INTS * 4
    const valueAt = ((start + key.length + STAMP_BYTES + 3) & ~3) - STAMP_BYTES
    const at = this.#begin(StoreKind.RETAIN, valueAt + STAMP_BYTES + none.valueBytes(message))
    const { ints, bytes } = this.#ring
    const i = at >> 2
    bytes.set(key, at + valueAt - key.length)
    writeNumberKey(bytes, at + valueAt, stamp)
    const length = isCleared ? 0 : none.write(message, ints, bytes, at + valueAt + STAMP_BYTES)
    ints[i + PUT_TABLE] = isCleared ? 0 : 1
    ints[i + PUT_KEY_BYTES] = key.length
    ints[i + PUT_VALUE_BYTES] = STAMP_BYTES + length
    ints[i + RETAIN_KEY] = valueAt - key.length
    this.#ring.end(at, valueAt + STAMP_BYTES + length + 4)
  }

  #advance(record: LogRecord, place: number, value: number): void {
    progressOf(record)[place] = value
    if (record.isDirty) return
    record.isDirty = true
    this.#dirty.push(record)
  }

  #writeDone(record: LogRecord): void {
    const at = this.#begin(StoreKind.DONE, 24)
    this.#writeSequence(at >> 2, record)
    this.#ring.end(at, 24)
  }

  #writeSequence(i: number, record: LogRecord): void {
    const { ints } = this.#ring
    ints[i + STORE_LOG] = record.log
    ints[i + STORE_SEQUENCE] = lowInt(record.sequence)
    ints[i + STORE_SEQUENCE + 1] = highInt(record.sequence)
  }

  #put(table: number, key: Uint8Array, value: Uint8Array): void {
    const start = PUT_HEADER_INTS * 4
    const at = this.#begin(StoreKind.PUT, start + key.length + value.length)
    const { ints, bytes } = this.#ring
    const i = at >> 2
    ints[i + PUT_TABLE] = table
    ints[i + PUT_KEY_BYTES] = key.length
    ints[i + PUT_VALUE_BYTES] = value.length
    bytes.set(key, at + start)
    bytes.set(value, at + start + key.length)
    this.#ring.end(at, start + key.length + value.length)
  }

  #delete(kind: number, table: number, key: Uint8Array): void {
    const start = PUT_HEADER_INTS * 4
    const at = this.#begin(kind, start + key.length)
    const i = at >> 2
    this.#ring.ints[i + PUT_TABLE] = table
    this.#ring.ints[i + PUT_KEY_BYTES] = key.length
    this.#ring.ints[i + PUT_VALUE_BYTES] = 0
    this.#ring.bytes.set(key, at + start)
    this.#ring.end(at, start + key.length)
  }

  #begin(kind: number, length: number): number {
    const at = this.#ring.begin(length)
    const i = at >> 2
    this.#number++
    this.#ring.ints[i + KIND] = kind
    this.#ring.ints[i + STORE_NUMBER] = this.#number | 0
    return at
  }
}

/** How far its sessions have come, with room for all of them. */
function progressOf(record: LogRecord): Int32Array {
  const { progress } = record
  if (progress?.length === record.places) return progress
  const grown = new Int32Array(record.places)
  if (progress !== undefined) grown.set(progress)
  record.progress = grown
  return grown
}
