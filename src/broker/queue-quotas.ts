/**
 * Bytes that wait in the queues of all sessions of one user, and of those that have last come from one address, in all
 * shards together. Counted from when there is such a limit on, because it has to be done with each message that joins or
 * leaves a queue. Of shards that add at the same time each may add one message too much.
 */
import type { SharedCounts } from '../base/shared-counts.js'
import type { BrokerConfig } from '../config/schema.js'
import type { AddressGroups } from './address-groups.js'
import type { Exhausted, QueueOwner, QuotaParts } from './quotas.js'

type Owner = QueueOwner['identity']
type Limits = Pick<BrokerConfig['limits'], 'perUser' | 'perAddress'>

export class QueueQuotas {
  #isCounting = false

  constructor(
    readonly parts: QuotaParts,
    readonly groups: AddressGroups,
  ) {
    this.limitsChanged()
  }

  /** What waits when there is first a limit counts. */
  limitsChanged(): void {
    const { perUser, perAddress } = this.parts.limits()
    if (this.#isCounting || perUser.queuedBytesMax + perAddress.queuedBytesMax === 0) return
    this.#isCounting = true
    for (const session of this.parts.sessions()) this.changed(session.identity, waitingBytes(session))
  }

  /** @returns whose limit keeps a message of that size from joining a queue of the owner */
  limit(owner: Owner, bytes: number): Exhausted | undefined {
    if (!this.#isCounting) return undefined
    const limits = this.parts.limits()
    if (isOver(this.parts.userCounts, owner.userName, limits.perUser, bytes)) return 'perUser'
    const isAddressOver = isOver(this.parts.addressCounts, this.groups.of(owner), limits.perAddress, bytes)
    return isAddressOver ? 'perAddress' : undefined
  }

  /** @param bytes more than before; negative for less */
  changed(owner: Owner, bytes: number): void {
    if (!this.#isCounting || bytes === 0) return
    add(this.parts.userCounts, owner.userName, bytes)
    add(this.parts.addressCounts, this.groups.of(owner), bytes)
  }

  /** The session, and with it what waits for it, belongs to another user now, or has come from another address. */
  moved(session: QueueOwner, to: Owner): void {
    const { identity: from } = session
    if (from.userName === to.userName && from.address === to.address) return
    const bytes = waitingBytes(session)
    this.changed(from, -bytes)
    this.changed(to, bytes)
  }
}

function waitingBytes({ queue, late }: QueueOwner): number {
  return queue.bytes + (late?.bytes ?? 0)
}

function add(counts: SharedCounts, owner: string | undefined, bytes: number): void {
  if (owner !== undefined) counts.add(`queued ${owner}`, bytes)
}

function isOver(
  counts: SharedCounts,
  owner: string | undefined,
  { queuedBytesMax }: Limits['perUser'] | Limits['perAddress'],
  bytes: number,
): boolean {
  return queuedBytesMax > 0 && owner !== undefined && counts.get(`queued ${owner}`) + bytes > queuedBytesMax
}
