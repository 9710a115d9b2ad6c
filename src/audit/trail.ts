/** The audit trail of a broker, in its main thread: takes records of all threads and has them written. */
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Clock } from '../base/clock.js'
import { BrokerError } from '../base/errors.js'
import { prepareFolder } from '../base/folder.js'
import type { Logger } from '../base/log.js'
import { type KeyPlace, openSecretKey } from '../base/secret-key.js'
import { systemReason } from '../base/system-error.js'
import { programVersion } from '../base/version.js'
import type { BrokerConfig } from '../config/schema.js'
import type { Audit, AuditEntry, AuditRecord } from '../contracts/audit.js'
import { AuditKeys } from './audit-keys.js'
import type { WrittenRecord } from './audit-line.js'
import { AuditRate } from './audit-rate.js'
import type { OpenFile } from './open-file.js'
import { ownEntry } from './own-entry.js'
import { type QueryNotes, queryTrail, type TrailQuery } from './query-trail.js'
import { findEnd } from './trail-end.js'
import { trailFolder } from './trail-files.js'
import { TrailQueue } from './trail-queue.js'
import { ForeignWriteError, type RemovedFiles, TrailWriter } from './trail-writer.js'

/** Records gather for this long before they are written. */
const WRITE_DELAY_MS = 50
/** From a write to the disk having it. */
const SEAL_DELAY_MS = 1_000
/** From a failure to the next attempt. */
const RETRY_MS = 1_000
const TICK_MS = 500
/** Records that are handed over at once. */
const BATCH = 1_000
/** Files that the room for all is shared by: with the oldest one, most of the trail stays. */
const FILES_AT_LEAST = 4

export interface TrailOptions {
  readonly config: Pick<BrokerConfig, 'audit' | 'dataDirectory'>
  readonly clock: Clock
  readonly log: Logger
  readonly key: KeyPlace
  /** Stands for `open` of node:fs/promises. */
  readonly openFile?: OpenFile
  readonly queue?: TrailQueue
}

export interface TrailStatus {
  readonly path: string
  readonly encrypted: boolean
  /** Number of the last record, and its hash: kept elsewhere, they prove what was there. */
  readonly records: number
  readonly hash: string
  /** undefined before the first one. */
  readonly lastEntryMs: number | undefined
  /** Records that could not be written since the start. */
  readonly lost: number
  /** Why nothing can be written now. */
  readonly problem: string | undefined
}

export class Trail implements Audit {
  readonly folder: string
  readonly #options: TrailOptions
  readonly #log: Logger
  readonly #rate: AuditRate
  readonly #queue: TrailQueue
  #writer: TrailWriter | undefined
  /** Writes happen one after the other. Never rejects. */
  #working: Promise<void> = Promise.resolve()
  #isSealed = true
  #lastEntryMs: number | undefined
  #problem: string | undefined
  /** Of the last failure, for the record of what was lost by it. */
  #reason = 'there was too much at once'
  #keys: AuditKeys | undefined
  #isBeingRead = false
  readonly #timers: { write?: NodeJS.Timeout; seal?: NodeJS.Timeout; tick?: NodeJS.Timeout } = {}
  #isClosed = false

  constructor(options: TrailOptions) {
    this.#options = options
    this.folder = resolve(trailFolder(options.config))
    this.#log = options.log.area('broker')
    this.#queue = options.queue ?? new TrailQueue()
    this.#rate = new AuditRate(options.clock, (entries) => this.take(entries))
  }

  /**
   * Finds the end of what is there, and goes on behind it. Records are taken before, too, and wait. To be called by the
   * owner of the data folder alone.
   * @throws BrokerError FOLDER_UNUSABLE, FILE_UNREADABLE, AUDIT_KEY_UNUSABLE
   */
  async open(): Promise<void> {
    const { config, clock, openFile = open } = this.#options
    const { bytesMax, keepDays, encrypt } = config.audit
    const fileBytesMax = Math.min(config.audit.fileBytesMax, Math.floor(bytesMax / FILES_AT_LEAST))
    const { folder } = this
    prepareFolder(folder)
    const keys = this.#openKeys(encrypt)
    this.#keys = keys
    const end = await findEnd(folder, keys)
    const settings = { folder, fileBytesMax, bytesMax, keepDays, encrypt, keys, clock, openFile }
    this.#writer = new TrailWriter(settings, end)
    this.#own('start', true, `Merlot ${programVersion()}`)
    for (const finding of end.findings) this.#tell(finding)
    this.#timers.tick = setInterval(() => this.tick(), TICK_MS).unref()
    await this.flush()
  }

  record(record: AuditRecord): void {
    this.#rate.record(record)
  }

