/** All that the LoT thread has: its parts, and the entities that are deployed. */

import { hashText } from '../base/bytes.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/log.js'
import { SharedBook } from '../base/shared-book.js'
import { SharedValues } from '../base/shared-values.js'
import type { BrokerConfig } from '../config/schema.js'
import { Counter, type Counters } from '../contracts/counters.js'
import { type EntityRef, type LotEvent, ONLY_IF_RETAINED, RETAIN } from '../contracts/lot.js'
import type { Entity } from './entity.js'
import { Failures } from './failures.js'
import { Interest } from './interest.js'
import type { Shards } from './shards.js'
import { Topics } from './topics.js'

export interface HostOptions {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly log: Logger
  readonly counters: Counters
  readonly shards: Shards
  /** Tells the main thread. */
  readonly tell: (event: LotEvent) => void
}

export class HostState {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly log: Logger
  readonly shards: Shards
  readonly tell: (event: LotEvent) => void
  readonly entities = new Map<string, Entity>()
  readonly book = new SharedBook()
  readonly values: SharedValues
  readonly topics: Topics
  readonly interest: Interest
  readonly failures: Failures
  /** Of all mailboxes. */
  readonly total = { bytes: 0 }
  readonly #counters: Counters
  #lastInstance = 0

  constructor(options: HostOptions) {
    this.config = options.config
    this.clock = options.clock
    this.log = options.log
    this.shards = options.shards
    this.tell = options.tell
    this.#counters = options.counters
    this.values = new SharedValues(options.config.lot.valuesBytesMax)
    this.interest = new Interest(options.shards)
    this.failures = new Failures(
      (entity, topic, payload) => this.#tellFailure(entity.ref, topic, payload),
      options.clock,
      options.log,
    )
    this.topics = new Topics((entity, captures) => {
      const instance = entity.instance(captures, () => ++this.#lastInstance)
      if (instance === undefined) this.fail(entity, 'it has too many instances', 1)
      return instance
    })
  }

  find(ref: EntityRef): Entity | undefined {
    return this.entities.get(`${ref.kind} ${ref.name}`)
  }

  count(counter: 'lotRuns' | 'lotFailures' | 'lotDropped', by: number): void {
    this.#counters[Counter[counter]] += by
  }

  /** Events that will not run. */
  drop(entity: Entity, events: number): void {
    entity.dropped += events
    this.count('lotDropped', events)
  }

  /** What goes wrong with an entity, but not as the failure of one of its runs. */
  fail(entity: Entity, message: string, count: number): void {
    this.countFailures(entity, count)
    this.failures.report(entity, this.failures.describe(message), count)
  }

  countFailures(entity: Entity, count: number): void {
    entity.failures += count
    this.count('lotFailures', count)
  }

  /** The shard through which an entity publishes: always the same one, so that the order of its messages holds. */
  shardOf(ref: EntityRef): number {
    return (hashText(ref.name) >>> 0) % this.shards.count
  }

  publishText(ref: EntityRef, topic: string, payload: string): void {
    this.shards.publishText(this.shardOf(ref), topic, Buffer.from(payload), 0)
  }

  #tellFailure(ref: EntityRef, topic: string, payload: string): void {
    const flags = payload === '' ? RETAIN | ONLY_IF_RETAINED : RETAIN
    this.shards.publishText(this.shardOf(ref), topic, Buffer.from(payload), flags)
  }
}
