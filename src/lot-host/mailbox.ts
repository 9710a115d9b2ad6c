/** What waits for one entity, in order, as batches that are ready to be sent. */
import { aligned8 } from '../base/ring.js'
import {
  EVENT_DEPTH,
  EVENT_EXTRA_BYTES,
  EVENT_HEADER_BYTES,
  EVENT_INPUT,
  EVENT_INSTANCE,
  EVENT_KIND,
  EVENT_NUMBER,
  EVENT_PAYLOAD_BYTES,
  EVENT_TOPIC_BYTES,
  EVENT_TOPIC_HASH,
  EventKind,
} from '../contracts/lot-batch.js'
import type { Instance } from './instance.js'

/** A batch is closed when it has so many events, or so many bytes. */
const BATCH_EVENTS_MAX = 1_000
const BATCH_BYTES_MAX = 262_144
const BATCH_BYTES_MIN = 1_024
/** Longer pieces are copied by the engine, shorter ones faster here. */
const SHORT_BYTES = 48

/** Bytes of somebody else, as they lie in a ring. */
export interface Piece {
  bytes: Uint8Array
  at: number
  length: number
}

const NOTHING: Piece = { bytes: new Uint8Array(0), at: 0, length: 0 }

/** What an event says besides its bytes. */
export interface EventFacts {
  readonly kind: number
  readonly depth: number
  readonly input: number
  readonly topicHash: number
  readonly number: number
}

export class Batch {
  buffer: ArrayBuffer
  ints: Int32Array
  bytes: Uint8Array
  used = 0
  events = 0
  /** Byte offset of the first event that has not run. */
  from = 0
  /** Byte offset behind the last event to run; before `used` only where an event is known to do harm. */
  to = -1
  readonly instances: Instance[] = []

  constructor(capacity: number) {
    this.buffer = new ArrayBuffer(capacity)
    this.ints = new Int32Array(this.buffer)
    this.bytes = new Uint8Array(this.buffer)
  }

  get isFull(): boolean {
    return this.events >= BATCH_EVENTS_MAX || this.used >= BATCH_BYTES_MAX
  }

  /** The bytes are back from a runner. */
  adopt(buffer: ArrayBuffer): void {
    this.buffer = buffer
    this.ints = new Int32Array(buffer)
    this.bytes = new Uint8Array(buffer)
  }

  /** A copy to send, so that this one is still here if the runner dies. */
  copy(): ArrayBuffer {
    return this.buffer.slice(0, this.used)
  }

  append(facts: EventFacts, instance: Instance | undefined, topic: Piece, payload: Piece, extra: Piece): number {
    const length = aligned8(EVENT_HEADER_BYTES + topic.length + payload.length + extra.length)
    if (this.used + length > this.bytes.length) this.#grow(this.used + length)
    const { ints, used: at } = this
    const i = at >> 2
    ints[i] = length
    ints[i + EVENT_KIND] = facts.kind
    ints[i + EVENT_DEPTH] = facts.depth
    ints[i + EVENT_INPUT] = facts.input
    ints[i + EVENT_INSTANCE] = instance === undefined ? -1 : this.#indexOf(instance)
    ints[i + EVENT_TOPIC_BYTES] = topic.length
    ints[i + EVENT_TOPIC_HASH] = facts.topicHash
    ints[i + EVENT_PAYLOAD_BYTES] = payload.length
    ints[i + EVENT_EXTRA_BYTES] = extra.length
    ints[i + EVENT_NUMBER] = facts.number
    let to = this.#put(topic, at + EVENT_HEADER_BYTES)
    to = this.#put(payload, to)
    this.#put(extra, to)
    this.used = at + length
    this.events++
    return length
  }

  /** Events from a byte offset on. */
  countFrom(from: number, to: number): number {
    let count = 0
    for (let at = from; at < to; at += this.ints[at >> 2]) count++
    return count
  }

