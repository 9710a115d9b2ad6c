/** Checks a trail from its first record to its last. Needs no key, but for the signature of its head. */
import { join } from 'node:path'
import type { AuditKeys } from './audit-keys.js'
import { CHAIN_START, type ChainLink, follows, headerOf, parseLine } from './audit-line.js'
import { type FoundHead, type Head, readHead } from './head.js'
import { listDamaged, listTrailFiles, type RawLine, rawLines } from './trail-files.js'

export interface VerifiedFile {
  readonly name: string
  /** Lines of the chain, with the first one. */
  readonly records: number
  /** Milliseconds since 1970 of the first and of the last record. */
  readonly firstMs: number
  readonly lastMs: number
}

export interface Verification {
  readonly files: readonly VerifiedFile[]
  readonly records: number
  /** `audit-000002-2025-11-22.jsonl:17: changed, …`, the first one first, at most BREAKS_MAX. */
  readonly breaks: readonly string[]
  /** What is worth knowing, and proves nothing. */
  readonly notes: readonly string[]
}

const BREAKS_MAX = 20

/** Also while a broker writes. @throws BrokerError FOLDER_UNUSABLE, FILE_UNREADABLE */
export function verifyTrail(folder: string, keys: AuditKeys | undefined): Promise<Verification> {
  return new TrailCheck(folder, readHead(folder, keys)).run()
}

class TrailCheck {
  readonly #files: VerifiedFile[] = []
  readonly #breaks: string[] = []
  readonly #notes: string[] = []
  readonly #head: Head | undefined
  /** undefined before the first line: what the first file follows may have been removed by its age. */
  #before: ChainLink | undefined
  #hasHead = false
  #records = 0

  constructor(
    private readonly folder: string,
    private readonly found: FoundHead,
  ) {
    this.#head = 'head' in found ? found.head : undefined
  }

  async run(): Promise<Verification> {
    const { folder } = this
    const all = listTrailFiles(folder)
    const firstFile = this.#head?.firstFile ?? 1
    // those before are too old, and were to be removed
    const files = all.filter(({ number }) => number >= firstFile)
    if (files.length < all.length) this.#notes.push(`${all.length - files.length} files are older than the first kept`)
    let expected = this.#head === undefined ? (files[0]?.number ?? 1) : firstFile
    for (const [place, { name, number }] of files.entries()) {
      if (number !== expected) this.#break(`files ${expected} to ${number - 1} are missing, in front of ${name}`)
      expected = number + 1
      await this.#checkFile(name, place === files.length - 1)
    }
    this.#checkHead(all.length > 0)
    for (const name of listDamaged(folder)) this.#notes.push(`${name} was moved aside when a broker started`)
    return { files: this.#files, records: this.#records, breaks: this.#breaks, notes: this.#notes }
  }

  async #checkFile(name: string, isLast: boolean): Promise<void> {
    let number = 0
    let records = 0
    let firstMs = 0
    let lastMs = 0
    for await (const lines of rawLines(join(this.folder, name))) {
      for (const raw of lines) {
        number++
        const timeMs = this.#checkLine(raw, `${name}:${number}`, number === 1, isLast)
        if (timeMs === undefined) continue
        if (records++ === 0) firstMs = timeMs
        lastMs = timeMs
      }
    }
    if (number === 0) this.#break(`${name}:1: the file is empty`)
    this.#files.push({ name, records, firstMs, lastMs })
    this.#records += records
  }

  /** @returns the time of the record, undefined where there is none */
  #checkLine(raw: RawLine, place: string, isFirst: boolean, isLastFile: boolean): number | undefined {
    if (!raw.isComplete && isLastFile) {
      this.#notes.push(`${place}: incomplete; a broker is writing it, or was ended while it wrote`)
      return undefined
    }
    const line = raw.isComplete ? parseLine(raw.bytes) : undefined
    if (line === undefined) {
      this.#break(`${place}: it is no record of a trail`)
      return undefined
    }
    const header = isFirst ? headerOf(line) : undefined
    if (isFirst && header === undefined) this.#break(`${place}: a file does not begin like this`)
    if (this.#before === undefined) {
      const isStart = (this.#head?.firstFile ?? header?.file) === 1
      this.#before = isStart || header === undefined ? CHAIN_START : { seq: line.seq - 1, hash: header.previous }
    }
    if (!follows(line, this.#before)) this.#break(`${place}: ${breakText(line.seq, this.#before.seq)}`)
    this.#before = { seq: line.seq, hash: line.hash }
    if (this.#head !== undefined && line.seq === this.#head.seq && line.hash === this.#head.hash) this.#hasHead = true
    return line.timeMs
  }

  #checkHead(hasFiles: boolean): void {
    const { kind } = this.found
    if (kind === 'missing' && !hasFiles) return
    if (kind === 'missing') this.#break('head.json is missing: records at the end may have been removed')
    if (kind === 'damaged') this.#break('head.json is damaged: records at the end may have been removed')
    if (kind === 'notSigned') this.#break('head.json is not signed with this key')
    if (kind === 'notChecked') this.#notes.push('the signature of head.json is not checked: there is no key')
    if (this.#head === undefined || this.#hasHead) return
    const end = this.#before?.seq ?? 0
    this.#break(
      end < this.#head.seq
        ? `records ${end + 1} to ${this.#head.seq} are missing at the end`
        : `record ${this.#head.seq} is another one than head.json says`,
    )
  }

  #break(text: string): void {
    if (this.#breaks.length < BREAKS_MAX) this.#breaks.push(text)
  }
}

function breakText(seq: number, before: number): string {
  if (seq === before + 1) return 'this record, or the end of the one before, was changed'
  return `record ${seq} follows record ${before}: records were removed, put between, or changed places`
}
