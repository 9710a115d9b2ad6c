/** A shared subscription (§4.8.2): one group name and filter, members in this shard and in others. */
import { SHARDS_MAX } from '../contracts/store-records.js'
import type { Session } from './session.js'
import type { Subscription } from './subscription.js'

export type ShareStrategy = 'roundRobin' | 'sticky' | 'hashTopic' | 'hashClient'

export interface RemoteMembers {
  /** The other shard's number for the group. */
  readonly groupId: number
  readonly members: number
  /** Of them, with a network connection. */
  readonly online: number
}

/** How far the search for a member has come that may have a message. */
export interface Round {
  /** The shard that was asked first in it: there it ends. */
  readonly first: number
  /** Members without a connection are asked too. */
  readonly isLastRound: boolean
}

/** Where it goes on. */
export interface NextShard extends Round {
  readonly shard: number
  /** That shard's number for the group. */
  readonly groupId: number
}

export class SharedGroup {
  readonly members: Subscription[] = []
  /** By number of the shard. */
  readonly remotes = new Map<number, RemoteMembers>()
  #online = 0
  #turn = 0
  #localTurn = 0

  constructor(
    readonly id: number,
    readonly name: string,
    readonly filter: string,
  ) {}

  get isEmpty(): boolean {
    return this.members.length === 0 && this.remotes.size === 0
  }

  /** Members of this shard with a network connection. */
  get online(): number {
    return this.#online
  }

  /** Call when a member has connected or lost its connection. */
  countOnline(): void {
    this.#online = this.members.filter(({ session }) => session.isConnected).length
  }

  /** Another shard where a member is online; undefined if there is none. */
  get onlineElsewhere(): number | undefined {
    for (const [shard, { online }] of this.remotes) if (online > 0) return shard
    return undefined
  }

  get isAnyOnline(): boolean {
    return this.#online > 0 || this.onlineElsewhere !== undefined
  }

  memberOf(session: Session): Subscription | undefined {
    return this.members.find((member) => member.session === session)
  }

  /** Adds a member, or replaces the subscription it has [MQTT-3.8.4-3]. */
  put(subscription: Subscription): void {
    const at = this.members.findIndex((member) => member.session === subscription.session)
    if (at < 0) this.members.push(subscription)
    else this.members[at] = subscription
    this.countOnline()
  }

  remove(session: Session): void {
    const at = this.members.findIndex((member) => member.session === session)
    if (at >= 0) this.members.splice(at, 1)
    this.countOnline()
  }

  /**
   * Where the next message goes first, as a place in 0 … total - 1, remote members behind the local ones. Members
   * without a connection have places only while nobody has one.
   */
  turn(strategy: ShareStrategy, topicHash: number, publisherHash: number): number {
    const isOnline = this.isAnyOnline
    let total = isOnline ? this.#online : this.members.length
    for (const remote of this.remotes.values()) total += isOnline ? remote.online : remote.members
    if (strategy === 'roundRobin') this.#turn++
    if (this.#turn >= total) this.#turn = 0
    return placeOf(strategy, this.#turn, topicHash, publisherHash, total)
  }

  /** As `turn`, among the local members only: another shard has chosen this one. */
  localTurn(strategy: ShareStrategy, topicHash: number, publisherHash: number): number {
    const total = this.#online > 0 ? this.#online : this.members.length
    if (strategy === 'roundRobin') this.#localTurn++
    if (this.#localTurn >= total) this.#localTurn = 0
    return placeOf(strategy, this.#localTurn, topicHash, publisherHash, total)
  }

  /** @returns the other shard whose member has that place, or undefined for a local one */
  shardAt(place: number): number | undefined {
    const isOnline = this.isAnyOnline
    let behind = place - (isOnline ? this.#online : this.members.length)
    if (behind < 0) return undefined
    for (const [shard, remote] of this.remotes) {
      const places = isOnline ? remote.online : remote.members
      if (behind < places) return shard
      behind -= places
    }
    return undefined
  }

  /** For a message that has its turn in this shard, which is another one. */
  turnOf(shard: number): NextShard | undefined {
    const remote = this.remotes.get(shard)
    return remote && { shard, groupId: remote.groupId, first: shard, isLastRound: false }
  }

  /**
   * Where to look on for a member, when rules let none of this shard have the message. Shards pass it on in the order of
   * their numbers, first those with members online, then all.
   * @returns undefined when all were asked
   */
  next(own: number, { first, isLastRound }: Round): NextShard | undefined {
    for (let step = 1; step < SHARDS_MAX; step++) {
      const shard = (own + step) % SHARDS_MAX
      if (shard === first) break
      const remote = this.remotes.get(shard)
      if (remote === undefined || (remote.online === 0 && !isLastRound)) continue
      return { shard, groupId: remote.groupId, first, isLastRound }
    }
    return isLastRound ? undefined : this.next(own, { first: own, isLastRound: true })
  }

  /**
   * The local member from `place` on that can be sent to now; if none can, the first that is at least there to queue.
   * @param mayReceive whether rules let a session have messages with this topic
   * @param except a session that has just gone away
   */
  localFrom(
    place: number,
    topic: string,
    mayReceive: (session: Session, topic: string) => boolean,
    except?: Session,
  ): Subscription | undefined {
    const { members } = this
    const first = this.#memberAt(place)
    let fallback: Subscription | undefined
    for (let i = 0; i < members.length; i++) {
      const member = members[(first + i) % members.length]
      if (member.session === except || !mayReceive(member.session, topic)) continue
      if (member.session.canSend(member.qos)) return member
      fallback ??= member
    }
    return fallback
  }

  /** Index of the local member with that place. */
  #memberAt(place: number): number {
    if (this.#online === 0 || this.#online === this.members.length) return place
    for (let index = 0; index < this.members.length; index++) {
      if (this.members[index].session.isConnected && place-- === 0) return index
    }
    return 0 // the place is another shard's, which has no member any more
  }
}

function placeOf(
  strategy: ShareStrategy,
  turn: number,
  topicHash: number,
  publisherHash: number,
  total: number,
): number {
  switch (strategy) {
    case 'roundRobin':
    case 'sticky':
      return turn
    case 'hashTopic':
      return (topicHash >>> 0) % total
    case 'hashClient':
      return (publisherHash >>> 0) % total
  }
}
