/** Where a trail goes on at the start of a broker: looks for its end, and for signs that it is not as it was left. */
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { rename, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { AuditKeys } from './audit-keys.js'
import { CHAIN_START, type ChainLink, type FileHeader, follows, headerOf, parseLine } from './audit-line.js'
import { type FoundHead, readHead } from './head.js'
import { listTrailFiles, rawLines, readHeader, type TrailFile } from './trail-files.js'

export interface TrailEnd {
  /** Of the last record; CHAIN_START where there is none. */
  readonly link: ChainLink
  /** Number of the first file that is kept. */
  readonly firstFile: number
  /** undefined where there is none yet. */
  readonly last: LastFile | undefined
  /** What is not as a broker leaves it, in words. */
  readonly findings: readonly string[]
}

export interface LastFile extends TrailFile {
  readonly header: FileHeader
  readonly bytes: number
}

interface ScannedFile {
  /** undefined where even the first line is none. */
  readonly header: FileHeader | undefined
  readonly link: ChainLink
  /** Behind the last line that is one. */
  readonly end: number
  readonly hasHead: boolean
  readonly finding: string | undefined
}

/**
 * A damaged end, as a crash leaves it, is moved aside.
 * @throws BrokerError FOLDER_UNUSABLE, FILE_UNREADABLE
 */
export async function findEnd(folder: string, keys: AuditKeys | undefined): Promise<TrailEnd> {
  const files = listTrailFiles(folder)
  const found = readHead(folder, keys)
  const findings = headFindings(found, files.length > 0)
  const head = 'head' in found ? found.head : undefined
  const firstFile = Math.max(head?.firstFile ?? 1, files[0]?.number ?? 1)
  if (head !== undefined && files.length > 0 && files[0].number > head.firstFile) {
    findings.push(`files ${head.firstFile} to ${files[0].number - 1} are missing`)
  }
  for (let file = files.pop(); file !== undefined; file = files.pop()) {
    const path = join(folder, file.name)
    const bytes = statSync(path).size
    if (found.kind === 'signed' && head?.file === file.number && head.bytes === bytes) {
      const header = (await readHeader(path))?.header
      if (header !== undefined) return { link: head, firstFile, last: { ...file, header, bytes }, findings }
    }
    const scanned = await scan(path, file.name, head)
    if (scanned.finding !== undefined) findings.push(scanned.finding)
    if (scanned.end < bytes) findings.push(await moveAside(path, file.name, scanned.end, bytes))
    if (scanned.header === undefined) continue
    if (head !== undefined && !scanned.hasHead) findings.push(cutFinding(head, scanned.link))
    return { link: scanned.link, firstFile, last: { ...file, header: scanned.header, bytes: scanned.end }, findings }
  }
  if (head !== undefined) findings.push(cutFinding(head, CHAIN_START))
  return { link: head ?? CHAIN_START, firstFile, last: undefined, findings }
}

function headFindings(found: FoundHead, hasFiles: boolean): string[] {
  switch (found.kind) {
    case 'missing':
      return hasFiles ? ['head.json is missing: records at the end may have been removed'] : []
    case 'damaged':
      return ['head.json is damaged: records at the end may have been removed']
    case 'notSigned':
      return ['head.json is not signed with the key of this broker: records at the end may have been removed']
    default:
      return []
  }
}

function cutFinding(head: ChainLink, link: ChainLink): string {
  return `record ${head.seq} was written and is not there: the trail ends at record ${link.seq}`
}

async function scan(path: string, name: string, head: ChainLink | undefined): Promise<ScannedFile> {
  let header: FileHeader | undefined
  let link = CHAIN_START
  let end = 0
  let number = 0
  let finding: string | undefined
  let hasHead = false
  for await (const lines of rawLines(path)) {
    for (const raw of lines) {
      number++
      const line = raw.isComplete ? parseLine(raw.bytes) : undefined
      if (line === undefined) continue
      if (number === 1) {
        header = headerOf(line)
        link = { seq: line.seq - 1, hash: header?.previous ?? CHAIN_START.hash }
        hasHead = head !== undefined && head.seq === link.seq && head.hash === link.hash
      }
      if (header === undefined) return { header, link: CHAIN_START, end: 0, hasHead, finding }
      if (!follows(line, link)) finding ??= `line ${number} of ${name} does not follow from the line before`
      link = line
      end = raw.end
      hasHead ||= head !== undefined && head.seq === line.seq && head.hash === line.hash
    }
  }
  return { header, link: { seq: link.seq, hash: link.hash }, end, hasHead, finding }
}

/** @returns the finding */
async function moveAside(path: string, name: string, from: number, size: number): Promise<string> {
  const aside = `${name}.${from}.damaged`
  const target = `${path}.${from}.damaged`
  if (from === 0) await rename(path, target)
  else {
    await pipeline(createReadStream(path, { start: from }), createWriteStream(target, { mode: 0o600 }))
    await truncate(path, from)
  }
  return `${size - from} damaged bytes at the end of ${name} were moved to ${aside}`
}
