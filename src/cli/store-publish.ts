/** The retained messages of an export, published to a broker that runs: all that MQTT can express of a store. */

import { readLines } from '../../storage/store-import.js'
import { messageParts, type RetainedLine } from '../../storage/store-lines.js'
import type { ProtocolVersion, UserProperties } from '../mqtt/packets.js'
import { decodePublishProperties } from '../mqtt/publish-properties.js'
import type { BrokerConnection, MessageProperties, PublishOptions } from './client.js'

/** Messages under way at once. */
const WINDOW = 32

export interface PublishedCounts {
  published: number
  expired: number
  /** Left out. */
  definitions: number
  /** Left out. */
  sessions: number
  /** Left out. */
  messages: number
}

/**
 * Resolves when the broker has taken responsibility for all of QoS 1 and 2.
 * @throws BrokerError FILE_UNREADABLE, IMPORT_INVALID; CommandError when one is refused or the connection is lost
 */
export async function publishRetained(
  file: string,
  connection: Pick<BrokerConnection, 'publish'>,
  version: ProtocolVersion,
  progress: (share: number) => void,
): Promise<PublishedCounts> {
  const counts = { published: 0, expired: 0, definitions: 0, sessions: 0, messages: 0 }
  let underWay: Promise<void>[] = []
  for await (const { line } of readLines(file, progress)) {
    if (line?.type === 'definition') counts.definitions++
    if (line?.type === 'session') counts.sessions++
    if (line?.type === 'message') counts.messages++
    if (line?.type !== 'retained') continue
    const options = publishOptions(line, version, Date.now())
    if (options === undefined) {
      counts.expired++
      continue
    }
    counts.published++
    const publishing = connection.publish(line.topic, Buffer.from(line.payload, 'base64'), options)
    publishing.catch(() => {}) // seen below, when all of them are waited for
    underWay.push(publishing)
    if (underWay.length < WINDOW) continue
    await Promise.all(underWay)
    underWay = []
  }
  await Promise.all(underWay)
  return counts
}

/** @returns undefined once it has expired */
function publishOptions(line: RetainedLine, version: ProtocolVersion, nowMs: number): PublishOptions | undefined {
  const { properties: bytes, expiresAtMs, qos } = messageParts(line)
  const leftSeconds = expiresAtMs === undefined ? undefined : Math.ceil((expiresAtMs - nowMs) / 1_000)
  if (leftSeconds !== undefined && leftSeconds <= 0) return undefined
  const base = { qos, retain: true }
  if (version !== 5) return base
  const { payloadFormat, contentType, responseTopic, correlationData, userProperties } = decodePublishProperties(bytes)
  const properties: MessageProperties = {
    payloadFormatIndicator: payloadFormat === undefined ? undefined : payloadFormat === 1,
    messageExpiryInterval: leftSeconds,
    contentType,
    responseTopic,
    correlationData: correlationData === undefined ? undefined : Buffer.from(correlationData),
    userProperties: grouped(userProperties),
  }
  return { ...base, properties }
}

/** In the form of MQTT.js: the values of one name stay in order. */
function grouped(properties: UserProperties): Record<string, string[]> | undefined {
  if (properties.length === 0) return undefined
  const byName = new Map<string, string[]>()
  for (const [name, value] of properties) byName.set(name, [...(byName.get(name) ?? []), value])
  return Object.fromEntries(byName)
}
