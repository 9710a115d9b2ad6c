/** A connection thread with transports and shards at the hands of a test. */
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { createSharedRatesMemory, SharedRates } from '../base/shared-rates.js'
import { Outlet } from '../broker/outlet.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import type { AuditRecord } from '../contracts/audit.js'
import { Counter, type CounterName, createCountersMemory, openCounters } from '../contracts/counters.js'
import { OutboundKind } from '../contracts/records.js'
import { encodeConnect, PLAIN_CONNECT } from '../mqtt/client-codec.js'
import { encodeConnack } from '../mqtt/control-codec.js'
import type { Connect, ProtocolVersion } from '../mqtt/packets.js'
import type { Authenticator } from '../security/authenticator.js'
import { CredentialsDirectory } from '../security/directory.js'
import { AcceptLimits } from './accept-limits.js'
import { Bans } from './bans.js'
import { ConnectionThread } from './connection-thread.js'
import { LOCAL_PEER } from './peer.fixture.js'
import type { PeerDetails } from './peer-details.js'
import { RateLimits } from './rates.js'
import { takeRecords } from './ring-records.fixture.js'
import { Suspects } from './suspects.js'
import { FakeTransport } from './transport.fixture.js'

/** Admits everybody; the user name is what the client says. */
const anonymousAuthenticator: Authenticator = {
  admit: (connect) => ({ kind: 'admitted', userName: connect.userName }),
  begin: () => undefined,
}

export interface ThreadOptions {
  readonly config?: BrokerConfigInput
  readonly authenticator?: Authenticator
  readonly shards?: number
  readonly ringBytes?: number
}

export class ThreadFixture {
  readonly clock = new ManualClock()
  readonly counters = openCounters(createCountersMemory())
  readonly logged: LogRecord[] = []
  readonly audited: AuditRecord[] = []
  readonly bans = new Bans(() => true)
  readonly directory = new CredentialsDirectory()
  readonly limits: AcceptLimits
  readonly thread: ConnectionThread
  readonly #toShards: RingProducer[] = []
  readonly #atShards: RingConsumer[] = []
  readonly #outlets: Outlet[] = []
  readonly #fromShards: RingConsumer[] = []

  constructor({
    config = {},
    authenticator = anonymousAuthenticator,
    shards = 1,
    ringBytes = 65_536,
  }: ThreadOptions = {}) {
    const parsed = BrokerConfig.parse(config)
    for (let shard = 0; shard < shards; shard++) {
      const [there, back] = [createRingMemory(ringBytes), createRingMemory(ringBytes)]
      this.#toShards.push(new RingProducer(there))
      this.#atShards.push(new RingConsumer(there))
      this.#outlets.push(new Outlet(new RingProducer(back)))
      this.#fromShards.push(new RingConsumer(back))
    }
    this.limits = new AcceptLimits({
      config: parsed.connection,
      totals: new SharedArrayBuffer(12),
      byAddress: new SharedCounts(createSharedCountsMemory(1, 100), 0),
      bans: this.bans,
      counters: this.counters,
    })
    this.thread = new ConnectionThread({
      config: parsed,
      clock: this.clock,
      counters: this.counters,
      log: createSinkLogger({ level: 'warn', areas: {} }, (record) => this.logged.push(record)),
      limits: this.limits,
      authenticator,
      directory: this.directory,
      audit: { record: (record) => this.audited.push(record) },
      bans: this.bans,
      rates: new RateLimits(parsed.limits, new SharedRates(createSharedRatesMemory(16))),
      suspects: new Suspects(this.counters, () => {}),
      rings: this.#toShards,
      written: (shard) => {
        this.#toShards[shard].publish()
        if (this.isCongested(shard)) this.publish()
      },
    })
  }

  count(name: CounterName): number {
    return this.counters[Counter[name]]
  }

  /** A socket that the limits have admitted. */
  accept(peer: PeerDetails = LOCAL_PEER): FakeTransport {
    const transport = new FakeTransport()
    const refused = this.limits.admit(transport, transport.address, this.clock.now())
    if (refused !== undefined) throw new Error(refused)
    this.thread.accept(transport, transport, peer)
    return transport
  }

  /** A client that is connected; its slot is `slot`, the first one 0. */
  connect(slot: number, connect: Partial<Connect> = {}, shard = 0): FakeTransport {
    const transport = this.accept()
    transport.receive(connectPacket(connect))
    this.takeRecords(shard)
    this.acceptClient(slot, connect.version, shard)
    transport.take()
    return transport
  }

  /** As the shard does. */
  acceptClient(slot: number, version: ProtocolVersion = 5, shard = 0): void {
    const connack = encodeConnack({ sessionPresent: false, reasonCode: 0 }, version)
    this.fromShard((outlet) => outlet.send(OutboundKind.ACCEPT, slot, connack), shard)
  }

  /** Lets a shard write records, and the thread read them. */
  fromShard(write: (outlet: Outlet) => void, shard = 0): void {
    const outlet = this.#outlets[shard]
    write(outlet)
    outlet.flushAcks()
    for (outlet.ring.publish(); !this.#fromShards[shard].isEmpty; outlet.ring.publish()) {
      this.#fromShards[shard].drain((bytes, ints, at) => this.thread.receive(bytes, ints, at), 1 << 30)
    }
    this.thread.flush()
  }

  /** What the shards were told. */
  takeRecords(shard = 0): string[] {
    return takeRecords(this.#toShards[shard], this.#atShards[shard])
  }

  /** As the loop of the thread does. @returns true while some shard is behind */
  publish(): boolean {
    for (const ring of this.#toShards) ring.publish()
    return this.thread.resumeReading()
  }

  isCongested(shard = 0): boolean {
    return this.#toShards[shard].isCongested
  }

  advance(ms: number): void {
    this.clock.nowMs += ms
    this.thread.tick()
    this.thread.flush()
  }
}

export function connectPacket(connect: Partial<Connect> = {}): Uint8Array {
  return encodeConnect({ ...PLAIN_CONNECT, ...connect })
}
