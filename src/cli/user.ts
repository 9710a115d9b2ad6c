/** `merlot user`: users of a running broker, by its commands. */
import { ADMINISTER_OPTIONS, administer } from './administer.js'
import type { CommandContext, CommandDefinition, OptionValues } from './command.js'
import { quoted } from './command-words.js'
import { ExitCode, wrongUsage } from './exit.js'
import { NEW_PASSWORD_OPTIONS, newPassword } from './new-password.js'

const FLAGS = ['SystemConfiguration', 'UserManagement', 'LogManagement'] as const
const GROUP_ACTIONS = ['add', 'remove', 'list'] as const
const NAME = { name: 'user', doc: 'name of the user' } as const
const GRANTED = { name: 'what', doc: `name of the user, and ${FLAGS.join(', ')}`, count: 'many' } as const

export const userAddCommand: CommandDefinition = {
  name: 'user add',
  summary: 'Add a user; its password is asked for',
  argument: NAME,
  ownsH: true,
  options: [...NEW_PASSWORD_OPTIONS, ...ADMINISTER_OPTIONS],
  examples: [
    'merlot user add bob',
    'merlot user add bob --new-password-file bob.txt',
    'pass show bob | merlot user add bob',
  ],
  run: (values, context) => sendWithPassword('-addUser', values, context),
}

export const userPasswordCommand: CommandDefinition = {
  name: 'user passwd',
  summary: 'Give a user another password, which is asked for',
  argument: NAME,
  ownsH: true,
  options: [...NEW_PASSWORD_OPTIONS, ...ADMINISTER_OPTIONS],
  examples: ['merlot user passwd root', 'merlot user passwd bob -h broker.local -u root'],
  run: (values, context) => sendWithPassword('-changeUserPassword', values, context),
}

export const userRemoveCommand: CommandDefinition = {
  name: 'user remove',
  summary: 'Remove a user; its sessions end',
  argument: NAME,
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot user remove bob'],
  run: (values, context) => administer(`-removeUser ${quoted(values.text('user') ?? '')}`, values, context),
}

export const userListCommand: CommandDefinition = {
  name: 'user list',
  summary: 'List all users with their groups and properties',
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot user list', 'merlot user list --json'],
  run: (values, context) => administer('-listUsers', values, context),
}

export const userGrantCommand: CommandDefinition = {
  name: 'user grant',
  summary: 'Allow a user to administer: everything but users, users, or logs',
  argument: GRANTED,
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot user grant bob SystemConfiguration', 'merlot user grant carol UserManagement LogManagement'],
  run: (values, context) => setFlags('true', values, context),
}

export const userRevokeCommand: CommandDefinition = {
  name: 'user revoke',
  summary: 'Take back what was granted',
  argument: GRANTED,
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot user revoke bob SystemConfiguration'],
  run: (values, context) => setFlags('false', values, context),
}

export const userGroupCommand: CommandDefinition = {
  name: 'user group',
  summary: 'Put a user into a group, take it out, or list its groups',
  argument: { name: 'what', doc: 'add USER GROUP, remove USER GROUP, or list USER', count: 'many' },
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot user group add bob "night shift"', 'merlot user group list bob'],
  run(values, context) {
    const [action, user, group, ...more] = values.texts('what')
    const known = GROUP_ACTIONS.find((one) => one === action)
    const isComplete = user !== undefined && (group !== undefined) === (known !== 'list')
    if (known === undefined || !isComplete || more.length > 0) {
      throw wrongUsage('expected add USER GROUP, remove USER GROUP or list USER')
    }
    if (known === 'list') return administer(`-listUserGroups ${quoted(user)}`, values, context)
    const command = known === 'add' ? '-addUserToGroup' : '-removeUserFromGroup'
    return administer(`${command} ${quoted(user)} ${quoted(group)}`, values, context)
  },
}

async function sendWithPassword(command: string, values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const user = values.text('user') ?? ''
  const password = await newPassword(values, user, context)
  return administer(`${command} ${quoted(user)} ${quoted(password, 'the password')}`, values, context)
}

/** One after the other, until one is refused. */
async function setFlags(value: 'true' | 'false', values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const [user, ...given] = values.texts('what')
  const flags = given.map((name) => FLAGS.find((flag) => flag.toLowerCase() === name.toLowerCase()))
  if (given.length === 0 || flags.includes(undefined)) {
    throw wrongUsage(`expected the name of a user, and one or more of ${FLAGS.join(', ')}`)
  }
  for (const flag of flags) {
    const exitCode = await administer(`-changeUserSettings ${quoted(user)} Allowed${flag} ${value}`, values, context)
    if (exitCode !== ExitCode.ok) return exitCode
  }
  return ExitCode.ok
}
