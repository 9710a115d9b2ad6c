/** The options of all commands that read the configuration. */
import { BrokerError } from '../base/errors.js'
import { keptSettingsFile, readKeptSettings } from '../config/kept-settings.js'
import type { ConfigReader } from '../config/live-config.js'
import { type ConfigSources, type LoadedConfig, loadConfig } from '../config/load.js'
import { CLIENT_ORIGIN, originText } from '../config/origin.js'
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'

export const CONFIG_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '-c, --config <file>',
    kind: 'text',
    doc: 'configuration file in YAML, JSON or TOML (otherwise MERLOT_CONFIG, otherwise merlot.yaml, .yml, .json or .toml here)',
  },
  {
    flags: '--host <address>',
    kind: 'text',
    doc: 'address to listen on; 0.0.0.0 or :: opens the broker to the network',
  },
  { flags: '--port <number>', kind: 'text', doc: 'port of the first tcp listener; 0 takes a free one' },
  { flags: '--ws-port <number>', kind: 'text', doc: 'port of the first ws listener (WebSocket); 0 takes a free one' },
  { flags: '--data <folder>', kind: 'text', doc: 'folder for everything kept on disk' },
  { flags: '--shards <number>', kind: 'text', doc: 'threads that own sessions, or auto' },
  {
    flags: '--project <project>',
    kind: 'text',
    doc: 'project to load: a folder, a zip file, the name of one that was added, or a Git address',
  },
  {
    flags: '--set <key=value>',
    kind: 'text',
    repeatable: true,
    doc: 'any key of the configuration, such as session.receiveMaximum=100 (repeatable)',
  },
]

/** @throws BrokerError as `loadConfig` does */
export function loadFromOptions(values: OptionValues, context: CommandContext): LoadedConfig {
  const read = configReader(values, context)
  const loaded = read(new Map())
  const { dataDirectory } = loaded.config
  const kept = readKeptSettings(dataDirectory)
  if (kept.size === 0) return loaded
  try {
    return read(kept)
  } catch (cause) {
    if (!(cause instanceof BrokerError) || !cause.message.includes(originText(CLIENT_ORIGIN))) throw cause
    const remedy = `what clients have set by Config/New is in ${keptSettingsFile(dataDirectory)}: take it out there, or remove the file`
    throw new BrokerError('CONFIG_INVALID', { problem: `${cause.message}\n${remedy}` }, { cause })
  }
}

/** Reads file, environment and flags as they are at the time of the call. */
export function configReader(values: OptionValues, context: CommandContext): ConfigReader {
  const sources: ConfigSources = {
    flags: {
      config: values.text('config'),
      host: values.text('host'),
      port: values.text('port'),
      wsPort: values.text('wsPort'),
      data: values.text('data'),
      shards: values.text('shards'),
      project: values.text('project'),
      set: values.texts('set'),
    },
    environment: context.environment,
    workingDirectory: context.workingDirectory,
  }
  return (kept) => loadConfig({ ...sources, kept })
}
