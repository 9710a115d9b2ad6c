/** The store of a data folder for tools, which must not disturb the broker that may be working there. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { decodeText } from '../src/base/bytes.js'
import { BrokerError } from '../src/base/errors.js'
import { type StoreReader, TABLE } from './engine.js'
import { type FolderLock, lockFolder } from './folder-lock.js'
import { checkStoreFile } from './lmdb-check.js'
import { openLmdbReader, type StoreReaderHandle } from './lmdb-engine.js'
import { DATA_FILE } from './lmdb-library.js'
import { readRoots } from './lmdb-roots.js'
import { CHECKED_BYTES_MAX, STORE_FOLDER } from './store-folder.js'
import { parseJson } from './store-json.js'
import { MIGRATIONS, versionOf } from './store-version.js'
import { ALIVE_KEY } from './writer.js'

export interface ReadableStore {
  readonly reader: StoreReaderHandle
  /** Of the broker or tool that works with it now. */
  readonly ownerPid: number | undefined
  readonly version: number
}

/** @throws BrokerError STORE_MISSING */
export function storePath(dataDirectory: string): string {
  const path = join(dataDirectory, STORE_FOLDER, DATA_FILE)
  if (!existsSync(path)) throw new BrokerError('STORE_MISSING', { path: dataDirectory })
  return path
}

/**
 * Opens the store for reading, also while a broker writes it. The file is looked at first, as a broker does that starts:
 * a damaged one would end the process.
 * @throws BrokerError STORE_MISSING, STORE_DAMAGED, STORE_TOO_NEW, FOLDER_UNUSABLE
 */
export function readStore(dataDirectory: string): ReadableStore {
  const path = storePath(dataDirectory)
  const lock = tryLock(dataDirectory)
  if (typeof lock !== 'number') {
    try {
      checkBeforeOpening(path)
    } finally {
      lock.release()
    }
  }
  return { ...openReadable(join(dataDirectory, STORE_FOLDER)), ownerPid: typeof lock === 'number' ? lock : undefined }
}

/** @param folder with a file that was checked */
export function openReadable(folder: string): { readonly reader: StoreReaderHandle; readonly version: number } {
  const reader = openLmdbReader(folder)
  try {
    const known = MIGRATIONS.length + 1
    const version = versionOf(reader, folder) ?? known
    if (version > known) throw new BrokerError('STORE_TOO_NEW', { path: folder, version, known })
    return { reader, version }
  } catch (error) {
    void reader.close() // nothing is being written: it has closed when it returns
    throw error
  }
}

/** @returns the lock, or the number of the process that has it */
export function tryLock(dataDirectory: string): FolderLock | number {
  try {
    return lockFolder(dataDirectory)
  } catch (error) {
    if (!(error instanceof BrokerError) || error.code !== 'STORE_IN_USE') throw error
    return Number((error as BrokerError<'STORE_IN_USE'>).details.pid)
  }
}

/** When the broker was last known to be alive, in milliseconds since the epoch. */
export function aliveMsOf(reader: StoreReader): number | undefined {
  const value = metaOf(reader, ALIVE_KEY)
  return typeof value === 'number' ? value : undefined
}

export function metaOf(reader: StoreReader, key: Uint8Array): unknown {
  const value = reader.get(TABLE.meta, key)
  return value === undefined ? undefined : parseJson(decodeText(value, 0, value.length))
}

/**
 * Looks through a whole file that nobody writes to.
 * @param progress told a share from 0 to 1
 * @throws BrokerError STORE_DAMAGED
 */
export function checkWholeFile(path: string, progress?: (share: number) => void): void {
  const result = checkStoreFile(path, progress)
  if (result.kind === 'damaged') throw new BrokerError('STORE_DAMAGED', { path, reason: result.reason })
}

function checkBeforeOpening(path: string): void {
  const roots = readRoots(path)
  if (roots.kind === 'damaged') throw new BrokerError('STORE_DAMAGED', { path, reason: roots.reason })
  const { root, damagedPage, fileBytes } = roots
  if (damagedPage !== undefined) {
    throw new BrokerError('STORE_DAMAGED', { path, reason: `its root page ${damagedPage} makes no sense` })
  }
  const isCutOff = fileBytes < (root.lastPage + 1) * root.pageBytes
  if (isCutOff || fileBytes <= CHECKED_BYTES_MAX) checkWholeFile(path)
}
