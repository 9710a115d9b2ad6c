/** JSON of the store, and of files that it is imported from: whether it says what it must. */
import { decodeText } from '../src/base/bytes.js'
import type { WillRequest } from '../src/contracts/records.js'
import type { StoredOwner, StoredSession, StoredSubscription } from '../src/contracts/storage.js'
import { SHARDS_MAX } from '../src/contracts/store-records.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** @returns undefined for what is not JSON, or another kind of value */
export function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

/** @returns undefined for what is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** A value of the store, which nobody but this broker writes. @returns undefined for what is not JSON */
export function jsonOf<T>(value: Uint8Array): T | undefined {
  return parseJson(decodeText(value, 0, value.length)) as T | undefined
}

/** Whole numbers from 0 on. */
export function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
}

export function isQos(value: unknown): value is 0 | 1 | 2 {
  return value === 0 || value === 1 || value === 2
}

/** Strict: another alphabet, or bits that belong to nothing, are no base64. @returns undefined then */
export function bytesOfBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? new Uint8Array(bytes) : undefined
}

export function isStoredSession(value: JsonObject | undefined): value is JsonObject & StoredSession {
  if (value === undefined) return false
  const { number, clientId, expirySeconds, disconnectedAtMs, will, owner, repeatsBelow } = value
  return (
    isCount(number, Number.MAX_SAFE_INTEGER - SHARDS_MAX) &&
    typeof clientId === 'string' &&
    isCount(expirySeconds, 0xffff_ffff) &&
    (disconnectedAtMs === undefined || isTime(disconnectedAtMs)) &&
    (will === undefined || isWill(will)) &&
    (owner === undefined || isOwner(owner)) &&
    isCount(repeatsBelow)
  )
}

export function isStoredSubscription(value: unknown): value is StoredSubscription {
  if (typeof value !== 'object' || value === null) return false
  const { filter, qos, noLocal, retainAsPublished, identifier } = value as JsonObject
  return (
    typeof filter === 'string' &&
    isQos(qos) &&
    typeof noLocal === 'boolean' &&
    typeof retainAsPublished === 'boolean' &&
    isCount(identifier, 268_435_455)
  )
}

/** Nothing that is not certain: a session of somebody must not become one of nobody. */
export function isOwner(value: unknown): value is StoredOwner {
  if (typeof value !== 'object' || value === null) return false
  const { userName, address, port, claims, createdAt } = value as JsonObject
  return (
    (userName === undefined || (typeof userName === 'string' && userName !== '')) &&
    typeof address === 'string' &&
    isCount(port, 65_535) &&
    (claims === undefined || isClaims(claims)) &&
    (createdAt === undefined || typeof createdAt === 'string')
  )
}

function isClaims(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { groups, publish, subscribe, expiresAtMs } = value as JsonObject
  return (
    isTexts(groups) &&
    (publish === undefined || isTexts(publish)) &&
    (subscribe === undefined || isTexts(subscribe)) &&
    (expiresAtMs === undefined || isTime(expiresAtMs))
  )
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

export function isWill(value: unknown): value is WillRequest {
  if (typeof value !== 'object' || value === null) return false
  const { topic, payload, qos, retain, delaySeconds, publishProperties } = value as JsonObject
  return (
    typeof topic === 'string' &&
    typeof payload === 'string' &&
    isQos(qos) &&
    typeof retain === 'boolean' &&
    isCount(delaySeconds, 0xffff_ffff) &&
    typeof publishProperties === 'string'
  )
}

/** Milliseconds since 1970, not always whole ones. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
