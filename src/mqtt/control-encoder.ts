/**
 * Control packets to clients: CONNACK, SUBACK, UNSUBACK, DISCONNECT, AUTH, as whole packets. Each encoder leaves out the
 * reason string where the packet would exceed `maximumPacketBytes`, and answers `undefined` where nothing may be sent.
 */

import { asBuffer, generateWithLibrary, type LibraryConnack, type LibraryPacket } from './packet-library.js'
import type { Connack, ProtocolVersion } from './packets.js'
import { ReasonCode, returnCodeFor } from './reason-codes.js'

const UNLIMITED = Number.POSITIVE_INFINITY
const STRING_BYTES_MAX = 65_535

/**
 * @param maximumPacketBytes of the client, from CONNECT [MQTT-3.1.2-24]; the reason string yields to it [MQTT-3.2.2-19]
 * @returns `undefined` where the client must be left without an answer: the version has no return code for the reason,
 *   or the packet is too large
 */
export function encodeConnack(
  connack: Connack,
  version: ProtocolVersion,
  maximumPacketBytes = UNLIMITED,
): Uint8Array | undefined {
  const { reasonCode, reasonString } = connack
  const sessionPresent = connack.sessionPresent && reasonCode === ReasonCode.SUCCESS // [MQTT-3.2.2-6]
  if (version < 5) {
    const returnCode = returnCodeFor(reasonCode)
    // MQTT 3.1 reserves the byte that 3.1.1 made the session present flag
    const flag = sessionPresent && version === 4
    if (returnCode === undefined) return undefined
    return generateWithLibrary({ cmd: 'connack', sessionPresent: flag, returnCode }, version)
  }
  return fitted(reasonString, maximumPacketBytes, (reason) => ({
    cmd: 'connack',
    sessionPresent,
    reasonCode,
    properties: { ...connackProperties(connack), ...reason },
  }))
}

function connackProperties(connack: Connack): LibraryConnack['properties'] {
  const { authenticationData } = connack
  return {
    sessionExpiryInterval: connack.sessionExpirySeconds,
    receiveMaximum: connack.receiveMaximum,
    maximumQoS: connack.maximumQos,
    retainAvailable: connack.retainAvailable,
    maximumPacketSize: connack.maximumPacketBytes,
    assignedClientIdentifier: connack.assignedClientId,
    topicAliasMaximum: connack.topicAliasMaximum,
    wildcardSubscriptionAvailable: connack.wildcardSubscriptionAvailable,
    subscriptionIdentifiersAvailable: connack.subscriptionIdentifiersAvailable,
    sharedSubscriptionAvailable: connack.sharedSubscriptionAvailable,
    serverKeepAlive: connack.serverKeepAliveSeconds,
    responseInformation: connack.responseInformation,
    serverReference: connack.serverReference,
    authenticationMethod: connack.authenticationMethod,
    authenticationData: authenticationData === undefined ? undefined : asBuffer(authenticationData),
  }
}

/**
 * @param codes one for each filter, in their order [MQTT-3.9.3-1]; before MQTT 5 each failure becomes 0x80
 * @param reasonString for MQTT 5 clients that asked for problem information; yields to the maximum [MQTT-3.9.2-1]
 */
export function encodeSuback(
  packetId: number,
  codes: readonly number[],
  version: ProtocolVersion,
  reasonString?: string,
  maximumPacketBytes = UNLIMITED,
): Uint8Array | undefined {
  if (version < 5) {
    const granted = codes.map((code) => Math.min(code, ReasonCode.UNSPECIFIED_ERROR))
    return generateWithLibrary({ cmd: 'suback', messageId: packetId, granted }, version)
  }
  return fitted(reasonString, maximumPacketBytes, (properties) => ({
    cmd: 'suback',
    messageId: packetId,
    granted: [...codes],
    properties,
  }))
}

/**
 * @param codes one for each filter, in their order [MQTT-3.11.3-1]; before MQTT 5 there are none on the wire
 * @param reasonString for MQTT 5 clients that asked for problem information; yields to the maximum [MQTT-3.11.2-1]
 */
export function encodeUnsuback(
  packetId: number,
  codes: readonly number[],
  version: ProtocolVersion,
  reasonString?: string,
  maximumPacketBytes = UNLIMITED,
): Uint8Array | undefined {
  if (version < 5) return generateWithLibrary({ cmd: 'unsuback', messageId: packetId, granted: [] }, version)
  return fitted(reasonString, maximumPacketBytes, (properties) => ({
    cmd: 'unsuback',
    messageId: packetId,
    granted: [...codes],
    properties,
  }))
}

/** MQTT 5 only: a server of older versions just closes. The reason string yields to the maximum [MQTT-3.14.2-3]. */
export function encodeDisconnect(
  reasonCode: number,
  { reasonString, serverReference }: { readonly reasonString?: string; readonly serverReference?: string } = {},
  maximumPacketBytes = UNLIMITED,
): Uint8Array | undefined {
  return fitted(reasonString, maximumPacketBytes, (reason) => ({
    cmd: 'disconnect',
    reasonCode,
    properties: { serverReference, ...reason },
  }))
}

export interface AuthReply {
  /** Success, continue authentication or re-authenticate [MQTT-3.15.2-1]. */
  readonly reasonCode: number
  readonly authenticationMethod: string
  readonly authenticationData?: Uint8Array
  readonly reasonString?: string
}

/** MQTT 5 only. The reason string yields to the maximum [MQTT-3.15.2-2]. */
export function encodeAuth(auth: AuthReply, maximumPacketBytes = UNLIMITED): Uint8Array | undefined {
  const { reasonCode, authenticationMethod, authenticationData, reasonString } = auth
  return fitted(reasonString, maximumPacketBytes, (reason) => ({
    cmd: 'auth',
    reasonCode,
    properties: {
      authenticationMethod,
      authenticationData: authenticationData === undefined ? undefined : asBuffer(authenticationData),
      ...reason,
    },
  }))
}

/** An MQTT 5 packet with the reason string where there is room for it, otherwise without. */
function fitted(
  reasonString: string | undefined,
  maximumPacketBytes: number,
  packetWith: (reason: { readonly reasonString?: string }) => LibraryPacket,
): Uint8Array | undefined {
  if (reasonString !== undefined && Buffer.byteLength(reasonString) <= STRING_BYTES_MAX) {
    const explained = generateWithLibrary(packetWith({ reasonString }), 5)
    if (explained.length <= maximumPacketBytes) return explained
  }
  const packet = generateWithLibrary(packetWith({}), 5)
  return packet.length <= maximumPacketBytes ? packet : undefined
}
