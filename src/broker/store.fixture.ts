/** A store in memory behind real rings, written when the test lets it: what a crash leaves is what was written. */
import { Journal } from '../../storage/journal.js'
import type { MemoryEngine } from '../../storage/memory-engine.js'
import { Restore } from '../../storage/restore.js'
import { type ShardSource, StoreWriter } from '../../storage/writer.js'
import type { Clock } from '../base/clock.js'
import { createDoorbellMemory, Doorbell } from '../base/doorbell.js'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import type { BrokerConfig } from '../config/schema.js'
import { createFlushWords } from '../contracts/store-records.js'
import type { Message } from './message.js'
import { Opening } from './opening.js'
import { SessionRestorer } from './restore.js'
import { RetainedRestorer } from './restore-retained.js'
import type { ShardState } from './shard-state.js'

export class StoreFixture {
  isHeld = false
  readonly journals: Journal<Message>[] = []
  readonly #rings: RingProducer[] = []
  readonly #restores: Restore[] = []
  readonly #restorers: SessionRestorer[] = []
  readonly #retained: RetainedRestorer[] = []
  readonly #sources: ShardSource[] = []
  readonly writer: StoreWriter

  constructor(
    readonly config: BrokerConfig,
    readonly clock: Clock,
    shards: number,
    readonly engine: MemoryEngine,
    readonly ownerOf: (clientId: string) => number,
  ) {
    for (let shard = 0; shard < shards; shard++) {
      const memory = createRingMemory(65_536)
      const words = createFlushWords()
      this.#rings[shard] = new RingProducer(memory)
      this.#sources[shard] = {
        ring: new RingConsumer(memory),
        words: new Int32Array(words),
        bell: new Doorbell(createDoorbellMemory()),
      }
      const restore = new Restore(engine, shard, (clientId) => ownerOf(clientId) === shard)
      this.#restores[shard] = restore
      this.journals[shard] = new Journal<Message>({
        shard,
        ring: this.#rings[shard],
        words,
        retained: config.retained,
        nextSequence: restore.nextSequence,
        nextSession: restore.nextSession,
      })
    }
    this.writer = new StoreWriter(
      engine,
      this.#sources,
      () => clock.now(),
      () => {},
    )
  }
  /** What a shard does when it starts, before anybody connects. */
  begin(shard: ShardState): void {
    const restore = this.#restores[shard.index]
    const aliveMs = restore.aliveMs() ?? shard.nowMs
    const restorer = new SessionRestorer(shard, restore.sessions, aliveMs, restore.countMessages() > 0)
    this.#restorers[shard.index] = restorer
    this.#retained[shard.index] = new RetainedRestorer(shard, restore)
    shard.opening = new Opening(restorer)
  }

  /** The rest of its sessions come back. */
  restoreSessions(shard: ShardState, whenAnnounced: () => void = () => {}): void {
    const restorer = this.#restorers[shard.index]
    for (const _ of restorer.all());
    restorer.whenAnnounced(whenAnnounced)
  }

  /** What the shard has yet to read of the retained messages. */
  retained(shard: ShardState): RetainedRestorer {
    return this.#retained[shard.index]
  }

  /** What it does after that, bit by bit. */
  restoreMessages(shard: ShardState): void {
    for (const _ of this.#retained[shard.index].all());
    const restorer = this.#restorers[shard.index]
    for (const delivery of this.#restores[shard.index].deliveries((record) => shard.storage.done(record, 0))) {
      if (delivery === undefined) restorer.pump()
      else restorer.addDelivery(delivery)
    }
    restorer.finish()
  }

  /** @returns whether there was anything to write, or anybody to tell */
  work(): boolean {
    for (const journal of this.journals) journal.writeProgress()
    for (const ring of this.#rings) ring.publish()
    if (this.isHeld) return false
    const taken = this.writer.work()
    const told = this.journals.map((journal) => journal.runFlushed()).some((ran) => ran > 0)
    return taken > 0 || told
  }
}
