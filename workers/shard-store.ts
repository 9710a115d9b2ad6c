/** A shard's connection to the store: what it writes, and what it has to read at its start. */
import { join } from 'node:path'
import { RingProducer } from '../src/base/ring.js'
import type { Message } from '../src/broker/message.js'
import { restoredMessage, SessionRestorer } from '../src/broker/restore.js'
import type { ShardState } from '../src/broker/shard-state.js'
import type { RestoredCounts, ShardTask, StoreLink } from '../src/contracts/threads.js'
import { shardOf } from '../src/net/admission.js'
import { Journal } from '../storage/journal.js'
import { openLmdbReader, type StoreReaderHandle } from '../storage/lmdb-engine.js'
import { Restore } from '../storage/restore.js'

/** Milliseconds of reading before messages of clients have their turn. */
const SLICE_MS = 8
/** Milliseconds between lines that say how far reading has come. */
const PROGRESS_MS = 2_000
/** Milliseconds between attempts while the ring of the storage thread is full. */
const CONGESTED_MS = 5

export class ShardStore {
  readonly journal: Journal<Message>
  readonly ring: RingProducer
  readonly #reader: StoreReaderHandle
  readonly #restore: Restore
  readonly #sessions: ReturnType<Restore['sessions']>

  constructor(task: ShardTask, link: StoreLink) {
    const { index, config, shardDoorbells } = task
    this.ring = new RingProducer(link.ring)
    this.#reader = openLmdbReader(join(config.dataDirectory, 'store'))
    this.#restore = new Restore(this.#reader, index, (clientId) => shardOf(clientId, shardDoorbells.length) === index)
    this.#sessions = this.#restore.sessions()
    this.journal = new Journal<Message>({
      shard: index,
      ring: this.ring,
      words: link.words,
      retained: config.retained,
      nextSequence: this.#restore.nextSequence,
      nextSession: this.#restore.nextSession,
    })
  }

  /** Sessions and retained messages, at once. */
  restoreSessions(shard: ShardState): { restorer: SessionRestorer; counts: RestoredCounts } {
    const restore = this.#restore
    const restorer = new SessionRestorer(shard, restore.aliveMs() ?? shard.nowMs)
    for (const { message, stamp } of restore.retained()) {
      const kept = restoredMessage(message, true)
      shard.retained.restore(kept.topic, kept, stamp, shard.nowMs)
    }
    for (const session of this.#sessions) restorer.addSession(session)
    const { damage } = restore
    const counts = {
      sessions: this.#sessions.length,
      messages: restore.countMessages(),
      retained: shard.retained.messages,
      damaged: damage.sessions + damage.subscriptions + damage.retained,
    }
    return { restorer, counts }
  }

  /**
   * The messages that wait, in slices between the work for clients. Resolves when all are there, with the number of
   * those that could not be read.
   * @param flush makes visible what was written; answers true while a ring is too full
   */
  async restoreMessages(
    shard: ShardState,
    { restorer, counts }: { restorer: SessionRestorer; counts: RestoredCounts },
    flush: () => boolean,
  ): Promise<number> {
    const deliveries = this.#restore.deliveries((record) => this.journal.done(record, 0))
    const log = shard.log.area('storage')
    let sliceEndsMs = performance.now() + SLICE_MS
    let saidMs = performance.now()
    let read = 0
    for (const delivery of deliveries) {
      if (delivery !== undefined) {
        restorer.addDelivery(delivery)
        read++
        continue
      }
      restorer.pump()
      if (performance.now() - saidMs >= PROGRESS_MS) {
        saidMs = performance.now()
        log.info('reading messages from the store', { shard: shard.index, read, of: counts.messages })
      }
      if (performance.now() < sliceEndsMs) continue
      while (flush()) await new Promise((resolve) => setTimeout(resolve, CONGESTED_MS))
      await new Promise((resolve) => setImmediate(resolve))
      shard.nowMs = shard.clock.now()
      sliceEndsMs = performance.now() + SLICE_MS
    }
    restorer.finish()
    flush()
    const { messages } = this.#restore.damage
    shard.count('storeGivenUp', messages + counts.damaged)
    return messages
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}
