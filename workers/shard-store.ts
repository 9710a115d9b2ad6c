/** A shard's connection to the store: what it writes, and what it has to read at its start. */
import { join } from 'node:path'
import { RingProducer } from '../src/base/ring.js'
import { TimeSlice } from '../src/base/time-slice.js'
import type { Message } from '../src/broker/message.js'
import { Opening } from '../src/broker/opening.js'
import { SessionRestorer } from '../src/broker/restore.js'
import { RetainedRestorer } from '../src/broker/restore-retained.js'
import type { ShardState } from '../src/broker/shard-state.js'
import type { RestoredCounts, ShardTask, StoreLink } from '../src/contracts/threads.js'
import { shardOf } from '../src/net/admission.js'
import { Journal } from '../storage/journal.js'
import { openLmdbReader, type StoreReaderHandle } from '../storage/lmdb-engine.js'
import { Restore } from '../storage/restore.js'

/** Milliseconds of reading before messages of clients have their turn. */
const SLICE_MS = 8
/** Milliseconds in which sessions are read before the first client may come: what most brokers have is there then. */
const FIRST_SLICE_MS = 25
/** Sessions read before somebody looks at the clock. */
const STEP_SESSIONS = 8
/** Milliseconds between lines that say how far reading has come. */
const PROGRESS_MS = 5_000
/** Milliseconds between attempts while the ring of the storage thread is full. */
const CONGESTED_MS = 5

/** What a shard that has begun to work is still to read. */
export interface Unread {
  readonly sessions: SessionRestorer
  readonly retained: RetainedRestorer
  readonly counts: RestoredCounts
  readonly steps: Iterator<undefined>
}

export class ShardStore {
  readonly journal: Journal<Message>
  readonly ring: RingProducer
  readonly #reader: StoreReaderHandle
  readonly #restore: Restore
  #isClosed = false

  constructor(task: ShardTask, link: StoreLink) {
    const { index, config, shardDoorbells } = task
    this.ring = new RingProducer(link.ring)
    this.#reader = openLmdbReader(join(config.dataDirectory, 'store'))
    this.#restore = new Restore(this.#reader, index, (clientId) => shardOf(clientId, shardDoorbells.length) === index)
    this.journal = new Journal<Message>({
      shard: index,
      ring: this.ring,
      words: link.words,
      retained: config.retained,
      nextSequence: this.#restore.nextSequence,
      nextSession: this.#restore.nextSession,
    })
  }

  /** Finds out who there is, and reads the sessions of a first slice. */
  begin(shard: ShardState): Unread {
    const restore = this.#restore
    const retained = new RetainedRestorer(shard, restore)
    const messages = restore.countMessages()
    const sessions = new SessionRestorer(shard, restore.sessions, restore.aliveMs() ?? shard.nowMs, messages > 0)
    shard.opening = new Opening(sessions)
    const found = restore.sessions.left
    const steps = sessions.all()
    const slice = new TimeSlice(FIRST_SLICE_MS)
    while (!slice.isOver && readSome(steps));
    const counts = { sessions: found, unreadSessions: restore.sessions.left, messages, retained: retained.count }
    return { sessions, steps, retained, counts }
  }

  /**
   * The rest of the sessions, in slices between the work for clients. Resolves when the other shards know of them, too.
   * @param flush makes visible what was written; answers true while a ring is too full
   * @returns entries that could not be read
   */
  async readSessions(
    shard: ShardState,
    { sessions: unreadSessions, steps, counts }: Unread,
    flush: () => boolean,
  ): Promise<number> {
    const { sessions } = this.#restore
    const slice = new TimeSlice(SLICE_MS)
    const progress = new Progress(shard)
    while (!this.#isClosed && readSome(steps)) {
      if (!slice.isOver) continue
      progress.report('reading sessions from the store', counts.sessions - sessions.left, counts.sessions)
      await this.#pause(shard, slice, flush)
      shard.opening?.nextSlice()
    }
    await this.#pause(shard, slice, flush)
    // whoever begins to route has to know all that these sessions want
    await new Promise<void>((resolve) => unreadSessions.whenAnnounced(resolve))
    return this.#damagedSessions
  }

  get #damagedSessions(): number {
    const { damage } = this.#restore.sessions
    return damage.sessions + damage.subscriptions
  }

  /**
   * Retained messages and then those that wait for sessions, in slices between the work for clients. Resolves when all
   * are there, with the number of those that could not be read.
   * @param flush makes visible what was written; answers true while a ring is too full
   */
  async readMessages(shard: ShardState, { sessions, retained, counts }: Unread, flush: () => boolean): Promise<number> {
    const slice = new TimeSlice(SLICE_MS)
    const progress = new Progress(shard)
    for (const read of retained.all()) {
      progress.report('reading retained messages from the store', read, counts.retained)
      if (slice.isOver) await this.#pause(shard, slice, flush)
      if (this.#isClosed) return 0
    }
    let read = 0
    for (const delivery of this.#restore.deliveries((record) => this.journal.done(record, 0))) {
      if (delivery !== undefined) {
        sessions.addDelivery(delivery)
        read++
        continue
      }
      sessions.pump()
      progress.report('reading messages from the store', read, counts.messages)
      if (slice.isOver) await this.#pause(shard, slice, flush)
      if (this.#isClosed) return 0
    }
    sessions.finish()
    flush()
    const { damage } = this.#restore
    // all shards read the same retained messages
    const damaged = damage.messages + (shard.index === 0 ? damage.retained : 0)
    shard.count('storeGivenUp', damaged + this.#damagedSessions)
    return damaged
  }

  /** Resolves when all retained messages are there that this filter matches. */
  async loadMatching(shard: ShardState, { retained }: Unread, filter: string): Promise<void> {
    const slice = new TimeSlice(SLICE_MS)
    if (shard.retained.isLoaded) return
    for (const _ of retained.matching(filter)) {
      if (slice.isOver) await slice.pause()
      if (this.#isClosed) return
    }
  }

  async #pause(shard: ShardState, slice: TimeSlice, flush: () => boolean): Promise<void> {
    while (flush()) await new Promise((resolve) => setTimeout(resolve, CONGESTED_MS))
    await slice.pause()
    shard.nowMs = shard.clock.now()
  }

  close(): Promise<void> {
    this.#isClosed = true
    return this.#reader.close()
  }
}

/** @returns false when there are no more */
function readSome(steps: Iterator<undefined>): boolean {
  for (let read = 0; read < STEP_SESSIONS; read++) if (steps.next().done === true) return false
  return true
}

/** Says now and then how far reading has come. */
class Progress {
  #saidMs = performance.now()

  constructor(readonly shard: ShardState) {}

  report(message: string, read: number, of: number): void {
    if (performance.now() - this.#saidMs < PROGRESS_MS) return
    this.#saidMs = performance.now()
    this.shard.log.area('storage').info(message, { shard: this.shard.index, read, of })
  }
}
