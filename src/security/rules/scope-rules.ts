/** The rules of one scope in the order they are asked, and which of them a topic concerns. */
import type { Rule } from './rule.js'

/** Rules by the levels of their topics; numbers are places in the order. */
class Levels {
  readonly literal = new Map<string, Levels>()
  plus: Levels | undefined
  /** Of rules whose topic ends here. */
  readonly here: number[] = []
  /** Of rules whose topic goes on with `#`. */
  readonly below: number[] = []
}

const DOLLAR = 36

export class ScopeRules {
  /** By priority; those of the same priority by name, so that every thread tells the same of them. */
  readonly rules: readonly Rule[]
  /** Of rules without a topic. */
  readonly #always: readonly number[]
  readonly #root = new Levels()
  /** A bit for each rule that the question concerns. */
  readonly #bits: Int32Array
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
    this.#bits = new Int32Array(Math.ceil(rules.length / 32))
    const always: number[] = []
    for (const [place, { topic }] of this.rules.entries()) {
      if (topic === undefined) always.push(place)
      else this.#add(effectiveTopic(topic, plusMatchesDeeper), place)
    }
    this.#always = always
  }

  /** Finds the rules that the question concerns; `next` names them. Levels `+` and `#` of a subscription are plain text. */
  match(topic: string | undefined): void {
    this.#bits.fill(0)
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

  /** @returns the place of the first rule from `from` on that the question concerns; -1 if there is none */
  next(from: number): number {
    const bits = this.#bits
    let word = from >>> 5
    if (word >= bits.length) return -1
    let left = bits[word] & (-1 << (from & 31))
    while (left === 0) {
      if (++word >= bits.length) return -1
      left = bits[word]
    }
    return (word << 5) + 31 - Math.clz32(left & -left)
  }

  #mark(places: readonly number[]): void {
    for (const place of places) this.#bits[place >>> 5] |= 1 << (place & 31)
  }

  #add(topic: string, place: number): void {
    let levels = this.#root
    for (const level of topic.split('/')) {
      if (level === '#') {
        levels.below.push(place)
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
    levels.here.push(place)
  }
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
