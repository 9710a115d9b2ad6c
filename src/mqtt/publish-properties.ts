/** The properties of a message as values: for what the broker publishes itself, and for tools. */
import { decodeText } from '../base/bytes.js'
import type { UserProperties } from './packets.js'
import { forEachProperty, Property, readStringPair, readUint16, readUint32 } from './properties.js'
import { writeUint16, writeUint32 } from './publish-writer.js'
import { readVarint, varintBytes, writeVarint } from './varint.js'

/** What is undefined is left out. */
export interface PublishProperties {
  /** 1 where the payload is UTF-8 text, otherwise 0. */
  readonly payloadFormat?: 0 | 1
  /** Seconds, 0 to 4,294,967,295. */
  readonly expirySeconds?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Uint8Array
  readonly userProperties?: UserProperties
}

/**
 * The properties one after the other, without their length; user properties in their order [MQTT-3.3.2-18].
 * @throws RangeError when a string or the correlation data has more than 65,535 bytes
 */
export function encodePublishProperties(properties: PublishProperties): Uint8Array {
  const parts: Uint8Array[] = []
  const { payloadFormat, expirySeconds, contentType, responseTopic, correlationData } = properties
  if (payloadFormat !== undefined) parts.push(Uint8Array.of(Property.PAYLOAD_FORMAT_INDICATOR, payloadFormat))
  if (expirySeconds !== undefined) parts.push(uint32Property(Property.MESSAGE_EXPIRY_INTERVAL, expirySeconds))
  if (contentType !== undefined) parts.push(prefixedProperty(Property.CONTENT_TYPE, Buffer.from(contentType)))
  if (responseTopic !== undefined) parts.push(prefixedProperty(Property.RESPONSE_TOPIC, Buffer.from(responseTopic)))
  if (correlationData !== undefined) parts.push(prefixedProperty(Property.CORRELATION_DATA, correlationData))
  for (const [name, value] of properties.userProperties ?? []) {
    parts.push(prefixedProperty(Property.USER_PROPERTY, Buffer.from(name)), prefixed(Buffer.from(value)))
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** Subscription identifiers for the head of the properties of one delivery (§3.3.2.3.8). @param ids 1 to VARINT_MAX */
export function encodeSubscriptionIdentifiers(ids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ids.reduce((sum, id) => sum + 1 + varintBytes(id), 0))
  let offset = 0
  for (const id of ids) {
    bytes[offset] = Property.SUBSCRIPTION_IDENTIFIER
    offset = writeVarint(bytes, offset + 1, id)
  }
  return bytes
}

/** Also what only a delivery carries. */
export interface ReceivedProperties extends PublishProperties {
  readonly topicAlias?: number
  readonly subscriptionIdentifiers: readonly number[]
  readonly userProperties: UserProperties
}

/** The values of `bytes[start, end)`, which `readPublish` has checked. For cold paths. */
export function decodePublishProperties(bytes: Uint8Array, start = 0, end = bytes.length): ReceivedProperties {
  const userProperties: [string, string][] = []
  const subscriptionIdentifiers: number[] = []
  const found: { -readonly [Name in keyof ReceivedProperties]: ReceivedProperties[Name] } = {
    subscriptionIdentifiers,
    userProperties,
  }
  forEachProperty(bytes, start, end, (identifier, from, to) => {
    switch (identifier) {
      case Property.PAYLOAD_FORMAT_INDICATOR:
        found.payloadFormat = bytes[from] === 1 ? 1 : 0
        break
      case Property.MESSAGE_EXPIRY_INTERVAL:
        found.expirySeconds = readUint32(bytes, from)
        break
      case Property.CONTENT_TYPE:
        found.contentType = decodeText(bytes, from + 2, to - from - 2)
        break
      case Property.RESPONSE_TOPIC:
        found.responseTopic = decodeText(bytes, from + 2, to - from - 2)
        break
      case Property.CORRELATION_DATA:
        found.correlationData = new Uint8Array(bytes.subarray(from + 2, to)) // `slice` of a Buffer would not copy
        break
      case Property.TOPIC_ALIAS:
        found.topicAlias = readUint16(bytes, from)
        break
      case Property.SUBSCRIPTION_IDENTIFIER:
        subscriptionIdentifiers.push(readVarint(bytes, from, to))
        break
      case Property.USER_PROPERTY:
        userProperties.push(readStringPair(bytes, from, to))
        break
      default:
    }
  })
  return found
}

function uint32Property(identifier: number, value: number): Uint8Array {
  const bytes = Uint8Array.of(identifier, 0, 0, 0, 0)
  writeUint32(bytes, 1, value)
  return bytes
}

function prefixedProperty(identifier: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(3 + value.length)
  bytes[0] = identifier
  bytes.set(prefixed(value), 1)
  return bytes
}

/** With its two bytes of length. */
function prefixed(value: Uint8Array): Uint8Array {
  if (value.length > 65_535) throw new RangeError(`a field of ${value.length} bytes; MQTT has room for 65535`)
  const bytes = new Uint8Array(2 + value.length)
  bytes.set(value, writeUint16(bytes, 0, value.length))
  return bytes
}
