/** Writes a store as lines that can be read, kept and imported: storage/store-lines.ts. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Progress, type StoredSession } from '../src/contracts/storage.js'
import { definitionLine } from './definition-line.js'
import { storedDefinitions } from './definitions.js'
import { SHARDS_MAX, type StoreReader, TABLE } from './engine.js'
import { partsOf } from './message-parts.js'
import { aliveMsOf, openReadable, readStore } from './store-access.js'
import {
  logsOf,
  type OnDamage,
  type StoredMessage,
  type StoredReceiver,
  storedMessages,
  storedReceived,
  storedRetained,
  storedSessions,
  storedSubscriptions,
} from './store-contents.js'
import {
  type EndLine,
  FORMAT_VERSION,
  type HeaderLine,
  identifiersOf,
  type MessageLine,
  messageFields,
  type ReceiverFields,
  type StoreLine,
  sessionFields,
  stateOf,
} from './store-lines.js'
import type { OnProgress } from './store-verify.js'

export interface ExportOptions {
  /** Takes lines in their order, several at a time; the next come when it has resolved. */
  readonly write: (lines: string) => Promise<void>
  readonly nowMs: number
  readonly onDamage: OnDamage
  readonly progress?: OnProgress
}

export type ExportCounts = Required<Omit<EndLine, 'type'>>

/** Characters that are written at once. */
const CHUNK_CHARACTERS = 262_144

/**
 * Of a store that a broker works with, a copy is made first, beside it: the export is the state of one moment.
 * @throws BrokerError STORE_MISSING, STORE_DAMAGED, STORE_TOO_NEW, FOLDER_UNUSABLE; whatever `write` throws
 */
export async function exportStore(dataDirectory: string, options: ExportOptions): Promise<ExportCounts> {
  const store = readStore(dataDirectory)
  const copy = join(dataDirectory, `store.export.${process.pid}`)
  try {
    if (store.ownerPid === undefined) return await exportFrom(store.reader, aliveMsOf(store.reader), options)
    mkdirSync(copy, { mode: 0o700 })
    await store.reader.copyTo(copy)
    const { reader } = openReadable(copy)
    try {
      return await exportFrom(reader, options.nowMs, options)
    } finally {
      await reader.close()
    }
  } finally {
    await store.reader.close()
    rmSync(copy, { recursive: true, force: true })
  }
}

async function exportFrom(
  reader: StoreReader,
  aliveMs: number | undefined,
  options: ExportOptions,
): Promise<ExportCounts> {
  const { nowMs, onDamage, write, progress } = options
  const total = [TABLE.definitions, TABLE.sessions, TABLE.retained, ...logsOf(reader).map(TABLE.log)]
    .map((table) => reader.count(table))
    .reduce((sum, count) => sum + count, 0)
  let chunk = ''
  let done = 0
  for (const line of linesOf(reader, aliveMs ?? nowMs, nowMs, onDamage)) {
    done++
    chunk += `${JSON.stringify(line)}\n`
    if ('type' in line && line.type === 'end') {
      await write(chunk)
      progress?.(1)
      const { definitions = 0, sessions, retained, messages } = line
      return { definitions, sessions, retained, messages }
    }
    if (chunk.length < CHUNK_CHARACTERS) continue
    await write(chunk)
    chunk = ''
    progress?.(Math.min(1, done / Math.max(1, total)))
  }
  throw new Error('an export has no last line')
}

function* linesOf(
  reader: StoreReader,
  aliveMs: number,
  nowMs: number,
  onDamage: OnDamage,
): Generator<HeaderLine | StoreLine> {
  yield { merlotStore: FORMAT_VERSION, exported: new Date(nowMs).toISOString(), aliveMs }
  let definitions = 0
  for (const definition of storedDefinitions(reader, onDamage)) {
    definitions++
    yield definitionLine(definition)
  }
  const sessions = new Map<number, StoredSession>()
  for (const session of storedSessions(reader, onDamage)) {
    const { number } = session
    sessions.set(number, session)
    const subscriptions = [...storedSubscriptions(reader, onDamage, number)].map(({ subscription }) => subscription)
    const received = [...storedReceived(reader, onDamage, number)].map(({ packetId }) => packetId)
    yield sessionFields(session, subscriptions, received)
  }
  let retained = 0
  for (const { message, stamp } of storedRetained(reader, onDamage)) {
    retained++
    const keep = message.isKeepValue ? { keep: true as const } : {}
    yield { type: 'retained', ...messageFields(partsOf(message)), stamp, ...keep }
  }
  let messages = 0
  for (const log of logsOf(reader)) {
    for (const stored of storedMessages(reader, log, onDamage)) {
      const line = messageLine(stored, sessions)
      if (line === undefined) continue
      messages++
      yield line
    }
  }
  yield { type: 'end', definitions, sessions: sessions.size, retained, messages }
}

/** @returns undefined when nobody waits for it */
function messageLine(
  { message, receivers, log, sequence }: StoredMessage,
  sessions: ReadonlyMap<number, StoredSession>,
): MessageLine | undefined {
  const waiting: ReceiverFields[] = []
  for (const receiver of receivers) {
    const session = sessions.get(receiver.session)
    if (session === undefined || receiver.progress === Progress.DONE) continue
    waiting.push(receiverFields(receiver, session, log, sequence))
  }
  if (waiting.length === 0) return undefined
  const parts = partsOf(message)
  return { type: 'message', ...messageFields(parts), ...(parts.retain && { retain: true }), receivers: waiting }
}

function receiverFields(
  { qos, packetId, progress, retain, isShared, identifiers }: StoredReceiver,
  session: StoredSession,
  log: number,
  sequence: number,
): ReceiverFields {
  return {
    clientId: session.clientId,
    state: stateOf(progress),
    ...(progress !== Progress.QUEUED && { packetId }),
    qos,
    ...(retain && { retain }),
    ...(isShared && { shared: true }),
    ...(identifiers !== undefined && { identifiers: identifiersOf(identifiers) }),
    ...(mayRepeat(session, log, sequence) && { mayRepeat: true }),
  }
}

/** As a broker decides that starts with this store. The shard that made a session is in its number. */
function mayRepeat({ number, disconnectedAtMs, repeatsBelow }: StoredSession, log: number, sequence: number): boolean {
  if (disconnectedAtMs === undefined) return true
  return repeatsBelow > 0 && (log !== number % SHARDS_MAX || sequence < repeatsBelow)
}
