/** The strict reading of CONNECT (§3.1), down to where its parts stand; the library then supplies the values. */
import { BrokerError } from '../base/errors.js'
import { ByteReader, type Span } from './byte-reader.js'
import { malformed, protocolError } from './faults.js'
import type { ProtocolVersion } from './packets.js'
import { hasProperty, Property, PropertySet } from './properties.js'

/** What the checks found out about a CONNECT that passed them. Offsets are absolute. */
export interface CheckedConnect {
  readonly version: ProtocolVersion
  readonly isBridge: boolean
  readonly flagsOffset: number
  readonly properties: Span
  /** Of the will; empty without one. */
  readonly willProperties: Span
  /** MQTT 3.1 lets user name and password be missing although their flags are set. */
  readonly hasUserName: boolean
  readonly hasPassword: boolean
}

const USER_NAME = 0x80
const PASSWORD = 0x40
const WILL_RETAIN = 0x20
const WILL_QOS = 0x18
const WILL = 0x04
const CLEAN_START = 0x02
const RESERVED = 0x01

/** Of the protocol level. In no specification, but what brokers set that connect to other brokers. */
export const BRIDGE = 0x80

const NONE: Span = { start: 0, end: 0 }

/**
 * @param start of the body @param end of the packet
 * @throws BrokerError UNSUPPORTED_PROTOCOL [MQTT-3.1.2-1], [MQTT-3.1.2-2]; CLIENT_ID_INVALID [MQTT-3.1.3-8];
 *   TOPIC_NAME_INVALID for the will topic; MALFORMED_PACKET and PROTOCOL_ERROR for the rest [MQTT-3.1.4-1]
 */
export function checkConnect(bytes: Uint8Array, start: number, end: number): CheckedConnect {
  const reader = new ByteReader(bytes, start, end)
  const { version, isBridge } = readVersion(reader)
  const flagsOffset = reader.position
  const flags = reader.uint8('connect flags')
  checkFlags(flags, version)
  reader.uint16('keep alive')
  const properties = version === 5 ? readConnectProperties(reader) : NONE
  const clientId = reader.utf8('client identifier') // [MQTT-3.1.3-3], [MQTT-3.1.3-4]
  if (clientId.start === clientId.end) checkEmptyClientId(version, (flags & CLEAN_START) !== 0)
  const willProperties = (flags & WILL) === 0 ? NONE : readWill(reader, version)
  const hasUserName = (flags & USER_NAME) !== 0 && !mayStop(reader, version)
  if (hasUserName) reader.utf8('user name') // [MQTT-3.1.2-17], [MQTT-3.1.3-12]
  const hasPassword = (flags & PASSWORD) !== 0 && !mayStop(reader, version)
  if (hasPassword) reader.binary('password') // [MQTT-3.1.2-19]
  reader.expectEnd() // [MQTT-3.1.2-16], [MQTT-3.1.2-18]
  return { version, isBridge, flagsOffset, properties, willProperties, hasUserName, hasPassword }
}

function readVersion(reader: ByteReader): Pick<CheckedConnect, 'version' | 'isBridge'> {
  const name = reader.text('protocol name')
  const level = reader.uint8('protocol level')
  const isBridge = (level & BRIDGE) !== 0
  if (name === 'MQTT' && level === 5) return { version: 5, isBridge } // its bridges say more by subscription options
  if (name === 'MQTT' && (level & ~BRIDGE) === 4) return { version: 4, isBridge }
  if (name === 'MQIsdp' && (level & ~BRIDGE) === 3) return { version: 3, isBridge }
  const reason = name === 'MQTT' || name === 'MQIsdp' ? `${name} level ${level}` : 'the protocol name is not MQTT'
  throw new BrokerError('UNSUPPORTED_PROTOCOL', { reason })
}

function checkFlags(flags: number, version: ProtocolVersion): void {
  if ((flags & RESERVED) !== 0) throw malformed('the reserved connect flag is set') // [MQTT-3.1.2-3]
  const willQos = (flags & WILL_QOS) >> 3
  if (willQos === 3) throw malformed('will QoS 3') // [MQTT-3.1.2-12]
  // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
  if ((flags & WILL) === 0 && (flags & (WILL_QOS | WILL_RETAIN)) !== 0) throw malformed('will flags without a will')
  if (version < 5 && (flags & PASSWORD) !== 0 && (flags & USER_NAME) === 0) {
    throw malformed('a password without a user name') // allowed by MQTT 5 alone
  }
}

function readConnectProperties(reader: ByteReader): Span {
  const span = reader.properties()
  const seen = reader.check(span, PropertySet.CONNECT)
  if (hasProperty(seen, Property.AUTHENTICATION_DATA) && !hasProperty(seen, Property.AUTHENTICATION_METHOD)) {
    throw protocolError('authentication data without a method') // §3.1.2.11.10
  }
  return span
}

function checkEmptyClientId(version: ProtocolVersion, cleanStart: boolean): void {
  if (version === 3) throw new BrokerError('CLIENT_ID_INVALID', { reason: 'MQTT 3.1 wants one' })
  if (version === 4 && !cleanStart) {
    throw new BrokerError('CLIENT_ID_INVALID', { reason: 'an empty one needs a clean session' })
  }
}

/** [MQTT-3.1.2-9], [MQTT-3.1.3-1] */
function readWill(reader: ByteReader, version: ProtocolVersion): Span {
  const properties = version === 5 ? reader.properties() : NONE
  reader.check(properties, PropertySet.WILL)
  const topic = reader.text('will topic') // [MQTT-3.1.3-11]
  if (topic === '') throw new BrokerError('TOPIC_NAME_INVALID', { reason: 'the will topic is empty' })
  if (/[+#]/.test(topic)) throw new BrokerError('TOPIC_NAME_INVALID', { reason: 'the will topic contains a wildcard' })
  reader.binary('will payload')
  return properties
}

/** In MQTT 3.1 the remaining length has precedence over the flags of user name and password. */
function mayStop(reader: ByteReader, version: ProtocolVersion): boolean {
  return version === 3 && reader.isAtEnd
}
