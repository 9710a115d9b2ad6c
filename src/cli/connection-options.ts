/** The options with which `pub` and `sub` find a broker and present themselves, and what they come to. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import type { ProtocolVersion, Qos } from '../mqtt/packets.js'
import { isValidTopicName } from '../mqtt/topic-name.js'
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'
import { type CommandError, wrongUsage } from './exit.js'
import { type Target, targetOf } from './target.js'

const SECONDS_MAX = 4_294_967_295

export const CONNECTION_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--url <url>',
    kind: 'text',
    doc: 'broker: mqtt://, mqtts://, ws://, wss://HOST[:PORT][/PATH] or unix:/FILE',
  },
  { flags: '-h, --host <name>', kind: 'text', doc: 'host of the broker (otherwise 127.0.0.1)' },
  {
    flags: '-p, --port <number>',
    kind: 'integer',
    min: 1,
    max: 65_535,
    doc: 'port (otherwise 1883, with --tls 8883, with --ws 5000)',
  },
  { flags: '--ws', kind: 'flag', doc: 'connect by WebSocket' },
  { flags: '--path <path>', kind: 'text', doc: 'URL path of the WebSocket (otherwise /mqtt)' },
  { flags: '--unix <file>', kind: 'text', doc: 'connect to a Unix socket' },
  { flags: '--tls', kind: 'flag', doc: 'connect by TLS; follows from the next four options' },
  { flags: '--ca <file>', kind: 'text', doc: 'PEM file with the authorities to trust, instead of those of Node.js' },
  { flags: '--cert <file>', kind: 'text', doc: 'PEM file with the certificate of this client' },
  { flags: '--key <file>', kind: 'text', doc: 'PEM file with its private key' },
  { flags: '--insecure', kind: 'flag', doc: 'accept any certificate of the broker (for tests)' },
  { flags: '-i, --client-id <text>', kind: 'text', doc: 'client identifier (otherwise a random one)' },
  { flags: '-u, --username <text>', kind: 'text', doc: 'user name' },
  {
    flags: '-P, --password <text>',
    kind: 'text',
    doc: 'password; others on this machine may see it: prefer the next one or MERLOT_PASSWORD',
  },
  { flags: '--password-file <file>', kind: 'text', doc: 'file with the password in its first line' },
  { flags: '--protocol <version>', kind: 'choice', choices: ['3.1', '3.1.1', '5'], doc: 'MQTT version (otherwise 5)' },
  { flags: '--clean', kind: 'flag', doc: 'begin without a session of before (the default)' },
  { flags: '--no-clean', kind: 'flag', doc: 'go on with the session of this client identifier' },
  {
    flags: '--session-expiry <seconds>',
    kind: 'integer',
    min: 0,
    max: SECONDS_MAX,
    doc: 'keep the session so long after the connection (MQTT 5)',
  },
  {
    flags: '--keep-alive <seconds>',
    kind: 'integer',
    min: 0,
    max: 65_535,
    doc: 'keep alive (otherwise 60; 0 switches it off)',
  },
  { flags: '--will-topic <topic>', kind: 'text', doc: 'topic of a will: published when this connection is lost' },
  { flags: '--will-message <text>', kind: 'text', doc: 'payload of the will' },
  { flags: '--will-qos <qos>', kind: 'integer', min: 0, max: 2, doc: 'QoS of the will' },
  { flags: '--will-retain', kind: 'flag', doc: 'retain the will' },
  {
    flags: '--will-delay <seconds>',
    kind: 'integer',
    min: 0,
    max: SECONDS_MAX,
    doc: 'wait so long before the will is published (MQTT 5)',
  },
]

/** Any of them says that a broker is to be connected to. */
const TARGET_OPTIONS = ['url', 'host', 'port', 'ws', 'path', 'unix', 'tls', 'ca', 'cert', 'key', 'insecure']

/** For commands that connect to a broker only if the user names one. */
export function namesBroker(values: OptionValues): boolean {
  return TARGET_OPTIONS.some((name) => values.has(name))
}

