/** Packets from a client to the broker, as bytes. Every field can be given a value that the specification forbids. */
import { encodeProperties, type Properties, propertyBlock } from './properties.js'
import { bytes, type Part, packet, prefixed, uint16 } from './wire.js'

export type Version = 3 | 4 | 5
export type AckKind = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

export interface WillOptions {
  readonly topic: Part
  readonly payload?: Part
  readonly qos?: number
  readonly retain?: boolean
  readonly properties?: Properties | Uint8Array
}

export interface ConnectOptions {
  /** Default 5. */
  readonly version?: Version
  readonly protocolName?: Part
  /** Default is `version`. */
  readonly protocolLevel?: number
  readonly clientId?: Part
  /** Clean session before MQTT 5. Default true. */
  readonly cleanStart?: boolean
  /** Seconds. Default 0: a test that moves the clock does not lose its clients. */
  readonly keepAlive?: number
  readonly userName?: Part
  readonly password?: Part
  readonly will?: WillOptions
  readonly properties?: Properties | Uint8Array
  /** Replaces the connect flags that follow from the other options. */
  readonly flags?: number
  /** Replaces the payload that follows from the other options. */
  readonly payload?: Uint8Array
}

export function connectFlags(options: ConnectOptions): number {
  const { cleanStart = true, will, userName, password } = options
  const willFlags = will ? 0x04 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0) : 0
  return (cleanStart ? 0x02 : 0) | willFlags | (userName === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40)
}

export function connectPacket(options: ConnectOptions = {}): Uint8Array {
  const { version = 5, clientId = '', keepAlive = 0, will, userName, password } = options
  const willParts = will
    ? [version === 5 ? propertyBlock(will.properties) : '', prefixed(will.topic), prefixed(will.payload ?? '')]
    : []
  const payload =
    options.payload ??
    bytes(
      prefixed(clientId),
      ...willParts,
      userName === undefined ? '' : prefixed(userName),
      password === undefined ? '' : prefixed(password),
    )
  return packet(
    1,
    0,
    prefixed(options.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')),
    [options.protocolLevel ?? version, options.flags ?? connectFlags(options)],
    uint16(keepAlive),
    version === 5 ? propertyBlock(options.properties) : '',
    payload,
  )
}

export interface PublishOptions {
  readonly qos?: number
  readonly retain?: boolean
  readonly dup?: boolean
  readonly packetId?: number
  readonly properties?: Properties | Uint8Array
}

export function publishPacket(topic: Part, payload: Part, options: PublishOptions & { version?: Version } = {}) {
  const { version = 5, qos = 0, retain = false, dup = false, packetId } = options
  const flags = (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  const identifier = packetId === undefined ? '' : uint16(packetId)
  return packet(3, flags, prefixed(topic), identifier, version === 5 ? propertyBlock(options.properties) : '', payload)
}

const ACK_TYPES = { puback: 4, pubrec: 5, pubrel: 6, pubcomp: 7 } as const

export interface AckOptions {
  readonly reasonCode?: number
  readonly properties?: Properties | Uint8Array
  readonly flags?: number
}

/** The short form of two bytes unless a reason code or properties are given. */
export function ackPacket(kind: AckKind, packetId: number, options: AckOptions = {}): Uint8Array {
  const { reasonCode, properties, flags = kind === 'pubrel' ? 2 : 0 } = options
  const tail = properties === undefined ? '' : propertyBlock(properties)
  const reason = reasonCode === undefined && properties === undefined ? '' : [reasonCode ?? 0]
  return packet(ACK_TYPES[kind], flags, uint16(packetId), reason, tail)
}

export interface SubscriptionOptions {
  readonly qos?: number
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: number
}
export type Subscription = readonly [filter: Part, options?: SubscriptionOptions | number]

/** The options byte of a subscription (§3.8.3.1); a number passes unchanged. */
export function subscriptionByte(options: SubscriptionOptions | number = {}): number {
  if (typeof options === 'number') return options
  const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options
  return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4)
}

export interface SubscribePacketOptions {
  readonly version?: Version
  readonly properties?: Properties | Uint8Array
  readonly flags?: number
}

export function subscribePacket(
  packetId: number,
  subscriptions: readonly Subscription[],
  { version = 5, properties, flags = 2 }: SubscribePacketOptions = {},
): Uint8Array {
  const payload = subscriptions.map(([filter, options]) => bytes(prefixed(filter), [subscriptionByte(options)]))
  return packet(8, flags, uint16(packetId), version === 5 ? propertyBlock(properties) : '', ...payload)
}

export function unsubscribePacket(
  packetId: number,
  filters: readonly Part[],
  { version = 5, properties, flags = 2 }: SubscribePacketOptions = {},
): Uint8Array {
  const block = version === 5 ? propertyBlock(properties) : ''
  return packet(10, flags, uint16(packetId), block, ...filters.map((filter) => prefixed(filter)))
}

export function pingreqPacket(flags = 0): Uint8Array {
  return packet(12, flags)
}

/** Without arguments the short form of two bytes, which is also the only form before MQTT 5. */
export function disconnectPacket(options: AckOptions = {}): Uint8Array {
  const { reasonCode, properties, flags = 0 } = options
  if (reasonCode === undefined && properties === undefined) return packet(14, flags)
  return packet(14, flags, [reasonCode ?? 0], properties === undefined ? '' : propertyBlock(properties))
}

export function authPacket(reasonCode: number, properties: Properties | Uint8Array, flags = 0): Uint8Array {
  return packet(15, flags, [reasonCode], propertyBlock(encodeProperties(properties)))
}
