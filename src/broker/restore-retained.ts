/** Brings back the retained messages of the store bit by bit, while clients are served. */
import type { RestoredRetained, StoredRetained, UnreadRetained } from '../contracts/storage.js'
import { pumpAll } from './pump.js'
import { restoredMessage } from './restore.js'
import type { ShardState } from './shard-state.js'

/** Messages read before somebody looks at the clock: some tenths of a millisecond. */
const STEP_MESSAGES = 32

export class RetainedRestorer implements UnreadRetained {
  /** Messages in the store when reading began. */
  readonly count: number
  #read = 0

  /** Before any client is there, and before anything is published. */
  constructor(
    readonly shard: ShardState,
    readonly stored: StoredRetained,
  ) {
    this.count = stored.countRetained()
    shard.retained.beginLoading(this, stored.lastStamp)
  }

  get left(): number {
    return Math.max(0, this.count - this.#read)
  }

  has(topic: string): boolean {
    return this.stored.hasRetained(topic)
  }

  read(topic: string): void {
    if (!this.has(topic)) return
    for (const each of this.stored.retained(topic)) if (this.#restore(each) === topic) return
  }

  /** Reads all of them, and lets subscribers have theirs. Yields now and then how many have been read. */
  *all(): Generator<number, void, undefined> {
    for (const each of this.stored.retained()) {
      this.#restore(each)
      this.#read++
      if (this.#read % STEP_MESSAGES === 0) yield this.#read
    }
    const { shard } = this
    shard.retained.endLoading(shard.nowMs)
    for (const session of shard.sessions.values()) if (session.retainedBacklog !== undefined) shard.pumpLater(session)
    pumpAll(shard)
  }

  /** Reads those that the filter matches before their turn, and some others. Yields now and then. */
  *matching(filter: string): Generator<undefined, void, undefined> {
    let read = 0
    for (const each of this.stored.retained(literalPrefix(filter))) {
      if (this.shard.retained.isLoaded) return
      this.#restore(each)
      read++
      if (read % STEP_MESSAGES === 0) yield
    }
  }

  /** @returns the topic */
  #restore({ message, stamp }: RestoredRetained): string {
    const kept = restoredMessage(message, true)
    const { topic } = kept
    this.shard.retained.restore(topic, kept, stamp)
    return topic
  }
}

/** What the topics begin with that a filter matches: `a/#` matches `a` too. */
function literalPrefix(filter: string): string {
  const wildcard = filter.search(/[+#]/)
  if (wildcard < 0) return filter
  return filter[wildcard] === '#' ? filter.slice(0, Math.max(0, wildcard - 1)) : filter.slice(0, wildcard)
}
