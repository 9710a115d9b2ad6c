/** Folders that only their owner may look into, and that keep what is put there. */
import { accessSync, closeSync, constants, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { BrokerError } from './errors.js'
import { systemCode, systemReason } from './system-error.js'

/** Where folders cannot be flushed, their entries need not be. */
const NO_FOLDER_SYNC = new Set(['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'EBADF', 'ENOTSUP'])

/** Makes a folder and those above it, where they are missing. @throws BrokerError FOLDER_UNUSABLE */
export function makeFolder(path: string): void {
  try {
    makeLevels(path)
  } catch (cause) {
    throw new BrokerError('FOLDER_UNUSABLE', { path, reason: systemReason(cause) }, { cause })
  }
}

/** Makes it, if it is missing, for files that come and go. @throws BrokerError FOLDER_UNUSABLE, also if none may be made there */
export function prepareFolder(path: string): void {
  makeFolder(path)
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new BrokerError('FOLDER_UNUSABLE', { path, reason: systemReason(cause) }, { cause })
  }
}

/** One level after the other: `mkdirSync` with `recursive` never returns where the parent refuses, as in /proc. */
function makeLevels(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeLevels(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

/** Which names there are in a folder is on disk when this returns. @throws Error of the system */
export function flushFolder(path: string): void {
  let folder: number | undefined
  try {
    folder = openSync(path, 'r')
    fsyncSync(folder)
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(systemCode(error) ?? '')) throw error
  } finally {
    if (folder !== undefined) closeSync(folder)
  }
}
