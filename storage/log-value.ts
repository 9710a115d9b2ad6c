/**
 * A message in a log, as bytes: int32 fields (little-endian) at fixed positions, its receivers, their subscription
 * identifiers one after the other, and the message from topic to payload.
 */
import { crc32 } from 'node:zlib'
import { copyWords } from '../src/base/bytes.js'
import type { LoggedMessage, LogReceiver } from '../src/contracts/storage.js'
import { highInt, joinInts, lowInt } from '../src/contracts/store-records.js'

/** int 0: CRC-32 of all bytes behind it. */
const CHECKSUM_BYTES = 4
/** int 1: qos | retain << 2 | value of KEEP TOPIC << 3. */
const FLAGS = 1
const RECEIVERS = 2
/** ints 3 and 4: milliseconds since the epoch; both 0 without message expiry. */
const EXPIRES = 3
const TOPIC_BYTES = 5
const PROPERTIES_BYTES = 6
const PAYLOAD_BYTES = 7
/** Offset of the first subscription identifier. */
const IDENTIFIERS = 8
/** Offset of the topic. */
const MESSAGE = 9
/** Offsets from the topic. */
const PROPERTIES = 10
const PAYLOAD = 11
const FIXED_INTS = 12
/** A receiver: two ints of session number, packet identifier | qos << 16 | retain << 18 | shared << 19, identifier bytes. */
const RECEIVER_INTS = 4

/** Receivers of the message that comes next, encoded as they are added. */
export class ReceiverList {
  ints = new Int32Array(RECEIVER_INTS * 16)
  count = 0
  #identifiers: Uint8Array[] = []
  #identifiersBytes = 0

  add(receiver: LogReceiver): void {
    const at = this.count * RECEIVER_INTS
    if (at === this.ints.length) {
      const ints = new Int32Array(at * 2)
      ints.set(this.ints)
      this.ints = ints
    }
    const { session, packetId, qos, retain, isShared, identifiers } = receiver
    this.ints[at] = lowInt(session)
    this.ints[at + 1] = highInt(session)
    this.ints[at + 2] = packetId | (qos << 16) | (retain ? 1 << 18 : 0) | (isShared ? 1 << 19 : 0)
    this.ints[at + 3] = identifiers?.length ?? 0
    if (identifiers !== undefined) {
      this.#identifiers.push(identifiers)
      this.#identifiersBytes += identifiers.length
    }
    this.count++
  }

  clear(): void {
    this.count = 0
    if (this.#identifiers.length === 0) return
    this.#identifiers = []
    this.#identifiersBytes = 0
  }

  /** Bytes that a value with this message takes at most. */
  valueBytes(message: LoggedMessage): number {
    return (FIXED_INTS + this.count * RECEIVER_INTS) * 4 + this.#identifiersBytes + bodyBytes(message) + 16
  }

  /** Writes the value at byte `at`, a multiple of 4, all but its checksum. @returns its bytes */
  write(message: LoggedMessage, ints: Int32Array, bytes: Uint8Array, at: number): number {
    const i = at >> 2
    const hasExpiry = message.expiresAtMs !== Number.POSITIVE_INFINITY
    ints[i + FLAGS] = message.qos | (message.retain ? 4 : 0) | (message.isKeepValue ? 8 : 0)
    ints[i + RECEIVERS] = this.count
    ints[i + EXPIRES] = hasExpiry ? lowInt(message.expiresAtMs) : 0
    ints[i + EXPIRES + 1] = hasExpiry ? highInt(message.expiresAtMs) : 0
    ints[i + TOPIC_BYTES] = message.topicBytes
    ints[i + PROPERTIES_BYTES] = message.propertiesBytes
    ints[i + PAYLOAD_BYTES] = message.payloadBytes
    const receiverInts = this.count * RECEIVER_INTS
    for (let k = 0; k < receiverInts; k++) ints[i + FIXED_INTS + k] = this.ints[k]
    let end = at + (FIXED_INTS + receiverInts) * 4
    ints[i + IDENTIFIERS] = end - at
    for (const identifiers of this.#identifiers) {
      bytes.set(identifiers, end)
      end += identifiers.length
    }
    // whole words are copied: the topic must lie as in its source modulo 4, with a word to spare in front
    const body = ((end + 3) & ~3) + 4 + (message.topicStart & 3)
    ints[i + MESSAGE] = body - at
    ints[i + PROPERTIES] = message.propertiesStart - message.topicStart
    ints[i + PAYLOAD] = message.payloadStart - message.topicStart
    const length = bodyBytes(message)
    copyWords(message.ints, message.bytes, message.topicStart, ints, bytes, body, length)
    return body - at + length
  }
}

function bodyBytes(message: LoggedMessage): number {
  return message.payloadStart + message.payloadBytes - message.topicStart
}

/** Writes the checksum of a value that is otherwise complete. @param value in memory that is not shared */
export function seal(value: Uint8Array): void {
  const sum = crc32(value.subarray(CHECKSUM_BYTES))
  value[0] = sum
  value[1] = sum >>> 8
  value[2] = sum >>> 16
  value[3] = sum >>> 24
}

export interface LogValue {
  readonly message: LoggedMessage
  readonly receivers: readonly LogReceiver[]
}

/** Memory for many values: an ArrayBuffer for each of a million messages costs more than reading them. */
export class ValueMemory {
  bytes = new Uint8Array(0)
  ints = new Int32Array(0)
  #used = 0

