/** RECORD of a wheel: every file with its hash (PEP 376, PEP 427). */
import { createHash } from 'node:crypto'
import type { ProjectFile } from '../projects/project-files.js'
import { wheelRefused } from './wheel-refused.js'

/** PEP 427 wants sha256 or better. */
const HASHES: ReadonlySet<string> = new Set(['sha256', 'sha384', 'sha512'])
/** Files that cannot be in it, as they sign it. */
const BESIDE = ['RECORD', 'RECORD.jws', 'RECORD.p7s']

interface RecordLine {
  readonly hash: string
  readonly bytes: string
}

/**
 * Every file must be recorded, and every record must be a file.
 * @param folder `name-version.dist-info`
 * @throws BrokerError PACKAGE_REFUSED
 */
export function checkRecord(record: string, files: readonly ProjectFile[], folder: string): void {
  const lines = new Map<string, RecordLine>()
  for (const [path, hash = '', bytes = ''] of readLines(record)) {
    if (lines.has(path)) throw wheelRefused(`its RECORD has ${JSON.stringify(path)} twice`)
    lines.set(path, { hash, bytes })
  }
  const beside = new Set(BESIDE.map((name) => `${folder}/${name}`))
  for (const file of files) {
    const line = lines.get(file.path)
    lines.delete(file.path)
    if (!beside.has(file.path)) checkFile(file, line)
  }
  for (const path of lines.keys()) {
    if (!beside.has(path)) throw wheelRefused(`its RECORD names ${JSON.stringify(path)}, which is not there`)
  }
}

function checkFile({ path, bytes }: ProjectFile, line: RecordLine | undefined): void {
  const shown = JSON.stringify(path)
  if (line === undefined) throw wheelRefused(`its RECORD does not name ${shown}`)
  const [algorithm, digest] = split(line.hash, '=')
  if (!HASHES.has(algorithm)) throw wheelRefused(`its RECORD has no hash of ${shown} that can be trusted`)
  if (line.bytes !== '' && Number(line.bytes) !== bytes.length) throw different(shown)
  // without padding, and that of some tools has it
  if (createHash(algorithm).update(bytes).digest('base64url') !== digest.replace(/=+$/, '')) throw different(shown)
}

function different(shown: string): Error {
  return wheelRefused(`${shown} is not what its RECORD says: fetch the wheel again from a place that you trust`)
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** CSV: a field with commas or quotes stands in quotes, and a quote in it is doubled. */
function* readLines(text: string): Generator<string[]> {
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === '') continue
    const fields: string[] = []
    for (const [, quoted, plain] of line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)) {
      fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    }
    yield fields
  }
}
