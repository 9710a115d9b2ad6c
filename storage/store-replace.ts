/**
 * Puts a new store into a data folder: it is built beside the old one, verified, flushed, and then takes its place in one
 * step. Until that step the old store is as it was, whatever happens.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../src/base/errors.js'
import { flushFolder } from '../src/base/folder.js'
import { systemCode, systemReason } from '../src/base/system-error.js'
import { DATA_FILE, LOCK_FILE, protect } from './lmdb-library.js'
import { checkWholeFile, openReadable } from './store-access.js'
import { STORE_FOLDER } from './store-folder.js'
import { type OnProgress, type ValueReport, verifyValues } from './store-verify.js'

const NEW_FOLDER = 'store.new'

/**
 * The data folder exists and is locked by this process.
 * @param build makes a store in a new folder
 * @param progress of verifying
 * @returns what is wrong with values of the new store, which its pages are not
 * @throws BrokerError STORE_DAMAGED when the new store is, FOLDER_UNUSABLE, STORE_FULL; whatever `build` throws
 */
export async function replaceStore(
  dataDirectory: string,
  build: (folder: string) => Promise<void>,
  progress?: OnProgress,
): Promise<ValueReport> {
  const fresh = join(dataDirectory, NEW_FOLDER)
  try {
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { mode: 0o700 })
    await build(fresh)
    const report = await verifyNew(fresh, progress)
    moveIn(fresh, join(dataDirectory, STORE_FOLDER))
    flushFolder(dataDirectory)
    return report
  } catch (error) {
    throw asBrokerFailure(dataDirectory, error)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

async function verifyNew(folder: string, progress?: OnProgress): Promise<ValueReport> {
  const path = join(folder, DATA_FILE)
  protect(path, 0o600)
  checkWholeFile(path, (share) => progress?.(share / 2))
  const { reader } = openReadable(folder)
  try {
    return verifyValues(reader, (share) => progress?.((1 + share) / 2))
  } finally {
    await reader.close()
  }
}

function moveIn(fresh: string, store: string): void {
  const path = join(fresh, DATA_FILE)
  flush(path)
  mkdirSync(store, { recursive: true, mode: 0o700 })
  // it tells of readers of the old file, which go on with that one
  rmSync(join(store, LOCK_FILE), { force: true })
  renameSync(path, join(store, DATA_FILE))
  flushFolder(store)
}

function flush(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Bytes of the store's file; 0 without one. */
export function storeBytes(dataDirectory: string): number {
  const path = join(dataDirectory, STORE_FOLDER, DATA_FILE)
  return existsSync(path) ? statSync(path).size : 0
}

function asBrokerFailure(path: string, error: unknown): unknown {
  const code = systemCode(error)
  if (error instanceof BrokerError || code === undefined) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BrokerError('STORE_FULL', { reason: 'the disk is full' }, { cause: error })
  }
  return new BrokerError('FOLDER_UNUSABLE', { path, reason: systemReason(error) }, { cause: error })
}
