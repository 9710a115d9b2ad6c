/**
 * PUBLISH from parts (§3.3). A sender with a buffer of its own asks `publishBytes` for room, then writes head, property
 * length, properties and payload one after the other, nothing allocated; `encodePublish` does the same for cold paths.
 */
import { PacketType, type ProtocolVersion, type Qos } from './packets.js'
import { Property } from './properties.js'
import { varintBytes, writeVarint } from './varint.js'

/**
 * The remaining length of a PUBLISH.
 * @param propertiesLength bytes of all properties without the length prefix; 0 before MQTT 5
 */
export function publishRemainingLength(
  version: ProtocolVersion,
  topicLength: number,
  qos: number,
  propertiesLength: number,
  payloadLength: number,
): number {
  const properties = version === 5 ? varintBytes(propertiesLength) + propertiesLength : 0
  return 2 + topicLength + (qos === 0 ? 0 : 2) + properties + payloadLength
}

/** Bytes of the whole packet, which the maximum packet size of the receiver is about [MQTT-3.1.2-24]. */
export function publishBytes(
  version: ProtocolVersion,
  topicLength: number,
  qos: number,
  propertiesLength: number,
  payloadLength: number,
): number {
  const remainingLength = publishRemainingLength(version, topicLength, qos, propertiesLength, payloadLength)
  return 1 + varintBytes(remainingLength) + remainingLength
}

/** @param dup 0 or 1 @param retain 0 or 1 */
export function publishFirstByte(qos: number, dup: number, retain: number): number {
  return (PacketType.PUBLISH << 4) | (dup << 3) | (qos << 1) | retain
}

/** Writes the fixed header. @returns the offset after it */
export function writePublishHeader(
  target: Uint8Array,
  offset: number,
  firstByte: number,
  remainingLength: number,
): number {
  target[offset] = firstByte
  return writeVarint(target, offset + 1, remainingLength)
}

/**
 * Writes fixed header, topic name and packet identifier.
 * @param topicLength 0 where a topic alias stands for the name
 * @param packetId left out for QoS 0 [MQTT-2.2.1-2]
 * @returns the offset after them, where MQTT 5 has the property length (`writeVarint`)
 */
export function writePublishHead(
  target: Uint8Array,
  offset: number,
  firstByte: number,
  remainingLength: number,
  topic: Uint8Array,
  topicStart: number,
  topicLength: number,
  packetId: number,
): number {
  offset = writePublishHeader(target, offset, firstByte, remainingLength)
  offset = writeUint16(target, offset, topicLength)
  offset = copyTopic(target, offset, topic, topicStart, topicLength)
  return (firstByte & 0b0110) === 0 ? offset : writeUint16(target, offset, packetId)
}

/** Below, a loop is faster than the view that `set` needs; few topics are longer. */
const LOOP_BYTES_MAX = 128

function copyTopic(target: Uint8Array, offset: number, topic: Uint8Array, start: number, length: number): number {
  if (length > LOOP_BYTES_MAX) {
    target.set(topic.subarray(start, start + length), offset)
  } else {
    for (let index = 0; index < length; index++) target[offset + index] = topic[start + index]
  }
  return offset + length
}

/** Bytes that `writeTopicAlias` writes. */
export const TOPIC_ALIAS_BYTES = 3

/** Writes the property. @returns the offset after it */
export function writeTopicAlias(target: Uint8Array, offset: number, alias: number): number {
  target[offset] = Property.TOPIC_ALIAS
  return writeUint16(target, offset + 1, alias)
}

/** Big endian. @returns the offset after it */
export function writeUint16(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 8
  target[offset + 1] = value
  return offset + 2
}

/** Big endian. @returns the offset after it */
export function writeUint32(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
  return offset + 4
}

export interface PublishParts {
  readonly version: ProtocolVersion
  readonly topic: string | Uint8Array
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly dup?: boolean
  readonly retain?: boolean
  /** 1 to 65,535; needed for QoS 1 and 2, ignored for QoS 0. */
  readonly packetId?: number
  /** Encoded, without the length (`encodePublishProperties`); left out before MQTT 5. */
  readonly properties?: Uint8Array
}

/** A whole packet. For cold paths: allocates. Checks nothing: the parts are the caller's own. */
export function encodePublish(parts: PublishParts): Uint8Array {
  const { version, payload, qos } = parts
  const topic = typeof parts.topic === 'string' ? Buffer.from(parts.topic) : parts.topic
  const properties = version === 5 ? (parts.properties ?? EMPTY) : EMPTY
  const remaining = publishRemainingLength(version, topic.length, qos, properties.length, payload.length)
  const packet = new Uint8Array(1 + varintBytes(remaining) + remaining)
  const firstByte = publishFirstByte(qos, parts.dup ? 1 : 0, parts.retain ? 1 : 0)
  let offset = writePublishHead(packet, 0, firstByte, remaining, topic, 0, topic.length, parts.packetId ?? 0)
  if (version === 5) {
    offset = writeVarint(packet, offset, properties.length)
    packet.set(properties, offset)
    offset += properties.length
  }
  packet.set(payload, offset)
  return packet
}

const EMPTY = new Uint8Array(0)
