/** What a broker sends, as values: for tests and tools. It trusts the broker more than the broker trusts its clients. */
import { decodeText } from '../base/bytes.js'
import { BrokerError, messageOf } from '../base/errors.js'
import { type AckType, AckView, readAck } from './ack-codec.js'
import { malformed, protocolError } from './faults.js'
import { FrameStatus, FrameView, readFrame } from './frame.js'
import {
  type LibraryAuth,
  type LibraryConnack,
  type LibraryDisconnect,
  type LibraryPacket,
  type LibrarySuback,
  type LibraryUnsuback,
  ownBytes,
  parseWithLibrary,
} from './packet-library.js'
import { type Auth, type Connack, PacketType, type ProtocolVersion, type Qos, type UserProperties } from './packets.js'
import { forEachProperty, Property, PropertySet, readPropertiesLength, userPropertiesOf } from './properties.js'
import { PublishView, readPublish } from './publish-codec.js'
import { decodePublishProperties, type ReceivedProperties } from './publish-properties.js'
import { varintBytes } from './varint.js'

/** `reasonCode` of a CONNACK before MQTT 5 is the return code, 0 to 5. */
export interface ReceivedConnack extends Connack {
  readonly kind: 'connack'
  readonly userProperties: UserProperties
}

export interface ReceivedPublish {
  readonly kind: 'publish'
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly dup: boolean
  readonly retain: boolean
  /** 0 for QoS 0. */
  readonly packetId: number
  readonly properties: ReceivedProperties
}

export interface ReceivedAck {
  readonly kind: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'
  readonly packetId: number
  readonly reasonCode: number
  readonly reasonString: string | undefined
  readonly userProperties: UserProperties
}

export interface ReceivedSuback {
  readonly kind: 'suback' | 'unsuback'
  readonly packetId: number
  /** One for each filter; none in an UNSUBACK before MQTT 5. */
  readonly codes: readonly number[]
  readonly reasonString: string | undefined
  readonly userProperties: UserProperties
}

export interface ReceivedDisconnect {
  readonly kind: 'disconnect'
  readonly reasonCode: number
  readonly reasonString: string | undefined
  readonly serverReference: string | undefined
  readonly userProperties: UserProperties
}

export type BrokerPacket =
  | ReceivedConnack
  | ReceivedPublish
  | ReceivedAck
  | ReceivedSuback
  | ReceivedDisconnect
  | Auth
  | { readonly kind: 'pingresp' }

/**
 * Decodes one packet from a broker.
 * @param bytes exactly one packet, with its fixed header; copied
 * @throws BrokerError when no broker may send it
 */
export function decodeBrokerPacket(bytes: Uint8Array, version: ProtocolVersion): BrokerPacket {
  const packet = Buffer.from(bytes)
  const frame = new FrameView()
  const status = readFrame(packet, 0, packet.length, frame)
  if (status !== FrameStatus.COMPLETE || frame.packetBytes !== packet.length) throw malformed('not one whole packet')
  const start = frame.bodyStart
  switch (packet[0] >> 4) {
    case PacketType.CONNACK:
      return decodeConnack(packet, start, version)
    case PacketType.PUBLISH:
      return decodePublish(packet, start, version)
    case PacketType.PUBACK:
      return decodeAck('puback', PacketType.PUBACK, packet, start, version)
    case PacketType.PUBREC:
      return decodeAck('pubrec', PacketType.PUBREC, packet, start, version)
    case PacketType.PUBREL:
      return decodeAck('pubrel', PacketType.PUBREL, packet, start, version)
    case PacketType.PUBCOMP:
      return decodeAck('pubcomp', PacketType.PUBCOMP, packet, start, version)
    case PacketType.SUBACK:
      return decodeSuback('suback', packet, start, version)
    case PacketType.UNSUBACK:
      return decodeSuback('unsuback', packet, start, version)
    case PacketType.PINGRESP:
      return { kind: 'pingresp' }
    case PacketType.DISCONNECT:
      return decodeDisconnect(packet, start, version)
    case PacketType.AUTH:
      return decodeAuth(packet, start, version)
    default:
      throw protocolError(`packet type ${packet[0] >> 4} is for clients only`)
  }
}

function parse(packet: Buffer, version: ProtocolVersion): LibraryPacket {
  try {
    return parseWithLibrary(packet, version)
  } catch (error) {
    throw new BrokerError('MALFORMED_PACKET', { reason: messageOf(error) }, { cause: error })
  }
}

