/** Where packets begin and end in a stream of bytes, and which fixed headers a client may send (§2.1). */
import { malformed, protocolError } from './faults.js'
import { PacketType, type ProtocolVersion } from './packets.js'
import { readVarint, VARINT_INCOMPLETE, varintBytes } from './varint.js'

export const FrameStatus = {
  /** The whole packet is there: its body is `bytes[bodyStart, bodyStart + bodyLength)`. */
  COMPLETE: 0,
  /** More bytes are needed. `packetBytes` is -1 until the fixed header is complete. */
  INCOMPLETE: 1,
  /** The remaining length has five bytes or is not minimal [MQTT-1.5.5-1]: the stream cannot be followed further. */
  MALFORMED: 2,
} as const
export type FrameStatus = (typeof FrameStatus)[keyof typeof FrameStatus]

/** What `readFrame` found; one is kept per connection thread and used for each packet. */
export class FrameView {
  /** Type and flags. Set unless there was no byte at all. */
  firstByte = 0
  /** Offset after the fixed header. */
  bodyStart = 0
  /** The remaining length. */
  bodyLength = 0
  /** Bytes of the whole packet, or -1 while unknown: apply the size limit to it before buffering the body. */
  packetBytes = -1
}

/**
 * Finds the packet that begins at `offset`, reading no byte at or after `end`.
 * Hot: called for each packet of a read and once for the rest. Never throws, never allocates.
 */
export function readFrame(bytes: Uint8Array, offset: number, end: number, frame: FrameView): FrameStatus {
  frame.packetBytes = -1
  if (offset >= end) return FrameStatus.INCOMPLETE
  frame.firstByte = bytes[offset]
  const bodyLength = readVarint(bytes, offset + 1, end)
  if (bodyLength < 0) {
    return bodyLength === VARINT_INCOMPLETE ? FrameStatus.INCOMPLETE : FrameStatus.MALFORMED
  }
  const bodyStart = offset + 1 + varintBytes(bodyLength)
  frame.bodyStart = bodyStart
  frame.bodyLength = bodyLength
  frame.packetBytes = bodyStart - offset + bodyLength
  return bodyLength <= end - bodyStart ? FrameStatus.COMPLETE : FrameStatus.INCOMPLETE
}

/** The first byte of a client that speaks TLS (RFC 8446, 5.1); as MQTT, a CONNECT that cannot be. */
const TLS_HANDSHAKE = 0x16
const ALLOWED = 0
const WRONG_FLAGS = 1
const SERVER_ONLY = 2
const RESERVED_TYPE = 3

/** By version and first byte, so that the check of a good packet is one load. */
const VERDICTS: readonly Uint8Array[] = [3, 4, 5].map((version) =>
  Uint8Array.from({ length: 256 }, (_, firstByte) => judge(firstByte, version)),
)

/**
 * Checks type and flags of a packet from a client, before its body is looked at.
 * @throws BrokerError MALFORMED_PACKET for reserved types and flags [MQTT-2.1.3-1], [MQTT-3.3.1-2], [MQTT-3.3.1-4],
 *   [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1], [MQTT-3.14.1-1], [MQTT-3.15.1-1]; PROTOCOL_ERROR for packets that
 *   only a server sends
 */
export function checkFirstByte(firstByte: number, version: ProtocolVersion): void {
  const verdict = VERDICTS[version - 3][firstByte]
  if (verdict !== ALLOWED) throw refusal(verdict, firstByte)
}

function refusal(verdict: number, firstByte: number): Error {
  const type = firstByte >> 4
  if (verdict === WRONG_FLAGS) {
    const guess = firstByte === TLS_HANDSHAKE ? ': TLS begins like this, on a port without TLS' : ''
    return malformed(`flags 0x${(firstByte & 15).toString(16)} on packet type ${type}${guess}`)
  }
  if (verdict === SERVER_ONLY) return protocolError(`packet type ${type} is for servers only`)
  return malformed(`packet type ${type} is reserved`)
}

function judge(firstByte: number, version: number): number {
  const flags = firstByte & 15
  switch (firstByte >> 4) {
    case PacketType.PUBLISH:
      return arePublishFlags(flags) ? ALLOWED : WRONG_FLAGS
    case PacketType.PUBREL:
    case PacketType.SUBSCRIBE:
    case PacketType.UNSUBSCRIBE:
      // MQTT 3.1 repeats these three with the DUP flag
      return flags === 0b0010 || (version === 3 && flags === 0b1010) ? ALLOWED : WRONG_FLAGS
    case PacketType.CONNECT:
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBCOMP:
    case PacketType.PINGREQ:
    case PacketType.DISCONNECT:
      return flags === 0 ? ALLOWED : WRONG_FLAGS
    case PacketType.AUTH:
      if (version < 5) return RESERVED_TYPE
      return flags === 0 ? ALLOWED : WRONG_FLAGS
    case PacketType.CONNACK:
    case PacketType.SUBACK:
    case PacketType.UNSUBACK:
    case PacketType.PINGRESP:
      return SERVER_ONLY
    default:
      return RESERVED_TYPE
  }
}

/** QoS 3 does not exist, and a QoS 0 message is never sent twice. */
function arePublishFlags(flags: number): boolean {
  const qos = (flags >> 1) & 3
  return qos !== 3 && !(qos === 0 && (flags & 8) !== 0)
}