  /** What another thread has gathered. */
  take(entries: readonly AuditEntry[]): void {
    if (this.#isClosed) return
    for (const entry of entries) this.#queue.push(entry)
    this.#later('write', WRITE_DELAY_MS)
  }

  /** Passes on what is older than a second. */
  tick(): void {
    this.#rate.tick()
  }

  /** Resolves when all records that were taken are on the disk, or `status().problem` says why not. Never rejects. */
  flush(): Promise<void> {
    this.#rate.flush()
    this.#working = this.#working.then(() => this.#work(true))
    return this.#working
  }

  /** One reader at a time: it takes the main thread's time. */
  get isBeingRead(): boolean {
    return this.#isBeingRead
  }

  /**
   * Records in the order they were written in, with those that were taken until now.
   * @param notes is told once a file what cannot be read
   * @throws BrokerError FOLDER_UNUSABLE, FILE_UNREADABLE
   */
  async *read(query: TrailQuery, notes: QueryNotes): AsyncGenerator<WrittenRecord> {
    this.#isBeingRead = true
    try {
      await this.flush()
      yield* queryTrail(this.folder, this.#keys, query, notes)
    } finally {
      this.#isBeingRead = false
    }
  }

  status(): TrailStatus {
    const { seq, hash } = this.#writer?.link ?? { seq: 0, hash: '' }
    return {
      path: this.folder,
      encrypted: this.#options.config.audit.encrypt,
      records: seq,
      hash,
      lastEntryMs: this.#lastEntryMs,
      lost: this.#queue.lostTotal,
      problem: this.#problem,
    }
  }

  /** The last record is that of the stop. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#rate.flush()
    this.#own('stop', true, '')
    await this.flush()
    this.#isClosed = true
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    await this.#writer?.close().catch(() => {}) // everything is on the disk
  }

  #openKeys(encrypt: boolean): AuditKeys | undefined {
    const key = openSecretKey(this.#options.key)
    if (typeof key !== 'string') return new AuditKeys(key)
    if (encrypt) throw new BrokerError('AUDIT_KEY_UNUSABLE', { reason: key })
    this.#log.warn('the end of the audit trail is not signed: there is no key', { reason: key })
    return undefined
  }

  async #work(sealsNow: boolean): Promise<void> {
    const writer = this.#writer
    if (writer === undefined || this.#isClosed) return
    try {
      await this.#writeAll(writer)
      if (!this.#isSealed && sealsNow) {
        await writer.seal()
        this.#isSealed = true
      }
      if (this.#problem === undefined) return
      this.#problem = undefined
      this.#log.info('the audit trail is written again', { lost: this.#queue.lostTotal })
    } catch (error) {
      await this.#fail(error, writer)
    }
  }

  async #writeAll(writer: TrailWriter): Promise<void> {
    const { clock } = this.#options
    while (!this.#queue.isEmpty) {
      const batch = this.#queue.first(BATCH)
      const written = await writer.write(batch)
      this.#isSealed = false
      this.#lastEntryMs = batch[written - 1].timeMs
      this.#queue.drop(written, clock.now(), this.#reason)
      this.#later('seal', SEAL_DELAY_MS)
      if (!writer.hasNewFile) continue
      this.#tellRemoved(await writer.removeOld())
    }
  }

  async #fail(error: unknown, writer: TrailWriter): Promise<void> {
    const reason = systemReason(error)
    this.#reason = reason
    if (this.#problem === undefined) {
      this.#log.error('the audit trail cannot be written; the broker goes on', { folder: this.folder, reason })
    }
    this.#problem = reason
    if (error instanceof ForeignWriteError) {
      await writer.abandonFile().catch(() => {}) // its handle is of no more use
      this.#tell(error.message)
    }
    this.#later('write', RETRY_MS)
    this.#later('seal', RETRY_MS)
  }

  /** Somebody may have tampered with the trail: that is for whoever reads the log, and for the trail. */
  #tell(finding: string): void {
    this.#log.error('the audit trail is not as the broker left it', { folder: this.folder, finding })
    this.#own('audit trail', false, finding)
  }

  #tellRemoved({ tooOld, tooMuch }: RemovedFiles): void {
    if (tooOld > 0) this.#own('audit trail', true, `${tooOld} files were removed: they were older than keepDays`)
    if (tooMuch === 0) return
    this.#own('audit trail', true, `${tooMuch} files were removed: all together had more than bytesMax`)
    this.#log.warn('the oldest files of the audit trail were removed: all together had more than audit.bytesMax', {
      folder: this.folder,
      files: tooMuch,
    })
  }

  #own(what: string, success: boolean, detail: string): void {
    this.take([ownEntry(this.#options.clock.now(), what, success, detail)])
  }

  #later(timer: 'write' | 'seal', ms: number): void {
    if (this.#isClosed || this.#timers[timer] !== undefined) return
    this.#timers[timer] = setTimeout(() => {
      this.#timers[timer] = undefined
      this.#working = this.#working.then(() => this.#work(timer === 'seal'))
    }, ms).unref()
  }
}