/** @param position of the property length, if the packet has one */
function userProperties(packet: Buffer, position: number, version: ProtocolVersion): UserProperties {
  if (version < 5 || position >= packet.length) return []
  const length = readPropertiesLength(packet, position, packet.length)
  const start = position + varintBytes(length)
  return userPropertiesOf(packet, start, start + length)
}

function decodeConnack(packet: Buffer, start: number, version: ProtocolVersion): ReceivedConnack {
  const values = parse(packet, version) as LibraryConnack
  const properties = values.properties ?? {}
  return {
    kind: 'connack',
    sessionPresent: values.sessionPresent,
    reasonCode: (version === 5 ? values.reasonCode : values.returnCode) ?? 0,
    sessionExpirySeconds: properties.sessionExpiryInterval,
    receiveMaximum: properties.receiveMaximum,
    maximumQos: properties.maximumQoS as 0 | 1 | undefined,
    retainAvailable: properties.retainAvailable,
    maximumPacketBytes: properties.maximumPacketSize,
    assignedClientId: properties.assignedClientIdentifier,
    topicAliasMaximum: properties.topicAliasMaximum,
    reasonString: properties.reasonString,
    wildcardSubscriptionAvailable: properties.wildcardSubscriptionAvailable,
    subscriptionIdentifiersAvailable: properties.subscriptionIdentifiersAvailable,
    sharedSubscriptionAvailable: properties.sharedSubscriptionAvailable,
    serverKeepAliveSeconds: properties.serverKeepAlive,
    responseInformation: properties.responseInformation,
    serverReference: properties.serverReference,
    authenticationMethod: properties.authenticationMethod,
    authenticationData: properties.authenticationData,
    userProperties: userProperties(packet, start + 2, version),
  }
}

function decodePublish(packet: Buffer, start: number, version: ProtocolVersion): ReceivedPublish {
  const view = new PublishView()
  readPublish(packet, packet[0], start, packet.length, version, view, PropertySet.PUBLISH_FROM_SERVER)
  return {
    kind: 'publish',
    topic: decodeText(packet, view.topicStart, view.topicLength),
    payload: ownBytes(packet.subarray(view.payloadStart)),
    qos: view.qos as Qos,
    dup: view.dup === 1,
    retain: view.retain === 1,
    packetId: view.packetId,
    properties: decodePublishProperties(packet, view.propertiesStart, view.propertiesStart + view.propertiesLength),
  }
}

function decodeAck(
  kind: ReceivedAck['kind'],
  type: AckType,
  packet: Buffer,
  start: number,
  version: ProtocolVersion,
): ReceivedAck {
  const view = new AckView()
  readAck(packet, start, packet.length, type, version, view)
  let reasonString: string | undefined
  const position = start + 3
  if (position < packet.length) {
    const properties = position + varintBytes(readPropertiesLength(packet, position, packet.length))
    forEachProperty(packet, properties, packet.length, (identifier, from, to) => {
      if (identifier === Property.REASON_STRING) reasonString = decodeText(packet, from + 2, to - from - 2)
    })
  }
  return { kind, ...view, reasonString, userProperties: userProperties(packet, position, version) }
}

function decodeSuback(
  kind: ReceivedSuback['kind'],
  packet: Buffer,
  start: number,
  version: ProtocolVersion,
): ReceivedSuback {
  const values = parse(packet, version) as LibrarySuback | LibraryUnsuback
  return {
    kind,
    packetId: values.messageId ?? 0,
    codes: (values.granted ?? []) as number[],
    reasonString: values.properties?.reasonString,
    userProperties: userProperties(packet, start + 2, version),
  }
}

function decodeDisconnect(packet: Buffer, start: number, version: ProtocolVersion): ReceivedDisconnect {
  const values = parse(packet, version) as LibraryDisconnect
  return {
    kind: 'disconnect',
    reasonCode: values.reasonCode ?? 0,
    reasonString: values.properties?.reasonString,
    serverReference: values.properties?.serverReference,
    userProperties: userProperties(packet, start + 1, version),
  }
}

function decodeAuth(packet: Buffer, start: number, version: ProtocolVersion): Auth {
  const values = parse(packet, version) as LibraryAuth
  return {
    kind: 'auth',
    reasonCode: values.reasonCode ?? 0,
    authenticationMethod: values.properties?.authenticationMethod,
    authenticationData: values.properties?.authenticationData,
    reasonString: values.properties?.reasonString,
    userProperties: userProperties(packet, start + 1, version),
  }
}
