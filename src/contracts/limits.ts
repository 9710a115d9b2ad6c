/** The memory in which threads count together what one user or address has. */
import { createSharedCountsMemory } from '../base/shared-counts.js'
import { createSharedRatesMemory } from '../base/shared-rates.js'

export interface LimitsMemory {
  /** Network connections by `addressGroup`; a part for each connection thread. */
  readonly byAddress: SharedArrayBuffer
  /** TLS handshakes under way, by listener; a part for each connection thread. */
  readonly handshakes: SharedArrayBuffer
  /** What `Quotas` count of users; a part for each shard. */
  readonly byUser: SharedArrayBuffer
  /** What they count of addresses. */
  readonly heldByAddress: SharedArrayBuffer
  /** Of users and addresses that send too fast. */
  readonly rates: SharedArrayBuffer
}

const LISTENERS_MAX = 64
/** Users that one shard counts at a time, each with up to four counts, and as many addresses with up to three. */
const OWNER_COUNTS_MAX = 65_536
/** Users and addresses that are over their rates at a time. */
const RATES_MAX = 16_384

/** @param addressesMax of which there may be connections at a time */
export function createLimitsMemory(connections: number, shards: number, addressesMax: number): LimitsMemory {
  return {
    byAddress: createSharedCountsMemory(connections, Math.min(addressesMax, 262_144)),
    handshakes: createSharedCountsMemory(connections, LISTENERS_MAX),
    byUser: createSharedCountsMemory(shards, OWNER_COUNTS_MAX),
    heldByAddress: createSharedCountsMemory(shards, OWNER_COUNTS_MAX),
    rates: createSharedRatesMemory(RATES_MAX),
  }
}
