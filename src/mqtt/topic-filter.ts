/** Topic filters (§4.7) and shared subscriptions (§4.8.2): what may be subscribed to, and what it matches. */
import { BrokerError } from '../base/errors.js'
import { isTopicText } from './topic-name.js'

export const SHARE_PREFIX = '$share/'

export interface SharedFilter {
  /** The ShareName. */
  readonly group: string
  /** The topic filter that follows it. */
  readonly filter: string
}

/** Also true where the rest is wrong: what begins so is never an ordinary filter. */
export function isSharedFilter(filter: string): boolean {
  return filter.startsWith(SHARE_PREFIX)
}

/**
 * Takes a shared subscription's filter apart.
 * @returns `undefined` for filters of ordinary subscriptions, `$share` and `$shared/x` among them
 * @throws BrokerError TOPIC_FILTER_INVALID for a ShareName that is empty or has wildcards, or with no filter after it
 *   [MQTT-4.8.2-1], [MQTT-4.8.2-2]; the filter that follows is not judged here
 */
export function parseSharedFilter(filter: string): SharedFilter | undefined {
  if (!isSharedFilter(filter)) return undefined
  const problem = sharedProblem(filter)
  if (problem !== undefined) throw new BrokerError('TOPIC_FILTER_INVALID', { reason: problem })
  const slash = filter.indexOf('/', SHARE_PREFIX.length)
  return { group: filter.slice(SHARE_PREFIX.length, slash), filter: filter.slice(slash + 1) }
}

function sharedProblem(filter: string): string | undefined {
  const slash = filter.indexOf('/', SHARE_PREFIX.length)
  const group = filter.slice(SHARE_PREFIX.length, slash === -1 ? undefined : slash)
  if (group === '') return 'the share name is empty'
  if (group.includes('#') || group.includes('+')) return 'wildcard in the share name'
  if (slash === -1 || slash === filter.length - 1) return 'no topic filter after the share name'
  return undefined
}

/**
 * Judges a filter as it came in SUBSCRIBE, `$share/name/` included, for all versions of MQTT.
 * @returns what is wrong with it, in words for a log or reason string; `undefined` when nothing is. Linear time.
 */
export function filterProblem(filter: string): string | undefined {
  if (filter.length === 0) return 'it is empty' // [MQTT-4.7.3-1]
  if (!isTopicText(filter)) return 'it is not a UTF-8 string of at most 65535 bytes without U+0000'
  if (!isSharedFilter(filter)) return wildcardProblem(filter, 0)
  return sharedProblem(filter) ?? wildcardProblem(filter, filter.indexOf('/', SHARE_PREFIX.length) + 1)
}

/** @param start of the filter proper, behind a share name */
function wildcardProblem(filter: string, start: number): string | undefined {
  const last = filter.length - 1
  for (let index = start; index <= last; index++) {
    const char = filter[index]
    if (char !== '#' && char !== '+') continue
    const beginsLevel = index === start || filter[index - 1] === '/'
    if (char === '#') {
      if (!beginsLevel || index !== last) return '# is not the last level' // [MQTT-4.7.1-1]
    } else if (!beginsLevel || (index !== last && filter[index + 1] !== '/')) {
      return '+ is not a whole level' // [MQTT-4.7.1-2]
    }
  }
  return undefined
}

/**
 * Whether a valid filter (without `$share/name/`) matches a topic name, character by character [MQTT-4.7.3-4]. The plain
 * reference that trees and caches are tested against; linear time, no recursion.
 */
export function filterMatches(filter: string, topic: string): boolean {
  // wildcards at the beginning do not reach `$` topics [MQTT-4.7.2-1]
  if (topic[0] === '$' && (filter[0] === '#' || filter[0] === '+')) return false
  let f = 0
  let t = 0
  while (f < filter.length) {
    if (filter[f] === '#') return true
    if (filter[f] === '+') {
      t = levelEnd(topic, t)
      f += 1
    } else {
      const end = levelEnd(filter, f)
      if (levelEnd(topic, t) - t !== end - f || !topic.startsWith(filter.slice(f, end), t)) return false
      t += end - f
      f = end
    }
    const filterEnds = f === filter.length
    if (t === topic.length) return filterEnds || isParentOfAll(filter, f)
    if (filterEnds) return false
    f += 1
    t += 1
  }
  return t === topic.length
}

function levelEnd(text: string, start: number): number {
  const slash = text.indexOf('/', start)
  return slash === -1 ? text.length : slash
}

/** `a/#` matches `a` too (§4.7.1.2). */
function isParentOfAll(filter: string, separator: number): boolean {
  return separator + 2 === filter.length && filter[separator + 1] === '#'
}
