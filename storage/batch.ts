/**
 * What shards have written and is not in the store yet, with what cancels out left out: a message that all its sessions
 * have acknowledged before it could be written never touches the disk.
 */

import { Progress } from '../src/contracts/storage.js'
import {
  APPEND_HEADER_INTS,
  APPEND_PACKET_ID,
  APPEND_PUBLISHER,
  APPEND_VALUE_BYTES,
  joinInts,
  PROGRESS_HEADER_INTS,
  PROGRESS_PLACES,
  PUT_HEADER_INTS,
  PUT_KEY_BYTES,
  PUT_TABLE,
  PUT_VALUE_BYTES,
  RETAIN_KEY,
  STORE_LOG,
  STORE_SEQUENCE,
  StoreKind,
  TOGETHER_PACKET_ID,
  TOGETHER_PUBLISHER,
} from '../src/contracts/store-records.js'
import { SHARDS_MAX, type StoreTransaction, TABLE } from './engine.js'
import { HighWater, STAMP_MARK, sequenceMark, sessionMark } from './high-water.js'
import { readNumberKey, receivedKey, writeNumberKey } from './keys.js'
import { seal } from './log-value.js'
import { stampOf } from './retained-value.js'
import type { RetainedWriter } from './retained-writer.js'

const KIND = 1
const TABLES = [TABLE.sessions, TABLE.subscriptions, TABLE.received]
const CHUNK_BYTES = 1 << 20
const NO_BYTES = new Uint8Array(0)

/** Of one message: what is left to be written. */
interface LogChange {
  /** undefined if it is in the store already. */
  value: Uint8Array | undefined
  progress: Int32Array | undefined
  isDone: boolean
}

interface TableChange {
  readonly kind: number
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Memory that is used over and over for the bytes of batches. */
class Arena {
  #chunks: Uint8Array[] = [new Uint8Array(CHUNK_BYTES)]
  #chunk = 0
  #used = 0

  copy(source: Uint8Array, start: number, length: number): Uint8Array {
    if (length > CHUNK_BYTES) return source.slice(start, start + length)
    if (this.#used + length > CHUNK_BYTES) {
      this.#chunk++
      this.#used = 0
      if (this.#chunk === this.#chunks.length) this.#chunks.push(new Uint8Array(CHUNK_BYTES))
    }
    const target = this.#chunks[this.#chunk].subarray(this.#used, this.#used + length)
    target.set(source.subarray(start, start + length))
    this.#used += length
    return target
  }

  clear(): void {
    this.#chunk = 0
    this.#used = 0
  }
}

export class Batch {
  /** By log, then sequence number. */
  readonly #logs = new Map<number, Map<number, LogChange>>()
  #tables: TableChange[] = []
  readonly #arena = new Arena()
  readonly #marks = new HighWater()
  /** Records added since the last `clear`. */
  records = 0
  /** Messages of these that were acknowledged before they were written. */
  elided = 0

  constructor(readonly retained: RetainedWriter) {}

  /** Takes in a record; its memory may change afterwards. */
  add(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    this.records++
    switch (ints[i + KIND]) {
      case StoreKind.APPEND:
        this.#addMessage(bytes, ints, at)
        return
      case StoreKind.DONE: {
        const changes = this.#changesOf(ints[i + STORE_LOG])
        const sequence = joinInts(ints[i + STORE_SEQUENCE], ints[i + STORE_SEQUENCE + 1])
        if (changes.get(sequence)?.value !== undefined) {
          changes.delete(sequence)
          this.elided++
        } else changes.set(sequence, { value: undefined, progress: undefined, isDone: true })
        return
      }
      case StoreKind.PROGRESS:
        this.#addProgress(ints, i)
        return
      case StoreKind.TOGETHER: {
        const session = joinInts(ints[i + TOGETHER_PUBLISHER], ints[i + TOGETHER_PUBLISHER + 1])
        if (ints[i + TOGETHER_PACKET_ID] > 0) this.#addReceived(session, ints[i + TOGETHER_PACKET_ID])
        return
      }
      case StoreKind.RETAIN: {
        const keyAt = at + ints[i + RETAIN_KEY]
        const keyBytes = ints[i + PUT_KEY_BYTES]
        const key = this.#arena.copy(bytes, keyAt, keyBytes)
        const value = this.#arena.copy(bytes, keyAt + keyBytes, ints[i + PUT_VALUE_BYTES])
        this.#tables.push({
          kind: StoreKind.RETAIN,
          table: ints[i + PUT_TABLE] === 0 ? '' : TABLE.retained,
          key,
          value,
        })
        this.#marks.note(STAMP_MARK, stampOf(value))
        return
      }
      default: {
        const keyAt = at + PUT_HEADER_INTS * 4
        const keyBytes = ints[i + PUT_KEY_BYTES]
        const key = this.#arena.copy(bytes, keyAt, keyBytes)
        const value = this.#arena.copy(bytes, keyAt + keyBytes, ints[i + PUT_VALUE_BYTES])
        const table = TABLES[ints[i + PUT_TABLE]]
        this.#tables.push({ kind: ints[i + KIND], table, key, value })
        if (table === TABLE.sessions) this.#noteSession(readNumberKey(key))
      }
    }
  }

