/** A store in LMDB. One thread writes; others of the process read the same memory. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError, messageOf } from '../src/base/errors.js'
import { WriteGate } from '../src/base/write-gate.js'
import { DiskRoom } from './disk-room.js'
import type { RangeOptions, StoreEngine, StoreEntry, StoreReader, StoreSize, StoreTransaction } from './engine.js'
import {
  codeOf,
  DATA_FILE,
  LMDB_MAP_FULL,
  LMDB_TRANSACTION_FULL,
  lockTables,
  openRoot,
  openTable,
  pagesOf,
  type Root,
  rangeOf,
  type SliceBounds,
  statsOf,
  type Table,
  unlockTables,
} from './lmdb-library.js'
import { checkKey, firstKey, hasPrefix, keyBehind } from './store-keys.js'

/** A scan reads so much in one read transaction: while that lasts, no page that was given up is used again. */
const SLICE_ENTRIES = 256
const SLICE_BYTES = 1_048_576
/** Values up to this size go through one buffer that stays. */
const COPY_BYTES_MAX = 1_048_576
/** Kept free in the file, so that transactions that only delete go through on a full disk. */
const RESERVE_BYTES = 8_388_608
/** What an entry takes in a page besides key and value, rounded up. */
const ENTRY_BYTES = 16
/** A page that overflows becomes two: an entry takes up to twice its size. */
const SPLIT_FACTOR = 2
const META_PAGES = 2
/** Of the smallest page there is; for estimates. */
const PAGE_BYTES = 4_096

const [EIO, EFBIG, ENOSPC, EDQUOT] = [5, 27, 28, 122]
const NO_ROOM: ReadonlySet<unknown> = new Set([LMDB_MAP_FULL, LMDB_TRANSACTION_FULL, EFBIG, ENOSPC, EDQUOT])

export interface LmdbOptions {
  /** Bytes of pages in use at most, 0 for no limit; counted with some pages more than there are. */
  readonly bytesMax: number
  /** Bytes kept free in the file for transactions that only delete. */
  readonly reserveBytes?: number
  /** Shut by whoever is to end this thread. */
  readonly gate?: WriteGate
}

/** Reads a store that another thread or process may be writing. */
export interface StoreReaderHandle extends StoreReader {
  size(): StoreSize
  /** Writes the state of one moment to a store in `folder`, which exists and is empty, while others go on writing. */
  copyTo(folder: string): Promise<void>
  close(): Promise<void>
}

/**
 * Opens or makes the store in this folder, for writing; one thread of one process at a time may.
 * @throws BrokerError STORE_FULL; Error for what LMDB does not take as its own, or the system refuses
 */
export function openLmdbEngine(folder: string, options: LmdbOptions): StoreEngine {
  const root = openRoot(folder, false)
  try {
    return new LmdbEngine(root, folder, options)
  } catch (error) {
    void root.close() // has closed it when it returns: no write is waiting
    throw error
  }
}

/** @throws BrokerError FILE_UNREADABLE when there is no store */
export function openLmdbReader(folder: string): StoreReaderHandle {
  const path = join(folder, DATA_FILE)
  if (!existsSync(path)) throw new BrokerError('FILE_UNREADABLE', { path, reason: 'no such file' })
  return new LmdbReader(openRoot(folder, true), path)
}

class LmdbReader implements StoreReaderHandle {
  readonly #tables = new Map<string, Table>()
  protected isClosed = false

  constructor(
    protected readonly root: Root,
    protected readonly dataPath: string,
  ) {}

  get tables(): readonly string[] {
    this.#checkOpen()
    const names: string[] = []
    // LMDB ends names with a zero byte
    for (const key of this.root.getKeys()) names.push(key.toString('utf8', 0, key.length - 1))
    this.root.resetReadTxn()
    return names
  }

  get(name: string, key: Uint8Array): Uint8Array | undefined {
    checkKey(key)
    const value = this.table(name)?.get(key as Buffer)
    this.root.resetReadTxn()
    return value
  }

  *range(name: string, options: RangeOptions = {}): Generator<StoreEntry> {
    const { prefix, limit = Number.POSITIVE_INFINITY } = options
    const end = prefix === undefined ? undefined : keyBehind(prefix)
    let start = firstKey(options)
    let exclusiveStart = false
    for (let left = limit; left > 0; ) {
      const slice = this.#slice(name, { start, end, exclusiveStart, limit: Math.min(left, SLICE_ENTRIES) })
      for (const entry of slice) {
        if (prefix !== undefined && !hasPrefix(entry.key, prefix)) return
        yield entry
      }
      if (slice.length === 0) return
      left -= slice.length
      start = slice[slice.length - 1].key
      exclusiveStart = true
    }
  }

