/**
 * What clients have set by `$SYS/Coreflux/Config/New`: kept beside the store and not in it, because it is needed before
 * the store is opened, and must not go when a damaged store is moved aside. The file is read at each start, and whoever
 * stopped the broker may edit or remove it.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { replaceFileSync } from '../base/replace-file.js'
import { systemCode, systemReason } from '../base/system-error.js'
import { type ConfigFile, readConfigFile } from './file.js'

/** Values by printed key: `session.inflightMax`, `listeners.0.port`. Of two for one place, the later one holds. */
export type KeptSettings = ReadonlyMap<string, unknown>

const FILE_NAME = 'config-new.json'

export function keptSettingsFile(dataDirectory: string): string {
  return join(dataDirectory, FILE_NAME)
}

/**
 * Nothing where there is no file.
 * @throws BrokerError FILE_UNREADABLE, or CONFIG_INVALID when it is not what a broker writes
 */
export function readKeptSettings(dataDirectory: string): KeptSettings {
  const path = keptSettingsFile(dataDirectory)
  let file: ConfigFile
  try {
    file = readConfigFile(path, dataDirectory)
  } catch (error) {
    if (error instanceof BrokerError && isMissing(error.cause)) return new Map()
    if (error instanceof BrokerError && error.code === 'CONFIG_INVALID') throw damaged(error.message)
    throw error
  }
  const { value } = file
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value))
  throw damaged(`${path} must hold a JSON object of keys and values`)
}

function damaged(problem: string): BrokerError {
  return new BrokerError('CONFIG_INVALID', {
    problem: `${problem}\nmend it, or delete it to take back what clients have set`,
  })
}

/**
 * In place of what was kept, at once or not at all; flushed when this returns.
 * @throws BrokerError FOLDER_UNUSABLE: nothing has changed then
 */
export function writeKeptSettings(dataDirectory: string, kept: KeptSettings): void {
  const path = keptSettingsFile(dataDirectory)
  try {
    if (kept.size === 0) rmSync(path, { force: true })
    else replaceFileSync(path, `${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`)
  } catch (cause) {
    throw new BrokerError('FOLDER_UNUSABLE', { path: dataDirectory, reason: systemReason(cause) }, { cause })
  }
}

/** Also where the data folder is no folder, which others say better. */
function isMissing(cause: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemCode(cause) ?? '')
}
