/** The configuration as clients of older Coreflux brokers read and write it: flat keys, one listener of each kind. */
import type { BrokerConfig, Listener } from './schema.js'

/** In place of a secret. A client that sends it back means the one that is there. */
export const MASK = '********'

/** A value for one of our keys, by printed key. */
export type Setting = readonly [key: string, value: unknown]

interface OldKey {
  readonly name: string
  /** As clients see it. */
  read(config: BrokerConfig): unknown
  /** What it means in our keys. @returns a text that says why it cannot be, to follow its name */
  write(value: unknown, config: BrokerConfig): readonly Setting[] | string
}

const OLD_KEYS: readonly OldKey[] = [
  { name: 'Name', read: ({ name }) => name, write: (value) => [['name', value]] },
  listenerKey('Port', 'tcp', 'port'),
  listenerKey('TlsPort', 'tls', 'port'),
  listenerKey('WebsocketPort', 'ws', 'port'),
  listenerKey('WebsocketPortTls', 'wss', 'port'),
  {
    name: 'FullDebugLog',
    read: ({ log }) => log.level === 'debug' || log.level === 'trace',
    write: (value) => (isBoolean(value) ? [['log.level', value ? 'debug' : 'info']] : 'must be true or false'),
  },
  {
    name: 'AnonymousLogin',
    read: ({ listeners }) => listeners.some(({ anonymous }) => anonymous !== 'deny'),
    write: (value, { listeners }) => {
      if (!isBoolean(value)) return 'must be true or false'
      // not "allow": who wants all of the network in says so by listener
      return listeners.map((_, place) => [`listeners.${place}.anonymous`, value ? 'local' : 'deny'])
    },
  },
  listenerKey('BindIPForMQTT', 'tcp', 'host'),
  listenerKey('BindIPForMQTTwithTls', 'tls', 'host'),
  listenerKey('BindIpForWebSockets', 'ws', 'host'),
  listenerKey('BindIpForWebSocketsTls', 'wss', 'host'),
  {
    name: 'CertificatePath',
    read: ({ listeners }) => firstTls(listeners)?.certFile ?? firstTls(listeners)?.pfxFile ?? '',
    write: (value, { listeners }) => {
      if (typeof value !== 'string' || value === '') return 'must be the path of a file'
      const key = /\.(pfx|p12)$/i.test(value) ? 'pfxFile' : 'certFile'
      const settings = listeners.flatMap(({ tls }, place): Setting[] =>
        tls === undefined ? [] : [[`listeners.${place}.tls.${key}`, value]],
      )
      return settings.length === 0 ? 'needs a listener of type tls or wss: add one to the configuration' : settings
    },
  },
  {
    name: 'NeedsRestart', // what we tell, and they send back
    read: () => undefined,
    write: () => [],
  },
  {
    name: 'CertificatePassword',
    read: ({ listeners }) => (firstTls(listeners)?.passphrase === undefined ? '' : MASK),
    write: () => 'cannot be set by clients, because it would be kept readable: set tls.passphrase in the configuration',
  },
]

/** All of them with their values. */
export function oldView(config: BrokerConfig): Readonly<Record<string, unknown>> {
  return Object.fromEntries(OLD_KEYS.map(({ name, read }) => [name, read(config)]))
}

/** @param value null takes it back @returns undefined for a name that is none of them; a text that says what is wrong */
export function translateOldKey(
  name: string,
  value: unknown,
  config: BrokerConfig,
): readonly Setting[] | string | undefined {
  const key = OLD_KEYS.find((known) => known.name.toLowerCase() === name.toLowerCase())
  if (key === undefined) return undefined
  const current = key.read(config)
  if (current === value) return [] // old clients send back all they have read
  const settings = key.write(value ?? current, config)
  if (value === null && typeof settings !== 'string') return settings.map(([printed]) => [printed, null])
  return typeof settings === 'string' ? `${key.name} ${settings}` : settings
}

export function oldKeyNames(): readonly string[] {
  return OLD_KEYS.map(({ name }) => name)
}

/** Of the first listener of a type; without one, 0 or nothing. */
function listenerKey(name: string, type: Listener['type'], key: 'port' | 'host'): OldKey {
  const none = key === 'port' ? 0 : ''
  return {
    name,
    read: ({ listeners }) => listeners.find((listener) => listener.type === type)?.[key] ?? none,
    write: (value, { listeners }) => {
      const place = listeners.findIndex((listener) => listener.type === type)
      if (place === -1) return `needs a listener of type ${type}: add one to the configuration`
      if (key === 'port' && value === 0) return 'is 0: take the listener out of the configuration instead'
      return [[`listeners.${place}.${key}`, value]]
    },
  }
}

function firstTls(listeners: readonly Listener[]): Listener['tls'] {
  return listeners.find(({ tls }) => tls !== undefined)?.tls
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}
