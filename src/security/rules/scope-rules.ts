/** The rules of one scope in the order they are asked, and which of them a topic concerns. */
import type { Identity } from '../../contracts/security.js'
import type { Guard } from './condition.js'
import type { Rule } from './rule.js'
import { Silence } from './silence.js'

/** A bit for each of some places. */
class Places {
  count = 0
  readonly #words: number[] = []
  readonly #bits: number[] = []

  add(place: number): void {
    const word = place >>> 5
    let at = this.#words.indexOf(word)
    if (at < 0) at = this.#words.push(word) - 1
    this.#bits[at] |= 1 << (place & 31)
    this.count++
  }

  mark(target: Int32Array): void {
    for (let i = 0; i < this.#words.length; i++) target[this.#words[i]] |= this.#bits[i]
  }

  clear(target: Int32Array): void {
    for (let i = 0; i < this.#words.length; i++) target[this.#words[i]] &= ~this.#bits[i]
  }
}

/** Rules that say nothing where it is false. */
export interface SharedGuard {
  readonly test: Guard['test']
  readonly places: Places
}

/** Rules by the levels of their topics. */
class Levels {
  readonly literal = new Map<string, Levels>()
  plus: Levels | undefined
  /** Of rules whose topic ends here. */
  readonly here = new Places()
  /** Of rules whose topic goes on with `#`. */
  readonly below = new Places()
}

const DOLLAR = 36
/** Clients; all are forgotten when there would be more. */
const SILENCES_MAX = 4_096

export class ScopeRules {
  /** By priority; those of the same priority by name, so that every thread tells the same of them. */
  readonly rules: readonly Rule[]
  /** A bit for each rule that the last question to `match` concerns; who finds that it says nothing may clear its bit. */
  readonly concerned: Int32Array
  /** How many rules the last question to `match` concerns. */
  concernedCount = 0
  /** For each rule the guard that it shares with others, if any. */
  readonly guards: readonly (SharedGuard | undefined)[]
  /** For each rule the place after the last of its priority. */
  readonly #ends: Int32Array
  /** Of rules without a topic. */
  readonly #always = new Places()
  readonly #root = new Levels()
  readonly #silences = new Map<Identity, Silence>()
  /** Used anew by each `match`; what is left in them from before has no meaning. */
  readonly #open: Levels[] = []
  readonly #next: Levels[] = []

  /**
   * @param isSystem the scope is that of topics below `$SYS`: wildcards at the beginning stand for `$SYS`, too
   * @param plusMatchesDeeper a `+` at the end stands for several levels, too
   */
  constructor(
    rules: readonly Rule[],
    readonly isSystem: boolean,
    plusMatchesDeeper: boolean,
  ) {
    this.rules = rules.toSorted((a, b) => a.priority - b.priority || compare(a.name, b.name))
    this.concerned = new Int32Array(Math.ceil(rules.length / 32))
    this.#ends = new Int32Array(rules.length)
    this.guards = guardsOf(this.rules)
    for (const [place, { topic }] of this.rules.entries()) {
      if (topic === undefined) this.#always.add(place)
      else this.#add(effectiveTopic(topic, plusMatchesDeeper), place)
    }
    for (let place = rules.length - 1; place >= 0; place--) {
      const isSame = this.rules[place + 1]?.priority === this.rules[place].priority
      this.#ends[place] = isSame ? this.#ends[place + 1] : place + 1
    }
  }

  /** Finds the rules that the question concerns. Levels `+` and `#` of a subscription are plain text. */
  match(topic: string | undefined): void {
    this.concerned.fill(0)
    this.concernedCount = 0
    this.#mark(this.#always)
    if (topic === undefined) return
    const hidesWildcards = !this.isSystem && topic.charCodeAt(0) === DOLLAR // [MQTT-4.7.2-1]
    let open = this.#open
    let next = this.#next
    open[0] = this.#root
    let openCount = 1
    if (!hidesWildcards) this.#mark(this.#root.below)
    for (let start = 0; start <= topic.length && openCount > 0; ) {
      const slash = topic.indexOf('/', start)
      const end = slash < 0 ? topic.length : slash
      const level = topic.slice(start, end)
      let nextCount = 0
      for (let i = 0; i < openCount; i++) {
        const { literal, plus } = open[i]
        const child = literal.get(level)
        if (child !== undefined) next[nextCount++] = child
        if (plus !== undefined && (start > 0 || !hidesWildcards)) next[nextCount++] = plus
      }
      for (let i = 0; i < nextCount; i++) this.#mark(next[i].below)
      const spent = open
      open = next
      next = spent
      openCount = nextCount
      start = end + 1
    }
    for (let i = 0; i < openCount; i++) this.#mark(open[i].here)
  }

  isConcerned(place: number): boolean {
    return (this.concerned[place >>> 5] & (1 << (place & 31))) !== 0
  }

  /** @returns the place after the last rule of the same priority */
  endOf(place: number): number {
    return this.#ends[place]
  }

  /** What is known of the rules for one client. */
  silenceFor(identity: Identity): Silence {
    let silence = this.#silences.get(identity)
    if (silence === undefined) {
      if (this.#silences.size >= SILENCES_MAX) this.#silences.clear()
      silence = new Silence(this.concerned.length)
      this.#silences.set(identity, silence)
    }
    return silence
  }

  /** Users differ from before. */
  forgetSilences(): void {
    this.#silences.clear()
  }

  #mark(places: Places): void {
    places.mark(this.concerned)
    this.concernedCount += places.count
  }

  #add(topic: string, place: number): void {
    let levels = this.#root
    for (const level of topic.split('/')) {
      if (level === '#') {
        levels.below.add(place)
        return
      }
      if (level === '+') {
        levels.plus ??= new Levels()
        levels = levels.plus
      } else {
        let child = levels.literal.get(level)
        if (child === undefined) {
          child = new Levels()
          levels.literal.set(level, child)
        }
        levels = child
      }
    }
    levels.here.add(place)
  }
}

function guardsOf(rules: readonly Rule[]): (SharedGuard | undefined)[] {
  const byKey = new Map<string, SharedGuard>()
  const guards = rules.map(({ condition, otherwise }, place) => {
    const own = condition?.guard
    if (own === undefined || otherwise !== 'ABSTAIN') return undefined
    const guard = byKey.get(own.key) ?? { test: own.test, places: new Places() }
    guard.places.add(place)
    byKey.set(own.key, guard)
    return guard
  })
  return guards.map((guard) => (guard !== undefined && guard.places.count > 1 ? guard : undefined))
}

/** `a/+/#` is `a/+` and all below it. */
export function effectiveTopic(topic: string, plusMatchesDeeper: boolean): string {
  return plusMatchesDeeper && /(^|\/)\+$/.test(topic) ? `${topic}/#` : topic
}

/** Whether every ordinary topic matches. */
export function matchesAll(effective: string): boolean {
  return effective === '#' || effective === '+/#'
}

/** Whether its topics are those below `$SYS`. */
export function isSystemScope(scope: string): boolean {
  return scope === 'PublishSys' || scope === 'SubscribeSys'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
