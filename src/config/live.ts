/**
 * Which values of the configuration change while the broker runs, and the change itself. Every thread has a
 * configuration of its own, whose sections are read where something is decided: they are written in place, so that whoever
 * holds a section sees its new values. Imports no schema: threads load this too.
 */
import { isDeepStrictEqual } from 'node:util'
import type { BrokerConfig, Listener } from './schema.js'

/**
 * By key or group of keys, where `*` is any entry of a list; the longest one that covers a key holds. What none covers
 * needs a restart: it was copied at the start, or was promised to clients that are connected.
 */
export const CHANGES_LIVE: Readonly<Record<string, boolean>> = {
  name: true,
  'listeners.*.anonymous': true,
  'listeners.*.anonymousUser': true,
  'listeners.*.certificateUser': true,
  'connection.connectSeconds': true,
  'connection.packetBytesMaxBeforeConnect': true,
  'connection.keepAliveSecondsMax': true,
  'connection.topicAliasOutboundMax': true,
  'connection.sendBufferBytesMax': true,
  'connection.connectionsMax': true,
  'connection.connectionsPerAddressMax': true,
  'connection.connectionsPerSecondMax': true,
  session: true,
  'session.receiveMaximum': false,
  'topic.bytesMax': true,
  'topic.levelsMax': true,
  retained: true,
  sharedSubscription: true,
  sys: true,
  responseInformation: true,
  'lot.mailboxMessagesMax': true,
  'lot.mailboxBytesMax': true,
  'lot.chainDepthMax': true,
  keep: true,
  commands: true,
  authentication: true,
  'authentication.rootPasswordFile': false,
  'rules.recheckOpenSubscriptions': true,
  'rules.governModelPublishes': true,
  limits: true,
  'log.level': true,
  'log.areas': true,
}

/** Sections that are replaced as a whole, for those who build something from all of it and look whether it is the same. */
const WHOLE: ReadonlySet<string> = new Set(['authentication.jwt'])

/** What differs from the configuration that is in force. Keys as they are printed: `session.inflightMax`. */
export interface ConfigDifference {
  /** They hold from now on. */
  readonly changed: readonly string[]
  /** They hold after the next start. */
  readonly needsRestart: readonly string[]
}

/** @param path of a value, with positions of entries of lists */
export function changesLive(path: readonly (string | number)[]): boolean {
  const steps = path.map((step) => (/^\d+$/.test(String(step)) ? '*' : String(step)))
  for (let length = steps.length; length > 0; length--) {
    const held = CHANGES_LIVE[steps.slice(0, length).join('.')]
    if (held !== undefined) return held
  }
  return false
}

/**
 * Takes over what can change now.
 * @param current mutated in place
 * @param next given away: parts of it become parts of `current`
 */
export function adoptConfig(current: BrokerConfig, next: BrokerConfig): ConfigDifference {
  const found = { changed: [] as string[], needsRestart: [] as string[] }
  const { listeners, ...rest } = next
  adoptSection(current as unknown as Section, rest, [], found)
  adoptListeners(current.listeners, listeners, found)
  return found
}

/** The same without taking anything over. */
export function configDifference(current: BrokerConfig, next: BrokerConfig): ConfigDifference {
  return adoptConfig(structuredClone(current), structuredClone(next))
}

type Section = Record<string, unknown>
interface Found {
  readonly changed: string[]
  readonly needsRestart: string[]
}

/** Keys that `next` does not have at the top are left alone: the listeners, which are looked at one by one. */
function adoptSection(current: Section, next: Section, path: readonly (string | number)[], found: Found): void {
  const names = path.length === 0 ? Object.keys(next) : [...new Set([...Object.keys(current), ...Object.keys(next)])]
  for (const name of names) {
    const [before, after] = [current[name], next[name]]
    const place = [...path, name]
    const isWhole = WHOLE.has(place.join('.'))
    if (!isWhole && isSection(before) && isSection(after)) adoptSection(before, after, place, found)
    else if (!isDeepStrictEqual(before, after)) {
      const isLive = changesLive(place)
      found[isLive ? 'changed' : 'needsRestart'].push(place.join('.'))
      if (isLive) current[name] = after
    }
  }
}

/** One that listens elsewhere now is another one: nothing of it may be taken for the one that runs. */
function adoptListeners(current: readonly Listener[], next: readonly Listener[], found: Found): void {
  for (const [place, listener] of current.entries()) {
    const other = next[place]
    if (other === undefined || !sameAddress(listener, other)) found.needsRestart.push(`listeners.${place}`)
    else adoptSection(listener as unknown as Section, { ...other }, ['listeners', place], found)
  }
  for (let place = current.length; place < next.length; place++) found.needsRestart.push(`listeners.${place}`)
}

function sameAddress(one: Listener, other: Listener): boolean {
  return one.type === other.type && one.host === other.host && one.port === other.port && one.path === other.path
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
