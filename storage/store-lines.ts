/**
 * The format of `merlot store export`: JSON, an object a line, described in docs/store.md. The first line says which
 * version of the format it is and the last one how much there is, so that a file that was cut off is not taken for whole.
 */
import { isUtf8 } from 'node:buffer'
import { messageOf } from '../src/base/errors.js'
import type { WillRequest } from '../src/contracts/records.js'
import { Progress, type StoredOwner, type StoredSession, type StoredSubscription } from '../src/contracts/storage.js'
import { checkProperties, PropertySet } from '../src/mqtt/properties.js'
import { decodePublishProperties, encodeSubscriptionIdentifiers } from '../src/mqtt/publish-properties.js'
import { filterProblem } from '../src/mqtt/topic-filter.js'
import { isValidTopicName } from '../src/mqtt/topic-name.js'
import { asDefinitionLine, type DefinitionLine } from './definition-line.js'
import { LineProblem, must } from './line-problem.js'
import type { MessageParts } from './message-parts.js'
import {
  bytesOfBase64,
  isCount,
  isOwner,
  isQos,
  isStoredSubscription,
  isTime,
  isWill,
  type JsonObject,
  parseObject,
} from './store-json.js'

export const FORMAT_VERSION = 1
const VARINT_MAX = 268_435_455
const TEXT_BYTES_MAX = 65_535
const STATES = { queued: Progress.QUEUED, sent: Progress.SENT, released: Progress.RELEASED } as const
export type ReceiverState = keyof typeof STATES

export interface HeaderLine {
  readonly merlotStore: number
  /** ISO 8601. */
  readonly exported: string
  /** When the broker was last alive, in milliseconds since the epoch. */
  readonly aliveMs: number
}

export interface SessionLine {
  readonly type: 'session'
  readonly clientId: string
  readonly expirySeconds: number
  /** Missing while it is connected. */
  readonly disconnectedAtMs?: number
  readonly will?: WillRequest
  /** Whose it is; missing for one of nobody. */
  readonly owner?: StoredOwner
  readonly subscriptions: readonly StoredSubscription[]
  readonly received: readonly number[]
}

/** Base64, and nothing where the message has none. */
interface MessageFields {
  readonly topic: string
  readonly payload: string
  readonly properties?: string
  readonly qos: 0 | 1 | 2
  readonly expiresAtMs?: number
}

export interface RetainedLine extends MessageFields {
  readonly type: 'retained'
  readonly stamp: number
  /** It is the value of KEEP TOPIC. */
  readonly keep?: true
}

export interface ReceiverFields {
  readonly clientId: string
  readonly state: ReceiverState
  readonly packetId?: number
  readonly qos: 0 | 1 | 2
  readonly retain?: true
  readonly shared?: true
  readonly identifiers?: readonly number[]
  /** It may have been sent before a broker died. */
  readonly mayRepeat?: true
}

export interface MessageLine extends MessageFields {
  readonly type: 'message'
  readonly retain?: true
  readonly receivers: readonly ReceiverFields[]
}

export interface EndLine {
  readonly type: 'end'
  /** Missing is none. */
  readonly definitions?: number
  readonly sessions: number
  readonly retained: number
  readonly messages: number
}

export type StoreLine = DefinitionLine | SessionLine | RetainedLine | MessageLine | EndLine

export function messageFields({ topic, payload, properties, qos, expiresAtMs }: MessageParts): MessageFields {
  return {
    topic,
    payload: Buffer.from(payload).toString('base64'),
    ...(properties.length > 0 && { properties: Buffer.from(properties).toString('base64') }),
    qos,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  }
}

/** Of a line that was read by `parseLine`. */
export function messageParts(line: RetainedLine | MessageLine): MessageParts {
  const { topic, payload, properties = '', qos, expiresAtMs } = line
  return {
    topic,
    payload: Buffer.from(payload, 'base64'),
    properties: Buffer.from(properties, 'base64'),
    qos,
    retain: line.type === 'retained' || line.retain === true,
    expiresAtMs,
    isKeepValue: line.type === 'retained' && line.keep === true,
  }
}

export function progressOfState(state: ReceiverState): Progress {
  return STATES[state]
}

export function stateOf(progress: Progress): ReceiverState {
  return progress === Progress.QUEUED ? 'queued' : progress === Progress.SENT ? 'sent' : 'released'
}

export function identifiersOf(encoded: Uint8Array): readonly number[] {
  return decodePublishProperties(encoded).subscriptionIdentifiers
}

export function encodeIdentifiers(identifiers: readonly number[] | undefined): Uint8Array | undefined {
  return identifiers === undefined || identifiers.length === 0 ? undefined : encodeSubscriptionIdentifiers(identifiers)
}

/** @throws LineProblem */
export function parseHeader(text: string): HeaderLine {
  const line = parseObject(text)
  if (line === undefined || !('merlotStore' in line)) throw new LineProblem('it is not the first line of an export')
  const { merlotStore, exported, aliveMs } = line
  if (merlotStore !== FORMAT_VERSION) {
    throw new LineProblem(`its format has version ${String(merlotStore)}, and this program knows ${FORMAT_VERSION}`)
  }
  must(isTime(aliveMs), 'aliveMs must be milliseconds')
  must(typeof exported === 'string', 'exported must be a time')
  return { merlotStore, exported, aliveMs }
}

