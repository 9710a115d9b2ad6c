/** Folders that only their owner may look into. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { BrokerError } from './errors.js'
import { systemReason } from './system-error.js'

/** Makes a folder and those above it, where they are missing. @throws BrokerError FOLDER_UNUSABLE */
export function makeFolder(path: string): void {
  try {
    makeLevels(path)
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
