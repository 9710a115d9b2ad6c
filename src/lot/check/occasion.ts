/** What a trigger gives to the statements of its action. */
import { unreachable } from '../../base/errors.js'
import type { SessionWord, Trigger } from '../tree.js'
import { levelsOf } from './topics.js'

export interface Occasion {
  /** For messages: `ON EVERY`. */
  readonly name: string
  readonly givesPayload: boolean
  /** Levels that the topic has at most; 0 where there is no topic. */
  readonly levelsMax: number
  /** How many `+` of a topic can be filled in; undefined where the caller decides. */
  readonly captures: number | undefined
  readonly words: ReadonlySet<SessionWord>
}

const SESSION: readonly SessionWord[] = ['CLIENTID', 'USER', 'ENDPOINT']
const EVERY_WORD: readonly SessionWord[] = [
  ...SESSION,
  'CLEANSESSION',
  'DISCONNECTREASON',
  'SUBSCRIBETOPIC',
  'SUBSCRIBEQOS',
]

/** Of something that runs as a part of something else, which may have anything to give. */
export const ANY_OCCASION: Occasion = {
  name: 'a call',
  givesPayload: true,
  levelsMax: Infinity,
  captures: undefined,
  words: new Set(EVERY_WORD),
}

/** @param trigger undefined for an action that is called, by one that has a trigger or from outside */
export function occasionOf(trigger: Trigger | undefined): Occasion {
  if (trigger === undefined) return ANY_OCCASION
  switch (trigger.kind) {
    case 'every':
    case 'days':
      return timer('ON EVERY')
    case 'timestamp':
      return timer('ON TIMESTAMP')
    case 'start':
      return timer('ON START')
    case 'topic':
      return message('ON TOPIC', trigger.filter.value)
    case 'change':
      return message('ON CHANGE', trigger.filter.value)
    case 'connect':
      return session('ON CONNECT', [...SESSION, 'CLEANSESSION'])
    case 'disconnect':
      return session('ON DISCONNECT', [...SESSION, 'DISCONNECTREASON'])
    case 'subscribe':
      return session('ON SUBSCRIBE', [...SESSION, 'SUBSCRIBETOPIC', 'SUBSCRIBEQOS'])
    default:
      return unreachable(trigger)
  }
}

function timer(name: string): Occasion {
  return { name, givesPayload: false, levelsMax: 0, captures: 0, words: new Set() }
}

function message(name: string, filter: string): Occasion {
  const captures = filter.split('/').filter((level) => level === '+').length
  return { name, givesPayload: true, levelsMax: levelsOf(filter).most, captures, words: new Set() }
}

function session(name: string, words: readonly SessionWord[]): Occasion {
  return { name, givesPayload: false, levelsMax: 0, captures: 0, words: new Set(words) }
}
