/**
 * What one user, or one address, may have in all shards together. Each shard counts what its own sessions have and the
 * retained messages that it has taken (contracts/limits.ts); when it dies, its counts go with it. Who has nothing takes
 * no memory.
 */
import { mapKey } from '../base/map-key.js'
import type { SharedCounts } from '../base/shared-counts.js'

/** 0 is no limit. */
export interface OwnerLimits {
  readonly subscriptionsMax: number
  readonly retainedBytesMax: number
}

/** Expiring messages looked at in one sweep. */
const SWEEP_MAX = 4_096

interface Owned {
  readonly owner: string
  readonly bytes: number
  readonly stamp: number
  /** Milliseconds since the epoch; Infinity without message expiry. */
  readonly expiresAtMs: number
}

/** An owner is a user name, or an address as limits take it; undefined for nobody, who has no quota. */
export class OwnerQuotas {
  /** Retained messages that this shard has taken from somebody, by `mapKey` of the topic. */
  readonly #owned = new Map<string, Owned>()
  /** Keys of `#owned`. */
  readonly #expiring = new Set<string>()

  constructor(
    readonly counts: SharedCounts,
    readonly limits: () => OwnerLimits,
  ) {}

  // ---------- what is counted one by one ----------

  /**
   * @param max 0 for no limit; it is counted all the same
   * @returns false where the owner has as many as it may; otherwise it is counted until `takeBack`
   */
  add(what: string, owner: string | undefined, max: number): boolean {
    if (owner === undefined) return true
    const key = `${what} ${owner}`
    const sum = this.counts.add(key, 1)
    if (max === 0 || (sum !== undefined && sum <= max)) return true
    if (sum !== undefined) this.counts.add(key, -1)
    return false
  }

  takeBack(what: string, owner: string | undefined): void {
    if (owner !== undefined) this.counts.add(`${what} ${owner}`, -1)
  }

  /** @returns false where the owner has as many as it may; otherwise it is counted until `unsubscribed` */
  subscribe(owner: string | undefined): boolean {
    return this.add('subscriptions', owner, this.limits().subscriptionsMax)
  }

  unsubscribed(owner: string | undefined): void {
    this.takeBack('subscriptions', owner)
  }

  /** Some that were there before: they count, whatever the limit is by now. */
  restored(owner: string | undefined, subscriptions: number): void {
    if (owner !== undefined) this.counts.add(`subscriptions ${owner}`, subscriptions)
  }

  /** The session, and with it its subscriptions, belongs to another one now. */
  moved(from: string | undefined, to: string | undefined, subscriptions: number): void {
    if (from === to) return
    if (from !== undefined) this.counts.add(`subscriptions ${from}`, -subscriptions)
    this.restored(to, subscriptions)
  }

  // ---------- retained messages ----------

  /** Whether a message of that size may be retained in place of what the topic has. An empty one always may. */
  mayRetain(owner: string | undefined, topic: string, bytes: number): boolean {
    const { retainedBytesMax } = this.limits()
    if (retainedBytesMax === 0 || owner === undefined) return true
    const old = this.#owned.get(mapKey(topic))
    const freed = old?.owner === owner ? old.bytes : 0
    return this.counts.get(`retained ${owner}`) - freed + bytes <= retainedBytesMax
  }

  /**
   * This shard has taken a message to be retained.
   * @param bytes of the message; 0 for an empty one, which clears the topic
   */
  retained(owner: string | undefined, topic: string, bytes: number, stamp: number, expiresAtMs: number): void {
    if (this.#owned.size > 0) this.#giveBack(mapKey(topic))
    if (this.limits().retainedBytesMax === 0 || owner === undefined || bytes === 0) return
    // where there is no room to count it, it belongs to nobody
    if (this.counts.add(`retained ${owner}`, bytes) === undefined) return
    const key = mapKey(topic)
    this.#owned.set(key, { owner, bytes, stamp, expiresAtMs })
    if (expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiring.add(key)
  }

  /** Another shard has taken a message for the topic, or cleared it. */
  replaced(topic: string, stamp: number): void {
    if (this.#owned.size === 0) return
    const key = mapKey(topic)
    const old = this.#owned.get(key)
    if (old !== undefined && old.stamp < stamp) this.#giveBack(key)
  }

  /** Gives back what has expired by now, looking at a part of them each time. */
  expireSome(nowMs: number): void {
    let left = Math.min(SWEEP_MAX, this.#expiring.size) // what is put back comes round again
    for (const key of this.#expiring) {
      if (left-- === 0) break
      this.#expiring.delete(key)
      const owned = this.#owned.get(key)
      if (owned === undefined || owned.expiresAtMs === Number.POSITIVE_INFINITY) continue
      if (owned.expiresAtMs <= nowMs) this.#giveBack(key)
      else this.#expiring.add(key)
    }
  }

  #giveBack(key: string): void {
    const old = this.#owned.get(key)
    if (old === undefined) return
    this.#owned.delete(key)
    this.counts.add(`retained ${old.owner}`, -old.bytes)
  }
}
