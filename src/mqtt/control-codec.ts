/**
 * Control packets from clients: CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH. Our checks go over the bytes first,
 * because mqtt-packet accepts much that the specification forbids; then mqtt-packet supplies the values, except those
 * that it loses: the order of user properties, and the bytes of the will's properties.
 */
import { BrokerError, messageOf } from '../base/errors.js'
import type { Span } from './byte-reader.js'
import { BRIDGE, type CheckedConnect, checkConnect } from './connect-check.js'
import { checkAuth, checkDisconnect, checkSubscribe, checkUnsubscribe } from './control-check.js'
import { malformed } from './faults.js'
import { FrameStatus, FrameView, readFrame } from './frame.js'
import {
  type LibraryAuth,
  type LibraryConnect,
  type LibraryDisconnect,
  type LibraryPacket,
  type LibrarySubscribe,
  type LibraryUnsubscribe,
  ownBytes,
  parseWithLibrary,
} from './packet-library.js'
import {
  type Auth,
  type Connect,
  type ControlPacket,
  type Disconnect,
  NEVER_EXPIRES,
  PacketType,
  type ProtocolVersion,
  type Subscribe,
  type SubscriptionRequest,
  type Unsubscribe,
  type Will,
} from './packets.js'
import { forEachProperty, Property, userPropertiesOf } from './properties.js'

export { encodeAuth, encodeConnack, encodeDisconnect, encodeSuback, encodeUnsuback } from './control-encoder.js'

export type ControlType =
  | typeof PacketType.CONNECT
  | typeof PacketType.SUBSCRIBE
  | typeof PacketType.UNSUBSCRIBE
  | typeof PacketType.DISCONNECT
  | typeof PacketType.AUTH

/**
 * Decodes one packet. The first byte is `checkFirstByte`'s affair and not looked at.
 * @param bytes exactly one packet, with its fixed header; copied, so the caller may reuse the memory
 * @param version of the connection; ignored for CONNECT, which states its own
 * @throws BrokerError with the reason code that the specification asks for; nothing else, whatever the bytes
 */
export function decodeControl(type: ControlType, bytes: Uint8Array, version: ProtocolVersion): ControlPacket {
  const packet = Buffer.from(bytes)
  const start = bodyStart(packet)
  packet[0] = firstByteOf(type)
  switch (type) {
    case PacketType.CONNECT:
      return decodeConnect(packet, start)
    case PacketType.SUBSCRIBE:
      return decodeSubscribe(packet, checkSubscribe(packet, start, packet.length, version), version)
    case PacketType.UNSUBSCRIBE:
      return decodeUnsubscribe(packet, checkUnsubscribe(packet, start, packet.length, version), version)
    case PacketType.DISCONNECT:
      return decodeDisconnect(packet, checkDisconnect(packet, start, packet.length, version), version)
    case PacketType.AUTH:
      return decodeAuth(packet, checkAuth(packet, start, packet.length, version), version)
  }
}

/** As the library wants it, without the DUP flag that MQTT 3.1 may set. */
function firstByteOf(type: ControlType): number {
  return (type << 4) | (type === PacketType.SUBSCRIBE || type === PacketType.UNSUBSCRIBE ? 2 : 0)
}

function bodyStart(packet: Buffer): number {
  const frame = new FrameView()
  const status = readFrame(packet, 0, packet.length, frame)
  if (status !== FrameStatus.COMPLETE || frame.packetBytes !== packet.length) throw malformed('not one whole packet')
  return frame.bodyStart
}

/** Runs the library over bytes that passed our checks. @throws BrokerError MALFORMED_PACKET should it object all the same */
function parseValues(packet: Buffer, version: ProtocolVersion): LibraryPacket {
  try {
    return parseWithLibrary(packet, version)
  } catch (error) {
    throw new BrokerError('MALFORMED_PACKET', { reason: messageOf(error) }, { cause: error })
  }
}

function decodeConnect(packet: Buffer, start: number): Connect {
  const checked = checkConnect(packet, start, packet.length)
  const { version, isBridge } = checked
  clearUnusedFlags(packet, checked)
  const values = parseValues(packet, version) as LibraryConnect
  const properties = values.properties ?? {}
  const cleanStart = values.clean === true
  return {
    kind: 'connect',
    version,
    isBridge,
    clientId: values.clientId,
    cleanStart,
    keepAliveSeconds: values.keepalive ?? 0,
    userName: values.username,
    password: values.password && ownBytes(values.password),
    will: willOf(packet, checked, values),
    sessionExpirySeconds: version === 5 ? (properties.sessionExpiryInterval ?? 0) : cleanStart ? 0 : NEVER_EXPIRES,
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumPacketBytes: properties.maximumPacketSize ?? 0xffff_ffff,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    requestResponseInformation: properties.requestResponseInformation ?? false,
    requestProblemInformation: properties.requestProblemInformation ?? true,
    userProperties: userPropertiesOf(packet, checked.properties.start, checked.properties.end),
    authenticationMethod: properties.authenticationMethod,
    authenticationData: properties.authenticationData && ownBytes(properties.authenticationData),
  }
}

