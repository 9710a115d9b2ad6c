/**
 * What travels in the rings between connection threads and shards, and between shards. The layout is the documentation:
 * a record is int32 fields at fixed positions, then bytes. Offsets inside a record are relative to its first byte.
 *
 * Every record: int 0 length (base/ring.ts), int 1 kind, int 2 slot of the network connection in its connection thread.
 * A slot is used again only after the shard has answered CLOSED with RELEASED, so a record never meets a stranger.
 */
import type { TokenClaims } from './security.js'

export const KIND = 1
export const SLOT = 2

/** Connection thread to shard. */
export const InboundKind = {
  /** A client was admitted: int 3 byte length of the JSON of `ConnectRequest` that starts at int 4. */
  CONNECT: 1,
  /** Packets of one client, in order: see `PACKETS_*`. */
  PACKETS: 2,
  /** The network connection is gone: int 3 is a `CloseCause`. Nothing follows on this slot; answered by RELEASED. */
  CLOSED: 3,
  /** The socket's buffer is over its bound (int 3 = 1) or empty again (int 3 = 0). */
  FLOW: 4,
  /** Answer to MARK, once everything before it has reached the operating system. */
  MARK_REACHED: 5,
  /** The client has authenticated again: int 3 byte length of the JSON of `RenewedClaims` that starts at int 4. */
  CLAIMS: 6,
} as const

/** PACKETS: int 3 number of ints of descriptors, which start at int 5; int 4 offset of the bytes they refer to. */
export const PACKETS_DESCRIPTOR_INTS = 3
export const PACKETS_BODY = 4
export const PACKETS_HEADER_INTS = 5

/**
 * Descriptors in PACKETS. The low 8 bits of the first int say which.
 *   PUBLISH  +0 kind | qos << 8 | retain << 10 | dup << 11 | expires << 12 | value of KEEP TOPIC << 13   +1 packet identifier   +2 topic offset   +3 topic bytes
 *            +4 topic hash   +5 properties offset   +6 properties bytes   +7 payload offset   +8 payload bytes
 *            +9 message expiry interval in seconds, if it expires
 *   ACK      +0 kind | packet type << 8   +1 packet identifier | reason code << 16
 *   CONTROL  +0 kind | packet type << 8   +1 offset of the whole packet   +2 its bytes
 * Offsets are relative to PACKETS_BODY. From topic to payload everything is contiguous and as it came.
 */
export const Descriptor = { PUBLISH: 1, ACK: 2, CONTROL: 3 } as const
export const PUBLISH_DESCRIPTOR_INTS = 10
export const ACK_DESCRIPTOR_INTS = 2
export const CONTROL_DESCRIPTOR_INTS = 3

/** Why a network connection ended, as far as sessions care. */
export const CloseCause = {
  /** The socket closed or failed without DISCONNECT. */
  NETWORK: 0,
  /** The client broke the protocol, a limit or its keep alive, and the connection thread closed it. */
  VIOLATION: 1,
  /** The client sent DISCONNECT, which the shard has seen. */
  DISCONNECTED: 2,
  /** The shard asked for it with CLOSE. */
  CLOSED_BY_SHARD: 3,
  /** Nothing came for one and a half times the keep alive. */
  KEEP_ALIVE: 4,
} as const
export type CloseCause = (typeof CloseCause)[keyof typeof CloseCause]

/** Shard to connection thread. */
export const OutboundKind = {
  /** One message for many connections: see `DELIVER_*`. */
  DELIVER: 1,
  /** Acknowledgements: int 3 how many, from int 4 on packet identifier | reason code << 16 | packet type << 24. */
  ACKS: 2,
  /** A whole packet as bytes: int 3 byte length, bytes from int 4. */
  SEND: 3,
  /** CONNACK of an accepted connection, laid out as SEND: the connection now carries packets. */
  ACCEPT: 4,
  /** Laid out as SEND (byte length may be 0): send these last bytes, then close. */
  CLOSE: 5,
  /** Answer to CLOSED: the slot is free. */
  RELEASED: 6,
  /** Answer with MARK_REACHED when the bytes before this have reached the operating system. */
  MARK: 7,
} as const

/**
 * DELIVER: int 3 number of receivers, then the message as in PUBLISH, and the offset of property bytes that precede the
 * message's own. From DELIVER_RECEIVERS on two ints a receiver: slot, and
 * packet identifier | qos << 16 | retain << 18 | dup << 19.
 */
