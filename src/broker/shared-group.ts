/** A shared subscription (§4.8.2): one group name and filter, members in this shard and in others. */
import type { Session } from './session.js'
import type { Subscription } from './subscription.js'

export type ShareStrategy = 'roundRobin' | 'sticky' | 'hashTopic' | 'hashClient'

export interface RemoteMembers {
  /** The other shard's number for the group. */
  readonly groupId: number
  readonly members: number
}

export class SharedGroup {
  readonly members: Subscription[] = []
  /** By number of the shard. */
  readonly remotes = new Map<number, RemoteMembers>()
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

  memberOf(session: Session): Subscription | undefined {
    return this.members.find((member) => member.session === session)
  }

  /** Adds a member, or replaces the subscription it has [MQTT-3.8.4-3]. */
  put(subscription: Subscription): void {
    const at = this.members.findIndex((member) => member.session === subscription.session)
    if (at < 0) this.members.push(subscription)
    else this.members[at] = subscription
  }

  remove(session: Session): void {
    const at = this.members.findIndex((member) => member.session === session)
    if (at >= 0) this.members.splice(at, 1)
  }

  /** Where the next message goes first, as a place in 0 … total members - 1, remote members behind the local ones. */
  turn(strategy: ShareStrategy, topicHash: number, publisherHash: number): number {
    let total = this.members.length
    for (const remote of this.remotes.values()) total += remote.members
    if (strategy === 'roundRobin') this.#turn++
    if (this.#turn >= total) this.#turn = 0
    return placeOf(strategy, this.#turn, topicHash, publisherHash, total)
  }

  /** As `turn`, among the local members only: another shard has chosen this one. */
  localTurn(strategy: ShareStrategy, topicHash: number, publisherHash: number): number {
    const total = this.members.length
    if (strategy === 'roundRobin') this.#localTurn++
    if (this.#localTurn >= total) this.#localTurn = 0
    return placeOf(strategy, this.#localTurn, topicHash, publisherHash, total)
  }

  /** @returns the other shard whose member has that place, or undefined for a local one */
  shardAt(place: number): number | undefined {
    let behind = place - this.members.length
    if (behind < 0) return undefined
    for (const [shard, remote] of this.remotes) {
      if (behind < remote.members) return shard
      behind -= remote.members
    }
    return undefined
  }

  /**
   * The local member from `place` on that can be sent to now; if none can, the first that is at least there to queue.
   * @param except a session that has just gone away
   */
  localFrom(place: number, except?: Session): Subscription | undefined {
    const { members } = this
    let fallback: Subscription | undefined
    for (let i = 0; i < members.length; i++) {
      const member = members[(place + i) % members.length]
      if (member.session === except) continue
      if (member.session.canSend(member.qos)) return member
      fallback ??= member
    }
    return fallback
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
