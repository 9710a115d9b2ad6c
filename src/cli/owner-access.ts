/**
 * How the owner of a data folder reaches the broker that runs on it: as `root` and without a password, by the token that
 * the broker leaves there for as long as it runs.
 */
import { BrokerError } from '../base/errors.js'
import { loadConfig } from '../config/load.js'
import { type ControlAccess, readControlFile } from '../security/control-file.js'
import { type CommandContext, type OptionDefinition, OptionValues } from './command.js'
import { type ConnectionSettings, connectionSettings, namesBroker } from './connection-options.js'
import { CommandError, wrongUsage } from './exit.js'
import { type Target, targetOf } from './target.js'

export const OWNER_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--data <folder>',
    kind: 'text',
    doc: 'data folder of the broker: its owner is root on this machine, without a password',
  },
  { flags: '--config <file>', kind: 'text', doc: 'configuration file that names the data folder' },
]

const NAME_REMEDY =
  'name the data folder of the broker with --data (its start prints it), or a user that may with --username'
const OTHER_USER_REMEDY =
  'give a user that may with --username, or the data folder of the broker with --data if it is yours'

/** For commands that are not always about administration. */
export const ADMIN_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--admin', kind: 'flag', doc: 'connect as root to the broker of the data folder, as its owner' },
  ...OWNER_OPTIONS,
]

/** @throws CommandError, BrokerError as `connectionSettings` does */
export function adminSettings(values: OptionValues, context: CommandContext): ConnectionSettings {
  return values.flag('admin') ? ownerSettings(values, context) : connectionSettings(values, context)
}

/**
 * Somebody who names a user, a password or a certificate connects with that. Another broker than that of the data folder
 * never sees the token, unless `--data` says that it is the one.
 * @throws CommandError, BrokerError as `connectionSettings` does; CommandError if no broker runs on the folder of `--data`
 */
export function ownerSettings(values: OptionValues, context: CommandContext): ConnectionSettings {
  const settings = connectionSettings(values, context)
  if (settings.userName !== undefined || settings.password !== undefined || values.has('cert')) {
    return { ...settings, deniedRemedy: OTHER_USER_REMEDY }
  }
  const isNamed = values.has('data') || values.has('config') || values.flag('admin')
  const found = isNamed ? namedAccess(values, context) : triedAccess(values, context)
  if (typeof found === 'string') {
    return { ...settings, deniedRemedy: `${found}, so you are nobody here: ${NAME_REMEDY}` }
  }
  const own = targetOfAccess(found, context)
  const target = namesBroker(values) ? settings.target : own
  if (!values.has('data') && target.url !== own.url) {
    const deniedRemedy = `${own.url} is the broker of your data folder, and here you are nobody: ${NAME_REMEDY}`
    if (!values.flag('admin')) return { ...settings, deniedRemedy }
    throw wrongUsage(`--admin is for the broker at ${own.url}`, 'name a user with --username for another one')
  }
  return { ...settings, target, userName: found.user, password: found.password }
}

/** @throws CommandError if there is none */
function namedAccess(values: OptionValues, context: CommandContext): ControlAccess {
  const found = accessIn(values, context)
  if (typeof found !== 'string') return found
  throw new CommandError(found, 'start it, or name a broker with --host and a user with --username')
}

/** Nobody has asked for it: what stands in the way is told only where the broker denies something. @returns it, as text */
function triedAccess(values: OptionValues, context: CommandContext): ControlAccess | string {
  try {
    return accessIn(values, context)
  } catch (error) {
    if (error instanceof BrokerError) return error.message
    throw error
  }
}

/** @returns why there is none, as text @throws BrokerError where configuration or file cannot be read */
function accessIn(values: OptionValues, { environment, workingDirectory }: CommandContext): ControlAccess | string {
  const flags = { config: values.text('config'), data: values.text('data') } // the others are of the connection
  const { dataDirectory } = loadConfig({ flags, environment, workingDirectory }).config
  return readControlFile(dataDirectory) ?? `no broker runs on the data folder ${dataDirectory}`
}

/** On this machine, a certificate is made for other names than 127.0.0.1, and the token is worth nothing elsewhere. */
function targetOfAccess({ url }: ControlAccess, context: CommandContext): Target {
  const insecure = url.startsWith('mqtts:') || url.startsWith('wss:') ? true : undefined
  return targetOf(new OptionValues({ url, insecure }), context)
}
