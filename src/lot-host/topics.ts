/**
 * What a message on a topic means here, by the bytes of the topic: worked out once, then found without making text of it.
 */
import { decodeText, sameBytes } from '../base/bytes.js'
import type { Entity } from './entity.js'
import { FilterIndex } from './filter-index.js'
import type { Instance } from './instance.js'
import type { PlannedInput } from './plan.js'

/** Topics remembered; then all are forgotten. */
const TOPICS_MAX = 65_536
/** Longest topic remembered, in bytes; of longer ones a few clients could fill the memory. */
const TOPIC_BYTES_MAX = 512
/** Topics of one hash; then they are forgotten. By chance there are hardly two, but who wants can make any number. */
const SAME_HASH_MAX = 16

/** One entity that gets the messages of a topic. */
export interface Destination {
  readonly entity: Entity
  /** Index of the input that matches. */
  readonly input: number
  /** Of a model: the instance that its messages belong to; undefined for all there are. */
  readonly instance: Instance | undefined
}

/** What the broker itself takes from a topic. */
export type SystemUse = 'command' | 'write'

export class Topic {
  next: Topic | undefined = undefined
  constructor(
    readonly bytes: Uint8Array,
    readonly text: string,
    readonly destinations: readonly Destination[],
    /** Somebody may ask for its last value. */
    readonly isRead: boolean,
    readonly use: SystemUse | undefined,
  ) {}
}

interface Entry {
  readonly entity: Entity
  readonly input: PlannedInput
}

/** @returns the instance that captures lead to; undefined if there is no room for one more */
export type FindInstance = (entity: Entity, captures: readonly string[]) => Instance | undefined

export class Topics {
  readonly #entries = new FilterIndex<Entry>()
  readonly #reads = new FilterIndex<string>()
  readonly #readCounts = new Map<string, number>()
  readonly #uses = new FilterIndex<SystemUse>()
  readonly #entriesOf = new Map<Entity, readonly Entry[]>()
  readonly #known = new Map<number, Topic>()
  #knownCount = 0

  constructor(readonly findInstance: FindInstance) {}

  /** Messages on topics of its plan's inputs are for it, and no others any more. */
  add(entity: Entity): void {
    this.remove(entity)
    const entries = entity.plan.inputs.map((input) => ({ entity, input }))
    for (const entry of entries) this.#entries.add(entry.input.filter, entry)
    this.#entriesOf.set(entity, entries)
    this.#forgetAll()
  }

  remove(entity: Entity): void {
    for (const entry of this.#entriesOf.get(entity) ?? []) this.#entries.delete(entry.input.filter, entry)
    this.#entriesOf.delete(entity)
    this.#forgetAll()
  }

  use(filter: string, use: SystemUse): void {
    this.#uses.add(filter, use)
    this.#forgetAll()
  }

  /** Last values of topics that match are kept. Counted: `unread` as often. @returns whether nobody else reads it */
  read(filter: string): boolean {
    const count = this.#readCounts.get(filter) ?? 0
    this.#readCounts.set(filter, count + 1)
    if (count > 0) return false
    this.#reads.add(filter, filter)
    this.#forgetAll()
    return true
  }

  unread(filter: string): void {
    const count = this.#readCounts.get(filter) ?? 0
    if (count > 1) this.#readCounts.set(filter, count - 1)
    else {
      this.#readCounts.delete(filter)
      this.#reads.delete(filter, filter)
      this.#forgetAll()
    }
  }

  /** @param hash `hashBytes` of the topic */
  find(bytes: Uint8Array, at: number, length: number, hash: number): Topic {
    let sameHash = 0
    for (let topic = this.#known.get(hash); topic !== undefined; topic = topic.next) {
      if (topic.bytes.length === length && sameBytes(topic.bytes, 0, bytes, at, length)) return topic
      sameHash++
    }
    if (length > TOPIC_BYTES_MAX) return this.#make(bytes, at, length)
    if (this.#knownCount >= TOPICS_MAX) this.#forgetAll()
    else if (sameHash >= SAME_HASH_MAX) {
      this.#known.delete(hash)
      this.#knownCount -= sameHash
    }
    const topic = this.#make(bytes, at, length)
    topic.next = this.#known.get(hash)
    this.#known.set(hash, topic)
    this.#knownCount++
    return topic
  }

  /** Topics remembered. */
  get known(): number {
    return this.#knownCount
  }

  #forgetAll(): void {
    this.#known.clear()
    this.#knownCount = 0
  }

  #make(bytes: Uint8Array, at: number, length: number): Topic {
    const text = decodeText(bytes, at, length)
    const destinations: Destination[] = []
    for (const { entity, input } of this.#entries.match(text)) {
      const destination = this.#destination(entity, input, text)
      const isKnown = (one: Destination): boolean => one.entity === entity && one.instance === destination?.instance
      if (destination !== undefined && !destinations.some(isKnown)) destinations.push(destination)
    }
    const own = bytes.slice(at, at + length)
    return new Topic(own, text, destinations, this.#reads.match(text).length > 0, this.#uses.match(text)[0])
  }

  #destination(entity: Entity, input: PlannedInput, topic: string): Destination | undefined {
    if (entity.ref.kind === 'action' || input.isShared) return { entity, input: input.index, instance: undefined }
    const captures = captureLevels(topic, input.filter)
    const instance = this.findInstance(
      entity,
      input.order.map((place) => captures[place] ?? ''),
    )
    return instance && { entity, input: input.index, instance }
  }
}

function captureLevels(topic: string, filter: string): string[] {
  const levels = topic.split('/')
  return filter.split('/').flatMap((level, index) => (level === '+' ? [levels[index] ?? ''] : []))
}
