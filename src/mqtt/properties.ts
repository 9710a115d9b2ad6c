/**
 * The check of properties (§2.2.2) in place: identifier, type, bounds, value, UTF-8. A block of properties is walked,
 * never turned into objects, and allocates nothing.
 */
import { decodeText } from '../base/bytes.js'
import { BrokerError } from '../base/errors.js'
import { malformed, protocolError } from './faults.js'
import type { UserProperties } from './packets.js'
import { PROPERTY_BITS, Property, PropertySet, VALUE_TYPES, ValueType } from './property-table.js'
import { isUtf8 } from './utf8.js'
import { readVarint, varintBytes } from './varint.js'

export { Property, PropertySet }

/** @returns the bit of a property that may occur once only; 0 for user properties, which repeat */
export function onceBit(identifier: number): number {
  return identifier === Property.USER_PROPERTY ? 0 : PROPERTY_BITS[identifier]
}

/**
 * Reads the property length at `position`. The properties begin `varintBytes(length)` further.
 * @throws BrokerError MALFORMED_PACKET when it is missing, not minimal, or reaches beyond `end`
 */
export function readPropertiesLength(bytes: Uint8Array, position: number, end: number): number {
  const length = readVarint(bytes, position, end)
  if (length < 0) throw malformed('property length is missing or not a variable byte integer')
  if (length > end - position - varintBytes(length)) throw malformed('property length reaches beyond the packet')
  return length
}

/**
 * Checks all properties of `bytes[start, end)`. @returns the set of those that occurred, user properties left out
 * @throws BrokerError as `checkProperty`
 */
export function checkProperties(bytes: Uint8Array, start: number, end: number, allowed: number): number {
  let seen = 0
  let position = start
  while (position < end) {
    const next = checkProperty(bytes, position, end, allowed, seen)
    seen |= onceBit(bytes[position])
    position = next
  }
  return seen
}

export function hasProperty(seen: number, identifier: number): boolean {
  return (seen & PROPERTY_BITS[identifier]) !== 0
}

/**
 * Checks the property at `position`: its identifier, its type, its bounds, its value. Hot: allocates nothing.
 * @param end where the properties end
 * @param allowed a PropertySet
 * @param seen bits (`onceBit`) of the properties before it
 * @returns the offset after it
 * @throws BrokerError MALFORMED_PACKET when it cannot be read or does not belong here (§2.2.2.2); PROTOCOL_ERROR when it
 *   repeats or has a forbidden value; TOPIC_ALIAS_INVALID for topic alias 0 [MQTT-3.3.2-8]
 */
export function checkProperty(bytes: Uint8Array, position: number, end: number, allowed: number, seen: number): number {
  // identifiers are variable byte integers, but all that exist take one byte
  const identifier = bytes[position]
  const bit = PROPERTY_BITS[identifier]
  if ((bit & allowed) === 0) throw misplaced(identifier, allowed)
  if ((bit & seen) !== 0) throw protocolError(`property ${identifier} occurs twice`)
  const start = position + 1
  const next = start + valueBytes(bytes, start, end, VALUE_TYPES[identifier])
  if (next > end) throw truncated(identifier)
  checkValue(bytes, start, next, identifier)
  return next
}

function misplaced(identifier: number, allowed: number): Error {
  if (VALUE_TYPES[identifier] === ValueType.ABSENT) return malformed(`property ${identifier} does not exist`)
  if (identifier === Property.SUBSCRIPTION_IDENTIFIER && allowed === PropertySet.PUBLISH_FROM_CLIENT) {
    return protocolError('a client sent a subscription identifier') // [MQTT-3.3.4-6]
  }
  return malformed(`property ${identifier} is not allowed here`)
}

function truncated(identifier: number): Error {
  return malformed(`property ${identifier} is truncated`)
}

/** Bytes of the value at `start`; more than there are when it is truncated. */
function valueBytes(bytes: Uint8Array, start: number, end: number, type: number): number {
  switch (type) {
    case ValueType.BOOLEAN:
      return 1
    case ValueType.UINT16:
      return 2
    case ValueType.UINT32:
      return 4
    case ValueType.VARINT: {
      const value = readVarint(bytes, start, end)
      if (value < 0) throw malformed('a property is not a variable byte integer')
      return varintBytes(value)
    }
    case ValueType.STRING_PAIR: {
      const name = prefixedBytes(bytes, start, end)
      return name + prefixedBytes(bytes, start + name, end)
    }
    default:
      return prefixedBytes(bytes, start, end)
  }
}

