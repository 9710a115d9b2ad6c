/** What a shard owns. Functions of this folder work on it; none of it is shared with another thread. */
import { Timers } from '../actors/timers.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import type { RingProducer } from '../base/ring.js'
import type { SharedCounts } from '../base/shared-counts.js'
import type { BrokerConfig, DurabilityLevel } from '../config/schema.js'
import type { Audit } from '../contracts/audit.js'
import { Counter, type CounterName, type Counters } from '../contracts/counters.js'
import type { RetainedStore, ShardStorage } from '../contracts/storage.js'
import { Access, type AccessPolicy } from './access.js'
import type { HeldDelivery } from './delivery.js'
import { FilterTree } from './filter-tree.js'
import { LotLink } from './lot-link.js'
import { type Message, MessageMemory, PublishFields } from './message.js'
import type { Opening } from './opening.js'
import { Outlet } from './outlet.js'
import { Peers } from './peers.js'
import { Quotas } from './quotas.js'
import { mayReceive as mayReceiveNow, receiversChanged } from './receiving.js'
import { RecentSessions } from './recent-sessions.js'
import { RemovedUsers } from './removed-users.js'
import type { Session } from './session.js'
import type { Audience } from './subscription.js'
import { TopicTable } from './topic-table.js'
import { UserRecords } from './user-records.js'

/** Drops that clients have asked for by what they set. */
const EXPECTED_DROPS: ReadonlySet<CounterName> = new Set(['droppedExpired', 'droppedSessionEnded'])

export interface ShardResources {
  readonly index: number
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly counters: Counters
  /** Of the whole broker: int 1 is the number of sessions. */
  readonly totals: SharedArrayBuffer
  readonly log: Logger
  readonly storage: ShardStorage<Message>
  /** Towards each connection thread. */
  readonly outlets: readonly RingProducer[]
  /** Towards each other shard; undefined at the own place. */
  readonly peers: readonly (RingProducer | undefined)[]
  /** Towards the LoT thread. */
  readonly lot: RingProducer
  readonly policy: AccessPolicy
  /** Of all shards, for `Quotas`. */
  readonly userCounts: SharedCounts
  readonly addressCounts: SharedCounts
  readonly audit: Audit
}

/** Added to `refused` when the store had no room: then the publisher is told, whoever else has taken the message. */
export const REFUSED_FOR_ROOM = 0x100_0000

export class ShardState {
  readonly index: number
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly counters: Counters
  readonly log: Logger
  /** Lines about single clients, at a bounded rate. */
  readonly clientLog: RateLimitedLog
  readonly sessions = new Map<string, Session>()
  readonly recent = new RecentSessions()
  readonly #totals: Int32Array
  /** Connected sessions by connection thread and slot. */
  readonly attached: (Session | undefined)[][]
  readonly filters = new FilterTree<Audience>()
  readonly topics: TopicTable
  readonly storage: ShardStorage<Message>
  readonly access: Access
  readonly removedUsers = new RemovedUsers()
  readonly userRecords = new UserRecords()
  readonly quotas: Quotas
  readonly audit: Audit
  readonly timers = new Timers()
  readonly outlets: Outlet[]
  /** While sessions are read from the store: theirs and those of other shards. */
  opening: Opening | undefined = undefined
  readonly peers: Peers
  lot: LotLink
  readonly memory = new MessageMemory()
  /** The message being routed. */
  readonly fields = new PublishFields()
  /** The kept message being pumped, so that pumping may happen while another is routed. */
  readonly pumpFields = new PublishFields()
  /** Sessions whose queues may move on at the end of the record. */
  readonly toPump: Session[] = []
  /** What became of the message being routed: sessions that took it, and that should have and could not. */
  accepted = 0
  refused = 0
  /** What is promised for the message being routed. */
  durability: DurabilityLevel = 'off'
  /** The message being routed was handed to the store: acknowledging it waits for the flush. */
  mustFlush = false
  /** Records written to the store for it. */
  records = 0
  /** Its QoS 2 deliveries wait until it is known to be received: sent again, it must not reach anybody twice. */
  holdsQos2 = false
  /** QoS 2 deliveries of the message being routed, which go out once they are flushed. */
  held: HeldDelivery[] = []
  /** Milliseconds since the epoch, read once per batch. */
  nowMs = 0
  nextGroupId = 1
  readonly emptyAudiences = new Set<Audience>()

  constructor(resources: ShardResources) {
    this.index = resources.index
    this.config = resources.config
    this.clock = resources.clock
    this.counters = resources.counters
    this.#totals = new Int32Array(resources.totals)
    this.log = resources.log
    this.clientLog = new RateLimitedLog(resources.log.area('session'), () => this.clock.now())
    this.outlets = resources.outlets.map((ring) => new Outlet(ring))
    this.attached = resources.outlets.map(() => [])
    this.peers = new Peers(resources.index, resources.peers)
    this.lot = new LotLink(resources.index, resources.lot)
    this.storage = resources.storage
    this.audit = resources.audit
    this.nowMs = resources.clock.now()
    this.quotas = new Quotas({
      userCounts: resources.userCounts,
      addressCounts: resources.addressCounts,
      limits: () => this.config.limits,
      sessions: () => this.sessions.values(),
    })
    this.access = new Access(
      resources.policy,
      resources.storage.retained,
      () => this.nowMs,
      (session) => receiversChanged(this, session),
    )
    const mayReceive = (session: Session, topic: string): boolean => mayReceiveNow(this, session, topic)
    this.topics = new TopicTable(
      this.filters,
      resources.config.topic.cachedMax,
      resources.config.durability,
      mayReceive,
    )
  }

  /** @returns false when the broker has as many sessions as it may */
  addSession(session: Session): boolean {
    const unread = this.opening?.parts.left ?? 0
    if (Atomics.add(this.#totals, 1, 1) + unread >= this.config.session.sessionsMax) {
      Atomics.sub(this.#totals, 1, 1)
      return false
    }
    this.sessions.set(session.clientId, session)
    this.count('sessions')
    return true
  }

  removeSession(session: Session): void {
    Atomics.sub(this.#totals, 1, 1)
    this.sessions.delete(session.clientId)
    this.recent.forget(session)
    this.count('sessions', -1)
  }

  /** One that was there before the broker was started: it counts, whatever the limit is by now. */
  restoreSession(session: Session): void {
    Atomics.add(this.#totals, 1, 1)
    this.sessions.set(session.clientId, session)
    this.count('sessions')
  }

  get retained(): RetainedStore<Message> {
    return this.storage.retained
  }

  count(name: CounterName, amount = 1): void {
    this.counters[Counter[name]] += amount
  }

  /** Counts what a session did not get, and says so in the log, by session and reason, at a bounded rate. */
  drop(reason: CounterName, session: Session, message: string, amount = 1): void {
    this.count(reason, amount)
    const level = EXPECTED_DROPS.has(reason) ? 'info' : 'warn'
    this.clientLog.log(level, `${reason} ${session.clientId}`, message, { clientId: session.clientId, reason, amount })
  }

  pumpLater(session: Session): void {
    if (session.needsPump) return
    session.needsPump = true
    this.toPump.push(session)
  }
}
