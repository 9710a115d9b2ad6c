/** The sessions of a shard as the store has them: who there is at once, the rest of each in bulk or when it is asked for. */
import type { RestoredSession, StoredSession, StoredSubscription, UnreadSessions } from '../src/contracts/storage.js'
import { type StoreEntry, type StoreReader, TABLE } from './engine.js'
import { NUMBER_KEY_BYTES, numberKey, readNumberKey } from './keys.js'
import { jsonOf } from './store-json.js'

const NO_BYTES = new Uint8Array()

/** What could not be read. */
export interface SessionDamage {
  sessions: number
  subscriptions: number
}

/**
 * Entries whose keys begin with the number of a session, read beside the sessions: a look-up for each of 100,000 sessions
 * takes a hundred times as long.
 */
class EntriesOfSessions {
  readonly #entries: Iterator<StoreEntry>
  #next: StoreEntry | undefined

  constructor(entries: Iterable<StoreEntry>) {
    this.#entries = entries[Symbol.iterator]()
    this.#advance()
  }

  /** @param session greater than at the last call */
  take(session: number): StoreEntry[] {
    const taken: StoreEntry[] = []
    for (let entry = this.#next; entry !== undefined; entry = this.#advance()) {
      const owner = readNumberKey(entry.key)
      if (owner > session) break
      if (owner === session) taken.push(entry)
    }
    return taken
  }

  #advance(): StoreEntry | undefined {
    const { value, done } = this.#entries.next()
    this.#next = done ? undefined : value
    return this.#next
  }
}

export class StoredSessions implements UnreadSessions {
  readonly damage: SessionDamage = { sessions: 0, subscriptions: 0 }
  /** Whether they are of this shard, by the numbers of all sessions in the store. */
  readonly #areOwn = new Map<number, boolean>()
  /** Of this shard and not read yet, by client identifier. */
  readonly #unread = new Map<string, number>()

  /**
   * Reads who there is: some 4 µs for each.
   * @param owns whether a client identifier belongs to this shard
   */
  constructor(
    readonly reader: StoreReader,
    owns: (clientId: string) => boolean,
  ) {
    for (const { key, value } of reader.range(TABLE.sessions)) {
      const number = readNumberKey(key)
      const session = jsonOf<StoredSession>(value)
      if (session === undefined) {
        this.damage.sessions++
        continue
      }
      const isOwn = owns(session.clientId)
      this.#areOwn.set(number, isOwn)
      if (isOwn) this.#unread.set(session.clientId, number)
    }
  }

  isKnown(number: number): boolean {
    return this.#areOwn.has(number)
  }

  isOwn(number: number): boolean {
    return this.#areOwn.get(number) === true
  }

  get left(): number {
    return this.#unread.size
  }

  has(clientId: string): boolean {
    return this.#unread.has(clientId)
  }

  take(clientId: string): RestoredSession | undefined {
    const number = this.#unread.get(clientId)
    if (number === undefined) return undefined
    this.#unread.delete(clientId)
    const { reader } = this
    const prefix = numberKey(number)
    const session = jsonOf<StoredSession>(reader.get(TABLE.sessions, prefix) ?? NO_BYTES)
    if (session === undefined) return undefined
    const subscriptions = [...reader.range(TABLE.subscriptions, { prefix })]
    return this.#restored(session, subscriptions, [...reader.range(TABLE.received, { prefix })])
  }

  *rest(): Generator<RestoredSession, void, undefined> {
    const { reader } = this
    const subscriptions = new EntriesOfSessions(reader.range(TABLE.subscriptions))
    const received = new EntriesOfSessions(reader.range(TABLE.received))
    for (const { key, value } of reader.range(TABLE.sessions)) {
      if (this.#unread.size === 0) return
      const number = readNumberKey(key)
      if (!this.isOwn(number)) continue
      const session = jsonOf<StoredSession>(value)
      // one that was taken may have ended since, and its client may have come back with another
      if (session === undefined || this.#unread.get(session.clientId) !== number) continue
      this.#unread.delete(session.clientId)
      yield this.#restored(session, subscriptions.take(number), received.take(number))
    }
    this.#unread.clear()
  }

  #restored(
    session: StoredSession,
    subscriptions: readonly StoreEntry[],
    received: readonly StoreEntry[],
  ): RestoredSession {
    return {
      session,
      subscriptions: this.#subscriptionsOf(subscriptions),
      received: received.map(({ key }) => (key[NUMBER_KEY_BYTES] << 8) | key[NUMBER_KEY_BYTES + 1]),
    }
  }

  #subscriptionsOf(entries: readonly StoreEntry[]): StoredSubscription[] {
    const subscriptions: StoredSubscription[] = []
    for (const { value } of entries) {
      const subscription = jsonOf<StoredSubscription>(value)
      if (subscription === undefined) this.damage.subscriptions++
      else subscriptions.push(subscription)
    }
    return subscriptions
  }
}
