/** `merlot user`: users of a running broker, by its commands. */
import { randomBytes } from 'node:crypto'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { ANSWER_OPTIONS, printAnswer, sendCommand } from './command-exchange.js'
import { quoted } from './command-words.js'
import { CONNECTION_OPTIONS } from './connection-options.js'
import { ExitCode, wrongUsage } from './exit.js'
import { NEW_PASSWORD_OPTIONS, newPassword } from './new-password.js'
import { OWNER_OPTIONS, ownerSettings } from './owner-access.js'

const OPTIONS: readonly OptionDefinition[] = [...ANSWER_OPTIONS, ...OWNER_OPTIONS, ...CONNECTION_OPTIONS]
const FLAGS = ['SystemConfiguration', 'UserManagement', 'LogManagement'] as const
const GROUP_ACTIONS = ['add', 'remove', 'list'] as const
const NAME = { name: 'user', doc: 'name of the user' } as const
const GRANTED = { name: 'what', doc: `name of the user, and ${FLAGS.join(', ')}`, count: 'many' } as const

export const userAddCommand: CommandDefinition = {
  name: 'user add',
  summary: 'Add a user; its password is asked for',
  argument: NAME,
  ownsH: true,
  options: [...NEW_PASSWORD_OPTIONS, ...OPTIONS],
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
  options: [...NEW_PASSWORD_OPTIONS, ...OPTIONS],
  examples: ['merlot user passwd root', 'merlot user passwd bob -h broker.local -u root'],
  run: (values, context) => sendWithPassword('-changeUserPassword', values, context),
}

export const userRemoveCommand: CommandDefinition = {
  name: 'user remove',
  summary: 'Remove a user; its sessions end',
  argument: NAME,
  ownsH: true,
  options: OPTIONS,
  examples: ['merlot user remove bob'],
  run: (values, context) => send(`-removeUser ${quoted(values.text('user') ?? '')}`, values, context),
}

export const userListCommand: CommandDefinition = {
  name: 'user list',
  summary: 'List all users with their groups and properties',
  ownsH: true,
  options: OPTIONS,
  examples: ['merlot user list', 'merlot user list --json'],
  run: (values, context) => send('-listUsers', values, context),
}

export const userGrantCommand: CommandDefinition = {
  name: 'user grant',
  summary: 'Allow a user to administer: everything but users, users, or logs',
  argument: GRANTED,
  ownsH: true,
  options: OPTIONS,
  examples: ['merlot user grant bob SystemConfiguration', 'merlot user grant carol UserManagement LogManagement'],
  run: (values, context) => setFlags('true', values, context),
}

export const userRevokeCommand: CommandDefinition = {
  name: 'user revoke',
  summary: 'Take back what was granted',
  argument: GRANTED,
  ownsH: true,
  options: OPTIONS,
  examples: ['merlot user revoke bob SystemConfiguration'],
  run: (values, context) => setFlags('false', values, context),
}

export const userGroupCommand: CommandDefinition = {
  name: 'user group',
  summary: 'Put a user into a group, take it out, or list its groups',
  argument: { name: 'what', doc: 'add USER GROUP, remove USER GROUP, or list USER', count: 'many' },
  ownsH: true,
  options: OPTIONS,
  examples: ['merlot user group add bob "night shift"', 'merlot user group list bob'],
  run(values, context) {
    const [action, user, group, ...more] = values.texts('what')
    const known = GROUP_ACTIONS.find((one) => one === action)
    const isComplete = user !== undefined && (group !== undefined) === (known !== 'list')
    if (known === undefined || !isComplete || more.length > 0) {
      throw wrongUsage('expected add USER GROUP, remove USER GROUP or list USER')
    }
    if (known === 'list') return send(`-listUserGroups ${quoted(user)}`, values, context)
    const command = known === 'add' ? '-addUserToGroup' : '-removeUserFromGroup'
    return send(`${command} ${quoted(user)} ${quoted(group)}`, values, context)
  },
}

async function sendWithPassword(command: string, values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const user = values.text('user') ?? ''
  const password = await newPassword(values, user, context)
  return send(`${command} ${quoted(user)} ${quoted(password, 'the password')}`, values, context)
}

/** One after the other, until one is refused. */
async function setFlags(value: 'true' | 'false', values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const [user, ...given] = values.texts('what')
  const flags = given.map((name) => FLAGS.find((flag) => flag.toLowerCase() === name.toLowerCase()))
  if (given.length === 0 || flags.includes(undefined)) {
    throw wrongUsage(`expected the name of a user, and one or more of ${FLAGS.join(', ')}`)
  }
  for (const flag of flags) {
    const exitCode = await send(`-changeUserSettings ${quoted(user)} Allowed${flag} ${value}`, values, context)
    if (exitCode !== ExitCode.ok) return exitCode
  }
  return ExitCode.ok
}

async function send(text: string, values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const settings = ownerSettings(values, context)
  // with an identifier of its own: the last word may be a password that looks like one
  const request = `${text} -requestId ${randomBytes(6).toString('hex')}`
  const answer = await sendCommand(request, settings, context, values.integer('timeout'))
  return answer === undefined ? ExitCode.ok : printAnswer(answer, values.flag('json'), context)
}