  count(name: string): number {
    const table = this.table(name)
    const count = table === undefined ? 0 : statsOf(table).entryCount
    this.root.resetReadTxn()
    return count
  }

  size(): StoreSize {
    const usedBytes = this.usedBytes()
    const fileBytes = statSync(this.dataPath).size
    return { fileBytes, freeBytes: Math.max(0, fileBytes - usedBytes) }
  }

  async copyTo(folder: string): Promise<void> {
    this.#checkOpen()
    await this.root.backup(folder, true)
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.#tables.clear()
    await this.root.close()
  }

  protected table(name: string): Table | undefined {
    this.#checkOpen()
    const table = this.#tables.get(name) ?? this.findTable(name)
    if (table !== undefined) this.#tables.set(name, table)
    return table
  }

  /** @returns undefined when there is none */
  protected findTable(name: string): Table | undefined {
    lockTables(this.root)
    try {
      return openTable(this.root, name, false)
    } finally {
      unlockTables(this.root)
    }
  }

  protected keepTable(name: string, table: Table): void {
    this.#tables.set(name, table)
  }

  protected forgetTable(name: string): void {
    this.#tables.delete(name)
  }

  /** Bytes of all pages that belong to a tree. Takes about 15 µs a table. */
  protected usedBytes(): number {
    const names = this.tables
    const { pageSize, root, free } = statsOf(this.root)
    let pages = META_PAGES + pagesOf(root) + pagesOf(free)
    for (const name of names) {
      const table = this.table(name)
      if (table !== undefined) pages += pagesOf(statsOf(table))
    }
    this.root.resetReadTxn()
    return pages * pageSize
  }

  #slice(name: string, bounds: SliceBounds): StoreEntry[] {
    const entries: StoreEntry[] = []
    let bytes = 0
    for (const { key, value } of this.table(name)?.getRange(rangeOf(bounds)) ?? []) {
      entries.push({ key, value })
      bytes += key.length + value.length
      if (bytes >= SLICE_BYTES) break
    }
    this.root.resetReadTxn()
    return entries
  }

  #checkOpen(): void {
    if (this.isClosed) throw new Error('the store is closed')
  }
}

class LmdbEngine extends LmdbReader implements StoreEngine, Tables {
  readonly #room: DiskRoom
  readonly #bytesMax: number
  readonly #reserveBytes: number
  readonly #gate: WriteGate
  readonly #copies = Buffer.alloc(COPY_BYTES_MAX)
  /** What was counted some time ago, and all that was put since at its largest. */
  #usedBytesMax: number
  /** Tables that the running transaction made; undefined while none runs. */
  #made: string[] | undefined
  readonly #hasAllTables: boolean = false

  constructor(
    root: Root,
    folder: string,
    { bytesMax, reserveBytes = RESERVE_BYTES, gate = new WriteGate() }: LmdbOptions,
  ) {
    super(root, join(folder, DATA_FILE))
    this.#bytesMax = bytesMax
    this.#reserveBytes = reserveBytes
    this.#gate = gate
    this.#room = new DiskRoom(this.dataPath)
    this.#usedBytesMax = Math.min(this.usedBytes(), this.#room.fileBytes)
    this.#hasAllTables = true
    this.#room.ensure(this.#usedBytesMax + reserveBytes)
  }

