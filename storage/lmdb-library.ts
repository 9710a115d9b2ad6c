/** lmdb, with our names and types. The one place that imports it. */
import { chmodSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Database, DatabaseOptions, RangeOptions, RootDatabase, RootDatabaseOptions } from 'lmdb'
import { systemCode } from '../src/base/system-error.js'
import { SHARDS_MAX } from './engine.js'

// as one file: its modules by themselves take a thread twice as long to load
const { open } = createRequire(import.meta.url)('lmdb') as typeof import('lmdb')

export const DATA_FILE = 'data.mdb'
export const LOCK_FILE = 'lock.mdb'

const ENCODING = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const
/**
 * Address space, not memory or disk. So large that the map never grows: LMDB would map the file anew while other
 * threads read the old map. Where it cannot be had, the map grows.
 */
const MAP_BYTES = process.platform === 'win32' || process.arch.endsWith('32') ? undefined : 2 ** 40
const TABLES_MAX = SHARDS_MAX * 2 + 16

/** A thread waits so long for another that opens a table. */
const TABLE_LOCK_MS_MAX = 30_000
const TABLE_LOCK = Buffer.from('tables')

export const LMDB_MAP_FULL = -30_792
export const LMDB_TRANSACTION_FULL = -30_788
const ENOMEM = 12

export type Table = Database<Uint8Array, Buffer>
export type Root = RootDatabase<Uint8Array, Buffer>

export interface PageCounts {
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

/** What `getStats` gives, which has no type. */
export interface Stats extends PageCounts {
  readonly pageSize: number
  readonly entryCount: number
  readonly root: PageCounts
  readonly free: PageCounts
}

/** A part of lmdb without a type: locks between threads of the process, given back when their thread ends. */
interface ThreadLocks {
  tryLock(name: Uint8Array): boolean
  unlock(name: Uint8Array): boolean
}

export function openRoot(folder: string, readOnly: boolean): Root {
  if (!readOnly) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const options: RootDatabaseOptions & { readonly permissionsMode: number } = {
    ...ENCODING,
    maxDbs: TABLES_MAX,
    noSubdir: false,
    overlappingSync: false,
    permissionsMode: 0o600,
    readOnly,
  }
  const root = openMapped(folder, options)
  if (!readOnly) {
    protect(folder, 0o700)
    for (const file of [DATA_FILE, LOCK_FILE]) protect(join(folder, file), 0o600)
  }
  return root
}

function openMapped(folder: string, options: RootDatabaseOptions): Root {
  if (MAP_BYTES === undefined) return open<Uint8Array, Buffer>(folder, options) as unknown as Root
  try {
    return open(folder, { ...options, mapSize: MAP_BYTES })
  } catch (error) {
    if (codeOf(error) !== ENOMEM) throw error
    return open(folder, options)
  }
}

/** For files that were there before. Some file systems know no rights, and those of others may not be changed. */
export function protect(path: string, mode: number): void {
  try {
    chmodSync(path, mode)
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error
  }
}

/** @returns undefined when there is none and it is not to be made */
export function openTable(root: Root, name: string, create: boolean): Table | undefined {
  const options: DatabaseOptions & { readonly create: boolean } = { ...ENCODING, create }
  return root.openDB(name, options)
}

/** All threads share one list of open tables, and LMDB adds to it without a lock of its own. */
export function lockTables(root: Root): void {
  const locks = root as unknown as ThreadLocks
  const nothing = new Int32Array(new SharedArrayBuffer(4))
  for (let waitedMs = 0; !locks.tryLock(TABLE_LOCK); waitedMs++) {
    if (waitedMs >= TABLE_LOCK_MS_MAX) throw new Error('another thread does not finish opening a table')
    Atomics.wait(nothing, 0, 0, 1)
  }
}

export function unlockTables(root: Root): void {
  const locks = root as unknown as ThreadLocks
  locks.unlock(TABLE_LOCK)
}

export interface SliceBounds {
  readonly start: Uint8Array | undefined
  /** The first key that is not wanted any more: without it, LMDB reads on and what it has read is thrown away. */
  readonly end: Uint8Array | undefined
  readonly exclusiveStart?: boolean
  readonly limit: number
}

/** Without the bounds that there are not: LMDB takes undefined for a key. */
export function rangeOf({ start, end, exclusiveStart = false, limit }: SliceBounds): RangeOptions {
  return {
    limit,
    ...(start !== undefined && { start: start as Buffer, exclusiveStart }),
    ...(end !== undefined && { end: end as Buffer }),
  }
}

export function statsOf(table: Table): Stats {
  return table.getStats() as Stats
}

export function pagesOf(counts: PageCounts): number {
  return counts.treeBranchPageCount + counts.treeLeafPageCount + counts.overflowPages
}

/** LMDB's code, or that of the system as a number. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
