/** From CONNECT to the shard: version and limits, client identifier, authentication, what the client is told. */
import { randomBytes } from 'node:crypto'
import { hashText } from '../base/bytes.js'
import { BrokerError } from '../base/errors.js'
import type { BrokerConfig } from '../config/schema.js'
import type { ConnectRequest } from '../contracts/records.js'
import type { Connect } from '../mqtt/packets.js'
import { countTopicLevels } from '../mqtt/topic-name.js'
import type { Admitted } from './authentication.js'
import type { Connection } from './connection.js'
import { OutboundAliases } from './topic-aliases.js'

/** @throws BrokerError for what this broker does not accept, although the packet is well-formed */
export function checkConnect(connect: Connect, config: BrokerConfig): void {
  const { clientIdBytesMax } = config.session
  const idBytes = Buffer.byteLength(connect.clientId)
  if (idBytes > clientIdBytesMax) {
    throw new BrokerError('CLIENT_ID_INVALID', { reason: `${idBytes} bytes, more than ${clientIdBytesMax}` })
  }
  if (connect.will === undefined) return
  const { bytesMax, levelsMax } = config.topic
  const { topic } = connect.will
  if (Buffer.byteLength(topic) > bytesMax || countTopicLevels(topic) > levelsMax) {
    throw new BrokerError('TOPIC_NAME_INVALID', { reason: `more than ${bytesMax} bytes or ${levelsMax} levels` })
  }
}

/** Keeps in the connection what it needs of CONNECT, and asks the shard for a session. */
export function connectRequest(
  connection: Connection,
  connect: Connect,
  config: BrokerConfig,
  { userName, claims, data: authenticationData }: Admitted,
  knownChange: number,
): ConnectRequest {
  const assigned = connect.clientId === ''
  const clientId = assigned ? `auto-${randomBytes(12).toString('hex')}` : connect.clientId
  const { keepAliveSecondsMax, topicAliasOutboundMax, packetBytesMax } = config.connection
  const asked = connect.keepAliveSeconds
  const tooLong = keepAliveSecondsMax > 0 && (asked === 0 || asked > keepAliveSecondsMax)
  // before MQTT 5 a client cannot be told, and must not be disconnected for what it does not know
  const serverKeepAliveSeconds = tooLong && connect.version === 5 ? keepAliveSecondsMax : undefined
  connection.clientId = clientId
  connection.keepAliveSeconds = serverKeepAliveSeconds ?? asked
  connection.hasExpiry = connect.sessionExpirySeconds > 0
  connection.wantsProblemInformation = connect.requestProblemInformation
  connection.maximumPacketBytes = connect.maximumPacketBytes
  connection.packetBytesMax = packetBytesMax
  connection.authenticationMethod = connect.authenticationMethod
  const aliases = Math.min(connect.topicAliasMaximum, topicAliasOutboundMax)
  if (aliases > 0) connection.outboundAliases = new OutboundAliases(aliases)
  const { will } = connect
  return {
    clientId,
    assigned,
    version: connect.version,
    isBridge: connect.isBridge,
    cleanStart: connect.cleanStart,
    keepAliveSeconds: connection.keepAliveSeconds,
    serverKeepAliveSeconds,
    userName,
    claims,
    knownChange,
    address: connection.peer.address,
    port: connection.peer.port,
    sessionExpirySeconds: connect.sessionExpirySeconds,
    receiveMaximum: connect.receiveMaximum,
    maximumPacketBytes: connect.maximumPacketBytes,
    topicAliasMaximum: connect.topicAliasMaximum,
    requestResponseInformation: connect.requestResponseInformation,
    requestProblemInformation: connect.requestProblemInformation,
    authenticationMethod: connect.authenticationMethod,
    authenticationData: authenticationData && Buffer.from(authenticationData).toString('base64'),
    will: will && {
      topic: will.topic,
      payload: Buffer.from(will.payload).toString('base64'),
      qos: will.qos,
      retain: will.retain,
      delaySeconds: will.delaySeconds,
      publishProperties: Buffer.from(will.publishProperties).toString('base64'),
    },
  }
}

/** The shard that owns the sessions of a client identifier. */
export function shardOf(clientId: string, shards: number): number {
  let hash = hashText(clientId)
  // the low bits of FNV-1a follow those of the characters: without mixing, even identifiers would share a shard
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % shards
}