/** Any line but the first. @throws LineProblem */
export function parseLine(text: string): StoreLine {
  const line = parseObject(text)
  if (line === undefined) throw new LineProblem('it is not a JSON object')
  switch (line.type) {
    case 'definition':
      return asDefinitionLine(line)
    case 'session':
      return sessionLine(line)
    case 'retained':
      checkMessage(line)
      must(isCount(line.stamp), 'stamp must be a whole number')
      must(line.payload !== '', 'a retained message has a payload')
      must(line.keep === undefined || line.keep === true, 'keep must be true, or missing')
      return line as JsonObject & RetainedLine
    case 'message':
      return messageLine(line)
    case 'end':
      must(line.definitions === undefined || isCount(line.definitions), 'definitions must be a whole number')
      must(isCount(line.sessions) && isCount(line.retained) && isCount(line.messages), 'its counts are missing')
      return line as JsonObject & EndLine
    default:
      throw new LineProblem(`its type is ${JSON.stringify(line.type)}, which is none of this format`)
  }
}

function sessionLine(line: JsonObject): SessionLine {
  const { clientId, expirySeconds, disconnectedAtMs, will, owner, subscriptions, received } = line
  must(isText(clientId), 'clientId must be text')
  must(isCount(expirySeconds, 0xffff_ffff), 'expirySeconds must be a whole number')
  must(disconnectedAtMs === undefined || isTime(disconnectedAtMs), 'disconnectedAtMs must be milliseconds')
  must(will === undefined || isGoodWill(will), 'its will is not valid')
  must(owner === undefined || isOwner(owner), 'its owner is not valid')
  must(Array.isArray(subscriptions), 'subscriptions must be a list')
  for (const subscription of subscriptions) {
    must(isStoredSubscription(subscription), 'a subscription is not complete')
    const problem = filterProblem(subscription.filter)
    must(isText(subscription.filter) && problem === undefined, `${subscription.filter}: ${problem ?? 'too long'}`)
  }
  must(Array.isArray(received) && received.every(isPacketId), 'received must be a list of packet identifiers')
  return line as JsonObject & SessionLine
}

function messageLine(line: JsonObject): MessageLine {
  checkMessage(line)
  const { receivers } = line
  must(Array.isArray(receivers) && receivers.length > 0, 'receivers must be a list')
  for (const receiver of receivers as readonly unknown[]) checkReceiver(receiver)
  return line as JsonObject & MessageLine
}

function checkReceiver(value: unknown): void {
  must(typeof value === 'object' && value !== null, 'a receiver is not an object')
  const { clientId, state, packetId, qos, identifiers } = value as JsonObject
  must(isText(clientId), 'clientId must be text')
  must(isQos(qos), 'qos must be 0, 1 or 2')
  must(typeof state === 'string' && state in STATES, 'state must be queued, sent or released')
  must((packetId === undefined) === (state === 'queued'), 'what was sent has a packetId, and nothing else')
  must(packetId === undefined || isPacketId(packetId), 'packetId must be 1 to 65535')
  const isList = identifiers === undefined || (Array.isArray(identifiers) && identifiers.every(isIdentifier))
  must(isList, 'identifiers must be a list of subscription identifiers')
}

function checkMessage({ topic, payload, properties, qos, expiresAtMs }: JsonObject): void {
  must(isText(topic) && isValidTopicName(topic), 'topic must be a topic name')
  must(bytesOfBase64(payload) !== undefined, 'payload must be base64')
  must(isQos(qos), 'qos must be 0, 1 or 2')
  must(expiresAtMs === undefined || isTime(expiresAtMs), 'expiresAtMs must be milliseconds')
  if (properties === undefined) return
  checkPublishProperties(bytesOfBase64(properties), PropertySet.PUBLISH_FROM_CLIENT)
}

function checkPublishProperties(bytes: Uint8Array | undefined, allowed: number): void {
  must(bytes !== undefined, 'properties must be base64')
  try {
    checkProperties(bytes, 0, bytes.length, allowed)
  } catch (error) {
    throw new LineProblem(`properties: ${messageOf(error)}`, { cause: error })
  }
}

function isGoodWill(will: unknown): boolean {
  if (!isWill(will) || !isText(will.topic) || !isValidTopicName(will.topic)) return false
  checkPublishProperties(bytesOfBase64(will.publishProperties), PropertySet.WILL)
  return bytesOfBase64(will.payload) !== undefined
}

function isPacketId(value: unknown): boolean {
  return isCount(value, 65_535) && value > 0
}

function isIdentifier(value: unknown): boolean {
  return isCount(value, VARINT_MAX) && value > 0
}

/** Text that MQTT can carry. */
function isText(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const bytes = Buffer.from(value)
  return bytes.length <= TEXT_BYTES_MAX && isUtf8(bytes)
}

/** As JSON of the first line, and of sessions that the store has. */
export function sessionFields(
  { clientId, expirySeconds, disconnectedAtMs, will, owner }: StoredSession,
  subscriptions: readonly StoredSubscription[],
  received: readonly number[],
): SessionLine {
  return {
    type: 'session',
    clientId,
    expirySeconds,
    ...(disconnectedAtMs !== undefined && { disconnectedAtMs }),
    ...(will !== undefined && { will }),
    ...(owner?.userName !== undefined && { owner }),
    subscriptions,
    received,
  }
}
