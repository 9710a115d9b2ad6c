/** The files of a trail: how they are named, found and read. */
import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import type { BrokerConfig } from '../config/schema.js'
import { type ChainedLine, type FileHeader, headerOf, parseLine } from './audit-line.js'

export interface TrailFile {
  /** `audit-000012-2025-11-22.jsonl` */
  readonly name: string
  /** From 1, without gaps. */
  readonly number: number
  /** UTC, on which it was begun: `2025-11-22`. */
  readonly day: string
}

/** Piece of a file up to a line end. */
export interface RawLine {
  /** Without the line end. */
  readonly bytes: Buffer
  /** Offset of what follows the line. */
  readonly end: number
  /** Whether a line end was there. */
  readonly isComplete: boolean
}

const NAME = /^audit-(\d{6,12})-(\d{4}-\d\d-\d\d)\.jsonl$/
/** Far more than the fields of a record can have. */
const LINE_BYTES_MAX = 262_144
const LINE_END = 0x0a

export function trailFolder({ audit, dataDirectory }: Pick<BrokerConfig, 'audit' | 'dataDirectory'>): string {
  return audit.folder === '' ? join(dataDirectory, 'audit') : audit.folder
}

export function fileName(number: number, day: string): string {
  return `audit-${String(number).padStart(6, '0')}-${day}.jsonl`
}

/** UTC: `2025-11-22` */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** In the order of their numbers. @throws BrokerError FOLDER_UNUSABLE */
export function listTrailFiles(folder: string): TrailFile[] {
  const files: TrailFile[] = []
  for (const name of namesIn(folder)) {
    const match = NAME.exec(name)
    if (match !== null) files.push({ name, number: Number(match[1]), day: match[2] })
  }
  return files.sort((a, b) => a.number - b.number)
}

/** What was moved aside because it was damaged. */
export function listDamaged(folder: string): string[] {
  return namesIn(folder).filter((name) => name.endsWith('.damaged'))
}

function namesIn(folder: string): string[] {
  try {
    return existsSync(folder) ? readdirSync(folder).sort() : []
  } catch (cause) {
    throw new BrokerError('FOLDER_UNUSABLE', { path: folder, reason: systemReason(cause) }, { cause })
  }
}

/** Lines as they are read, many at a time. @throws BrokerError FILE_UNREADABLE */
export async function* rawLines(path: string): AsyncGenerator<readonly RawLine[]> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  const input = createReadStream(path, { highWaterMark: 262_144 })
  try {
    for await (const chunk of input) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
      const lines: RawLine[] = []
      let start = 0
      for (let at = bytes.indexOf(LINE_END); at !== -1; at = bytes.indexOf(LINE_END, start)) {
        lines.push({ bytes: bytes.subarray(start, at), end: offset + at + 1, isComplete: true })
        start = at + 1
      }
      rest = bytes.subarray(start)
      offset += start
      if (rest.length > LINE_BYTES_MAX) {
        offset += rest.length
        lines.push({ bytes: rest, end: offset, isComplete: false })
        rest = Buffer.alloc(0)
      }
      if (lines.length > 0) yield lines
    }
  } catch (cause) {
    throw new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(cause) }, { cause })
  }
  if (rest.length > 0) yield [{ bytes: rest, end: offset + rest.length, isComplete: false }]
}

/** The first line of a file. @returns undefined if it is none. @throws BrokerError FILE_UNREADABLE */
export async function readHeader(path: string): Promise<(ChainedLine & { readonly header: FileHeader }) | undefined> {
  for await (const [first] of rawLines(path)) {
    const line = first.isComplete ? parseLine(first.bytes) : undefined
    const header = line && headerOf(line)
    return line && header && { ...line, header }
  }
  return undefined
}
