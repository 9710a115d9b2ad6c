/**
 * Shards over real rings, without threads: the test's client takes the place of the connection thread, and nothing
 * happens but what the test asks for. `client.fixture.ts` has the clients.
 */
import type { MemoryEngine } from '../../storage/memory-engine.js'
import { MemoryStorage } from '../../storage/memory-storage.js'
import { createSinkLogger, type Logger, type LogRecord, type LogSeverity } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import type { AuditRecord } from '../contracts/audit.js'
import { COUNTER_NAMES, Counter, type CounterName, createCountersMemory, openCounters } from '../contracts/counters.js'
import { CloseCause, InboundKind, KIND, OutboundKind, SLOT } from '../contracts/records.js'
import type { ShardStorage } from '../contracts/storage.js'
import type { AccessPolicy } from './access.js'
import { type ClientOptions, TestClient } from './client.fixture.js'
import { TestLot } from './lot.fixture.js'
import { receiveFromLot } from './lot-flow.js'
import type { Message } from './message.js'
import { welcomePeer } from './peer-recovery.js'
import { ALL_RULES, TestPolicy } from './policy.fixture.js'
import { changeAccess } from './receiving.js'
import { connectionThreadLost } from './session-end.js'
import { receiveFromConnection, receiveFromPeer, releaseWaiting, tick } from './shard.js'
import { ShardState } from './shard-state.js'
import { StoreFixture } from './store.fixture.js'

const RING_BYTES = 65_536

export interface FixtureOptions {
  readonly shards?: number
  readonly threads?: number
  readonly config?: BrokerConfigInput
  /** Keep everything in this store, and begin with what is in it. */
  readonly engine?: MemoryEngine
  /** With a store: the shard of each client; by default the first. */
  readonly ownerOf?: (clientId: string) => number
  readonly clock?: ManualClock
  /** Leaves the messages of the store where they are until `load`. */
  readonly loadsLater?: boolean
  /** Leaves the sessions, too, until `open`. */
  readonly opensLater?: boolean
  /** As a shard is until it is told its rules. */
  readonly startsWithoutRules?: boolean
  /** Everything is allowed unless told. */
  readonly policy?: AccessPolicy
  /** Of the lines in `logged`; warn unless told. */
  readonly level?: LogSeverity
}

/** One shard and its ends of the rings. */
class Seat {
  readonly state: ShardState
  /** By connection thread. */
  readonly toShard: RingProducer[]
  readonly fromConnections: RingConsumer[]
  readonly toConnections: RingConsumer[]
  readonly lot = new TestLot()
  /** By number of the other shard. */
  readonly fromPeers: (RingConsumer | undefined)[] = []

  constructor(fixture: ShardFixture, index: number, peersOut: readonly (SharedArrayBuffer | undefined)[]) {
    const { options, config, clock, log } = fixture
    const pairs = Array.from({ length: options.threads ?? 1 }, () => ({
      toShard: createRingMemory(RING_BYTES),
      toConnection: createRingMemory(RING_BYTES),
    }))
    this.toShard = pairs.map(({ toShard }) => new RingProducer(toShard))
    this.fromConnections = pairs.map(({ toShard }) => new RingConsumer(toShard))
    this.toConnections = pairs.map(({ toConnection }) => new RingConsumer(toConnection))
    this.state = new ShardState({
      index,
      config,
      clock,
      counters: openCounters(createCountersMemory()),
      totals: fixture.totals,
      storage: fixture.storageOf(index),
      log,
      outlets: pairs.map(({ toConnection }) => new RingProducer(toConnection)),
      peers: peersOut.map((memory) => (memory === undefined ? undefined : new RingProducer(memory))),
      lot: this.lot.outgoing,
      policy: options.policy ?? new TestPolicy(),
      userCounts: new SharedCounts(fixture.userCounts, index),
      addressCounts: new SharedCounts(fixture.addressCounts, index),
      audit: { record: (record) => fixture.audited.push(record) },
    })
  }

  publish(): void {
    for (const { ring } of this.state.outlets) ring.publish()
    for (const ring of this.state.peers.rings) ring?.publish()
    for (const ring of this.toShard) ring.publish()
    this.state.lot.ring.publish()
  }
}

