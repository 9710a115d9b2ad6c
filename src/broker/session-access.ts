/** What a session was told of what it may do, within bounds: clients choose the topics. */
import type { Decision } from '../contracts/security.js'
import { filterMatches } from '../mqtt/topic-filter.js'

/** Longest topic that anything is remembered of; of longer ones a few clients could fill the memory. */
export const TOPIC_LENGTH_MAX = 512
/** Decisions remembered of one session, for each direction; all are forgotten when there would be more. */
const DECISIONS_MAX = 1_024
/** Characters of their topics. */
const DECISIONS_LENGTH_MAX = 128 * DECISIONS_MAX
/** Topics that decisions of one session depend on; all of it is forgotten when there would be more. */
const READS_MAX = 4_096
/** Characters of these topics. */
const READS_LENGTH_MAX = 128 * READS_MAX

const NO_TOPICS: readonly string[] = []

/** What a session was told in one direction. */
export class Remembered {
  readonly #decisions = new Map<string, Decision>()
  /** Characters of all topics. */
  #length = 0
  /** The latest topics under which `Access` was given the session as a dependent for this direction. */
  noted: readonly string[] = NO_TOPICS

  get(topic: string): Decision | undefined {
    return this.#decisions.get(topic)
  }

  /** There is none of the topic yet. */
  add(topic: string, decision: Decision): void {
    if (this.#decisions.size >= DECISIONS_MAX || this.#length + topic.length > DECISIONS_LENGTH_MAX) this.#clear()
    this.#decisions.set(topic, decision)
    this.#length += topic.length
  }

  forget(): void {
    this.#clear()
    this.noted = NO_TOPICS
  }

  /** Forgets decisions on topics that the filter matches; undefined matches all. */
  dropMatching(filter: string | undefined): void {
    for (const topic of this.#decisions.keys()) {
      if (filter === undefined || filterMatches(filter, topic)) this.#delete(topic)
    }
  }

  /** Forgets decisions that depend on the topic. */
  dropReading(read: string): void {
    this.noted = NO_TOPICS // the session is no dependent of this topic any more
    let latest = NO_TOPICS
    let isOfIt = false
    for (const [topic, { reads }] of this.#decisions) {
      if (reads !== latest) {
        latest = reads
        isOfIt = reads.includes(read)
      }
      if (isOfIt) this.#delete(topic)
    }
  }

  #delete(topic: string): void {
    if (this.#decisions.delete(topic)) this.#length -= topic.length
  }

  #clear(): void {
    this.#decisions.clear()
    this.#length = 0
  }
}

/** Topics under which `Access` has a session as a dependent. */
class Reads {
  readonly #topics = new Set<string>()
  /** Characters of all topics. */
  #length = 0

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  get isFull(): boolean {
    return this.#topics.size > READS_MAX || this.#length > READS_LENGTH_MAX
  }

  add(topic: string): void {
    if (this.#topics.has(topic)) return
    this.#topics.add(topic)
    this.#length += topic.length
  }

  delete(topic: string): void {
    if (this.#topics.delete(topic)) this.#length -= topic.length
  }

  /** @returns all that there were */
  takeAll(): string[] {
    const topics = [...this.#topics]
    this.#topics.clear()
    this.#length = 0
    return topics
  }
}

/** What is remembered of one session. */
export class SessionAccess {
  /** Of `Access`, when the fields below were right. */
  epoch = -1
  /** No rule forbids any ordinary topic. */
  publishesFreely = false
  receivesFreely = false
  readonly publishing = new Remembered()
  readonly receiving = new Remembered()
  readonly reads = new Reads()
}
