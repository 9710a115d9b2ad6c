/**
 * What a user may have in all shards together: network connections, subscriptions, bytes of retained messages. Each shard
 * counts what its own sessions have and the retained messages that it has taken (contracts/limits.ts); when it dies, its
 * counts go with it. Connections are counted here, and not where the sockets are, because only the shard knows that a
 * connection takes the place of another one.
 */
import type { SharedCounts } from '../base/shared-counts.js'
import type { BrokerConfig } from '../config/schema.js'

/** Expiring messages looked at in one sweep. */
const SWEEP_MAX = 4_096

interface Owned {
  readonly userName: string
  readonly bytes: number
  readonly stamp: number
  /** Milliseconds since the epoch; Infinity without message expiry. */
  readonly expiresAtMs: number
}

export class UserQuotas {
  /** Retained messages that this shard has taken from users, by topic. */
  readonly #owned = new Map<string, Owned>()
  readonly #expiring = new Set<string>()

  constructor(
    readonly counts: SharedCounts,
    readonly limits: () => BrokerConfig['limits']['perUser'],
  ) {}

  // ---------- connections ----------

  /**
   * @param userName undefined for anonymous clients, who have no quota
   * @param replaces a connection of the same user ends with this one
   * @returns false where the user has as many as it may; otherwise it is counted until `disconnected`
   */
  connect(userName: string | undefined, replaces: boolean): boolean {
    const { connectionsMax } = this.limits()
    return this.#add('connections', userName, connectionsMax === 0 ? 0 : connectionsMax + (replaces ? 1 : 0))
  }

  disconnected(userName: string | undefined): void {
    if (userName !== undefined) this.counts.add(`connections ${userName}`, -1)
  }

  // ---------- subscriptions ----------

  /** @returns false where the user has as many as it may; otherwise it is counted until `unsubscribed` */
  subscribe(userName: string | undefined): boolean {
    return this.#add('subscriptions', userName, this.limits().subscriptionsMax)
  }

  /** One that was there before: it counts, whatever the limit is by now. */
  restored(userName: string | undefined): void {
    if (userName !== undefined) this.counts.add(`subscriptions ${userName}`, 1)
  }

  /** The session, and with it its subscriptions, belongs to another user now. */
  moved(from: string | undefined, to: string | undefined, subscriptions: number): void {
    if (from === to || subscriptions === 0) return
    if (from !== undefined) this.counts.add(`subscriptions ${from}`, -subscriptions)
    if (to !== undefined) this.counts.add(`subscriptions ${to}`, subscriptions)
  }

  unsubscribed(userName: string | undefined): void {
    if (userName !== undefined) this.counts.add(`subscriptions ${userName}`, -1)
  }

  // ---------- retained messages ----------

  /** Whether a message of that size may be retained in place of what the topic has. An empty one always may. */
  mayRetain(userName: string | undefined, topic: string, bytes: number): boolean {
    const { retainedBytesMax } = this.limits()
    if (retainedBytesMax === 0 || userName === undefined) return true
    const old = this.#owned.get(topic)
    const freed = old?.userName === userName ? old.bytes : 0
    return this.counts.get(`retained ${userName}`) - freed + bytes <= retainedBytesMax
  }

  /**
   * This shard has taken a message to be retained.
   * @param userName undefined for what the broker and LoT publish, and for anonymous clients
   * @param bytes of the message; 0 for an empty one, which clears the topic
   */
  retained(userName: string | undefined, topic: string, bytes: number, stamp: number, expiresAtMs: number): void {
    if (this.#owned.size > 0) this.#giveBack(topic)
    if (this.limits().retainedBytesMax === 0 || userName === undefined || bytes === 0) return
    // where there is no room to count it, it belongs to nobody
    if (this.counts.add(`retained ${userName}`, bytes) === undefined) return
    this.#owned.set(topic, { userName, bytes, stamp, expiresAtMs })
    if (expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiring.add(topic)
  }

  /** Another shard has taken a message for the topic, or cleared it. */
  replaced(topic: string, stamp: number): void {
    if (this.#owned.size === 0) return
    const old = this.#owned.get(topic)
    if (old !== undefined && old.stamp < stamp) this.#giveBack(topic)
  }

  /** Gives back what has expired by now, looking at a part of them each time. */
  expireSome(nowMs: number): void {
    let left = Math.min(SWEEP_MAX, this.#expiring.size) // what is put back comes round again
    for (const topic of this.#expiring) {
      if (left-- === 0) break
      this.#expiring.delete(topic)
      const owned = this.#owned.get(topic)
      if (owned === undefined || owned.expiresAtMs === Number.POSITIVE_INFINITY) continue
      if (owned.expiresAtMs <= nowMs) this.#giveBack(topic)
      else this.#expiring.add(topic)
    }
  }

  #giveBack(topic: string): void {
    const old = this.#owned.get(topic)
    if (old === undefined) return
    this.#owned.delete(topic)
    this.counts.add(`retained ${old.userName}`, -old.bytes)
  }

  /** @param max 0 for no limit; it is counted all the same, for a limit that is set later */
  #add(what: string, userName: string | undefined, max: number): boolean {
    if (userName === undefined) return true
    const key = `${what} ${userName}`
    const sum = this.counts.add(key, 1)
    if (max === 0 || (sum !== undefined && sum <= max)) return true
    if (sum !== undefined) this.counts.add(key, -1)
    return false
  }
}
