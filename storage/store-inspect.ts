/** What a store has, in numbers. */
import { join } from 'node:path'
import { Progress } from '../src/contracts/storage.js'
import { kindOfDefinition, storedDefinitions } from './definitions.js'
import { aliveMsOf, metaOf, type ReadableStore, readStore } from './store-access.js'
import {
  logsOf,
  type OnDamage,
  storedMessages,
  storedRetained,
  storedSessions,
  storedSubscriptions,
} from './store-contents.js'
import { LAST_START_KEY, STORE_FOLDER } from './store-folder.js'

export interface InspectedSession {
  readonly clientId: string
  /** A broker that died left it so: it counts as offline since `aliveMs`. */
  readonly isConnected: boolean
  /** Milliseconds since the epoch; undefined while it is connected. */
  readonly offlineSinceMs: number | undefined
  /** 4,294,967,295 never expires. */
  readonly expirySeconds: number
  readonly subscriptions: number
  /** QoS 1 and 2, queued or not acknowledged. */
  readonly waitingMessages: number
}

export interface StoreInspection {
  readonly folder: string
  readonly version: number
  /** The process that works with it. */
  readonly usedByPid: number | undefined
  readonly fileBytes: number
  readonly freeBytes: number
  /** ISO 8601. */
  readonly lastStart: string | undefined
  /** Milliseconds since the epoch; to about a second while there is traffic, to a minute without. */
  readonly lastAliveMs: number | undefined
  /** Entries by table. */
  readonly tables: Readonly<Record<string, number>>
  readonly sessions: readonly InspectedSession[]
  readonly retained: { readonly messages: number; readonly bytes: number }
  /** Messages of all logs, each counted once. */
  readonly messages: number
  /** Actions, models and what else LoT keeps: how many, by what their keys begin with. */
  readonly definitions: Readonly<Record<string, number>>
  /** Values that could not be read. */
  readonly damaged: number
}

/**
 * Reads the whole store, sessions and counts only are kept in memory.
 * @throws BrokerError STORE_MISSING, STORE_DAMAGED, STORE_TOO_NEW, FOLDER_UNUSABLE
 */
export async function inspectStore(dataDirectory: string): Promise<StoreInspection> {
  const store = readStore(dataDirectory)
  try {
    return inspect(join(dataDirectory, STORE_FOLDER), store)
  } finally {
    await store.reader.close()
  }
}

function inspect(folder: string, { reader, version, ownerPid }: ReadableStore): StoreInspection {
  let damaged = 0
  const onDamage: OnDamage = () => {
    damaged++
  }
  const waiting = new Map<number, number>()
  let messages = 0
  for (const log of logsOf(reader)) {
    for (const { receivers } of storedMessages(reader, log, onDamage)) {
      messages++
      for (const { session, progress } of receivers) {
        if (progress !== Progress.DONE) waiting.set(session, (waiting.get(session) ?? 0) + 1)
      }
    }
  }
  const subscriptions = new Map<number, number>()
  for (const { session } of storedSubscriptions(reader, onDamage)) {
    subscriptions.set(session, (subscriptions.get(session) ?? 0) + 1)
  }
  const sessions: InspectedSession[] = []
  for (const { number, clientId, expirySeconds, disconnectedAtMs } of storedSessions(reader, onDamage)) {
    sessions.push({
      clientId,
      isConnected: disconnectedAtMs === undefined,
      offlineSinceMs: disconnectedAtMs,
      expirySeconds,
      subscriptions: subscriptions.get(number) ?? 0,
      waitingMessages: waiting.get(number) ?? 0,
    })
  }
  const retained = { messages: 0, bytes: 0 }
  for (const { message } of storedRetained(reader, onDamage)) {
    retained.messages++
    retained.bytes += message.topicBytes + message.propertiesBytes + message.payloadBytes
  }
  const definitions = new Map<string, number>()
  for (const { key } of storedDefinitions(reader, onDamage)) {
    const kind = kindOfDefinition(key)
    definitions.set(kind, (definitions.get(kind) ?? 0) + 1)
  }
  const lastStart = metaOf(reader, LAST_START_KEY)
  return {
    folder,
    version,
    usedByPid: ownerPid,
    ...reader.size(),
    lastStart: typeof lastStart === 'string' ? lastStart : undefined,
    lastAliveMs: aliveMsOf(reader),
    tables: Object.fromEntries(reader.tables.map((table) => [table, reader.count(table)])),
    sessions,
    retained,
    messages,
    definitions: Object.fromEntries(definitions),
    damaged,
  }
}
