/** PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7), and the empty PINGREQ and PINGRESP (§3.12, §3.13). */
import { malformed, protocolError } from './faults.js'
import { PacketType, type ProtocolVersion } from './packets.js'
import { checkProperties, Property, PropertySet, readPropertiesLength, readUint16 } from './properties.js'
import { writeUint16 } from './publish-writer.js'
import { ReasonCode } from './reason-codes.js'
import { varintBytes, writeVarint } from './varint.js'

export type AckType =
  | typeof PacketType.PUBACK
  | typeof PacketType.PUBREC
  | typeof PacketType.PUBREL
  | typeof PacketType.PUBCOMP

/** What an acknowledgement says; one is kept per thread, and each read sets both fields. */
export class AckView {
  packetId = 0
  /** Success where the packet has none. */
  reasonCode = 0
}

/**
 * Reads the acknowledgement whose body is `bytes[start, end)`. Hot: once per QoS 1 message; allocates nothing.
 * @throws BrokerError MALFORMED_PACKET for wrong lengths, strings and properties; PROTOCOL_ERROR for packet identifier 0
 *   [MQTT-2.2.1-3] and reason codes of other packets [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1]
 */
export function readAck(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: AckType,
  version: ProtocolVersion,
  view: AckView,
): void {
  const length = end - start
  if (length < 2) throw malformed('the packet identifier is truncated')
  if (length > 2 && version < 5) throw malformed('bytes after the packet identifier')
  const packetId = readUint16(bytes, start)
  if (packetId === 0) throw protocolError('packet identifier 0')
  view.packetId = packetId
  view.reasonCode = ReasonCode.SUCCESS
  if (length > 2) view.reasonCode = readReason(bytes, start + 2, end, type)
}

function readReason(bytes: Uint8Array, start: number, end: number, type: AckType): number {
  const reasonCode = bytes[start]
  if (!isAckReasonCode(type, reasonCode)) throw protocolError(`reason code ${reasonCode} in packet type ${type}`)
  const position = start + 1
  if (position < end) {
    const length = readPropertiesLength(bytes, position, end)
    const properties = position + varintBytes(length)
    if (properties + length !== end) throw malformed('bytes after the properties')
    checkProperties(bytes, properties, end, PropertySet.ACK)
  }
  return reasonCode
}

/** Whether packets of that type may carry the reason code (tables of §3.4.2.1, §3.5.2.1, §3.6.2.1 and §3.7.2.1). */
export function isAckReasonCode(type: AckType, reasonCode: number): boolean {
  if (reasonCode === ReasonCode.SUCCESS) return true
  if (type === PacketType.PUBREL || type === PacketType.PUBCOMP) {
    return reasonCode === ReasonCode.PACKET_IDENTIFIER_NOT_FOUND
  }
  switch (reasonCode) {
    case ReasonCode.NO_MATCHING_SUBSCRIBERS:
    case ReasonCode.UNSPECIFIED_ERROR:
    case ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR:
    case ReasonCode.NOT_AUTHORIZED:
    case ReasonCode.TOPIC_NAME_INVALID:
    case ReasonCode.PACKET_IDENTIFIER_IN_USE:
    case ReasonCode.QUOTA_EXCEEDED:
    case ReasonCode.PAYLOAD_FORMAT_INVALID:
      return true
    default:
      return false
  }
}

/** The most bytes that `writeAck` writes. */
export const ACK_BYTES_MAX = 5

/**
 * Writes an acknowledgement without properties: 4 bytes for success and before MQTT 5, which has no reason codes here;
 * otherwise 5. @returns the offset after it. Hot: allocates nothing.
 */
export function writeAck(
  target: Uint8Array,
  offset: number,
  type: AckType,
  packetId: number,
  reasonCode: number,
  version: ProtocolVersion,
): number {
  target[offset] = ackFirstByte(type)
  if (reasonCode === ReasonCode.SUCCESS || version < 5) {
    target[offset + 1] = 2
    return writeUint16(target, offset + 2, packetId)
  }
  target[offset + 1] = 3
  target[writeUint16(target, offset + 2, packetId)] = reasonCode
  return offset + 5
}

/** PUBREL alone has flags: 0010 [MQTT-3.6.1-1]. */
function ackFirstByte(type: AckType): number {
  return type === PacketType.PUBREL ? 0x62 : type << 4
}

/**
 * A whole acknowledgement, with a reason string where there is room for it. For cold paths.
 * @param reasonString for MQTT 5 clients that asked for problem information [MQTT-3.1.2-29]
 * @param maximumPacketBytes the string is left out beyond it [MQTT-3.4.2-2], [MQTT-3.5.2-2], [MQTT-3.6.2-2], [MQTT-3.7.2-2]
 */
export function encodeAck(
  type: AckType,
  packetId: number,
  reasonCode: number,
  version: ProtocolVersion,
  reasonString?: string,
  maximumPacketBytes = Number.POSITIVE_INFINITY,
): Uint8Array {
  const text = Buffer.from(reasonString ?? '')
  const propertiesLength = 3 + text.length
  const remainingLength = 3 + varintBytes(propertiesLength) + propertiesLength
  const packetBytes = 1 + varintBytes(remainingLength) + remainingLength
  if (text.length === 0 || text.length > 65_535 || version < 5 || packetBytes > maximumPacketBytes) {
    const packet = new Uint8Array(ACK_BYTES_MAX)
    return packet.subarray(0, writeAck(packet, 0, type, packetId, reasonCode, version))
  }
  const packet = new Uint8Array(packetBytes)
  packet[0] = ackFirstByte(type)
  let offset = writeUint16(packet, writeVarint(packet, 1, remainingLength), packetId)
  packet[offset] = reasonCode
  offset = writeVarint(packet, offset + 1, propertiesLength)
  packet[offset] = Property.REASON_STRING
  packet.set(text, writeUint16(packet, offset + 1, text.length))
  return packet
}

/** Checks the body of PINGREQ or PINGRESP. @throws BrokerError MALFORMED_PACKET when it is not empty */
export function checkPing(bodyLength: number): void {
  if (bodyLength !== 0) throw malformed('a PING has no body')
}

/** A whole PINGREQ. Not to be written to. */
export const PINGREQ: Uint8Array = Uint8Array.of(PacketType.PINGREQ << 4, 0)
/** A whole PINGRESP. Not to be written to. */
export const PINGRESP: Uint8Array = Uint8Array.of(PacketType.PINGRESP << 4, 0)
