/**
 * A line of the trail: a JSON object that begins with `seq` and `time` and ends with `hash`, the SHA-256 of the hash of
 * the line before and of all bytes of this line in front of `,"hash"`. So nothing need be decrypted to check a chain.
 *
 *   {"seq":7,"time":"…","file":2,"previous":"…","salt":"…","hash":"…"}   first of a file; `key` where it is encrypted
 *   {"seq":8,"time":"…","kind":"login",…,"count":1,"hash":"…"}           a record
 *   {"seq":8,"time":"…","sealed":"…","hash":"…"}                         a record of an encrypted file
 */
import { createHash } from 'node:crypto'
import type { AuditEntry } from '../contracts/audit.js'
import type { RecordCipher } from './audit-keys.js'

/** A line as others follow it: its number, from 1, and its hash, 64 hex digits. */
export interface ChainLink {
  readonly seq: number
  readonly hash: string
}

/** What the first line of the first file follows. */
export const CHAIN_START: ChainLink = { seq: 0, hash: '0'.repeat(64) }

export interface FileHeader {
  readonly file: number
  /** Hash of the last line of the file before. */
  readonly previous: string
  readonly salt: string
  /** `RecordCipher.id` of an encrypted file. */
  readonly key?: string
}

/** A line that has been read. Whether it follows from the one before is not known yet. */
export interface ChainedLine extends ChainLink {
  /** Milliseconds since 1970. */
  readonly timeMs: number
  /** Everything in front of `,"hash"`. */
  readonly content: Buffer
}

/** A record as it was written, with its place. */
export interface WrittenRecord extends AuditEntry {
  readonly seq: number
}

const HASH_FIELD = ',"hash":"'
const HASH_DIGITS = 64
/** `,"hash":"…"}` */
const TAIL_BYTES = HASH_FIELD.length + HASH_DIGITS + 2
const PLACE = /^\{"seq":(\d{1,15}),"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",/
const PLACE_BYTES_MAX = 80
const HEX = /^[0-9a-f]{64}$/
/** Invisible and direction characters that JSON lets through, and C1 controls. */
const HIDDEN = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

export interface NewLine {
  readonly text: string
  readonly link: ChainLink
}

export function headerLine(before: ChainLink, timeMs: number, header: FileHeader): NewLine {
  return chained(before, `${placeOf(before.seq + 1, timeMs)},${JSON.stringify(header).slice(1, -1)}`)
}

/** @param cipher of the file; undefined writes it in clear */
export function recordLine(before: ChainLink, entry: AuditEntry, cipher: RecordCipher | undefined): NewLine {
  const place = placeOf(before.seq + 1, entry.timeMs)
  const fields = escaped(JSON.stringify({ ...entry, timeMs: undefined }))
  const rest = cipher === undefined ? fields.slice(1, -1) : `"sealed":"${cipher.seal(place, fields)}"`
  return chained(before, `${place},${rest}`)
}

/** @returns bytes of a text as it is written in a record in clear, without the quotes */
export function writtenBytes(text: string): number {
  return Buffer.byteLength(escaped(JSON.stringify(text))) - 2
}

/** @param line without its line end @returns undefined for what is no line of a trail */
export function parseLine(line: Buffer): ChainedLine | undefined {
  const end = line.length - TAIL_BYTES
  if (end < 0) return undefined
  const tail = line.toString('latin1', end)
  const hash = tail.slice(HASH_FIELD.length, -2)
  if (!tail.startsWith(HASH_FIELD) || !tail.endsWith('"}') || !HEX.test(hash)) return undefined
  const place = PLACE.exec(line.toString('latin1', 0, Math.min(end, PLACE_BYTES_MAX)))
  if (place === null) return undefined
  const timeMs = Date.parse(place[2])
  return Number.isNaN(timeMs) ? undefined : { seq: Number(place[1]), timeMs, hash, content: line.subarray(0, end) }
}

/** Whether nothing was changed, removed or put between; the number of the line is part of what is hashed. */
export function follows(line: ChainedLine, before: ChainLink): boolean {
  return line.hash === hashOf(before.hash, line.content)
}

/** @returns undefined for a line that is not the first of a file */
export function headerOf(line: ChainedLine): FileHeader | undefined {
  const fields = fieldsOf(line)
  const { file, previous, salt, key } = fields ?? {}
  if (typeof file !== 'number' || typeof previous !== 'string' || !HEX.test(previous) || typeof salt !== 'string') {
    return undefined
  }
  return { file, previous, salt, ...(typeof key === 'string' ? { key } : {}) }
}

/**
 * @param cipher of the file; undefined where there is no key
 * @returns why it cannot be read, as text
 */
export function recordOf(line: ChainedLine, cipher: RecordCipher | undefined): WrittenRecord | string {
  let fields = fieldsOf(line)
  if (typeof fields?.sealed === 'string') {
    if (cipher === undefined) return 'it is encrypted, and there is no key for it'
    try {
      fields = JSON.parse(cipher.open(placeOf(line.seq, line.timeMs), fields.sealed)) as Fields
    } catch {
      return 'it was encrypted with another key, or is damaged'
    }
  }
  if (typeof fields?.kind !== 'string') return 'it is no record'
  const { seq, timeMs } = line
  return { ...(fields as unknown as AuditEntry), seq, timeMs }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf({ content }: ChainedLine): Fields | undefined {
  try {
    return JSON.parse(`${content.toString('utf8')}}`) as Fields
  } catch {
    return undefined
  }
}

function placeOf(seq: number, timeMs: number): string {
  return `{"seq":${seq},"time":"${new Date(timeMs).toISOString()}"`
}

function chained(before: ChainLink, content: string): NewLine {
  const hash = hashOf(before.hash, content)
  return { text: `${content}${HASH_FIELD}${hash}"}\n`, link: { seq: before.seq + 1, hash } }
}

function hashOf(before: string, content: string | Buffer): string {
  return createHash('sha256').update(before, 'hex').update(content).digest('hex')
}

function escaped(json: string): string {
  return json.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