  /** Writes all of it. */
  apply(transaction: StoreTransaction): void {
    for (const { kind, table, key, value } of this.#tables) {
      if (kind === StoreKind.PUT) transaction.put(table, key, value)
      else if (kind === StoreKind.DELETE) transaction.delete(table, key)
      else if (kind === StoreKind.DELETE_PREFIX) transaction.deletePrefix(table, key)
      else this.retained.apply(transaction, key, value, table === '')
    }
    this.#marks.apply(transaction)
    const key = new Uint8Array(8)
    for (const [log, changes] of this.#logs) {
      const [messages, progresses] = [TABLE.log(log), TABLE.progress(log)]
      for (const [sequence, change] of changes) {
        writeNumberKey(key, 0, sequence)
        if (change.isDone) {
          transaction.delete(messages, key)
          transaction.delete(progresses, key)
          continue
        }
        if (change.value !== undefined) {
          seal(change.value)
          transaction.put(messages, key, change.value)
        }
        if (change.progress !== undefined) writeProgress(transaction, messages, progresses, key, change.progress)
      }
    }
  }

  /**
   * Drops what needs room: new messages, sessions, subscriptions. What frees room or tells how far somebody has come
   * stays, to be written as soon as that is possible.
   * @returns whether anything was dropped
   */
  refuseGrowth(): boolean {
    const before = this.#tables.length
    const kept = this.#tables.filter(({ kind, table }) => kind !== StoreKind.PUT && table !== TABLE.retained)
    let refused = before - kept.length
    for (const changes of this.#logs.values()) {
      for (const [sequence, { value }] of changes) {
        if (value === undefined) continue
        changes.delete(sequence)
        refused++
      }
    }
    // what stays may have to stay for long, and the arena must not grow meanwhile
    this.#tables = kept.map((change) => ({ ...change, key: change.key.slice(), value: change.value.slice() }))
    this.#arena.clear()
    return refused > 0
  }

  clear(): void {
    this.#marks.clear()
    for (const changes of this.#logs.values()) changes.clear()
    this.#tables = []
    this.#arena.clear()
    this.records = 0
    this.elided = 0
  }

  #addMessage(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    if (ints[i + APPEND_VALUE_BYTES] === 0) return
    const value = this.#arena.copy(bytes, at + APPEND_HEADER_INTS * 4, ints[i + APPEND_VALUE_BYTES])
    const sequence = joinInts(ints[i + STORE_SEQUENCE], ints[i + STORE_SEQUENCE + 1])
    this.#marks.note(sequenceMark(ints[i + STORE_LOG]), sequence)
    this.#changesOf(ints[i + STORE_LOG]).set(sequence, { value, progress: undefined, isDone: false })
    const packetId = ints[i + APPEND_PACKET_ID]
    if (packetId === 0) return
    this.#addReceived(joinInts(ints[i + APPEND_PUBLISHER], ints[i + APPEND_PUBLISHER + 1]), packetId)
  }

  #noteSession(number: number): void {
    this.#marks.note(sessionMark(number % SHARDS_MAX), Math.floor(number / SHARDS_MAX))
  }

  #addReceived(session: number, packetId: number): void {
    const key = receivedKey({ session, packetId })
    this.#tables.push({ kind: StoreKind.PUT, table: TABLE.received, key, value: NO_BYTES })
  }

  #addProgress(ints: Int32Array, i: number): void {
    const sequence = joinInts(ints[i + STORE_SEQUENCE], ints[i + STORE_SEQUENCE + 1])
    const places = ints[i + PROGRESS_PLACES]
    const changes = this.#changesOf(ints[i + STORE_LOG])
    let change = changes.get(sequence)
    if (change === undefined) {
      change = { value: undefined, progress: undefined, isDone: false }
      changes.set(sequence, change)
    }
    change.progress ??= new Int32Array(places)
    const start = i + PROGRESS_HEADER_INTS
    mergeProgress(change.progress, (place) => ints[start + place])
  }

  #changesOf(log: number): Map<number, LogChange> {
    let changes = this.#logs.get(log)
    if (changes === undefined) {
      changes = new Map()
      this.#logs.set(log, changes)
    }
    return changes
  }
}

/** Takes over at each place what is further on: two shards may tell of different places of one message. */
function mergeProgress(progress: Int32Array, other: (place: number) => number): void {
  for (let place = 0; place < progress.length; place++) {
    const value = other(place)
    if (value >> 16 >= progress[place] >> 16) progress[place] = value
  }
}

/** Merges it with what is there, and deletes the message once all its sessions are done. */
function writeProgress(
  transaction: StoreTransaction,
  messages: string,
  progresses: string,
  key: Uint8Array,
  progress: Int32Array,
): void {
  const old = transaction.get(progresses, key)
  if (old !== undefined) {
    const view = new DataView(old.buffer, old.byteOffset, old.byteLength)
    mergeProgress(progress, (place) => (place * 4 < old.length ? view.getInt32(place * 4, true) : 0))
  }
  if (progress.every((value) => value >> 16 === Progress.DONE)) {
    transaction.delete(messages, key)
    transaction.delete(progresses, key)
    return
  }
  transaction.put(progresses, key, new Uint8Array(progress.buffer, 0, progress.length * 4))
}
