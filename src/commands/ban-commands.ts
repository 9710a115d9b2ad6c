/** `-ban`, `-unban` and `-listBans`. */

import { isLocalAddress, parseAddressRange, rangeText } from '../base/address.js'
import { counted } from '../base/counted.js'
import { BAN_KINDS, BAN_NAME_BYTES_MAX, type BanRef } from '../contracts/bans.js'
import { ROOT } from '../security/user-name.js'
import { banView } from './ban-keeper.js'
import type { Command, CommandServices } from './command.js'
import { firstWord, wordsOf } from './command-line.js'
import { failure, type Reply, success } from './envelope.js'

const USAGE = 'Expected address, client or user, and which one: -ban address 192.0.2.7 3600 "password guessing"'
const SECONDS_MAX = 3_153_600_000
const REASON_BYTES_MAX = 1_024
const NO_REASON = 'by command'

export const BAN_COMMANDS: readonly Command[] = [
  { name: 'Ban', scope: 'SystemConfiguration', answer: ({ rest }, services) => ban(rest, services) },
  { name: 'Unban', scope: 'SystemConfiguration', answer: ({ rest }, services) => unban(rest, services) },
  {
    name: 'ListBans',
    scope: 'SystemConfiguration',
    answer(_line, { bans }) {
      const { count, bans: latest } = bans.list()
      const more = count > latest.length ? `, of which these are the latest ${latest.length}` : ''
      return success(count === 0 ? 'No bans.' : `${counted(count, 'ban')}${more}.`, { data: latest.map(banView) })
    },
  },
]

async function ban(rest: string, { bans, clock, config }: CommandServices): Promise<Reply> {
  const ref = refOf(rest)
  if (typeof ref === 'string') return failure(ref)
  const { kind, what } = ref
  if (kind === 'user' && what === ROOT) return failure('root cannot be banned')
  if (kind === 'address' && isLocalAddress(what.replace(/\/.*$/, '')) && !config.limits.ban.local) {
    return failure(`${what} is this machine, whose addresses are banned only where limits.ban.local is true`)
  }
  const [, , third, ...others] = wordsOf(rest)
  const seconds = /^\d+$/.test(third ?? '') ? Number(third) : 0
  if (seconds > SECONDS_MAX) return failure(`At most ${SECONDS_MAX} seconds; leave them out for a ban without end`)
  const words = seconds > 0 || third === '0' ? others : [third, ...others].filter((word) => word !== undefined)
  const reason = words.join(' ') || NO_REASON
  if (Buffer.byteLength(reason) > REASON_BYTES_MAX) {
    return failure(`The reason has more than ${REASON_BYTES_MAX} bytes`)
  }
  const sinceMs = clock.now()
  const untilMs = seconds === 0 ? undefined : sinceMs + seconds * 1_000
  const problem = await bans.ban({ kind, what, reason, sinceMs, untilMs, isManual: true })
  if (problem !== undefined) return failure(problem)
  const time = seconds === 0 ? 'until the ban is lifted' : `for ${seconds} s`
  return success(`${TITLES[kind]} '${what}' banned successfully, ${time}.`)
}

async function unban(rest: string, { bans }: CommandServices): Promise<Reply> {
  const ref = refOf(rest)
  if (typeof ref === 'string') return failure(ref)
  const title = `${TITLES[ref.kind]} '${ref.what}'`
  return (await bans.unban(ref)) ? success(`${title} unbanned successfully.`) : failure(`${title} is not banned`)
}

const TITLES = { address: 'Address', client: 'Client', user: 'User' } as const

/** @returns what is wrong, as text */
function refOf(rest: string): BanRef | string {
  const [first, after] = firstWord(rest)
  const kind = BAN_KINDS.find((name) => name === first?.toLowerCase())
  const [what] = wordsOf(after)
  if (kind === undefined || what === undefined || what === '') return USAGE
  if (Buffer.byteLength(what) > BAN_NAME_BYTES_MAX) return `The name has more than ${BAN_NAME_BYTES_MAX} bytes`
  if (kind !== 'address') return { kind, what }
  const range = parseAddressRange(what)
  if (range === undefined) return `${what} is neither an IP address nor a network such as 192.0.2.0/24`
  return { kind, what: rangeText(range) }
}
