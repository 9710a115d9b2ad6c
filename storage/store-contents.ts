/** What is in a store, read one by one by tools that look through all of it; what cannot be read is told, and left out. */
import { decodeText } from '../src/base/bytes.js'
import {
  type LoggedMessage,
  type LogReceiver,
  Progress,
  type Publisher,
  type StoredSession,
  type StoredSubscription,
} from '../src/contracts/storage.js'
import { SHARDS_MAX, type StoreReader, TABLE } from './engine.js'
import { NUMBER_KEY_BYTES, numberKey, readNumberKey, subscriptionKey, textKey } from './keys.js'
import { readLogValue, ValueMemory } from './log-value.js'
import { readRetainedValue } from './retained-value.js'
import { isStoredSession, isStoredSubscription, parseObject } from './store-json.js'

/** Told what is damaged, in words that need no others. */
export type OnDamage = (what: string) => void

/** One session that a message of the log is for, and where it stands with it. */
export interface StoredReceiver extends LogReceiver {
  readonly progress: Progress
}

export interface StoredMessage {
  readonly log: number
  readonly sequence: number
  readonly message: LoggedMessage
  readonly receivers: readonly StoredReceiver[]
}

export interface StoredRetained {
  readonly message: LoggedMessage
  readonly stamp: number
}

/** Numbers of the logs that a store has. */
export function logsOf(reader: StoreReader): number[] {
  const tables = new Set(reader.tables)
  return Array.from({ length: SHARDS_MAX }, (_, log) => log).filter((log) => tables.has(TABLE.log(log)))
}

export function* storedSessions(reader: StoreReader, onDamage: OnDamage): Generator<StoredSession> {
  for (const { key, value } of reader.range(TABLE.sessions)) {
    const session = parseObject(decodeText(value, 0, value.length))
    if (key.length !== NUMBER_KEY_BYTES) onDamage(`a session has the key ${hexOf(key)}, which is no number`)
    else if (!isStoredSession(session)) onDamage(`session ${readNumberKey(key)} cannot be read`)
    else if (session.number !== readNumberKey(key)) {
      onDamage(`session ${readNumberKey(key)} calls itself ${session.number}`)
    } else yield session
  }
}

/** @param session its number; without it, those of all */
export function* storedSubscriptions(
  reader: StoreReader,
  onDamage: OnDamage,
  session?: number,
): Generator<{ readonly session: number; readonly subscription: StoredSubscription }> {
  for (const { key, value } of reader.range(TABLE.subscriptions, prefixOf(session))) {
    const number = key.length > NUMBER_KEY_BYTES ? readNumberKey(key) : Number.NaN
    const subscription = parseObject(decodeText(value, 0, value.length))
    if (!isStoredSubscription(subscription)) onDamage(`a subscription of session ${number} cannot be read`)
    else if (Buffer.compare(subscriptionKey(number, Buffer.from(subscription.filter)), key) !== 0) {
      onDamage(`the subscription ${subscription.filter} of session ${number} is in the place of another`)
    } else yield { session: number, subscription }
  }
}

/** Identifiers of QoS 2 messages received and not released. @param session its number; without it, those of all */
export function* storedReceived(reader: StoreReader, onDamage: OnDamage, session?: number): Generator<Publisher> {
  for (const { key } of reader.range(TABLE.received, prefixOf(session))) {
    if (key.length !== NUMBER_KEY_BYTES + 2) onDamage(`a received identifier has the key ${hexOf(key)}`)
    else {
      const packetId = (key[NUMBER_KEY_BYTES] << 8) | key[NUMBER_KEY_BYTES + 1]
      yield { session: readNumberKey(key), packetId }
    }
  }
}

export function* storedRetained(reader: StoreReader, onDamage: OnDamage): Generator<StoredRetained> {
  const memory = new ValueMemory()
  for (const { key, value } of reader.range(TABLE.retained)) {
    const read = readRetainedValue(value, memory)
    if (read === undefined) onDamage(`the retained message of ${decodeText(key, 0, key.length)} has a wrong checksum`)
    else if (Buffer.compare(textKey(topicBytesOf(read.message)), key) !== 0) {
      onDamage(`the retained message of ${decodeText(key, 0, key.length)} is that of another topic`)
    } else yield read
  }
}

/** The messages of one log in their order. */
export function* storedMessages(reader: StoreReader, log: number, onDamage: OnDamage): Generator<StoredMessage> {
  const memory = new ValueMemory()
  for (const { key, value } of reader.range(TABLE.log(log))) {
    if (key.length !== NUMBER_KEY_BYTES) {
      onDamage(`log ${log} has the key ${hexOf(key)}, which is no number`)
      continue
    }
    const sequence = readNumberKey(key)
    const logged = readLogValue(value, memory)
    if (logged === undefined) {
      onDamage(`message ${sequence} of log ${log} has a wrong checksum`)
      continue
    }
    const states = progressOf(reader, log, key)
    if (states === undefined || states.length > logged.receivers.length) {
      onDamage(`the progress of message ${sequence} of log ${log} cannot be read`)
    }
    const receivers = logged.receivers.map((receiver, place) => withProgress(receiver, states?.[place] ?? 0))
    yield { log, sequence, message: logged.message, receivers }
  }
}

/** The same rule as that of a broker that starts: storage/restore.ts. */
function withProgress(receiver: LogReceiver, state: number): StoredReceiver {
  const packetId = state & 0xffff || receiver.packetId
  const progress = (state >> 16 || (packetId === 0 ? Progress.QUEUED : Progress.SENT)) as Progress
  return { ...receiver, packetId, progress }
}

/** @returns undefined for what makes no sense */
function progressOf(reader: StoreReader, log: number, key: Uint8Array): number[] | undefined {
  const bytes = reader.get(TABLE.progress(log), key)
  if (bytes === undefined) return []
  if (bytes.length % 4 !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const states = Array.from({ length: bytes.length / 4 }, (_, place) => view.getInt32(place * 4, true))
  return states.every((state) => state >= 0 && state >> 16 <= Progress.DONE) ? states : undefined
}

function topicBytesOf({ bytes, topicStart, topicBytes }: LoggedMessage): Uint8Array {
  return bytes.subarray(topicStart, topicStart + topicBytes)
}

function prefixOf(session: number | undefined): { readonly prefix?: Uint8Array } {
  return session === undefined ? {} : { prefix: numberKey(session) }
}

function hexOf(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}
