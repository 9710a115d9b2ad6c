/**
 * Which rules of a scope have nothing to say to one client, whatever the topic: they are not asked again. Most rules are
 * about others.
 */
import type { Decision } from '../../contracts/security.js'

const NO_TOPICS: readonly string[] = []

export class Silence {
  /** A bit for each rule: it abstains. */
  readonly #lasting: Int32Array
  /** A bit for each rule: it was looked at whether it abstains, as far as this does not depend on other topics. */
  readonly #known: Int32Array
  /** A bit for each rule: it abstains while the world has the version below. */
  readonly #passing: Int32Array
  #version: number | undefined
  /** What a rule with a bit in `#passing` has read, by its place. */
  readonly #readBy: (readonly string[])[] = []
  /** The latest answer of `readBefore`, and the rules that it is about. */
  #read = NO_TOPICS
  readonly #readers: Int32Array
  #isReadRight = false
  /** The latest of `decisionWith`. */
  #plain: Decision | undefined
  #reading: Decision | undefined

  /** @param words of 32 rules */
  constructor(words: number) {
    this.#lasting = new Int32Array(words)
    this.#known = new Int32Array(words)
    this.#passing = new Int32Array(words)
    this.#readers = new Int32Array(words)
  }

  /** @param version of the world that rules are about to see */
  begin(version: number | undefined): void {
    if (version !== undefined && version === this.#version) return
    this.#version = version
    this.#passing.fill(0)
    this.#isReadRight = false
  }

  /** The bits of 32 rules that need not be asked. */
  bits(word: number): number {
    return this.#lasting[word] | this.#passing[word]
  }

  /** True the first time. */
  isNew(place: number): boolean {
    const bit = 1 << (place & 31)
    if ((this.#known[place >>> 5] & bit) !== 0) return false
    this.#known[place >>> 5] |= bit
    return true
  }

  abstains(place: number): void {
    this.#lasting[place >>> 5] |= 1 << (place & 31)
  }

  /** @param read what this depends on @returns false where nobody watches over that */
  abstainsForNow(place: number, read: readonly string[]): boolean {
    if (this.#version === undefined) return false
    this.#passing[place >>> 5] |= 1 << (place & 31)
    this.#readBy[place] = read
    return true
  }

  /** What those of the rules before `end` have read that need not be asked for now. The same list while it is the same. */
  readBefore(end: number, concerned: Int32Array): readonly string[] {
    let isSame = this.#isReadRight
    for (let word = 0; word < concerned.length; word++) {
      const places = end - (word << 5)
      const isBefore = places >= 32 ? -1 : places <= 0 ? 0 : (1 << places) - 1
      const readers = concerned[word] & this.#passing[word] & isBefore
      if (readers !== this.#readers[word]) {
        this.#readers[word] = readers
        isSame = false
      }
    }
    if (!isSame) this.#read = this.#collect()
    this.#isReadRight = true
    return this.#read
  }

  /** The same object while both are the same. */
  decisionWith(plain: Decision, reads: readonly string[]): Decision {
    if (this.#reading === undefined || this.#plain !== plain || this.#reading.reads !== reads) {
      this.#plain = plain
      this.#reading = { ...plain, reads }
    }
    return this.#reading
  }

  #collect(): readonly string[] {
    const read = new Set<string>()
    for (let word = 0; word < this.#readers.length; word++) {
      for (let left = this.#readers[word]; left !== 0; left &= left - 1) {
        for (const topic of this.#readBy[(word << 5) + 31 - Math.clz32(left & -left)]) read.add(topic)
      }
    }
    return read.size === 0 ? NO_TOPICS : [...read]
  }
}
