/** The strict reading of SUBSCRIBE, UNSUBSCRIBE, DISCONNECT and AUTH (§3.8, §3.10, §3.14, §3.15) from a client. */
import { ByteReader, checkItems, type Span } from './byte-reader.js'
import { malformed, protocolError } from './faults.js'
import type { ProtocolVersion } from './packets.js'
import { hasProperty, Property, PropertySet } from './properties.js'
import { ReasonCode } from './reason-codes.js'
import { isSharedFilter } from './topic-filter.js'

const NONE: Span = { start: 0, end: 0 }

/**
 * @returns where the properties stand
 * @throws BrokerError MALFORMED_PACKET or PROTOCOL_ERROR; QUOTA_EXCEEDED for too many filters. What a filter means is not
 *   judged: that belongs in the SUBACK.
 */
export function checkSubscribe(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion): Span {
  const reader = new ByteReader(bytes, start, end)
  readPacketId(reader)
  const properties = version === 5 ? reader.properties() : NONE
  reader.check(properties, PropertySet.SUBSCRIBE)
  if (reader.isAtEnd) throw protocolError('a SUBSCRIBE without topic filters') // [MQTT-3.8.3-2]
  for (let count = 1; !reader.isAtEnd; count++) {
    checkItems(count, 'topic filters')
    const filter = readFilter(reader)
    const options = reader.uint8('subscription options')
    checkOptions(options, filter, version)
  }
  return properties
}

function checkOptions(options: number, filter: string, version: ProtocolVersion): void {
  const reserved = version === 5 ? 0b1100_0000 : 0b1111_1100
  if ((options & reserved) !== 0) throw malformed('reserved subscription options') // [MQTT-3.8.3-5]
  if ((options & 3) === 3) throw version === 5 ? protocolError('QoS 3') : malformed('QoS 3')
  if (((options >> 4) & 3) === 3) throw protocolError('retain handling 3')
  if ((options & 4) !== 0 && isSharedFilter(filter)) {
    throw protocolError('no local on a shared subscription') // [MQTT-3.8.3-4]
  }
}

/** @returns where the properties stand. @throws BrokerError as `checkSubscribe` */
export function checkUnsubscribe(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion): Span {
  const reader = new ByteReader(bytes, start, end)
  readPacketId(reader)
  const properties = version === 5 ? reader.properties() : NONE
  reader.check(properties, PropertySet.UNSUBSCRIBE)
  if (reader.isAtEnd) throw protocolError('an UNSUBSCRIBE without topic filters') // [MQTT-3.10.3-2]
  for (let count = 1; !reader.isAtEnd; count++) {
    checkItems(count, 'topic filters')
    readFilter(reader)
  }
  return properties
}

/** [MQTT-2.2.1-3] */
function readPacketId(reader: ByteReader): void {
  if (reader.uint16('packet identifier') === 0) throw protocolError('packet identifier 0')
}

/** [MQTT-3.8.3-1], [MQTT-3.10.3-1], [MQTT-4.7.3-1] */
function readFilter(reader: ByteReader): string {
  const filter = reader.text('topic filter')
  if (filter === '') throw protocolError('the topic filter is empty')
  return filter
}

/** @returns where the properties stand. @throws BrokerError MALFORMED_PACKET or PROTOCOL_ERROR */
export function checkDisconnect(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion): Span {
  const reader = new ByteReader(bytes, start, end)
  if (reader.isAtEnd) return NONE
  if (version < 5) throw malformed('a DISCONNECT with a body')
  const reasonCode = reader.uint8('reason code')
  if (!DISCONNECT_CODES.has(reasonCode)) {
    throw protocolError(`reason code ${reasonCode} in DISCONNECT from a client`) // [MQTT-3.14.2-1]
  }
  if (reader.isAtEnd) return NONE // §3.14.2.2.1
  const properties = reader.properties()
  reader.check(properties, PropertySet.DISCONNECT)
  reader.expectEnd()
  return properties
}

/** Those of §3.14.2.1 that a client may send. */
const DISCONNECT_CODES: ReadonlySet<number> = new Set([
  ReasonCode.SUCCESS,
  ReasonCode.DISCONNECT_WITH_WILL_MESSAGE,
  ReasonCode.UNSPECIFIED_ERROR,
  ReasonCode.MALFORMED_PACKET,
  ReasonCode.PROTOCOL_ERROR,
  ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR,
  ReasonCode.TOPIC_NAME_INVALID,
  ReasonCode.RECEIVE_MAXIMUM_EXCEEDED,
  ReasonCode.TOPIC_ALIAS_INVALID,
  ReasonCode.PACKET_TOO_LARGE,
  ReasonCode.MESSAGE_RATE_TOO_HIGH,
  ReasonCode.QUOTA_EXCEEDED,
  ReasonCode.ADMINISTRATIVE_ACTION,
  ReasonCode.PAYLOAD_FORMAT_INVALID,
])

/**
 * @returns where the properties stand
 * @throws BrokerError MALFORMED_PACKET or PROTOCOL_ERROR; the latter also for success, which only a server sends, and so
 *   for the empty body that stands for it
 */
export function checkAuth(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion): Span {
  if (version < 5) throw malformed('AUTH before MQTT 5')
  const reader = new ByteReader(bytes, start, end)
  const reasonCode = reader.isAtEnd ? ReasonCode.SUCCESS : reader.uint8('reason code')
  if (reasonCode !== ReasonCode.CONTINUE_AUTHENTICATION && reasonCode !== ReasonCode.RE_AUTHENTICATE) {
    throw protocolError(`reason code ${reasonCode} in AUTH from a client`) // [MQTT-3.15.2-1]
  }
  const properties = reader.properties()
  const seen = reader.check(properties, PropertySet.AUTH)
  // §3.15.2.2.2
  if (!hasProperty(seen, Property.AUTHENTICATION_METHOD)) throw protocolError('AUTH without a method')
  reader.expectEnd()
  return properties
}
