/** Reason codes under their names of the specification (§2.4). */

export const ReasonCode = {
  /** Also Normal disconnection and Granted QoS 0. */
  SUCCESS: 0x00,
  GRANTED_QOS_1: 0x01,
  GRANTED_QOS_2: 0x02,
  DISCONNECT_WITH_WILL_MESSAGE: 0x04,
  NO_MATCHING_SUBSCRIBERS: 0x10,
  NO_SUBSCRIPTION_EXISTED: 0x11,
  CONTINUE_AUTHENTICATION: 0x18,
  RE_AUTHENTICATE: 0x19,
  UNSPECIFIED_ERROR: 0x80,
  MALFORMED_PACKET: 0x81,
  PROTOCOL_ERROR: 0x82,
  IMPLEMENTATION_SPECIFIC_ERROR: 0x83,
  UNSUPPORTED_PROTOCOL_VERSION: 0x84,
  CLIENT_IDENTIFIER_NOT_VALID: 0x85,
  BAD_USER_NAME_OR_PASSWORD: 0x86,
  NOT_AUTHORIZED: 0x87,
  SERVER_UNAVAILABLE: 0x88,
  SERVER_BUSY: 0x89,
  BANNED: 0x8a,
  SERVER_SHUTTING_DOWN: 0x8b,
  BAD_AUTHENTICATION_METHOD: 0x8c,
  KEEP_ALIVE_TIMEOUT: 0x8d,
  SESSION_TAKEN_OVER: 0x8e,
  TOPIC_FILTER_INVALID: 0x8f,
  TOPIC_NAME_INVALID: 0x90,
  PACKET_IDENTIFIER_IN_USE: 0x91,
  PACKET_IDENTIFIER_NOT_FOUND: 0x92,
  RECEIVE_MAXIMUM_EXCEEDED: 0x93,
  TOPIC_ALIAS_INVALID: 0x94,
  PACKET_TOO_LARGE: 0x95,
  MESSAGE_RATE_TOO_HIGH: 0x96,
  QUOTA_EXCEEDED: 0x97,
  ADMINISTRATIVE_ACTION: 0x98,
  PAYLOAD_FORMAT_INVALID: 0x99,
  RETAIN_NOT_SUPPORTED: 0x9a,
  QOS_NOT_SUPPORTED: 0x9b,
  USE_ANOTHER_SERVER: 0x9c,
  SERVER_MOVED: 0x9d,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: 0x9e,
  CONNECTION_RATE_EXCEEDED: 0x9f,
  MAXIMUM_CONNECT_TIME: 0xa0,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: 0xa1,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: 0xa2,
} as const
export type ReasonCode = (typeof ReasonCode)[keyof typeof ReasonCode]

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ReasonCode).map(([name, code]) => [code, name.toLowerCase().replaceAll('_', ' ')]),
)

/** @returns for example `quota exceeded`; `reason code 0x77` where the specification has no name. Never throws. */
export function reasonCodeName(code: number): string {
  return NAMES.get(code) ?? `reason code 0x${code.toString(16).padStart(2, '0')}`
}

/** The return codes that CONNACK of MQTT 3.1 and 3.1.1 knows. */
export const ReturnCode = {
  ACCEPTED: 0,
  UNACCEPTABLE_PROTOCOL_VERSION: 1,
  IDENTIFIER_REJECTED: 2,
  SERVER_UNAVAILABLE: 3,
  BAD_USER_NAME_OR_PASSWORD: 4,
  NOT_AUTHORIZED: 5,
} as const
export type ReturnCode = (typeof ReturnCode)[keyof typeof ReturnCode]

const RETURN_CODES: ReadonlyMap<number, ReturnCode> = new Map<number, ReturnCode>([
  [ReasonCode.SUCCESS, ReturnCode.ACCEPTED],
  [ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, ReturnCode.UNACCEPTABLE_PROTOCOL_VERSION],
  [ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, ReturnCode.IDENTIFIER_REJECTED],
  [ReasonCode.UNSPECIFIED_ERROR, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.SERVER_UNAVAILABLE, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.SERVER_BUSY, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.SERVER_SHUTTING_DOWN, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.QUOTA_EXCEEDED, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.USE_ANOTHER_SERVER, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.SERVER_MOVED, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.CONNECTION_RATE_EXCEEDED, ReturnCode.SERVER_UNAVAILABLE],
  [ReasonCode.BAD_USER_NAME_OR_PASSWORD, ReturnCode.BAD_USER_NAME_OR_PASSWORD],
  [ReasonCode.NOT_AUTHORIZED, ReturnCode.NOT_AUTHORIZED],
  [ReasonCode.BANNED, ReturnCode.NOT_AUTHORIZED],
  [ReasonCode.BAD_AUTHENTICATION_METHOD, ReturnCode.NOT_AUTHORIZED],
])

/**
 * What CONNACK says before MQTT 5 for a reason code of MQTT 5.
 * @returns `undefined` where none of the six fits: 3.1.1 then closes without a CONNACK (its [MQTT-3.2.2-6])
 */
export function returnCodeFor(reasonCode: number): ReturnCode | undefined {
  return RETURN_CODES.get(reasonCode)
}
