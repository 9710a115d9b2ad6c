/** Packets from the broker to a client, decoded strictly: what the specification forbids throws a `ConductError`. */
import type { AckKind, Version } from './client-packets.js'
import type { Properties, PropertyName } from './properties.js'
import { ConductError, Reader } from './reader.js'

interface Sized {
  /** Bytes of the whole packet. */
  readonly size: number
}
export interface ReceivedConnack extends Sized {
  readonly kind: 'connack'
  readonly sessionPresent: boolean
  /** Before MQTT 5 the return code. */
  readonly reasonCode: number
  readonly properties: Properties
}
export interface ReceivedPublish extends Sized {
  readonly kind: 'publish'
  /** As sent: empty when only the topic alias was. `RawClient` fills it in from the alias. */
  readonly topic: string
  readonly payload: Uint8Array
  /** The payload read as UTF-8. */
  readonly text: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly dup: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
  readonly properties: Properties
}
export interface ReceivedAck<Kind extends AckKind = AckKind> extends Sized {
  readonly kind: Kind
  readonly packetId: number
  readonly reasonCode: number
  readonly properties: Properties
}
export interface ReceivedSuback<Kind extends 'suback' | 'unsuback'> extends Sized {
  readonly kind: Kind
  readonly packetId: number
  /** Empty in an UNSUBACK before MQTT 5. */
  readonly reasonCodes: readonly number[]
  readonly properties: Properties
}
export interface ReceivedPingresp extends Sized {
  readonly kind: 'pingresp'
}
export interface ReceivedEnd<Kind extends 'disconnect' | 'auth'> extends Sized {
  readonly kind: Kind
  readonly reasonCode: number
  readonly properties: Properties
}
export type Received =
  | ReceivedConnack
  | ReceivedPublish
  | ReceivedAck<'puback'>
  | ReceivedAck<'pubrec'>
  | ReceivedAck<'pubrel'>
  | ReceivedAck<'pubcomp'>
  | ReceivedSuback<'suback'>
  | ReceivedSuback<'unsuback'>
  | ReceivedPingresp
  | ReceivedEnd<'disconnect'>
  | ReceivedEnd<'auth'>
export type ReceivedKind = Received['kind']
export type ReceivedOf<Kind extends ReceivedKind> = Extract<Received, { readonly kind: Kind }>

/** By packet type; those that only a client sends are missing. */
const KINDS: Readonly<Record<number, ReceivedKind>> = {
  2: 'connack',
  3: 'publish',
  4: 'puback',
  5: 'pubrec',
  6: 'pubrel',
  7: 'pubcomp',
  9: 'suback',
  11: 'unsuback',
  13: 'pingresp',
  14: 'disconnect',
  15: 'auth',
}

const REASONED: readonly PropertyName[] = ['reasonString', 'userProperty']
const ALLOWED: Readonly<Record<Exclude<ReceivedKind, 'pingresp'>, readonly PropertyName[]>> = {
  connack: [
    ...REASONED,
    'sessionExpiryInterval',
    'assignedClientIdentifier',
    'serverKeepAlive',
    'authenticationMethod',
    'authenticationData',
    'responseInformation',
    'serverReference',
    'receiveMaximum',
    'topicAliasMaximum',
    'maximumQos',
    'retainAvailable',
    'maximumPacketSize',
    'wildcardSubscriptionAvailable',
    'subscriptionIdentifierAvailable',
    'sharedSubscriptionAvailable',
  ],
  publish: [
    'payloadFormatIndicator',
    'messageExpiryInterval',
    'contentType',
    'responseTopic',
    'correlationData',
    'subscriptionIdentifier',
    'topicAlias',
    'userProperty',
  ],
  puback: REASONED,
  pubrec: REASONED,
  pubrel: REASONED,
  pubcomp: REASONED,
  suback: REASONED,
  unsuback: REASONED,
  disconnect: [...REASONED, 'serverReference'],
  auth: [...REASONED, 'authenticationMethod', 'authenticationData'],
}