export const DELIVER_COUNT = 3
export const DELIVER_TOPIC = 4
export const DELIVER_TOPIC_BYTES = 5
export const DELIVER_TOPIC_HASH = 6
export const DELIVER_PROPERTIES = 7
export const DELIVER_PROPERTIES_BYTES = 8
export const DELIVER_PAYLOAD = 9
export const DELIVER_PAYLOAD_BYTES = 10
export const DELIVER_EXTRA = 11
export const DELIVER_EXTRA_BYTES = 12
export const DELIVER_RECEIVERS = 14
export const RECEIVER_INTS = 2

/** Shard to shard. int 2 is the number of the sending shard. */
export const PeerKind = {
  /** A message that the receiving shard has interest in: see `FORWARD_*`. */
  FORWARD: 1,
  /**
   * Answer to a FORWARD that asked for one: int 3 its number, int 4 sessions that accepted it, int 5 that refused it,
   * int 6 records written for the store.
   */
  FORWARDED: 2,
  /** int 3 number to be answered, int 4 members (0 withdraws), int 5 byte length of the JSON of `Interest` from int 6. */
  INTEREST: 3,
  /** Answer to INTEREST: int 3 its number. */
  INTEREST_KNOWN: 4,
} as const

/**
 * FORWARD: the fields of a PUBLISH descriptor from int 3 on (offsets relative to the record), then
 *   FORWARD_NUMBER       what to answer with; 0 wants no answer
 *   FORWARD_FLAGS        1: deliver to ordinary subscriptions   2: keep as retained
 *   FORWARD_GROUPS       how many shared groups of the receiving shard shall deliver it. Behind the fixed ints, for each: its
 *                        id, and the shard that has looked for a member first, plus 256 in the last round
 *   FORWARD_STAMP        two ints: a float64 that orders retained messages (broker/retained.ts)
 *   FORWARD_TOGETHER     two ints: a float64, not 0 where what is written takes effect with what other shards write under this
 *                        number; then it is answered before it is flushed
 */
export const FORWARD_PUBLISH = 3
export const FORWARD_NUMBER = 13
export const FORWARD_FLAGS = 14
export const FORWARD_GROUPS = 15
export const FORWARD_STAMP = 16
export const FORWARD_PUBLISHER_HASH = 18
export const FORWARD_TOGETHER = 19
export const FORWARD_FIXED_INTS = 22
export const FORWARD_GROUP_INTS = 2
export const LAST_ROUND = 256

/** What a shard is told when a client was admitted. Bytes travel as base64. */
export interface ConnectRequest {
  readonly clientId: string
  /** The broker made up the client identifier: tell the client [MQTT-3.1.3-7]. */
  readonly assigned: boolean
  readonly version: 3 | 4 | 5
  readonly isBridge: boolean
  readonly cleanStart: boolean
  readonly keepAliveSeconds: number
  /** Told to the client where it differs from what it asked for. */
  readonly serverKeepAliveSeconds: number | undefined
  readonly userName: string | undefined
  readonly claims: TokenClaims | undefined
  /** `number` of the latest `CredentialsChange` that was known when the client was admitted. */
  readonly knownChange: number
  readonly address: string
  /** 0 where there is none. */
  readonly port: number
  readonly sessionExpirySeconds: number
  readonly receiveMaximum: number
  readonly maximumPacketBytes: number
  readonly topicAliasMaximum: number
  readonly requestResponseInformation: boolean
  readonly requestProblemInformation: boolean
  readonly authenticationMethod: string | undefined
  readonly authenticationData: string | undefined
  readonly will: WillRequest | undefined
}

/** Of a client that has authenticated again, as the same user. */
export interface RenewedClaims {
  readonly claims?: TokenClaims | undefined
}

export interface WillRequest {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly delaySeconds: number
  readonly publishProperties: string
}

/** What one shard wants of the others' messages. */
export interface Interest {
  readonly filter: string
  /** The name of a shared subscription's group; undefined for ordinary subscriptions. */
  readonly group: string | undefined
  /** The sender's own number for the group: FORWARD names it. */
  readonly groupId: number
  /** Members of the group with a network connection. */
  readonly online: number
}
