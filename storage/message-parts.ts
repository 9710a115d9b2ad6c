/** A message of the log as topic, properties and payload, and back. */
import { decodeText } from '../src/base/bytes.js'
import type { LoggedMessage, LogReceiver } from '../src/contracts/storage.js'
import { varintBytes, writeVarint } from '../src/mqtt/varint.js'
import { numberKey } from './keys.js'
import { ReceiverList, seal } from './log-value.js'
import { STAMP_BYTES } from './retained-value.js'

export interface MessageParts {
  readonly topic: string
  /** As on the wire, without their length. */
  readonly properties: Uint8Array
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Milliseconds since the epoch; undefined without message expiry. */
  readonly expiresAtMs: number | undefined
  /** The value of KEEP TOPIC. */
  readonly isKeepValue: boolean
}

/** Views of the message's memory. */
export function partsOf(message: LoggedMessage): MessageParts {
  const { bytes, topicStart, topicBytes, propertiesStart, propertiesBytes, payloadStart, payloadBytes } = message
  return {
    topic: decodeText(bytes, topicStart, topicBytes),
    properties: bytes.subarray(propertiesStart, propertiesStart + propertiesBytes),
    payload: bytes.subarray(payloadStart, payloadStart + payloadBytes),
    qos: message.qos,
    retain: message.retain,
    expiresAtMs: message.expiresAtMs === Number.POSITIVE_INFINITY ? undefined : message.expiresAtMs,
    isKeepValue: message.isKeepValue,
  }
}

/** Lays it out as it would have come: copying it takes whole words, so there is one to spare on both sides. */
export function messageOfParts(parts: MessageParts): LoggedMessage {
  const { properties, payload, qos, retain } = parts
  const topic = Buffer.from(parts.topic)
  const topicStart = 8
  const lengthAt = topicStart + topic.length + (qos === 0 ? 0 : 2)
  const propertiesStart = lengthAt + varintBytes(properties.length)
  const payloadStart = propertiesStart + properties.length
  const memory = new ArrayBuffer((payloadStart + payload.length + 11) & ~3)
  const bytes = new Uint8Array(memory)
  bytes.set(topic, topicStart)
  writeVarint(bytes, lengthAt, properties.length)
  bytes.set(properties, propertiesStart)
  bytes.set(payload, payloadStart)
  return {
    bytes,
    ints: new Int32Array(memory),
    topicStart,
    topicBytes: topic.length,
    propertiesStart,
    propertiesBytes: properties.length,
    payloadStart,
    payloadBytes: payload.length,
    qos,
    retain,
    expiresAtMs: parts.expiresAtMs ?? Number.POSITIVE_INFINITY,
    isKeepValue: parts.isKeepValue,
  }
}

/** The value of a log for this message. */
export function logValue(message: LoggedMessage, receivers: readonly LogReceiver[]): Uint8Array {
  return sealedValue(message, receivers, 0)
}

/** The value of the table of retained messages. */
export function retainedValue(message: LoggedMessage, stamp: number): Uint8Array {
  const value = sealedValue(message, [], STAMP_BYTES)
  value.set(numberKey(stamp))
  return value
}

function sealedValue(message: LoggedMessage, receivers: readonly LogReceiver[], at: number): Uint8Array {
  const list = new ReceiverList()
  for (const receiver of receivers) list.add(receiver)
  const memory = new ArrayBuffer((at + list.valueBytes(message) + 11) & ~3)
  const bytes = new Uint8Array(memory)
  const length = list.write(message, new Int32Array(memory), bytes, at)
  seal(bytes.subarray(at, at + length))
  return bytes.subarray(0, at + length)
}