const PUBLISHED = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
const REFUSED = [
  0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c,
  0x9d, 0x9f,
]
const ENDED = [
  0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
  0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
]
const REASON_CODES: Readonly<Record<Exclude<ReceivedKind, 'pingresp' | 'publish'>, readonly number[]>> = {
  connack: [0x00, ...REFUSED],
  puback: PUBLISHED,
  pubrec: PUBLISHED,
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
  suback: [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  disconnect: ENDED,
  auth: [0x00, 0x18, 0x19],
}
const RETURN_CODES = {
  3: { connack: [0, 1, 2, 3, 4, 5], suback: [0, 1, 2] },
  4: { connack: [0, 1, 2, 3, 4, 5], suback: [0, 1, 2, 0x80] },
} as const

/** @throws ConductError naming the first rule that the packet breaks */
export function decode(firstByte: number, body: Uint8Array, size: number, version: Version): Received {
  const kind = KINDS[firstByte >> 4]
  if (kind === undefined) throw new ConductError(`the broker sent packet type ${firstByte >> 4}`)
  const flags = firstByte & 0x0f
  if (kind === 'publish') return decodePublish(flags, new Reader(body, 'PUBLISH'), size, version)
  const reader = new Reader(body, kind.toUpperCase())
  if (flags !== (kind === 'pubrel' ? 2 : 0)) throw new ConductError(`[MQTT-2.1.3-1] ${kind} has flags ${flags}`)
  const decoded = decodeOther(kind, reader, size, version)
  reader.end()
  return decoded
}

function decodePublish(flags: number, reader: Reader, size: number, version: Version): ReceivedPublish {
  const qos = (flags >> 1) & 3
  const dup = flags >= 8
  if (qos === 3) throw new ConductError('[MQTT-3.3.1-4] PUBLISH has QoS 3')
  if (qos === 0 && dup) throw new ConductError('[MQTT-3.3.1-2] PUBLISH with QoS 0 has DUP')
  const topic = reader.text()
  if (/[#+]/.test(topic)) throw new ConductError('[MQTT-3.3.2-2] the topic name of PUBLISH has a wildcard')
  const packetId = qos === 0 ? 0 : reader.packetId()
  const properties = version === 5 ? reader.properties(ALLOWED.publish) : {}
  if (topic === '' && properties.topicAlias === undefined) {
    throw new ConductError('[MQTT-4.7.3-1] PUBLISH has neither topic name nor topic alias')
  }
  const payload = Buffer.from(reader.take(reader.remaining))
  const text = payload.toString('utf8')
  const retain = (flags & 1) === 1
  return { kind: 'publish', topic, payload, text, qos: qos as 0 | 1 | 2, retain, dup, packetId, properties, size }
}

function decodeOther(
  kind: Exclude<ReceivedKind, 'publish'>,
  reader: Reader,
  size: number,
  version: Version,
): Exclude<Received, ReceivedPublish> {
  switch (kind) {
    case 'connack':
      return decodeConnack(reader, size, version)
    case 'suback':
    case 'unsuback': {
      const packetId = reader.packetId()
      const properties = version === 5 ? reader.properties(ALLOWED[kind]) : {}
      const reasonCodes = [...reader.take(reader.remaining)]
      if (version === 5 && reasonCodes.length === 0) throw new ConductError(`${kind} has no reason code`)
      if (version !== 5 && kind === 'unsuback' && reasonCodes.length > 0)
        throw new ConductError('UNSUBACK has a payload')
      for (const code of reasonCodes) checkReason(kind, code, version)
      return { kind, packetId, reasonCodes, properties, size }
    }
    case 'pingresp':
      return { kind, size }
    case 'disconnect':
    case 'auth':
      if (version !== 5) throw new ConductError(`${kind} does not exist before MQTT 5`)
      return { kind, ...reasoned(kind, reader, version), size }
    default: {
      const packetId = reader.packetId()
      return { kind, packetId, ...reasoned(kind, reader, version), size } as ReceivedAck<'puback'>
    }
  }
}

function decodeConnack(reader: Reader, size: number, version: Version): ReceivedConnack {
  const flags = reader.byte()
  if (flags > (version === 3 ? 0 : 1)) throw new ConductError(`[MQTT-3.2.2-1] CONNACK has flags ${flags}`)
  const reasonCode = reader.byte()
  checkReason('connack', reasonCode, version)
  if (flags === 1 && reasonCode !== 0) throw new ConductError('[MQTT-3.2.2-6] refused, yet session present')
  const properties = version === 5 ? reader.properties(ALLOWED.connack) : {}
  return { kind: 'connack', sessionPresent: flags === 1, reasonCode, properties, size }
}

/** Reason code and properties, both of which may be left out from the end. */
function reasoned(kind: AckKind | 'disconnect' | 'auth', reader: Reader, version: Version) {
  if (version !== 5 || reader.remaining === 0) return { reasonCode: 0, properties: {} }
  const reasonCode = reader.byte()
  checkReason(kind, reasonCode, version)
  return { reasonCode, properties: reader.remaining === 0 ? {} : reader.properties(ALLOWED[kind]) }
}

function checkReason(kind: keyof typeof REASON_CODES, code: number, version: Version): void {
  const known: readonly number[] =
    version !== 5 && (kind === 'connack' || kind === 'suback') ? RETURN_CODES[version][kind] : REASON_CODES[kind]
  if (!known.includes(code)) throw new ConductError(`${kind} has the reason code 0x${code.toString(16)}`)
}
