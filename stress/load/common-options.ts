/** Options that load and soak share: which broker, and how to read what the user typed. */
import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { messageOf } from '../../src/base/errors.js'
import type { LoadVersion } from './identity.js'
import { parseTarget, type Target } from './target.js'

export interface BrokerOptions {
  /** undefined: start a broker of ours. */
  readonly target: Target | undefined
  /** The process whose CPU and memory are measured, for a broker that is not started here. */
  readonly pid: number | undefined
  /** Settings for a broker that is started here. */
  readonly brokerSettings: readonly string[]
  readonly version: LoadVersion
  readonly seed: number
}

interface Raw {
  readonly url?: string
  readonly username?: string
  readonly password?: string
  readonly ca?: string
  readonly insecure?: boolean
  readonly pid?: number
  readonly set: readonly string[]
  readonly protocol: LoadVersion
  readonly seed?: number
}

export function addBrokerOptions(command: Command): Command {
  return command
    .option('--url <url>', 'broker: mqtt://HOST:PORT, mqtts://, ws:// or wss://; without it one is started')
    .option('--username <name>', 'user name')
    .option('--password <text>', 'password')
    .option('--ca <file>', 'PEM file of the authority that signed the certificate of the broker')
    .option('--insecure', 'accept any certificate')
    .option('--pid <number>', 'process of the broker, to measure its CPU and memory (Linux)', integer(1))
    .option('--set <key=value>', 'setting of the broker that is started here; may be repeated', collect, [])
    .option('--protocol <version>', 'MQTT version: 3.1.1 or 5', protocol, 4 as LoadVersion)
    .option('--seed <number>', 'repeats the random choices of an earlier run', integer(0))
}

/** @throws RangeError for a URL that makes no sense, Error for a file that cannot be read */
export function brokerOptions(command: Command): BrokerOptions {
  const raw = command.opts<Raw>()
  if (raw.url === undefined && raw.pid !== undefined)
    throw new RangeError('--pid needs --url: it is for a broker of yours')
  if (raw.url !== undefined && raw.set.length > 0)
    throw new RangeError('--set is for the broker that is started here: leave out --url')
  const { username: userName, password, insecure } = raw
  const ca = raw.ca === undefined ? undefined : readText(raw.ca)
  return {
    target: raw.url === undefined ? undefined : parseTarget(raw.url, { userName, password, ca, insecure }),
    pid: raw.pid,
    brokerSettings: raw.set,
    version: raw.protocol,
    seed: raw.seed ?? Math.floor(Math.random() * 2 ** 31),
  }
}

/** A parser for commander. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number ${range}.`)
    }
    return value
  }
}

/** A parser for commander. */
export function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

function protocol(text: string): LoadVersion {
  if (text === '3.1.1' || text === '4') return 4
  if (text === '5' || text === '5.0') return 5
  throw new InvalidArgumentError('It must be 3.1.1 or 5.')
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value]
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${path}: ${messageOf(error)}`)
  }
}
