/** Copies of a store: a smaller one in its place, and a backup elsewhere while a broker goes on. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../src/base/errors.js'
import { systemReason } from '../src/base/system-error.js'
import { lockFolder } from './folder-lock.js'
import type { StoreReaderHandle } from './lmdb-engine.js'
import { checkWholeFile, openReadable, readStore, storePath } from './store-access.js'
import { STORE_FOLDER } from './store-folder.js'
import { replaceStore, storeBytes } from './store-replace.js'
import type { OnProgress, ValueReport } from './store-verify.js'

export interface Compacted {
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Of the new store: values that are damaged there were so before. */
  readonly report: ValueReport
}

/**
 * Rewrites the store of a stopped broker without the space that is free in it.
 * @throws BrokerError STORE_IN_USE, STORE_MISSING, FOLDER_UNUSABLE, STORE_FULL; STORE_DAMAGED, and nothing was changed
 */
export async function compactStore(dataDirectory: string, progress?: OnProgress): Promise<Compacted> {
  const path = storePath(dataDirectory)
  const lock = lockFolder(dataDirectory)
  try {
    checkWholeFile(path)
    const bytesBefore = storeBytes(dataDirectory)
    const { reader } = openReadable(join(dataDirectory, STORE_FOLDER))
    const report = await replaceStore(dataDirectory, (folder) => copyAndClose(reader, folder), progress)
    return { bytesBefore, bytesAfter: storeBytes(dataDirectory), report }
  } finally {
    lock.release()
  }
}

export interface BackedUp {
  readonly bytes: number
  /** Of the copy: values that are damaged there are so in the store. */
  readonly report: ValueReport
}

/**
 * Writes the state of one moment to `target`, which becomes a data folder of its own. A broker may go on meanwhile.
 * @throws BrokerError STORE_MISSING, STORE_DAMAGED, STORE_TOO_NEW, STORE_FULL, FOLDER_UNUSABLE; FOLDER_NOT_EMPTY
 */
export async function backUpStore(dataDirectory: string, target: string, progress?: OnProgress): Promise<BackedUp> {
  const { reader } = readStore(dataDirectory)
  try {
    makeTarget(target)
    const report = await replaceStore(target, (folder) => reader.copyTo(folder), progress)
    return { bytes: storeBytes(target), report }
  } finally {
    await reader.close()
  }
}

/** A file that is open cannot be replaced everywhere. */
async function copyAndClose(reader: StoreReaderHandle, folder: string): Promise<void> {
  try {
    await reader.copyTo(folder)
  } finally {
    await reader.close()
  }
}

function makeTarget(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (!existsSync(path) || readdirSync(path).length === 0) return
  } catch (error) {
    throw new BrokerError('FOLDER_UNUSABLE', { path, reason: systemReason(error) }, { cause: error })
  }
  throw new BrokerError('FOLDER_NOT_EMPTY', { path })
}
