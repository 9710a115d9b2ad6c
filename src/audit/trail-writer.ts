/** Writes records to the files of the trail, one file after the other. One call at a time. */
import { randomBytes } from 'node:crypto'
import { stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.js'
import { systemCode } from '../base/system-error.js'
import type { AuditEntry } from '../contracts/audit.js'
import type { AuditKeys, RecordCipher } from './audit-keys.js'
import { type ChainLink, headerLine, recordLine } from './audit-line.js'
import { writeHead } from './head.js'
import type { OpenFile, TrailHandle } from './open-file.js'
import type { LastFile, TrailEnd } from './trail-end.js'
import { dayOf, fileName, listTrailFiles, type TrailFile } from './trail-files.js'

const DAY_MS = 86_400_000
/** Characters that are written at once. */
const BATCH_CHARS = 1_048_576

export interface WriterSettings {
  readonly folder: string
  readonly fileBytesMax: number
  /** Of all files; at least twice `fileBytesMax`. */
  readonly bytesMax: number
  /** 0 keeps files for ever. */
  readonly keepDays: number
  readonly encrypt: boolean
  /** undefined where there is no key: the head is not signed then. */
  readonly keys: AuditKeys | undefined
  readonly clock: Clock
  readonly openFile: OpenFile
}

/** How many files were removed, and why. */
export interface RemovedFiles {
  readonly tooOld: number
  readonly tooMuch: number
}

interface CurrentFile {
  readonly number: number
  readonly day: string
  readonly path: string
  readonly cipher: RecordCipher | undefined
  readonly handle: TrailHandle
  bytes: number
}

/** The file on the disk is not as this process has left it. */
export class ForeignWriteError extends Error {
  override readonly name = 'ForeignWriteError'
}

export class TrailWriter {
  #link: ChainLink
  #firstFile: number
  #lastNumber: number
  /** Of an earlier start, to be gone on with. */
  #earlier: LastFile | undefined
  #file: CurrentFile | undefined
  /** A file was begun, and those that are too old have not been looked for. */
  hasNewFile = true
  /** After a write that failed: how much of it has arrived is not known. */
  #isTorn = false

  constructor(
    private readonly settings: WriterSettings,
    { link, firstFile, last }: TrailEnd,
  ) {
    this.#link = link
    this.#firstFile = firstFile
    this.#earlier = last
    this.#lastNumber = last?.number ?? firstFile - 1
  }

  /** Of the last record that was written. */
  get link(): ChainLink {
    return this.#link
  }

  /**
   * Writes records from the first one on, at least one of them, as many as belong into the same file.
   * @returns how many. @throws what the file system throws: nothing is written then, and the same call may come again
   */
  async write(entries: readonly AuditEntry[]): Promise<number> {
    const file = await this.#fileForNow()
    await this.#checkSize(file)
    const texts: string[] = []
    let link = this.#link
    let bytes = 0
    for (const entry of entries) {
      if (texts.length > 0 && (file.bytes + bytes >= this.settings.fileBytesMax || bytes >= BATCH_CHARS)) break
      const line = recordLine(link, entry, file.cipher)
      texts.push(line.text)
      bytes += Buffer.byteLength(line.text)
      link = line.link
    }
    this.#isTorn = true
    await file.handle.appendFile(texts.join(''))
    this.#isTorn = false
    file.bytes += bytes
    this.#link = link
    return texts.length
  }

  /** Resolves when everything that was written is on the disk, and the head says so. */
  async seal(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    await file.handle.datasync()
    const { folder, keys, openFile } = this.settings
    const head = { ...this.#link, firstFile: this.#firstFile, file: file.number, bytes: file.bytes }
    await writeHead(folder, head, keys, openFile)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.handle.close()
  }

  /** The chain goes on in a new file. */
  async abandonFile(): Promise<void> {
    this.#earlier = undefined
    this.#isTorn = false
    await this.close()
  }

  /** Removes files all of whose records are older than they need be, and the oldest ones where all take too much room. */
  async removeOld(): Promise<RemovedFiles> {
    const { folder, keepDays, clock } = this.settings
    this.hasNewFile = false
    const files = listTrailFiles(folder)
    const lastDay = keepDays === 0 ? '' : dayOf(clock.now() - keepDays * DAY_MS)
    // a file goes when the next one was begun that long ago
    const tooOld = files.filter((_, place) => place + 1 < files.length && files[place + 1].day < lastDay).length
    const count = Math.max(tooOld, await this.#beyondRoom(files))
    if (count === 0) return { tooOld: 0, tooMuch: 0 }
    this.#firstFile = files[count - 1].number + 1
    await this.seal() // first: files that the head does not count may be there, those that it counts may not be missing
    for (const { name } of files.slice(0, count)) await unlink(join(folder, name))
    return { tooOld, tooMuch: count - tooOld }
  }

  /** @returns how many of the oldest files must go, so that all have room when the current one is full */
  async #beyondRoom(files: readonly TrailFile[]): Promise<number> {
    const { folder, fileBytesMax, bytesMax } = this.settings
    let room = bytesMax - fileBytesMax
    for (let place = files.length - 2; place >= 0; place--) {
      room -= (await stat(join(folder, files[place].name))).size
      if (room < 0) return place + 1
    }
    return 0
  }

  async #fileForNow(): Promise<CurrentFile> {
    const day = dayOf(this.settings.clock.now())
    this.#file ??= await this.#openEarlier(day)
    const file = this.#file
    if (file !== undefined && file.day === day && file.bytes < this.settings.fileBytesMax) return file
    if (file !== undefined) {
      await this.#checkSize(file)
      await this.seal()
      await this.close()
    }
    this.#file = await this.#create(day)
    return this.#file
  }

  /** @returns undefined where a new one is to be begun */
  async #openEarlier(day: string): Promise<CurrentFile | undefined> {
    const last = this.#earlier
    this.#earlier = undefined
    const { folder, fileBytesMax, encrypt, keys, openFile } = this.settings
    if (last === undefined || last.day !== day || last.bytes >= fileBytesMax) return undefined
    const cipher = encrypt ? keys?.cipherOf(last.header.salt) : undefined
    if (last.header.key !== cipher?.id) return undefined
    const path = join(folder, last.name)
    const handle = await openFile(path, 'a', 0o600)
    return { number: last.number, day, path, cipher, handle, bytes: last.bytes }
  }

  async #create(day: string): Promise<CurrentFile> {
    const { folder, encrypt, keys, clock, openFile } = this.settings
    const number = this.#lastNumber + 1
    const path = join(folder, fileName(number, day))
    const salt = randomBytes(16).toString('hex')
    const cipher = encrypt ? keys?.cipherOf(salt) : undefined
    const header = {
      file: number,
      previous: this.#link.hash,
      salt,
      ...(cipher === undefined ? {} : { key: cipher.id }),
    }
    const { text, link } = headerLine(this.#link, clock.now(), header)
    const handle = await this.#openNew(path, openFile)
    try {
      await handle.appendFile(text)
    } catch (error) {
      await handle.close()
      await unlink(path)
      throw error
    }
    this.#lastNumber = number
    this.#link = link
    this.hasNewFile = true
    return { number, day, path, cipher, handle, bytes: Buffer.byteLength(text) }
  }

  async #openNew(path: string, openFile: OpenFile): Promise<TrailHandle> {
    try {
      return await openFile(path, 'ax', 0o600)
    } catch (error) {
      if (systemCode(error) === 'EEXIST') this.#lastNumber++ // another's: the next attempt takes the next number
      throw error
    }
  }

  /** @throws ForeignWriteError */
  async #checkSize(file: CurrentFile): Promise<void> {
    const { size, nlink } = await file.handle.stat()
    if (nlink > 0 && size === file.bytes) return
    if (nlink > 0 && this.#isTorn && size > file.bytes) {
      await file.handle.truncate(file.bytes)
      this.#isTorn = false
      return
    }
    const happened = nlink === 0 ? 'was removed' : `has ${size} bytes instead of ${file.bytes}`
    throw new ForeignWriteError(`${file.path} ${happened}: somebody else has changed it`)
  }
}
