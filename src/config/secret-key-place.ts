/** Where the key of this installation is kept. */
import { join } from 'node:path'
import type { KeyPlace } from '../base/secret-key.js'
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
