/** Messages: as a view of where they lie at the moment, and as copies of their own once somebody has to keep them. */
import { copyWords, decodeText, encodeText, hashBytes } from '../base/bytes.js'
import type { Qos } from '../mqtt/packets.js'
import { forEachProperty, Property } from '../mqtt/properties.js'
import { writeUint32 } from '../mqtt/publish-writer.js'

const CHUNK_BYTES = 8_192

/**
 * Memory for kept messages, in chunks that live as long as a message in them does. Small chunks, because one message
 * that waits for a slow session keeps the whole chunk.
 */
export class MessageMemory {
  bytes = new Uint8Array(0)
  ints = new Int32Array(0)
  #used = 0

  /** @returns an offset equal to `from` modulo 4, with four spare bytes around, as `copyWords` wants it */
  reserve(from: number, length: number): number {
    const needed = length + 12
    if (this.#used + needed > this.bytes.length) {
      const memory = new ArrayBuffer(Math.max(CHUNK_BYTES, (needed + 3) & ~3))
      this.bytes = new Uint8Array(memory)
      this.ints = new Int32Array(memory)
      this.#used = 0
    }
    const at = this.#used + 4 + (from & 3)
    this.#used = (at + length + 7) & ~3
    return at
  }
}

/** A message that somebody keeps: queued, inflight or retained. Immutable; shared by all who keep it. */
export class Message {
  constructor(
    readonly bytes: Uint8Array,
    readonly ints: Int32Array,
    readonly topicStart: number,
    readonly topicBytes: number,
    readonly topicHash: number,
    readonly propertiesStart: number,
    readonly propertiesBytes: number,
    readonly payloadStart: number,
    readonly payloadBytes: number,
    readonly qos: Qos,
    readonly retain: boolean,
    /** Milliseconds since the epoch; Infinity without message expiry. */
    readonly expiresAtMs: number,
    /** The value of KEEP TOPIC: rules do not take it for a retained message. */
    readonly isKeepValue: boolean,
  ) {}

  /** The same message in other memory, `shift` bytes further on. */
  movedTo(bytes: Uint8Array, ints: Int32Array, shift: number, retain: boolean): Message {
    return new Message(
      bytes,
      ints,
      this.topicStart + shift,
      this.topicBytes,
      this.topicHash,
      this.propertiesStart + shift,
      this.propertiesBytes,
      this.payloadStart + shift,
      this.payloadBytes,
      this.qos,
      retain,
      this.expiresAtMs,
      this.isKeepValue,
    )
  }

  /** A copy in memory of its own: a message that may stay for years must not keep the chunk it was copied to. */
  alone(retain: boolean): Message {
    const lead = this.topicStart & 3
    const memory = new ArrayBuffer((lead + this.sizeBytes + 7) & ~3)
    const bytes = new Uint8Array(memory)
    bytes.set(this.bytes.subarray(this.topicStart, this.topicStart + this.sizeBytes), lead)
    return this.movedTo(bytes, new Int32Array(memory), lead - this.topicStart, retain)
  }

  get topic(): string {
    return decodeText(this.bytes, this.topicStart, this.topicBytes)
  }

  get payloadText(): string {
    return decodeText(this.bytes, this.payloadStart, this.payloadBytes)
  }

  /** Bytes that this message costs: topic, properties and payload. */
  get sizeBytes(): number {
    return this.payloadStart + this.payloadBytes - this.topicStart
  }
}

/**
 * The message being worked on, wherever its bytes lie: a ring, or the memory of a `Message`. One is reused for all
 * messages of a shard, so that a publish allocates nothing unless it must be kept. From topic to payload the bytes are
 * contiguous, in the order of the wire.
 */
export class PublishFields {
  bytes: Uint8Array = new Uint8Array(0)
  ints: Int32Array = new Int32Array(0)
  topicStart = 0
  topicBytes = 0
  topicHash = 0
  propertiesStart = 0
  propertiesBytes = 0
  payloadStart = 0
  payloadBytes = 0
  qos: Qos = 0
  retain = false
  packetId = 0
  /** Seconds; -1 without message expiry. */
  expirySeconds = -1
  /** As `Message.isKeepValue`. */
  isKeepValue = false
  #kept: Message | undefined

  /** Reads a PUBLISH descriptor whose offsets are relative to `base`. */
  readDescriptor(bytes: Uint8Array, ints: Int32Array, at: number, base: number): void {
    const head = ints[at]
    this.bytes = bytes
    this.ints = ints
    this.qos = ((head >> 8) & 3) as Qos
    this.retain = (head & 0x400) !== 0
    this.packetId = ints[at + 1]
    this.topicStart = base + ints[at + 2]
    this.topicBytes = ints[at + 3]
    this.topicHash = ints[at + 4]
    this.propertiesStart = base + ints[at + 5]
    this.propertiesBytes = ints[at + 6]
    this.payloadStart = base + ints[at + 7]
    this.payloadBytes = ints[at + 8]
    this.expirySeconds = head & 0x1000 ? ints[at + 9] >>> 0 : -1
    this.isKeepValue = (head & 0x2000) !== 0
    this.#kept = undefined
  }

