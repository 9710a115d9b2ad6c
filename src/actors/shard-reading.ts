/** What the shards read from the store when they start, and what the log says of it. */
import { messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { RestoredCounts, ShardApi, StorageApi } from '../contracts/threads.js'
import { tellAll } from './tell-all.js'
import type { RunningThread } from './thread-pool.js'

type Shards = readonly RunningThread<ShardApi>[]

/** Sessions that are many are read while clients are served, messages always. */
export class ShardReading {
  readonly #startedMs = performance.now()
  readonly #counts: RestoredCounts[] = []

  /** @param storage undefined where nothing is kept on disk */
  constructor(
    readonly shards: Shards,
    readonly storage: RunningThread<StorageApi> | undefined,
    readonly log: Logger,
  ) {}

  /** Resolves when clients may connect to the shards. */
  async begin(): Promise<void> {
    await tellAll(this.shards, async ({ api }) => this.#counts.push(await api.ready()))
    if (this.#unread === 0 && !(await this.#readSessions())) return
    const { sessions, messages, retained } = this.#found
    if (sessions === 0 && messages === 0 && retained === 0) return
    const what = this.#unread === 0 ? 'read from the store; messages follow' : 'reading from the store'
    this.log.info(`${what} while the broker works`, { sessions, messages, retained, ms: this.#elapsedMs })
  }

  /** To be called when clients are let in. */
  goOn(): void {
    this.#finish().catch((cause: unknown) => {
      // a shard that dies while it reads is started anew, and reads again
      this.log.debug('reading the store was interrupted', { reason: messageOf(cause) })
    })
  }

  async #finish(): Promise<void> {
    if (this.#counts.length === 0) return
    const { sessions, messages, retained } = this.#found
    if (this.#unread > 0) {
      if (!(await this.#readSessions())) return
      this.log.info('all sessions are read from the store', { sessions, ms: this.#elapsedMs })
    }
    const damaged = await Promise.all(this.shards.map(({ api }) => api.readMessages()))
    const lost = sumOf(damaged)
    if (lost > 0) this.log.error('messages of the store could not be read and are given up', { messages: lost })
    await this.storage?.api.confirm()
    const all = messages + retained
    if (all > 0) this.log.info('all messages are read from the store', { messages: all, ms: this.#elapsedMs })
  }

  /**
   * What clients publish goes on when the sessions of all shards are there.
   * @returns false where a shard has died: all of them begin anew then
   */
  async #readSessions(): Promise<boolean> {
    const damaged: number[] = []
    await tellAll(this.shards, async ({ api }) => damaged.push(await api.readSessions()))
    const lost = sumOf(damaged)
    if (lost > 0) this.log.error('entries of the store could not be read and are given up', { entries: lost })
    if (damaged.length < this.shards.length) return false
    await tellAll(this.shards, ({ api }) => api.beginRouting())
    return true
  }

  get #unread(): number {
    return sumOf(this.#counts.map(({ unreadSessions }) => unreadSessions))
  }

  /** Messages and retained messages are what each shard has found: they are in one place for all. */
  get #found(): Pick<RestoredCounts, 'sessions' | 'messages' | 'retained'> {
    const sessions = sumOf(this.#counts.map((count) => count.sessions))
    const { messages, retained } = this.#counts[0] ?? { messages: 0, retained: 0 }
    return { sessions, messages, retained }
  }

  get #elapsedMs(): number {
    return Math.round(performance.now() - this.#startedMs)
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