  /** @returns the offset, a multiple of 4, of a copy with spare bytes behind it, as `copyWords` wants them */
  copy(value: Uint8Array): number {
    const length = (value.length + 11) & ~3
    if (this.#used + length > this.bytes.length) {
      const memory = new ArrayBuffer(Math.max(VALUE_CHUNK_BYTES, length))
      this.bytes = new Uint8Array(memory)
      this.ints = new Int32Array(memory)
      this.#used = 0
    }
    const at = this.#used
    this.bytes.set(value, at)
    this.#used += length
    return at
  }
}

/** Small, because one message that waits for a slow session keeps the whole chunk. */
const VALUE_CHUNK_BYTES = 8_192

const NO_RECEIVERS: readonly LogReceiver[] = []

/**
 * @param at where it begins in `value`, a multiple of 4
 * @returns a copy of what the value says, in `memory`; undefined if it is damaged
 */
export function readLogValue(value: Uint8Array, memory = new ValueMemory(), at = 0): LogValue | undefined {
  if (value.length < at + FIXED_INTS * 4) return undefined
  const start = memory.copy(value) + at
  const { bytes, ints } = memory
  const i = start >> 2
  if (crc32(value.subarray(at + CHECKSUM_BYTES)) >>> 0 !== ints[i] >>> 0) return undefined
  return { message: readMessage(bytes, ints, start), receivers: readReceivers(bytes, ints, start) }
}

function readReceivers(bytes: Uint8Array, ints: Int32Array, start: number): readonly LogReceiver[] {
  const i = start >> 2
  if (ints[i + RECEIVERS] === 0) return NO_RECEIVERS
  const receivers: LogReceiver[] = []
  let identifiersAt = start + ints[i + IDENTIFIERS]
  for (let k = 0; k < ints[i + RECEIVERS]; k++) {
    const at = i + FIXED_INTS + k * RECEIVER_INTS
    const meta = ints[at + 2]
    const identifiersBytes = ints[at + 3]
    receivers.push({
      session: joinInts(ints[at], ints[at + 1]),
      packetId: meta & 0xffff,
      qos: ((meta >> 16) & 3) as 0 | 1 | 2,
      retain: (meta & (1 << 18)) !== 0,
      isShared: (meta & (1 << 19)) !== 0,
      identifiers: identifiersBytes === 0 ? undefined : bytes.slice(identifiersAt, identifiersAt + identifiersBytes),
    })
    identifiersAt += identifiersBytes
  }
  return receivers
}

function readMessage(bytes: Uint8Array, ints: Int32Array, start: number): LoggedMessage {
  const i = start >> 2
  const expiresAtMs = joinInts(ints[i + EXPIRES], ints[i + EXPIRES + 1])
  const topicStart = start + ints[i + MESSAGE]
  return {
    bytes,
    ints,
    topicStart,
    topicBytes: ints[i + TOPIC_BYTES],
    propertiesStart: topicStart + ints[i + PROPERTIES],
    propertiesBytes: ints[i + PROPERTIES_BYTES],
    payloadStart: topicStart + ints[i + PAYLOAD],
    payloadBytes: ints[i + PAYLOAD_BYTES],
    qos: (ints[i + FLAGS] & 3) as 0 | 1 | 2,
    retain: (ints[i + FLAGS] & 4) !== 0,
    expiresAtMs: expiresAtMs === 0 ? Number.POSITIVE_INFINITY : expiresAtMs,
    isKeepValue: (ints[i + FLAGS] & 8) !== 0,
  }
}
