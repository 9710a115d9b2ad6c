/** The store of a data folder: locked, checked before LMDB maps it, and moved aside when it is damaged. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError, messageOf } from '../src/base/errors.js'
import { makeFolder } from '../src/base/folder.js'
import type { Logger } from '../src/base/log.js'
import { systemCode, systemReason } from '../src/base/system-error.js'
import { type StoreEngine, TABLE } from './engine.js'
import { lockFolder } from './folder-lock.js'
import { checkStoreFile } from './lmdb-check.js'
import { type LmdbOptions, openLmdbEngine } from './lmdb-engine.js'
import { codeOf, DATA_FILE } from './lmdb-library.js'
import { readRoots, repairRoot } from './lmdb-roots.js'
import { type Migration, migrate } from './store-version.js'

export const STORE_FOLDER = 'store'
const QUARANTINE_FOLDER = 'quarantine'
/** There while a store is being loaded: where it is found, loading has ended the process, and perhaps the store did. */
const MARKER_FILE = 'opening'
export const LAST_START_KEY = new TextEncoder().encode('lastStart')
const ENOSPC = 28
/** That takes some 0.1 s. */
export const CHECKED_BYTES_MAX = 67_108_864

export interface StoreOptions extends LmdbOptions {
  readonly migrations?: readonly Migration[]
  /** Bytes; files up to this size are looked through at each start. */
  readonly checkedBytesMax?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface Quarantined {
  /** The folder where the old store is now. */
  readonly path: string
  readonly reason: string
}

export interface OpenStore {
  readonly engine: StoreEngine
  /** Set when the store was damaged, and `engine` is a new one. */
  readonly quarantined?: Quarantined
  /** To be called when all has been loaded: until then, the next start looks for damage in the whole file. */
  confirm(): void
  /** Closes the engine and gives the folder to others. */
  close(): Promise<void>
}

/**
 * Opens the store in `<data>/store`, or makes one. Blocks the thread; looking through a whole file, after a start that
 * failed, takes about a second for 500 MB.
 * @throws BrokerError STORE_IN_USE, STORE_TOO_NEW, STORE_FULL, FOLDER_UNUSABLE; STORE_DAMAGED when it cannot be moved
 */
export function openStore(dataDirectory: string, options: StoreOptions, log: Logger): OpenStore {
  makeFolder(dataDirectory)
  const lock = lockFolder(dataDirectory)
  try {
    const { engine, quarantined } = openSound(dataDirectory, options, log.area('storage'))
    const confirm = (): void => removeMarker(dataDirectory)
    const close = async (): Promise<void> => {
      await engine.close()
      confirm()
      lock.release()
    }
    return { engine, quarantined, confirm, close }
  } catch (error) {
    lock.release()
    throw error
  }
}

function openSound(
  dataDirectory: string,
  options: StoreOptions,
  log: Logger,
): { readonly engine: StoreEngine; readonly quarantined?: Quarantined } {
  const folder = join(dataDirectory, STORE_FOLDER)
  const { checkedBytesMax = CHECKED_BYTES_MAX } = options
  let reason = damageOf(folder, checkedBytesMax, log)
  if (reason === undefined) {
    try {
      return { engine: openMarked(folder, options) }
    } catch (error) {
      reason = damageIn(error)
      if (reason === undefined) throw error
    }
  }
  const path = moveAside(dataDirectory, reason, options.now ?? Date.now)
  log.error('the store was damaged: it was moved aside, and a new one is used', { path, reason })
  return { engine: openMarked(folder, options), quarantined: { path, reason } }
}

/** @returns why the store must not be opened; undefined when it may be, or there is none */
function damageOf(folder: string, checkedBytesMax: number, log: Logger): string | undefined {
  try {
    return findDamage(folder, checkedBytesMax, log)
  } catch (error) {
    throw asFolderError(folder, error)
  }
}

function findDamage(folder: string, checkedBytesMax: number, log: Logger): string | undefined {
  if (!existsSync(folder)) return undefined
  if (!statSync(folder).isDirectory()) return 'it is a file in place of a folder'
  const path = join(folder, DATA_FILE)
  if (!existsSync(path)) return undefined
  if (!statSync(path).isFile()) return `${DATA_FILE} is not a file`
  const roots = readRoots(path)
  if (roots.kind === 'damaged') return roots.reason
  const { root, damagedPage, fileBytes } = roots
  if (damagedPage !== undefined) {
    repairRoot(path, damagedPage, root.pageBytes)
    log.warn('a root page of the store was damaged: what was stored last may be missing', { path, page: damagedPage })
  }
  const wantedBytes = (root.lastPage + 1) * root.pageBytes
  const hasMarker = existsSync(join(folder, MARKER_FILE))
  if (!hasMarker && fileBytes >= wantedBytes && fileBytes > checkedBytesMax) return undefined
  if (hasMarker) log.warn('looking through the store: the last start did not come to its end', { path, fileBytes })
  const result = checkStoreFile(path)
  if (result.kind === 'damaged') return result.reason
  // the last pages may never have been written when they are free; LMDB reads none of them, but they are mapped
  if (fileBytes < wantedBytes) truncateSync(path, wantedBytes)
  return undefined
}

function openMarked(folder: string, options: StoreOptions): StoreEngine {
  makeFolder(folder)
  try {
    writeFileSync(join(folder, MARKER_FILE), '', { mode: 0o600 })
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw asFolderError(folder, error)
  }
  const engine = open(folder, options)
  try {
    migrate(engine, folder, options.migrations)
    noteStart(engine, options.now ?? Date.now)
    return engine
  } catch (error) {
    void engine.close() // nothing is being written: it has closed when it returns
    rmSync(join(folder, MARKER_FILE), { force: true })
    throw error
  }
}

/** Writes something, so that damage to the free list shows while the marker is there. */
function noteStart(engine: StoreEngine, now: () => number): void {
  const time = new TextEncoder().encode(JSON.stringify(new Date(now()).toISOString()))
  try {
    engine.commit((transaction) => transaction.put(TABLE.meta, LAST_START_KEY, time))
  } catch (error) {
    // a full store is opened all the same, so that it can be emptied
    if (!(error instanceof BrokerError && error.code === 'STORE_FULL')) throw error
  }
}

function open(folder: string, options: StoreOptions): StoreEngine {
  try {
    return openLmdbEngine(folder, options)
  } catch (error) {
    if (error instanceof BrokerError || isLmdbError(error)) throw error
    if (codeOf(error) === ENOSPC) throw new BrokerError('STORE_FULL', { reason: 'the disk is full' }, { cause: error })
    throw asFolderError(folder, error)
  }
}

/** @returns the damage behind a failure to open a store; undefined for other failures */
function damageIn(error: unknown): string | undefined {
  if (isLmdbError(error)) return messageOf(error)
  const isDamage = error instanceof BrokerError && error.code === 'STORE_DAMAGED'
  return isDamage ? String((error as BrokerError<'STORE_DAMAGED'>).details.reason) : undefined
}

/** LMDB's own codes are negative, those of the system positive. */
function isLmdbError(error: unknown): boolean {
  const code = codeOf(error)
  return typeof code === 'number' && code < 0
}

/** @returns where it is now */
function moveAside(dataDirectory: string, reason: string, now: () => number): string {
  const from = join(dataDirectory, STORE_FOLDER)
  const quarantine = join(dataDirectory, QUARANTINE_FOLDER)
  const time = new Date(now()).toISOString().replaceAll(':', '')
  try {
    mkdirSync(quarantine, { recursive: true, mode: 0o700 })
    for (let number = 1; ; number++) {
      const to = join(quarantine, number === 1 ? time : `${time}-${number}`)
      if (existsSync(to)) continue
      renameSync(from, to)
      return to
    }
  } catch (error) {
    const cannot = `${reason}; it cannot be moved to ${quarantine}: ${systemReason(error)}`
    throw new BrokerError('STORE_DAMAGED', { path: from, reason: cannot }, { cause: error })
  }
}

function removeMarker(dataDirectory: string): void {
  rmSync(join(dataDirectory, STORE_FOLDER, MARKER_FILE), { force: true })
}

function asFolderError(path: string, error: unknown): BrokerError {
  return new BrokerError('FOLDER_UNUSABLE', { path, reason: systemReason(error) }, { cause: error })
}
