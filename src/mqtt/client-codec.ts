/** The client's side of the codec, for tests, load programs and tools. What clients receive: client-decoder.ts. */

import { asBuffer, asLibraryUserProperties, generateWithLibrary, type LibraryConnect } from './packet-library.js'
import type { Auth, Connect, Disconnect, ProtocolVersion, Subscribe, Unsubscribe } from './packets.js'
import { decodePublishProperties } from './publish-properties.js'

export { type BrokerPacket, decodeBrokerPacket } from './client-decoder.js'

/** What a plain client sends; a test replaces what it is about. */
export const PLAIN_CONNECT: Connect = {
  kind: 'connect',
  version: 5,
  isBridge: false,
  clientId: 'test',
  cleanStart: true,
  keepAliveSeconds: 0,
  userName: undefined,
  password: undefined,
  will: undefined,
  sessionExpirySeconds: 0,
  receiveMaximum: 65_535,
  maximumPacketBytes: 0xffff_ffff,
  topicAliasMaximum: 0,
  requestResponseInformation: false,
  requestProblemInformation: true,
  userProperties: [],
  authenticationMethod: undefined,
  authenticationData: undefined,
}

/**
 * A whole CONNECT. Values that are the default of the specification are left out.
 * @throws Error from mqtt-packet, which refuses a password without a user name and an empty client id in MQTT 3.1
 */
export function encodeConnect(connect: Connect): Uint8Array {
  const { version, will, userName, password } = connect
  const packet: LibraryConnect = {
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    bridgeMode: connect.isBridge,
    clientId: connect.clientId,
    clean: connect.cleanStart,
    keepalive: connect.keepAliveSeconds,
    username: userName,
    password: password === undefined ? undefined : asBuffer(password),
    will:
      will === undefined ? undefined : { ...will, payload: asBuffer(will.payload), properties: willProperties(will) },
    properties: connectProperties(connect),
  }
  return generateWithLibrary(packet, version)
}

function willProperties(will: NonNullable<Connect['will']>): NonNullable<LibraryConnect['will']>['properties'] {
  const found = decodePublishProperties(will.publishProperties)
  return {
    willDelayInterval: will.delaySeconds === 0 ? undefined : will.delaySeconds,
    payloadFormatIndicator: found.payloadFormat === undefined ? undefined : found.payloadFormat === 1,
    messageExpiryInterval: found.expirySeconds,
    contentType: found.contentType,
    responseTopic: found.responseTopic,
    correlationData: found.correlationData === undefined ? undefined : asBuffer(found.correlationData),
    ...asLibraryUserProperties(found.userProperties),
  }
}

function connectProperties(connect: Connect): LibraryConnect['properties'] {
  const { authenticationData } = connect
  return {
    sessionExpiryInterval: unless(0, connect.sessionExpirySeconds),
    receiveMaximum: unless(65_535, connect.receiveMaximum),
    maximumPacketSize: unless(0xffff_ffff, connect.maximumPacketBytes),
    topicAliasMaximum: unless(0, connect.topicAliasMaximum),
    requestResponseInformation: unless(false, connect.requestResponseInformation),
    requestProblemInformation: unless(true, connect.requestProblemInformation),
    ...asLibraryUserProperties(connect.userProperties),
    authenticationMethod: connect.authenticationMethod,
    authenticationData: authenticationData === undefined ? undefined : asBuffer(authenticationData),
  }
}

function unless<Value>(absent: Value, value: Value): Value | undefined {
  return value === absent ? undefined : value
}

/** A whole SUBSCRIBE. Before MQTT 5 only filters and QoS are on the wire. */
export function encodeSubscribe(subscribe: Subscribe, version: ProtocolVersion): Uint8Array {
  return generateWithLibrary(
    {
      cmd: 'subscribe',
      messageId: subscribe.packetId,
      subscriptions: subscribe.subscriptions.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ({
        topic: filter,
        qos,
        nl: noLocal,
        rap: retainAsPublished,
        rh: retainHandling,
      })),
      properties: {
        subscriptionIdentifier: subscribe.subscriptionIdentifier,
        ...asLibraryUserProperties(subscribe.userProperties),
      },
    },
    version,
  )
}

/** A whole UNSUBSCRIBE. */
export function encodeUnsubscribe(unsubscribe: Unsubscribe, version: ProtocolVersion): Uint8Array {
  return generateWithLibrary(
    {
      cmd: 'unsubscribe',
      messageId: unsubscribe.packetId,
      unsubscriptions: [...unsubscribe.filters],
      properties: asLibraryUserProperties(unsubscribe.userProperties),
    },
    version,
  )
}

/** A whole DISCONNECT. Before MQTT 5 it is empty. */
export function encodeClientDisconnect(disconnect: Disconnect, version: ProtocolVersion): Uint8Array {
  return generateWithLibrary(
    {
      cmd: 'disconnect',
      reasonCode: disconnect.reasonCode,
      properties: {
        sessionExpiryInterval: disconnect.sessionExpirySeconds,
        reasonString: disconnect.reasonString,
        ...asLibraryUserProperties(disconnect.userProperties),
      },
    },
    version,
  )
}

/** A whole AUTH. MQTT 5 only. */
export function encodeClientAuth(auth: Auth): Uint8Array {
  const { authenticationData } = auth
  return generateWithLibrary(
    {
      cmd: 'auth',
      reasonCode: auth.reasonCode,
      properties: {
        authenticationMethod: auth.authenticationMethod,
        authenticationData: authenticationData === undefined ? undefined : asBuffer(authenticationData),
        reasonString: auth.reasonString,
        ...asLibraryUserProperties(auth.userProperties),
      },
    },
    5,
  )
}
