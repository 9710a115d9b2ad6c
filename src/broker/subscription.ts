/** Who wants what: the subscriptions of one filter, and a subscription itself. */
import type { Qos } from '../mqtt/packets.js'
import { encodeSubscriptionIdentifiers } from '../mqtt/publish-properties.js'
import type { Session } from './session.js'
import type { SharedGroup } from './shared-group.js'

const NO_GROUPS: ReadonlyMap<string, SharedGroup> = new Map()
const NO_REMOTES: ReadonlySet<number> = new Set()

export interface SubscriptionOptions {
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 1 to 268,435,455; 0 for none. */
  readonly identifier: number
}

/**
 * What a session gets of a message: one subscription, or the sum of several of a session that match the same topic,
 * because a session gets one copy (§3.3.4). Replaced, never changed, so that caches may hold it.
 */
export class Subscription {
  readonly qos: Qos
  readonly noLocal: boolean
  /** It or one of its parts is no local. */
  readonly hasNoLocal: boolean
  readonly retainAsPublished: boolean
  /** Encoded as properties of a PUBLISH; undefined for none. */
  readonly identifiers: Uint8Array | undefined
  constructor(
    readonly session: Session,
    readonly options: SubscriptionOptions,
    readonly group: SharedGroup | undefined = undefined,
    /** The subscriptions that this one sums up; undefined for a single one. */
    readonly parts: readonly Subscription[] | undefined = undefined,
  ) {
    this.qos = options.qos
    this.noLocal = options.noLocal
    this.hasNoLocal = options.noLocal || (parts ?? []).some((part) => part.noLocal)
    this.retainAsPublished = options.retainAsPublished
    const numbers = (parts ?? [this]).map((part) => part.options.identifier).filter((number) => number !== 0)
    this.identifiers = numbers.length === 0 ? undefined : encodeSubscriptionIdentifiers(numbers)
  }
}

/** Sums up overlapping subscriptions of one session: the highest QoS [MQTT-3.3.4-2], all identifiers [MQTT-3.3.4-4]. */
export function sumOf(parts: readonly Subscription[]): Subscription {
  if (parts.length === 1) return parts[0]
  const qos = Math.max(...parts.map((part) => part.qos)) as Qos
  const noLocal = parts.every((part) => part.noLocal)
  const retainAsPublished = parts.some((part) => part.retainAsPublished)
  return new Subscription(parts[0].session, { qos, noLocal, retainAsPublished, identifier: 0 }, undefined, parts)
}

/** What the publisher itself gets where some of its overlapping subscriptions are no local [MQTT-3.8.3-3]. */
export function withoutNoLocal(subscription: Subscription): Subscription | undefined {
  const parts = (subscription.parts ?? [subscription]).filter((part) => !part.noLocal)
  return parts.length === 0 ? undefined : sumOf(parts)
}

/** All who subscribed to one filter. `version` moves with each change, which is how caches notice. */
export class Audience {
  readonly subscribers = new Map<Session, Subscription>()
  /** The LoT thread wants these messages. */
  isWatched = false
  version = 0
  /** How often other shards are being told of a first subscriber and have not all answered. */
  announcing = 0
  // most filters have neither, and a million empty maps take longer to make than all else
  #groups: Map<string, SharedGroup> | undefined
  #remotes: Set<number> | undefined
  constructor(readonly filter: string) {}

  /** Shared subscriptions by group name. */
  get groups(): ReadonlyMap<string, SharedGroup> {
    return this.#groups ?? NO_GROUPS
  }

  addGroup(group: SharedGroup): void {
    this.#groups ??= new Map()
    this.#groups.set(group.name, group)
  }

  removeGroup(name: string): void {
    this.#groups?.delete(name)
  }

  /** Other shards with ordinary subscribers. */
  get remotes(): ReadonlySet<number> {
    return this.#remotes ?? NO_REMOTES
  }

  addRemote(shard: number): void {
    this.#remotes ??= new Set()
    this.#remotes.add(shard)
  }

  removeRemote(shard: number): void {
    this.#remotes?.delete(shard)
  }

  get isEmpty(): boolean {
    return this.subscribers.size === 0 && this.groups.size === 0 && this.remotes.size === 0 && !this.isWatched
  }
}
