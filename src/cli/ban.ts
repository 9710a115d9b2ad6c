/** `merlot ban`: keeps addresses, clients and users out of a running broker, by its commands. */
import { isAddressRange } from '../base/address.js'
import { ADMINISTER_OPTIONS, administer } from './administer.js'
import type { CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { quoted } from './command-words.js'
import { wrongUsage } from './exit.js'

const KINDS = ['address', 'client', 'user'] as const
const SECONDS_MAX = 3_153_600_000
const WHAT = 'address, client or user, and which one'

const OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--seconds <number>',
    kind: 'integer',
    min: 1,
    max: SECONDS_MAX,
    doc: 'how long (otherwise until it is lifted)',
  },
  { flags: '--reason <text>', kind: 'text', doc: 'why; clients of MQTT 5 are told' },
]

export const banAddCommand: CommandDefinition = {
  name: 'ban add',
  summary: 'Ban an address, a network, a client identifier or a user',
  argument: { name: 'what', doc: WHAT, count: 'many' },
  ownsH: true,
  options: [...OPTIONS, ...ADMINISTER_OPTIONS],
  examples: [
    'merlot ban add address 192.0.2.7 --seconds 3600 --reason "password guessing"',
    'merlot ban add address 2001:db8::/32',
    'merlot ban add user guest',
  ],
  run(values, context) {
    const seconds = values.integer('seconds') ?? 0
    const reason = values.text('reason')
    return administer(
      `-ban ${namedIn(values)} ${seconds}${reason === undefined ? '' : ` ${quoted(reason)}`}`,
      values,
      context,
    )
  },
}

export const banRemoveCommand: CommandDefinition = {
  name: 'ban remove',
  summary: 'Lift a ban, also one that the broker has found by itself',
  argument: { name: 'what', doc: WHAT, count: 'many' },
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot ban remove address 192.0.2.7'],
  run: (values, context) => administer(`-unban ${namedIn(values)}`, values, context),
}

export const banListCommand: CommandDefinition = {
  name: 'ban list',
  summary: 'List bans, the latest first',
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot ban list', 'merlot ban list --json'],
  run: (values, context) => administer('-listBans', values, context),
}

/** As the command of the broker wants it. @throws CommandError for anything else */
function namedIn(values: OptionValues): string {
  const [first, what, ...more] = values.texts('what')
  const kind = KINDS.find((name) => name === first)
  if (kind === undefined || what === undefined || what === '' || more.length > 0) {
    throw wrongUsage(`expected ${WHAT}`, 'for example: merlot ban add address 192.0.2.7')
  }
  if (kind === 'address' && !isAddressRange(what)) {
    throw wrongUsage(`${what} is neither an IP address nor a network`, 'networks are written as 192.0.2.0/24')
  }
  return `${kind} ${quoted(what)}`
}
