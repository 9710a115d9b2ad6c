/** Where the key of this installation is kept. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type KeyPlace, readSecretKey } from '../base/secret-key.js'
import type { BrokerConfig } from './schema.js'

export function secretKeyPlace(
  { lot, dataDirectory }: Pick<BrokerConfig, 'lot' | 'dataDirectory'>,
  environment: Readonly<Record<string, string | undefined>>,
): KeyPlace {
  return {
    given: environment.MERLOT_SECRET_KEY,
    file: lot.keyFile === '' ? join(dataDirectory, 'secret.key') : lot.keyFile,
  }
}

/**
 * To be asked before a start makes a key and a store.
 * @returns what is lost, where there is a store of before and no key; undefined where all is well
 */
export function lostKeyWarning(place: KeyPlace, dataDirectory: string): string | undefined {
  if (!existsSync(join(dataDirectory, 'store', 'data.mdb')) || readSecretKey(place) !== undefined) return undefined
  return `${place.file} was not there: a new one is made; secrets, the copy of users and rules and the audit trail of before cannot be read or checked without the old one`
}
