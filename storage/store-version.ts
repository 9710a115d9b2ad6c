/** The version of the layout of a store, and how older ones become current. */
import { BrokerError } from '../src/base/errors.js'
import { type StoreEngine, type StoreReader, type StoreTransaction, TABLE } from './engine.js'

/** Changes a store of one version into one of the next; runs as one transaction. */
export type Migration = (transaction: StoreTransaction) => void

/** The first leads from version 1 to 2, and so on. */
export const MIGRATIONS: readonly Migration[] = []

const VERSION_KEY = new TextEncoder().encode('version')

/**
 * Brings a store to the current version; marks a new one with it.
 * @param path for messages
 * @returns the version it had; undefined for a new one
 * @throws BrokerError STORE_TOO_NEW, STORE_DAMAGED, STORE_FULL
 */
export function migrate(engine: StoreEngine, path: string, migrations = MIGRATIONS): number | undefined {
  const current = migrations.length + 1
  const found = versionOf(engine, path)
  if (found === undefined) {
    engine.commit((transaction) => putVersion(transaction, current))
    return undefined
  }
  if (found > current) throw new BrokerError('STORE_TOO_NEW', { path, version: found, known: current })
  for (let version = found; version < current; version++) {
    engine.commit((transaction) => {
      migrations[version - 1](transaction)
      putVersion(transaction, version + 1)
    })
  }
  return found
}

function putVersion(transaction: StoreTransaction, version: number): void {
  transaction.put(TABLE.meta, VERSION_KEY, new TextEncoder().encode(JSON.stringify(version)))
}

/**
 * @param path for messages
 * @returns undefined for a store without tables
 * @throws BrokerError STORE_DAMAGED
 */
export function versionOf(engine: StoreReader, path: string): number | undefined {
  const value = engine.get(TABLE.meta, VERSION_KEY)
  if (value === undefined && engine.tables.length === 0) return undefined
  const version = Number(new TextDecoder().decode(value))
  if (Number.isSafeInteger(version) && version >= 1) return version
  throw new BrokerError('STORE_DAMAGED', { path, reason: 'it does not say which version it has' })
}