function prefixedBytes(bytes: Uint8Array, start: number, end: number): number {
  return end - start < 2 ? 2 : 2 + ((bytes[start] << 8) | bytes[start + 1])
}

/** The value is `bytes[start, end)` and has the length that its type asks for. */
function checkValue(bytes: Uint8Array, start: number, end: number, identifier: number): void {
  switch (VALUE_TYPES[identifier]) {
    case ValueType.BOOLEAN:
      if (bytes[start] > 1) throw protocolError(`property ${identifier} is ${bytes[start]}, neither 0 nor 1`)
      return
    case ValueType.UINT16:
      if (bytes[start] === 0 && bytes[start + 1] === 0) refuseZero(identifier)
      return
    case ValueType.UINT32:
      if (readUint32(bytes, start) === 0) refuseZero(identifier)
      return
    case ValueType.VARINT:
      if (bytes[start] === 0) refuseZero(identifier)
      return
    case ValueType.STRING:
      if (!isUtf8(bytes, start + 2, end)) throw notUtf8(identifier)
      if (identifier === Property.RESPONSE_TOPIC) checkResponseTopic(bytes, start + 2, end)
      return
    case ValueType.STRING_PAIR: {
      const value = start + prefixedBytes(bytes, start, end)
      // [MQTT-1.5.7-1]
      if (!isUtf8(bytes, start + 2, value) || !isUtf8(bytes, value + 2, end)) throw notUtf8(identifier)
      return
    }
    default:
  }
}

function notUtf8(identifier: number): Error {
  return malformed(`property ${identifier} is not a UTF-8 string`)
}

function refuseZero(identifier: number): void {
  switch (identifier) {
    case Property.TOPIC_ALIAS:
      throw new BrokerError('TOPIC_ALIAS_INVALID', { reason: 'it is 0' })
    case Property.RECEIVE_MAXIMUM:
    case Property.MAXIMUM_PACKET_SIZE:
    case Property.SUBSCRIPTION_IDENTIFIER:
      throw protocolError(`property ${identifier} is 0`)
    default:
  }
}

/** It becomes the topic name of the response, so it obeys the rules of topic names [MQTT-3.3.2-14]. */
function checkResponseTopic(bytes: Uint8Array, start: number, end: number): void {
  if (start === end) throw protocolError('the response topic is empty')
  for (let position = start; position < end; position++) {
    if (bytes[position] === 0x23 || bytes[position] === 0x2b) throw protocolError('wildcard in the response topic')
  }
}

/** Big endian. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 8) | bytes[offset + 1]
}

/** Big endian, 0 to 4,294,967,295. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0
}

/** Calls `visit` for each property of a block that was checked, with the bounds of its value. For cold paths. */
export function forEachProperty(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (identifier: number, valueStart: number, valueEnd: number) => void,
): void {
  let position = start
  while (position < end) {
    const identifier = bytes[position]
    const next = position + 1 + valueBytes(bytes, position + 1, end, VALUE_TYPES[identifier])
    visit(identifier, position + 1, next)
    position = next
  }
}

/** The user properties of a block that was checked, in their order. For cold paths. */
export function userPropertiesOf(bytes: Uint8Array, start: number, end: number): UserProperties {
  const pairs: [string, string][] = []
  forEachProperty(bytes, start, end, (identifier, valueStart, valueEnd) => {
    if (identifier === Property.USER_PROPERTY) pairs.push(readStringPair(bytes, valueStart, valueEnd))
  })
  return pairs
}

/** The pair at `start`, length prefixes included. */
export function readStringPair(bytes: Uint8Array, start: number, end: number): [name: string, value: string] {
  const value = start + prefixedBytes(bytes, start, end)
  return [decodeText(bytes, start + 2, value - start - 2), decodeText(bytes, value + 2, end - value - 2)]
}
