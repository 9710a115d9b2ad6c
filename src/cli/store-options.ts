/** Which store the commands of `merlot store` work with: that of the data folder of the configuration. */
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'
import { CONFIG_OPTIONS, loadFromOptions } from './config-options.js'

export const STORE_OPTIONS: readonly OptionDefinition[] = CONFIG_OPTIONS.filter(
  ({ flags }) => flags.startsWith('--data') || flags.startsWith('-c,'),
)

export interface StoreSettings {
  readonly dataDirectory: string
  readonly bytesMax: number
}

/** @throws BrokerError as `loadConfig` does */
export function storeSettings(values: OptionValues, context: CommandContext): StoreSettings {
  const { dataDirectory, storage } = loadFromOptions(values, context).config
  return { dataDirectory, bytesMax: storage.bytesMax }
}

/** `1234 bytes`, `12.3 MB` */
export function bytesText(bytes: number): string {
  if (bytes < 10_000) return `${bytes} bytes`
  if (bytes < 10_000_000) return `${(bytes / 1_000).toFixed(1)} kB`
  return bytes < 10_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`
}