/** The library insists on a user name and a password that MQTT 3.1 lets be missing. */
function clearUnusedFlags(packet: Buffer, checked: CheckedConnect): void {
  if (!checked.hasUserName) packet[checked.flagsOffset] &= 0x7f
  if (!checked.hasPassword) packet[checked.flagsOffset] &= 0xbf
}

function willOf(packet: Buffer, checked: CheckedConnect, values: LibraryConnect): Will | undefined {
  const { will } = values
  if (will === undefined) return undefined
  return {
    topic: will.topic,
    payload: ownBytes(will.payload as Buffer),
    qos: will.qos ?? 0,
    retain: will.retain === true,
    delaySeconds: will.properties?.willDelayInterval ?? 0,
    publishProperties: withoutWillDelay(packet, checked.willProperties),
  }
}

/** The properties that stay with the message when it is published (§3.1.3.2), in their order [MQTT-3.1.3-10]. */
function withoutWillDelay(packet: Buffer, { start, end }: Span): Uint8Array {
  let kept = packet.subarray(start, end)
  forEachProperty(packet, start, end, (identifier, valueStart, valueEnd) => {
    if (identifier !== Property.WILL_DELAY_INTERVAL) return
    kept = Buffer.concat([packet.subarray(start, valueStart - 1), packet.subarray(valueEnd, end)])
  })
  return ownBytes(kept)
}

function decodeSubscribe(packet: Buffer, properties: Span, version: ProtocolVersion): Subscribe {
  const values = parseValues(packet, version) as LibrarySubscribe
  return {
    kind: 'subscribe',
    packetId: values.messageId ?? 0,
    subscriptions: values.subscriptions.map(
      ({ topic, qos, nl, rap, rh }): SubscriptionRequest => ({
        filter: topic,
        qos,
        noLocal: nl === true,
        retainAsPublished: rap === true,
        retainHandling: (rh ?? 0) as 0 | 1 | 2,
      }),
    ),
    subscriptionIdentifier: values.properties?.subscriptionIdentifier,
    userProperties: userPropertiesOf(packet, properties.start, properties.end),
  }
}

function decodeUnsubscribe(packet: Buffer, properties: Span, version: ProtocolVersion): Unsubscribe {
  const values = parseValues(packet, version) as LibraryUnsubscribe
  return {
    kind: 'unsubscribe',
    packetId: values.messageId ?? 0,
    filters: values.unsubscriptions,
    userProperties: userPropertiesOf(packet, properties.start, properties.end),
  }
}

function decodeDisconnect(packet: Buffer, properties: Span, version: ProtocolVersion): Disconnect {
  const values = parseValues(packet, version) as LibraryDisconnect
  return {
    kind: 'disconnect',
    reasonCode: values.reasonCode ?? 0,
    sessionExpirySeconds: values.properties?.sessionExpiryInterval,
    reasonString: values.properties?.reasonString,
    userProperties: userPropertiesOf(packet, properties.start, properties.end),
  }
}

function decodeAuth(packet: Buffer, properties: Span, version: ProtocolVersion): Auth {
  const values = parseValues(packet, version) as LibraryAuth
  const authenticationData = values.properties?.authenticationData
  return {
    kind: 'auth',
    reasonCode: values.reasonCode,
    authenticationMethod: values.properties?.authenticationMethod,
    authenticationData: authenticationData && ownBytes(authenticationData),
    reasonString: values.properties?.reasonString,
    userProperties: userPropertiesOf(packet, properties.start, properties.end),
  }
}

/**
 * The version in which a CONNECT that was refused is answered: its own where we speak it, otherwise the nearest.
 * @param bytes exactly one packet, with its fixed header
 * @returns `undefined` where the bytes do not even name MQTT: close without an answer. Never throws.
 */
export function connectVersion(bytes: Uint8Array): ProtocolVersion | undefined {
  const frame = new FrameView()
  if (readFrame(bytes, 0, bytes.length, frame) !== FrameStatus.COMPLETE) return undefined
  const text = Buffer.from(bytes.subarray(frame.bodyStart, frame.bodyStart + 9)).toString('latin1')
  const level = (name: string): number => (text.startsWith(name) ? text.charCodeAt(name.length) : Number.NaN)
  if (level('\0\x06MQIsdp') >= 0) return 3
  const version = level('\0\x04MQTT')
  if (Number.isNaN(version)) return undefined
  return version < 5 || version === (4 | BRIDGE) ? 4 : 5
}
