/** The properties of MQTT 5 (§2.2.2.2): identifiers, types, and where each may stand (table 2-4). */

/** Identifiers under their names of the specification (§2.2.2.2). */
export const Property = {
  PAYLOAD_FORMAT_INDICATOR: 1,
  MESSAGE_EXPIRY_INTERVAL: 2,
  CONTENT_TYPE: 3,
  RESPONSE_TOPIC: 8,
  CORRELATION_DATA: 9,
  SUBSCRIPTION_IDENTIFIER: 11,
  SESSION_EXPIRY_INTERVAL: 17,
  ASSIGNED_CLIENT_IDENTIFIER: 18,
  SERVER_KEEP_ALIVE: 19,
  AUTHENTICATION_METHOD: 21,
  AUTHENTICATION_DATA: 22,
  REQUEST_PROBLEM_INFORMATION: 23,
  WILL_DELAY_INTERVAL: 24,
  REQUEST_RESPONSE_INFORMATION: 25,
  RESPONSE_INFORMATION: 26,
  SERVER_REFERENCE: 28,
  REASON_STRING: 31,
  RECEIVE_MAXIMUM: 33,
  TOPIC_ALIAS_MAXIMUM: 34,
  TOPIC_ALIAS: 35,
  MAXIMUM_QOS: 36,
  RETAIN_AVAILABLE: 37,
  USER_PROPERTY: 38,
  MAXIMUM_PACKET_SIZE: 39,
  WILDCARD_SUBSCRIPTION_AVAILABLE: 40,
  SUBSCRIPTION_IDENTIFIERS_AVAILABLE: 41,
  SHARED_SUBSCRIPTION_AVAILABLE: 42,
} as const

/** Types of values (§1.5). */
export const ValueType = {
  /** No property has that identifier. */
  ABSENT: 0,
  /** A byte of which only 0 and 1 are used. */
  BOOLEAN: 1,
  UINT16: 2,
  UINT32: 3,
  VARINT: 4,
  STRING: 5,
  BINARY: 6,
  STRING_PAIR: 7,
} as const

const P = Property
const IDENTIFIERS_BY_TYPE: readonly (readonly [type: number, identifiers: readonly number[]])[] = [
  [
    ValueType.BOOLEAN,
    [
      P.PAYLOAD_FORMAT_INDICATOR,
      P.REQUEST_PROBLEM_INFORMATION,
      P.REQUEST_RESPONSE_INFORMATION,
      P.MAXIMUM_QOS,
      P.RETAIN_AVAILABLE,
      P.WILDCARD_SUBSCRIPTION_AVAILABLE,
      P.SUBSCRIPTION_IDENTIFIERS_AVAILABLE,
      P.SHARED_SUBSCRIPTION_AVAILABLE,
    ],
  ],
  [ValueType.UINT16, [P.SERVER_KEEP_ALIVE, P.RECEIVE_MAXIMUM, P.TOPIC_ALIAS_MAXIMUM, P.TOPIC_ALIAS]],
  [
    ValueType.UINT32,
    [P.MESSAGE_EXPIRY_INTERVAL, P.SESSION_EXPIRY_INTERVAL, P.WILL_DELAY_INTERVAL, P.MAXIMUM_PACKET_SIZE],
  ],
  [ValueType.VARINT, [P.SUBSCRIPTION_IDENTIFIER]],
  [
    ValueType.STRING,
    [
      P.CONTENT_TYPE,
      P.RESPONSE_TOPIC,
      P.ASSIGNED_CLIENT_IDENTIFIER,
      P.AUTHENTICATION_METHOD,
      P.RESPONSE_INFORMATION,
      P.SERVER_REFERENCE,
      P.REASON_STRING,
    ],
  ],
  [ValueType.BINARY, [P.CORRELATION_DATA, P.AUTHENTICATION_DATA]],
  [ValueType.STRING_PAIR, [P.USER_PROPERTY]],
]

/** ValueType by identifier, for any byte. */
export const VALUE_TYPES: Readonly<Uint8Array> = typesByIdentifier()

function typesByIdentifier(): Uint8Array {
  const types = new Uint8Array(256)
  for (const [type, identifiers] of IDENTIFIERS_BY_TYPE) {
    for (const identifier of identifiers) types[identifier] = type
  }
  return types
}

/** One bit of an int32 by identifier, so that a set of properties is a number; there are 27. 0 where none exists. */
export const PROPERTY_BITS: Readonly<Int32Array> = bitsByIdentifier()

function bitsByIdentifier(): Int32Array {
  const bits = new Int32Array(256)
  Object.values(Property).forEach((identifier, index) => {
    bits[identifier] = 1 << index
  })
  return bits
}

function setOf(...identifiers: readonly number[]): number {
  return identifiers.reduce((set, identifier) => set | PROPERTY_BITS[identifier], 0)
}

const OF_MESSAGE = setOf(
  P.PAYLOAD_FORMAT_INDICATOR,
  P.MESSAGE_EXPIRY_INTERVAL,
  P.CONTENT_TYPE,
  P.RESPONSE_TOPIC,
  P.CORRELATION_DATA,
  P.USER_PROPERTY,
)

/** Which properties may stand where. */
export const PropertySet = {
  CONNECT: setOf(
    P.SESSION_EXPIRY_INTERVAL,
    P.AUTHENTICATION_METHOD,
    P.AUTHENTICATION_DATA,
    P.REQUEST_PROBLEM_INFORMATION,
    P.REQUEST_RESPONSE_INFORMATION,
    P.RECEIVE_MAXIMUM,
    P.TOPIC_ALIAS_MAXIMUM,
    P.USER_PROPERTY,
    P.MAXIMUM_PACKET_SIZE,
  ),
  WILL: OF_MESSAGE | setOf(P.WILL_DELAY_INTERVAL),
  /** A client sends no subscription identifier [MQTT-3.3.4-6]. */
  PUBLISH_FROM_CLIENT: OF_MESSAGE | setOf(P.TOPIC_ALIAS),
  PUBLISH_FROM_SERVER: OF_MESSAGE | setOf(P.TOPIC_ALIAS, P.SUBSCRIPTION_IDENTIFIER),
  /** PUBACK, PUBREC, PUBREL and PUBCOMP. */
  ACK: setOf(P.REASON_STRING, P.USER_PROPERTY),
  SUBSCRIBE: setOf(P.SUBSCRIPTION_IDENTIFIER, P.USER_PROPERTY),
  UNSUBSCRIBE: setOf(P.USER_PROPERTY),
  DISCONNECT: setOf(P.SESSION_EXPIRY_INTERVAL, P.SERVER_REFERENCE, P.REASON_STRING, P.USER_PROPERTY),
  AUTH: setOf(P.AUTHENTICATION_METHOD, P.AUTHENTICATION_DATA, P.REASON_STRING, P.USER_PROPERTY),
} as const
