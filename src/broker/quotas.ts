/**
 * What the user and the address of a client may have, in all shards together (owner-quotas.ts). A session without a
 * connection counts for the address it has last come from. Connections of a user are counted here, and not where the
 * sockets are, because only the shard knows that a connection takes the place of another one.
 */
import type { SharedCounts } from '../base/shared-counts.js'
import type { BrokerConfig } from '../config/schema.js'
import type { Identity } from '../contracts/security.js'
import { AddressGroups } from './address-groups.js'
import { OwnerQuotas } from './owner-quotas.js'
import { QueueQuotas } from './queue-quotas.js'

/** Whose limit is reached, as the section of `limits` is called. */
export type Exhausted = 'perUser' | 'perAddress'

type Owner = Pick<Identity, 'userName' | 'address'>

/** What of a session there is to know. */
export interface QueueOwner {
  readonly identity: Owner
  readonly queue: { readonly bytes: number }
  readonly late: { readonly bytes: number } | undefined
}

interface Subscriber extends QueueOwner {
  readonly subscriptions: { readonly size: number }
}

export interface QuotaParts {
  readonly userCounts: SharedCounts
  readonly addressCounts: SharedCounts
  /** Asked each time: they may change while the broker runs. */
  limits(): Pick<BrokerConfig['limits'], 'perUser' | 'perAddress'>
  /** All sessions of the shard. */
  sessions(): Iterable<Subscriber>
}

export class Quotas {
  readonly #users: OwnerQuotas
  readonly #addresses: OwnerQuotas
  /** Subscriptions are counted by address from when that is limited: it would take time of every one in the store. */
  #countsAddresses = false
  readonly #groups = new AddressGroups()
  readonly queues: QueueQuotas

  constructor(readonly parts: QuotaParts) {
    this.#users = new OwnerQuotas(parts.userCounts, () => parts.limits().perUser)
    this.#addresses = new OwnerQuotas(parts.addressCounts, () => parts.limits().perAddress)
    this.queues = new QueueQuotas(parts, this.#groups)
    this.#limitsChanged()
  }

  /** What is there when addresses are first limited counts for them. */
  #limitsChanged(): void {
    if (this.#countsAddresses || this.parts.limits().perAddress.subscriptionsMax === 0) return
    this.#countsAddresses = true
    for (const { identity, subscriptions } of this.parts.sessions()) {
      if (subscriptions.size > 0) this.#addresses.restored(this.#groups.of(identity), subscriptions.size)
    }
  }

  /**
   * @param userName undefined for anonymous clients, who have no quota of a user
   * @param replaces a connection of the same user ends with this one
   * @returns false where the user has as many as it may; otherwise it is counted until `disconnected`
   */
  connect(userName: string | undefined, replaces: boolean): boolean {
    const { connectionsMax } = this.parts.limits().perUser
    return this.#users.add('connections', userName, connectionsMax === 0 ? 0 : connectionsMax + (replaces ? 1 : 0))
  }

  disconnected(userName: string | undefined): void {
    this.#users.takeBack('connections', userName)
  }

  /** @returns whose limit is reached; undefined where it is counted until `unsubscribed` */
  subscribe(owner: Owner): Exhausted | undefined {
    if (!this.#users.subscribe(owner.userName)) return 'perUser'
    this.#limitsChanged()
    if (!this.#countsAddresses || this.#addresses.subscribe(this.#groups.of(owner))) return undefined
    this.#users.unsubscribed(owner.userName)
    return 'perAddress'
  }

  unsubscribed(owner: Owner): void {
    this.#users.unsubscribed(owner.userName)
    if (this.#countsAddresses) this.#addresses.unsubscribed(this.#groups.of(owner))
  }

  /** One that was there before: it counts, whatever the limits are by now. */
  restored(owner: Owner): void {
    this.#users.restored(owner.userName, 1)
    if (this.#countsAddresses) this.#addresses.restored(this.#groups.of(owner), 1)
  }

  /** The session, and with it its subscriptions and what waits for it, belongs to another user now, or has come from another address. */
  moved(session: Subscriber, to: Owner): void {
    this.queues.moved(session, to)
    const { identity: from, subscriptions } = session
    if (subscriptions.size === 0) return
    this.#users.moved(from.userName, to.userName, subscriptions.size)
    if (!this.#countsAddresses) return
    this.#addresses.moved(this.#groups.of(from), this.#groups.of(to), subscriptions.size)
  }

  /** @returns whose limit keeps a message of that size from being retained in place of what the topic has */
  retainedLimit(owner: Owner, topic: string, bytes: number): Exhausted | undefined {
    if (!this.#users.mayRetain(owner.userName, topic, bytes)) return 'perUser'
    return this.#addresses.mayRetain(this.#retainingGroup(owner), topic, bytes) ? undefined : 'perAddress'
  }

  /**
   * This shard has taken a message to be retained.
   * @param owner undefined for what the broker and LoT publish
   * @param bytes of the message; 0 for an empty one, which clears the topic
   */
  retained(owner: Owner | undefined, topic: string, bytes: number, stamp: number, expiresAtMs: number): void {
    this.#users.retained(owner?.userName, topic, bytes, stamp, expiresAtMs)
    this.#addresses.retained(this.#retainingGroup(owner), topic, bytes, stamp, expiresAtMs)
  }

  /** Another shard has taken a message for the topic, or cleared it. */
  replaced(topic: string, stamp: number): void {
    this.#users.replaced(topic, stamp)
    this.#addresses.replaced(topic, stamp)
  }

  /** Now and then: gives back what has expired, and takes note of limits. */
  tick(nowMs: number): void {
    this.#limitsChanged()
    this.queues.limitsChanged()
    this.#users.expireSome(nowMs)
    this.#addresses.expireSome(nowMs)
  }

  /** Retained messages are many, and hardly ever limited by address. */
  #retainingGroup(owner: Owner | undefined): string | undefined {
    if (owner === undefined || this.parts.limits().perAddress.retainedBytesMax === 0) return undefined
    return this.#groups.of(owner)
  }
}