export class ShardFixture {
  readonly totals = new SharedArrayBuffer(8)
  readonly userCounts: SharedArrayBuffer
  readonly addressCounts: SharedArrayBuffer
  readonly clock: ManualClock
  /** Where there is an engine. */
  readonly store: StoreFixture | undefined
  readonly config: BrokerConfig
  readonly logged: LogRecord[] = []
  readonly audited: AuditRecord[] = []
  readonly log: Logger
  readonly #seats: Seat[]
  /** By connection thread, then slot. */
  readonly #clients: (TestClient | undefined)[][]
  readonly #held = new Set<string>()

  storageOf(index: number): ShardStorage<Message> {
    return this.store?.journals[index] ?? new MemoryStorage<Message>(this.config.retained)
  }

  constructor(readonly options: FixtureOptions = {}) {
    const { shards = 1, threads = 1, level = 'warn' } = options
    this.userCounts = createSharedCountsMemory(shards, 1_000)
    this.addressCounts = createSharedCountsMemory(shards, 1_000)
    this.log = createSinkLogger({ level, areas: {} }, (record) => this.logged.push(record))
    this.config = BrokerConfig.parse(options.config ?? {})
    this.clock = options.clock ?? new ManualClock()
    const { engine, ownerOf = () => 0 } = options
    this.store = engine && new StoreFixture(this.config, this.clock, shards, engine, ownerOf)
    this.#clients = Array.from({ length: threads }, () => [])
    const numbers = Array.from({ length: shards }, (_, index) => index)
    const rings = numbers.map((from) => numbers.map((to) => (from === to ? undefined : createRingMemory(RING_BYTES))))
    this.#seats = numbers.map((index) => new Seat(this, index, rings[index]))
    for (const [to, seat] of this.#seats.entries()) {
      for (const from of numbers) {
        const memory = rings[from][to]
        seat.fromPeers[from] = memory === undefined ? undefined : new RingConsumer(memory)
      }
    }
    for (const { state } of this.#seats) {
      this.store?.begin(state)
      if (!options.opensLater) this.store?.restoreSessions(state)
      if (!options.startsWithoutRules) changeAccess(state, ALL_RULES)
    }
    if (!options.opensLater) this.open()
    if (!options.loadsLater && !options.opensLater) this.load()
  }