  /**
   * Leaves out what nobody relies on, and what does not fit.
   * @returns bytes and events that are left
   */
  keepCertain(bytesMax: number): { readonly bytes: number; readonly events: number } {
    const { ints, from } = this
    let to = from
    let events = 0
    for (let at = from; at < this.used; ) {
      const i = at >> 2
      const length = ints[i]
      const isCertain = ints[i + EVENT_KIND] === EventKind.MESSAGE && ints[i + EVENT_NUMBER] === 1
      if (isCertain && to - from + length <= bytesMax) {
        this.bytes.copyWithin(to, at, at + length)
        to += length
        events++
      }
      at += length
    }
    this.used = to
    this.to = -1
    this.events = events
    return { bytes: to - from, events }
  }

  #indexOf(instance: Instance): number {
    if (instance.batch !== this) {
      instance.batch = this
      instance.index = this.instances.length
      this.instances.push(instance)
    }
    return instance.index
  }

  #put(piece: Piece, to: number): number {
    const { bytes, at, length } = piece
    if (length > SHORT_BYTES) this.bytes.set(bytes.subarray(at, at + length), to)
    else for (let i = 0; i < length; i++) this.bytes[to + i] = bytes[at + i]
    return to + length
  }

  #grow(needed: number): void {
    let capacity = this.bytes.length * 2
    while (capacity < needed) capacity *= 2
    const { bytes } = this
    this.adopt(new ArrayBuffer(capacity))
    this.bytes.set(bytes)
  }
}

/** Of all mailboxes together. */
export interface MailboxTotal {
  bytes: number
}

export class Mailbox {
  readonly #batches: Batch[] = []
  /** Bytes of the last batch that left: about what the next one will need. */
  #expectedBytes = BATCH_BYTES_MIN
  /** Events that wait, those in flight included. */
  waiting = 0

  constructor(readonly total: MailboxTotal) {}

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** What comes first will not grow any more. */
  get isRipe(): boolean {
    return this.#batches.length > 1 || this.#batches[0]?.isFull === true
  }

  append(
    facts: EventFacts,
    instance: Instance | undefined,
    topic: Piece = NOTHING,
    payload: Piece = NOTHING,
    extra: Piece = NOTHING,
  ): void {
    let batch = this.#batches[this.#batches.length - 1]
    if (batch === undefined || batch.isFull) {
      batch = new Batch(this.#expectedBytes)
      this.#batches.push(batch)
    }
    this.total.bytes += batch.append(facts, instance, topic, payload, extra)
    this.waiting++
  }

  /** Takes out what comes first. */
  take(): Batch | undefined {
    const batch = this.#batches.shift()
    if (batch === undefined) return undefined
    while (this.#expectedBytes < batch.used) this.#expectedBytes *= 2
    if (this.#expectedBytes > BATCH_BYTES_MIN && batch.used * 4 < this.#expectedBytes) this.#expectedBytes /= 2
    return batch
  }

  /** Puts back what was taken and not finished. */
  putBack(batch: Batch): void {
    this.#batches.unshift(batch)
  }

  /** Events of a batch that was taken have run, or will not. @returns how many */
  finish(batch: Batch, upTo: number): number {
    const events = batch.countFrom(batch.from, upTo)
    this.waiting -= events
    this.total.bytes -= upTo - batch.from
    batch.from = upTo
    return events
  }

  /**
   * Keeps messages with QoS 1 or 2, the oldest first, as far as all mailboxes together then have no more than that.
   * @returns events that will not run
   */
  keepCertain(totalBytesMax: number): number {
    const { waiting } = this
    const batches = this.#batches.splice(0)
    for (const batch of batches) this.total.bytes -= batch.used - batch.from
    this.waiting = 0
    for (const batch of batches) {
      const { bytes, events } = batch.keepCertain(totalBytesMax - this.total.bytes)
      if (events === 0) continue
      this.total.bytes += bytes
      this.waiting += events
      batch.adopt(batch.copy())
      this.#batches.push(batch)
    }
    return waiting - this.waiting
  }

  /** @returns events that will not run */
  clear(): number {
    let events = 0
    for (const batch of this.#batches) events += this.finish(batch, batch.used)
    this.#batches.length = 0
    return events
  }
}
