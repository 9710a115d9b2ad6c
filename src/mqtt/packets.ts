/** The control packets a broker meets, as values. PUBLISH, the acknowledgements and PING have codecs of their own. */

/** 3 = MQTT 3.1 (protocol name "MQIsdp"), 4 = MQTT 3.1.1, 5 = MQTT 5.0. */
export type ProtocolVersion = 3 | 4 | 5
export type Qos = 0 | 1 | 2

/** In the order they were sent; a name may occur more than once [MQTT-3.1.3-10], [MQTT-3.3.2-18]. */
export type UserProperties = readonly (readonly [name: string, value: string])[]

export interface Will {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  /** Seconds between the loss of the connection and the publication; 0 before MQTT 5. */
  readonly delaySeconds: number
  /** The properties that travel with the message, encoded as in a PUBLISH, without the length; empty before MQTT 5. */
  readonly publishProperties: Uint8Array
}

export interface Connect {
  readonly kind: 'connect'
  readonly version: ProtocolVersion
  /** The client is a bridge of another broker, and says so by the highest bit of the protocol level; never in MQTT 5. */
  readonly isBridge: boolean
  /** May be empty: the broker then assigns one [MQTT-3.1.3-6]. */
  readonly clientId: string
  readonly cleanStart: boolean
  readonly keepAliveSeconds: number
  readonly userName: string | undefined
  readonly password: Uint8Array | undefined
  readonly will: Will | undefined
  /** Seconds; 0xFFFFFFFF never expires. Before MQTT 5: 0 with clean session, otherwise 0xFFFFFFFF. */
  readonly sessionExpirySeconds: number
  /** 65,535 where absent. */
  readonly receiveMaximum: number
  /** 0xFFFFFFFF where absent. */
  readonly maximumPacketBytes: number
  readonly topicAliasMaximum: number
  readonly requestResponseInformation: boolean
  readonly requestProblemInformation: boolean
  readonly userProperties: UserProperties
  readonly authenticationMethod: string | undefined
  readonly authenticationData: Uint8Array | undefined
}

export interface SubscriptionRequest {
  /** As sent, `$share/name/` included: a UTF-8 string. `filterProblem` judges its wildcards and its share name, so that
   * one wrong filter is refused with 0x8F (0x80 before MQTT 5) while the others are granted. */
  readonly filter: string
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
}

export interface Subscribe {
  readonly kind: 'subscribe'
  readonly packetId: number
  readonly subscriptions: readonly SubscriptionRequest[]
  /** 1 to 268,435,455; undefined where absent. */
  readonly subscriptionIdentifier: number | undefined
  readonly userProperties: UserProperties
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe'
  readonly packetId: number
  /** As sent; `filterProblem` judges them. */
  readonly filters: readonly string[]
  readonly userProperties: UserProperties
}

export interface Disconnect {
  readonly kind: 'disconnect'
  readonly reasonCode: number
  /** undefined where absent: the value of CONNECT stays. */
  readonly sessionExpirySeconds: number | undefined
  readonly reasonString: string | undefined
  readonly userProperties: UserProperties
}

export interface Auth {
  readonly kind: 'auth'
  readonly reasonCode: number
  readonly authenticationMethod: string | undefined
  readonly authenticationData: Uint8Array | undefined
  readonly reasonString: string | undefined
  readonly userProperties: UserProperties
}

/** What a client may send besides PUBLISH, acknowledgements and PINGREQ. */
export type ControlPacket = Connect | Subscribe | Unsubscribe | Disconnect | Auth

/** What a broker answers to CONNECT. Properties that are undefined are left out; before MQTT 5 all are. */
export interface Connack {
  readonly sessionPresent: boolean
  /** An MQTT 5 reason code; the encoder maps it to the return codes of 3.1 and 3.1.1. */
  readonly reasonCode: number
  readonly sessionExpirySeconds?: number
  readonly receiveMaximum?: number
  readonly maximumQos?: 0 | 1
  readonly retainAvailable?: boolean
  readonly maximumPacketBytes?: number
  readonly assignedClientId?: string
  readonly topicAliasMaximum?: number
  readonly reasonString?: string
  readonly wildcardSubscriptionAvailable?: boolean
  readonly subscriptionIdentifiersAvailable?: boolean
  readonly sharedSubscriptionAvailable?: boolean
  readonly serverKeepAliveSeconds?: number
  readonly responseInformation?: string
  readonly serverReference?: string
  readonly authenticationMethod?: string
  readonly authenticationData?: Uint8Array
}

/** Types of control packets, the upper half of the first byte (§2.1.2). */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const

export const NEVER_EXPIRES = 0xffff_ffff