  /** All sessions of the store are back. */
  open(): void {
    for (const { state } of this.#seats) this.store?.restoreSessions(state)
    for (const { state } of this.#seats) state.opening?.end()
    this.settle()
  }

  /** The messages of the store come back. */
  load(): void {
    for (const { state } of this.#seats) this.store?.restoreMessages(state)
    this.settle()
  }

  /** What is written to the store does not reach it until `flush`. */
  holdFlush(): void {
    if (this.store !== undefined) this.store.isHeld = true
  }

  flush(): void {
    if (this.store !== undefined) this.store.isHeld = false
    this.settle()
  }

  /** The process is killed, and started again with what the store has. */
  crash(options: FixtureOptions = {}): ShardFixture {
    return new ShardFixture({ ...this.options, clock: this.clock, ...options })
  }

  shard(index = 0): ShardState {
    return this.#seats[index].state
  }

  /** The LoT thread, as this shard sees it. */
  lot(shard = 0): TestLot {
    return this.#seats[shard].lot
  }

  /** Sum over all shards. */
  count(name: CounterName): number {
    return this.#seats.reduce((sum, { state }) => sum + state.counters[Counter[name]], 0)
  }

  /** Counters that are not zero. */
  counts(): Partial<Record<CounterName, number>> {
    const all = COUNTER_NAMES.map((name): [CounterName, number] => [name, this.count(name)])
    return Object.fromEntries(all.filter(([, value]) => value !== 0))
  }

  /** A network connection whose client was admitted. What it gets first is CONNACK. */
  connect(clientId: string, options: ClientOptions = {}): TestClient {
    const { shard = 0, thread = 0 } = options
    const slots = this.#clients[thread]
    let slot = slots.indexOf(undefined)
    if (slot < 0) slot = slots.length
    const client = new TestClient(this, this.#seats[shard].toShard[thread], clientId, slot, options)
    slots[slot] = client
    client.sendConnect()
    return client
  }

  /** Lets all threads work until nothing is left to do. */
  settle(): void {
    for (let worked = true; worked; ) {
      worked = false
      for (const seat of this.#seats) seat.publish() // also what was written outside of a record
      for (const seat of this.#seats) {
        seat.publish()
        if (this.#work(seat)) worked = true
        seat.publish()
        for (const [thread, ring] of seat.toConnections.entries()) {
          const taken = ring.drain((bytes, ints, at) => this.#receive(thread, bytes, ints, at), RING_BYTES)
          if (taken > 0) worked = true
        }
      }
      for (const { lot } of this.#seats) if (lot.work()) worked = true
      if (this.store?.work()) worked = true
      for (const { state } of this.#seats) {
        for (const outlet of state.outlets) outlet.flushAcks()
      }
    }
  }

  /** What one shard sends another stays in its ring until `release`. */
  hold(from: number, to: number): void {
    this.#held.add(`${from} ${to}`)
  }

  release(from: number, to: number): void {
    this.#held.delete(`${from} ${to}`)
    this.settle()
  }

  advance(ms: number): void {
    this.clock.nowMs += ms
    for (const { state } of this.#seats) tick(state)
    this.settle()
  }

  /** A shard dies and is started anew; its connections are gone. */
  replaceShard(index: number): void {
    const rings = this.#seats.map((_, other) => (other === index ? undefined : createRingMemory(RING_BYTES)))
    const seat = new Seat(this, index, rings)
    changeAccess(seat.state, ALL_RULES)
    for (const slots of this.#clients) {
      for (const [slot, client] of slots.entries()) {
        if (client === undefined || (client.options.shard ?? 0) !== index) continue
        client.isOpen = false
        slots[slot] = undefined
      }
    }
    this.#seats[index] = seat
    for (const [other, { state, fromPeers }] of this.#seats.entries()) {
      const incoming = rings[other]
      if (incoming === undefined) continue
      const outgoing = createRingMemory(RING_BYTES)
      seat.fromPeers[other] = new RingConsumer(outgoing)
      fromPeers[index] = new RingConsumer(incoming)
      state.peers.replace(index, new RingProducer(outgoing))
      welcomePeer(state, index)
    }
    this.settle()
  }

  /** A connection thread dies; its rings stay, which here makes no difference. */
  loseConnectionThread(thread: number): void {
    for (const client of this.#clients[thread]) if (client !== undefined) client.isOpen = false
    for (const { state } of this.#seats) {
      connectionThreadLost(state, thread)
      state.attached[thread] = []
    }
    this.#clients[thread].length = 0
    this.advance(0)
  }

  #work(seat: Seat): boolean {
    const { state } = seat
    state.nowMs = this.clock.now()
    let taken = 0
    for (const [from, ring] of seat.fromPeers.entries()) {
      if (ring === undefined || this.#held.has(`${from} ${state.index}`)) continue
      taken += ring.drain((bytes, ints, at) => receiveFromPeer(state, bytes, ints, at), RING_BYTES)
    }
    taken += releaseWaiting(state, RING_BYTES)
    if (state.opening?.holdsBack) return taken > 0
    taken += seat.lot.incoming.drain((bytes, ints, at) => receiveFromLot(state, bytes, ints, at), RING_BYTES)
    for (const [thread, ring] of seat.fromConnections.entries()) {
      const handle = (bytes: Uint8Array, ints: Int32Array, at: number): void =>
        receiveFromConnection(state, thread, bytes, ints, at)
      taken += ring.drain(handle, RING_BYTES)
    }
    return taken > 0
  }

  /** A record that a connection thread gets. */
  #receive(thread: number, bytes: Uint8Array, ints: Int32Array, at: number): void {
    const slots = this.#clients[thread]
    const kind = ints[(at >> 2) + KIND]
    if (kind === OutboundKind.DELIVER) {
      TestClient.receiveDelivery(slots, bytes, ints, at)
      return
    }
    const slot = ints[(at >> 2) + SLOT]
    const client = slots[slot]
    if (kind === OutboundKind.RELEASED) {
      slots[slot] = undefined
      return
    }
    if (client === undefined) return // of a connection that is gone, as the connection thread sees it too
    client.receive(kind, bytes, ints, at)
    if (kind === OutboundKind.CLOSE) client.signal(InboundKind.CLOSED, CloseCause.CLOSED_BY_SHARD)
  }
}