export interface WillSettings {
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly retain: boolean
  readonly delaySeconds: number | undefined
}

/** Everything about the connection, checked. */
export interface ConnectionSettings {
  readonly target: Target
  readonly version: ProtocolVersion
  readonly clientId: string
  readonly userName: string | undefined
  readonly password: string | undefined
  readonly clean: boolean
  readonly sessionExpirySeconds: number | undefined
  readonly keepAliveSeconds: number
  readonly will: WillSettings | undefined
  /** What to do where this client is not allowed something; undefined for the advice to everybody. */
  readonly deniedRemedy?: string
}

/** @throws CommandError for options that contradict one another, BrokerError FILE_UNREADABLE */
export function connectionSettings(values: OptionValues, context: CommandContext): ConnectionSettings {
  const target = targetOf(values, context)
  const version = versionOf(values.text('protocol'))
  requireMqtt5(values, version, ['sessionExpiry', 'willDelay'])
  const clean = !values.isOff('clean')
  if (!clean && !values.has('clientId')) {
    throw wrongUsage('--no-clean needs a client identifier', 'name the session with --client-id')
  }
  const userName = values.text('username') ?? target.userName
  const password = passwordOf(values, context) ?? target.password
  if (password !== undefined && userName === undefined && version !== 5) {
    throw wrongUsage(`MQTT ${values.text('protocol')} has no password without a user name`, 'add --username')
  }
  return {
    target,
    version,
    clientId: values.text('clientId') ?? `merlot-${randomBytes(6).toString('hex')}`,
    userName,
    password: password ?? (userName === undefined ? undefined : context.environment.MERLOT_PASSWORD || undefined),
    clean,
    sessionExpirySeconds: values.integer('sessionExpiry'),
    keepAliveSeconds: values.integer('keepAlive') ?? 60,
    will: willOf(values),
  }
}

/** @throws CommandError when one of the options is given with an older version */
export function requireMqtt5(values: OptionValues, version: ProtocolVersion, names: readonly string[]): void {
  const given = names.find((name) => values.has(name))
  if (version === 5 || given === undefined) return
  const option = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw wrongUsage(`--${option} is a feature of MQTT 5`, 'leave it out, or use --protocol 5')
}

/** The broker would only close the connection, and before QoS 1 nobody would see it. */
export function notATopic(text: string): CommandError {
  return wrongUsage(`"${text}" is not a topic to publish to`, 'it must not be empty, and + and # are for subscribers')
}

export function qosOf(value: number | undefined): Qos {
  return value === 1 || value === 2 ? value : 0
}

/** @throws BrokerError FILE_UNREADABLE */
export function readNamedFile(name: string, context: CommandContext): Buffer {
  try {
    return readFileSync(resolve(context.workingDirectory, name))
  } catch (error) {
    throw new BrokerError('FILE_UNREADABLE', { path: name, reason: systemReason(error) }, { cause: error })
  }
}

function versionOf(text: string | undefined): ProtocolVersion {
  return text === '3.1' ? 3 : text === '3.1.1' ? 4 : 5
}

function passwordOf(values: OptionValues, context: CommandContext): string | undefined {
  const file = values.text('passwordFile')
  if (file === undefined) return values.text('password')
  if (values.has('password')) throw wrongUsage('--password and --password-file are both given', 'keep one of the two')
  return firstLine(readNamedFile(file, context).toString('utf8'))
}

/** Of a file or input with a password: editors end it with a line break. */
export function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0]
}

function willOf(values: OptionValues): WillSettings | undefined {
  const topic = values.text('willTopic')
  if (topic === undefined) {
    const names = ['willMessage', 'willQos', 'willRetain', 'willDelay']
    if (names.some((name) => values.has(name))) throw wrongUsage('a will needs a topic', 'add --will-topic')
    return undefined
  }
  if (!isValidTopicName(topic)) throw notATopic(topic)
  return {
    topic,
    payload: values.text('willMessage') ?? '',
    qos: qosOf(values.integer('willQos')),
    retain: values.flag('willRetain'),
    delaySeconds: values.integer('willDelay'),
  }
}