  /** The thread must not be ended from outside while this runs: see `WriteGate`. */
  commit(work: (transaction: StoreTransaction) => void, usesReserve = false): void {
    if (this.#made !== undefined) throw new Error('a transaction within a transaction')
    if (!this.#gate.enter()) throw new Error('the thread of this store is being ended')
    const made: string[] = []
    const transaction = new LmdbTransaction(this, (value) => this.#copy(value))
    this.#made = made
    try {
      this.root.transactionSync(() => {
        work(transaction)
        if (!usesReserve) this.#admit(transaction.putBytesMax)
      })
      this.#usedBytesMax += transaction.putBytesMax
    } catch (error) {
      // LMDB has closed them, and gives their numbers to those opened next
      for (const name of made) this.forgetTable(name)
      throw this.#explain(error, transaction.putBytesMax)
    } finally {
      transaction.end()
      this.#made = undefined
      if (made.length > 0) unlockTables(this.root)
      this.#gate.leave()
    }
  }

  override async close(): Promise<void> {
    if (!this.isClosed) this.#room.close()
    await super.close()
  }

  find(name: string): Table | undefined {
    return this.table(name)
  }

  make(name: string): Table {
    const known = this.table(name)
    if (known !== undefined) return known
    const made = this.#made
    if (made === undefined) throw new Error('a table is made in a transaction')
    // until the transaction ends, the place of the table in the list of the process looks free to other threads
    if (made.length === 0) lockTables(this.root)
    made.push(name)
    const table = openTable(this.root, name, true)
    if (table === undefined) throw new Error(`there is no table ${name}, although it was made`)
    this.keepTable(name, table)
    return table
  }

  /** The writer opens all tables when it starts, and makes the others itself. */
  protected override findTable(name: string): Table | undefined {
    return this.#hasAllTables ? undefined : super.findTable(name)
  }

  /** LMDB reads from the address of a value, and crashes for one in shared memory. */
  #copy(value: Uint8Array): Uint8Array {
    if (value.length > COPY_BYTES_MAX) return value.buffer instanceof SharedArrayBuffer ? new Uint8Array(value) : value
    this.#copies.set(value)
    return this.#copies.subarray(0, value.length)
  }

  /** @throws BrokerError STORE_FULL when a transaction that puts so much may not be committed */
  #admit(putBytesMax: number): void {
    if (putBytesMax === 0) return
    if (this.#isBelowLimit(putBytesMax) && this.#room.has(this.#bytesWanted(putBytesMax))) return
    // what was put is in use by now, and counted; a damaged count must not fill the disk
    this.#usedBytesMax = Math.min(this.usedBytes() - putBytesMax, this.#room.fileBytes)
    if (!this.#isBelowLimit(putBytesMax)) throw full(`its limit is ${this.#bytesMax} bytes`)
    if (!this.#room.ensure(this.#bytesWanted(putBytesMax))) throw full('the disk is full')
  }

  #isBelowLimit(putBytesMax: number): boolean {
    return this.#bytesMax === 0 || this.#usedBytesMax + putBytesMax <= this.#bytesMax
  }

  #bytesWanted(putBytesMax: number): number {
    return this.#usedBytesMax + putBytesMax + this.#reserveBytes
  }

  #explain(error: unknown, putBytesMax: number): unknown {
    const code = codeOf(error)
    if (NO_ROOM.has(code)) return full(messageOf(error).toLowerCase(), error)
    // what LMDB calls an input/output error when only a part of a page could be written
    if (code === EIO && !this.#room.ensure(this.#room.fileBytes + putBytesMax)) return full('the disk is full', error)
    return error
  }
}

/** The tables of the writer, as its transactions see them. */
interface Tables extends StoreReader {
  find(name: string): Table | undefined
  make(name: string): Table
}

class LmdbTransaction implements StoreTransaction {
  /** Bytes that what was put takes in pages at most. */
  putBytesMax = 0
  #hasEnded = false

  constructor(
    private readonly all: Tables,
    private readonly copy: (value: Uint8Array) => Uint8Array,
  ) {}

  get tables(): readonly string[] {
    return this.#live().tables
  }

  get(name: string, key: Uint8Array): Uint8Array | undefined {
    return this.#live().get(name, key)
  }

  range(name: string, options?: RangeOptions): Iterable<StoreEntry> {
    return this.#live().range(name, options)
  }

  count(name: string): number {
    return this.#live().count(name)
  }

  put(name: string, key: Uint8Array, value: Uint8Array): void {
    checkKey(key)
    this.#live()
      .make(name)
      .putSync(key as Buffer, this.copy(value))
    const bytes = key.length + value.length + ENTRY_BYTES
    // a value that does not fit twice into a page has pages of its own
    this.putBytesMax += bytes < PAGE_BYTES / 2 ? SPLIT_FACTOR * bytes : bytes + 2 * PAGE_BYTES
  }

  delete(name: string, key: Uint8Array): boolean {
    checkKey(key)
    return (
      this.#live()
        .find(name)
        ?.removeSync(key as Buffer) ?? false
    )
  }

  deletePrefix(name: string, prefix: Uint8Array): number {
    const table = this.#live().find(name)
    const options = rangeOf({ start: firstKey({ prefix }), end: keyBehind(prefix), limit: SLICE_ENTRIES })
    for (let deleted = 0; ; ) {
      const due = [...(table?.getKeys(options) ?? [])].filter((key) => hasPrefix(key, prefix))
      for (const key of due) table?.removeSync(key)
      deleted += due.length
      if (due.length < SLICE_ENTRIES) return deleted
    }
  }

  end(): void {
    this.#hasEnded = true
  }

  #live(): Tables {
    if (this.#hasEnded) throw new Error('the transaction has ended')
    return this.all
  }
}

function full(reason: string, cause?: unknown): BrokerError {
  return new BrokerError('STORE_FULL', { reason }, { cause })
}
