/** The shared memory between the threads of a broker. */
import { createDoorbellMemory } from '../base/doorbell.js'
import { createRingMemory } from '../base/ring.js'
import { clearSharedCounts } from '../base/shared-counts.js'
import { WriteGate } from '../base/write-gate.js'
import { Counter, createCountersMemory, GAUGES, openCounters } from '../contracts/counters.js'
import { createLimitsMemory, type LimitsMemory } from '../contracts/limits.js'
import type { LotLink } from '../contracts/lot.js'
import { createFlushWords } from '../contracts/store-records.js'
import type { RingPair, StoreLink } from '../contracts/threads.js'
import { createTicketSecret } from '../contracts/ticket-keys.js'

export interface Seat {
  readonly doorbell: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
}

export class Wiring {
  readonly connections: readonly Seat[]
  readonly shards: readonly Seat[]
  readonly storage: Seat
  readonly lot: Seat
  /** Of the storage thread. */
  gate = new WriteGate()
  /**
   * Of the whole broker, for limits that hold across threads: int 0 network connections, int 1 sessions, int 2 what
   * `AcceptLimits` has accepted in this second.
   */
  readonly totals = new SharedArrayBuffer(12)
  readonly limits: LimitsMemory
  /** Of all connection threads. */
  readonly ticketSecret = createTicketSecret()
  /** By connection thread, then shard. */
  readonly #pairs: RingPair[][]
  /** By sending shard, then receiving shard. */
  readonly #peers: (SharedArrayBuffer | undefined)[][]
  /** By shard. */
  readonly #stores: StoreLink[]
  /** By shard. */
  readonly #lots: LotLink[]

  constructor(
    connections: number,
    shards: number,
    readonly ringBytes: number,
    /** Network connections at most. */
    connectionsMax: number,
  ) {
    this.limits = createLimitsMemory(connections, shards, connectionsMax)
    const seats = (count: number): Seat[] =>
      Array.from({ length: count }, () => ({ doorbell: createDoorbellMemory(), counters: createCountersMemory() }))
    this.connections = seats(connections)
    this.shards = seats(shards)
    this.storage = seats(1)[0]
    this.lot = seats(1)[0]
    this.#lots = this.shards.map(() => this.#newLotLink())
    this.#stores = this.shards.map(() => ({ ring: this.#newRing(), words: createFlushWords() }))
    this.#pairs = this.connections.map(() => this.shards.map(() => this.#newPair()))
    this.#peers = this.shards.map((_, from) => this.shards.map((_, to) => (from === to ? undefined : this.#newRing())))
  }

  /** Rings of a shard, by connection thread. */
  pairsOfShard(shard: number): RingPair[] {
    return this.#pairs.map((pairs) => pairs[shard])
  }

  /** Rings of a connection thread, by shard. */
  pairsOfConnection(thread: number): readonly RingPair[] {
    return this.#pairs[thread]
  }

  peersInto(shard: number): (SharedArrayBuffer | undefined)[] {
    return this.#peers.map((rings) => rings[shard])
  }

  peersOutOf(shard: number): readonly (SharedArrayBuffer | undefined)[] {
    return this.#peers[shard]
  }

  storeOf(shard: number): StoreLink {
    return this.#stores[shard]
  }

  /** By shard. */
  get lotLinks(): readonly LotLink[] {
    return this.#lots
  }

  get stores(): readonly StoreLink[] {
    return this.#stores
  }

  /** A shard died, perhaps in the middle of a record: its rings are made anew. */
  renewShard(shard: number): void {
    for (const pairs of this.#pairs) pairs[shard] = this.#newPair()
    for (let other = 0; other < this.shards.length; other++) {
      if (other === shard) continue
      this.#peers[shard][other] = this.#newRing()
      this.#peers[other][shard] = this.#newRing()
    }
    this.#stores[shard] = { ...this.#stores[shard], ring: this.#newRing() }
    this.#lots[shard] = this.#newLotLink()
    const seat = this.shards[shard]
    Atomics.sub(new Int32Array(this.totals), 1, openCounters(seat.counters)[Counter.sessions])
    resetSeat(seat)
    clearSharedCounts(this.limits.byUser, shard)
    clearSharedCounts(this.limits.heldByAddress, shard)
  }

  /** All shards begin anew. */
  renewShards(): void {
    for (const shard of this.shards.keys()) this.renewShard(shard)
  }

  /** The storage thread died. */
  renewStorage(): void {
    resetSeat(this.storage)
    this.gate = new WriteGate()
    for (const shard of this.shards.keys()) this.#stores[shard] = { ring: this.#newRing(), words: createFlushWords() }
  }

  /** The LoT thread died. */
  renewLot(): void {
    resetSeat(this.lot)
    for (const shard of this.shards.keys()) this.#lots[shard] = this.#newLotLink()
  }

  renewConnection(thread: number): void {
    this.#pairs[thread] = this.shards.map(() => this.#newPair())
    const seat = this.connections[thread]
    Atomics.sub(new Int32Array(this.totals), 0, openCounters(seat.counters)[Counter.socketsOpen])
    resetSeat(seat)
    clearSharedCounts(this.limits.byAddress, thread)
    clearSharedCounts(this.limits.handshakes, thread)
  }

  #newLotLink(): LotLink {
    return { toLot: this.#newRing(), toShard: this.#newRing() }
  }

  #newPair(): RingPair {
    return { toShard: this.#newRing(), toConnection: this.#newRing() }
  }

  #newRing(): SharedArrayBuffer {
    return createRingMemory(this.ringBytes)
  }
}

function resetSeat(seat: Seat): void {
  Atomics.store(new Int32Array(seat.doorbell), 0, 0)
  const counters = openCounters(seat.counters)
  for (const gauge of GAUGES) counters[Counter[gauge]] = 0
}
