/** Reads records back, from a folder that a broker may be writing to. */
import { join } from 'node:path'
import type { AuditKind } from '../contracts/audit.js'
import type { AuditKeys, RecordCipher } from './audit-keys.js'
import { headerOf, parseLine, recordOf, type WrittenRecord } from './audit-line.js'
import { listTrailFiles, rawLines, readHeader, type TrailFile } from './trail-files.js'

/** All that is given must be true of a record. */
export interface TrailQuery {
  /** Milliseconds since 1970: not before this. */
  readonly sinceMs?: number
  /** Before this. */
  readonly untilMs?: number
  readonly kind?: AuditKind
  readonly user?: string
  readonly clientId?: string
  /** In any of its texts, in any case. */
  readonly contains?: string
}

export interface QueryNotes {
  /** Told once a file: why records of it cannot be read. */
  unreadable(file: string, reason: string): void
}

/** A record is written this much later than it happens, at the most. */
const DELAY_MS_MAX = 60_000

/**
 * Records in the order they were written in.
 * @param keys for those that are encrypted
 * @throws BrokerError FOLDER_UNUSABLE, FILE_UNREADABLE
 */
export async function* queryTrail(
  folder: string,
  keys: AuditKeys | undefined,
  query: TrailQuery,
  notes: QueryNotes,
): AsyncGenerator<WrittenRecord> {
  for (const { name } of await filesOf(folder, query)) {
    let cipher: RecordCipher | undefined
    let number = 0
    let unreadable: string | undefined
    for await (const lines of rawLines(join(folder, name))) {
      for (const { bytes, isComplete } of lines) {
        number++
        const line = isComplete ? parseLine(bytes) : undefined
        if (line === undefined) continue
        if (number === 1) {
          const header = headerOf(line)
          cipher = header?.key === undefined ? undefined : keys?.cipherOf(header.salt ?? '')
          continue
        }
        if (!isWithin(line.timeMs, query)) continue
        const record = recordOf(line, cipher)
        if (typeof record !== 'string') {
          if (matches(record, query)) yield record
        } else if (unreadable === undefined) {
          unreadable = record
          notes.unreadable(`${name}:${number}`, record)
        }
      }
    }
  }
}

/** The last ones, oldest first. @param limit at least 1 */
export async function lastRecords(
  records: AsyncIterable<WrittenRecord>,
  limit: number,
): Promise<{ readonly records: readonly WrittenRecord[]; readonly total: number }> {
  const ring: WrittenRecord[] = []
  let total = 0
  for await (const record of records) ring[total++ % limit] = record
  const oldest = total > limit ? total % limit : 0
  return { records: [...ring.slice(oldest), ...ring.slice(0, oldest)], total }
}

/** Those that can have records of the time that is asked for. */
async function filesOf(folder: string, { sinceMs, untilMs }: TrailQuery): Promise<TrailFile[]> {
  const files = listTrailFiles(folder)
  if (sinceMs === undefined && untilMs === undefined) return files
  const begins: (number | undefined)[] = []
  for (const { name } of files) begins.push((await readHeader(join(folder, name)))?.timeMs)
  return files.filter((_, place) => {
    const [begin, end] = [begins[place], begins[place + 1]]
    const isLater = begin !== undefined && untilMs !== undefined && begin - DELAY_MS_MAX >= untilMs
    const isEarlier = end !== undefined && sinceMs !== undefined && end + DELAY_MS_MAX < sinceMs
    return !isLater && !isEarlier
  })
}

function isWithin(timeMs: number, { sinceMs, untilMs }: TrailQuery): boolean {
  return (sinceMs === undefined || timeMs >= sinceMs) && (untilMs === undefined || timeMs < untilMs)
}

function matches(record: WrittenRecord, { kind, user, clientId, contains }: TrailQuery): boolean {
  if (kind !== undefined && record.kind !== kind) return false
  if (user !== undefined && record.user !== user) return false
  if (clientId !== undefined && record.clientId !== clientId) return false
  if (contains === undefined) return true
  const wanted = contains.toLowerCase()
  const texts = [record.kind, record.user, record.clientId, record.address, record.what, record.detail]
  return texts.some((text) => text.toLowerCase().includes(wanted))
}