  /** Reads a message without properties whose payload lies behind its topic. */
  readPlain(
    bytes: Uint8Array,
    ints: Int32Array,
    topicStart: number,
    topicBytes: number,
    payloadBytes: number,
    qos: Qos,
    retain: boolean,
  ): void {
    this.bytes = bytes
    this.ints = ints
    this.qos = qos
    this.retain = retain
    this.packetId = 0
    this.topicStart = topicStart
    this.topicBytes = topicBytes
    this.topicHash = hashBytes(bytes, topicStart, topicBytes)
    this.propertiesStart = topicStart + topicBytes
    this.propertiesBytes = 0
    this.payloadStart = this.propertiesStart
    this.payloadBytes = payloadBytes
    this.expirySeconds = -1
    this.isKeepValue = false
    this.#kept = undefined
  }

  /** Reads a kept message, with the time it has left in place of its expiry interval [MQTT-3.3.2-6]. */
  readMessage(kept: Message, nowMs: number): void {
    const message = kept.expiresAtMs === Number.POSITIVE_INFINITY ? kept : withTimeLeft(kept, nowMs)
    this.bytes = message.bytes
    this.ints = message.ints
    this.qos = message.qos
    this.retain = message.retain
    this.packetId = 0
    this.topicStart = message.topicStart
    this.topicBytes = message.topicBytes
    this.topicHash = message.topicHash
    this.propertiesStart = message.propertiesStart
    this.propertiesBytes = message.propertiesBytes
    this.payloadStart = message.payloadStart
    this.payloadBytes = message.payloadBytes
    const leftMs = message.expiresAtMs - nowMs
    this.expirySeconds = leftMs === Number.POSITIVE_INFINITY ? -1 : Math.max(0, Math.ceil(leftMs / 1_000))
    this.isKeepValue = message.isKeepValue
    this.#kept = message
  }

  /** The bytes from topic to payload. */
  get bodyBytes(): number {
    return this.payloadStart + this.payloadBytes - this.topicStart
  }

  /** A copy that may be kept; one per publish, however many keep it. */
  keep(memory: MessageMemory, nowMs: number): Message {
    if (this.#kept !== undefined) return this.#kept
    const length = this.bodyBytes
    const at = memory.reserve(this.topicStart, length)
    copyWords(this.ints, this.bytes, this.topicStart, memory.ints, memory.bytes, at, length)
    const shift = at - this.topicStart
    this.#kept = new Message(
      memory.bytes,
      memory.ints,
      at,
      this.topicBytes,
      this.topicHash,
      this.propertiesStart + shift,
      this.propertiesBytes,
      this.payloadStart + shift,
      this.payloadBytes,
      this.qos,
      this.retain,
      this.expirySeconds < 0 ? Number.POSITIVE_INFINITY : nowMs + this.expirySeconds * 1_000,
      this.isKeepValue,
    )
    return this.#kept
  }
}

export interface MessageParts {
  readonly topic: string
  readonly payload: Uint8Array
  /** Encoded as in a PUBLISH, without their length. */
  readonly properties: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly expiresAtMs: number
}

/** A message that came from no PUBLISH: a will, `$SYS`. */
export function createMessage(parts: MessageParts): Message {
  const { properties, payload } = parts
  const topic = encodeText(parts.topic)
  const length = topic.length + properties.length + payload.length
  const memory = new ArrayBuffer((length + 7) & ~3)
  const bytes = new Uint8Array(memory)
  bytes.set(topic, 0)
  bytes.set(properties, topic.length)
  bytes.set(payload, topic.length + properties.length)
  return new Message(
    bytes,
    new Int32Array(memory),
    0,
    topic.length,
    hashBytes(topic, 0, topic.length),
    topic.length,
    properties.length,
    topic.length + properties.length,
    payload.length,
    parts.qos,
    parts.retain,
    parts.expiresAtMs,
    false,
  )
}

function withTimeLeft(message: Message, nowMs: number): Message {
  const copy = message.alone(message.retain)
  const { bytes, propertiesStart } = copy
  forEachProperty(bytes, propertiesStart, propertiesStart + copy.propertiesBytes, (identifier, valueStart) => {
    if (identifier !== Property.MESSAGE_EXPIRY_INTERVAL) return
    writeUint32(bytes, valueStart, Math.max(0, Math.ceil((message.expiresAtMs - nowMs) / 1_000)))
  })
  return copy
}
