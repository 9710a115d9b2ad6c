/** The options of all commands that read the configuration. */
import { type LoadedConfig, loadConfig } from '../config/load.js'
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
  return loadConfig({
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
  })
}
