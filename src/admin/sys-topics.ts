/** Statistics of the broker as retained messages under `$SYS/broker/`, with the names that Mosquitto made common. */

import type { Wiring } from '../actors/wiring.js'
import { encodeText } from '../base/bytes.js'
import type { Clock } from '../base/clock.js'
import { programVersion } from '../base/version.js'
import type { BrokerConfig } from '../config/schema.js'
import { COUNTER_NAMES, Counter, type CounterName, openCounters } from '../contracts/counters.js'
import type { InternalPublish } from '../contracts/threads.js'
import { LoadAverages } from './load-averages.js'
import type { Totals } from './statistics.js'

/** Milliseconds between looks at the clock. */
const TICK_MS = 1_000

/** Each shard has all retained messages: one of them tells how many there are. */
const OF_ONE_SHARD: readonly CounterName[] = ['retainedMessages', 'retainedBytes']

/** Reasons why messages were dropped or something was refused, as topics below `$SYS/broker/`. */
const REASONS: readonly (readonly [topic: string, counter: CounterName])[] = [
  ['messages/dropped/queue_full', 'droppedQueueFull'],
  ['messages/dropped/queue_oldest', 'droppedQueueOldest'],
  ['messages/dropped/qos0_offline', 'droppedQos0Offline'],
  ['messages/dropped/qos0_slow', 'droppedQos0Slow'],
  ['messages/dropped/expired', 'droppedExpired'],
  ['messages/dropped/packet_too_large', 'droppedPacketTooLarge'],
  ['messages/dropped/not_authorized', 'droppedNotAuthorized'],
  ['messages/dropped/retained_full', 'droppedRetainedFull'],
  ['messages/dropped/retained_user', 'droppedRetainedUser'],
  ['messages/dropped/retained_address', 'droppedRetainedAddress'],
  ['messages/dropped/session_ended', 'droppedSessionEnded'],
  ['messages/dropped/store_full', 'droppedStoreFull'],
  ['connections/refused/total', 'connectionsRefusedTotal'],
  ['connections/refused/address', 'connectionsRefusedAddress'],
  ['connections/refused/rate', 'connectionsRefusedRate'],
  ['connections/refused/banned', 'connectionsRefusedBanned'],
  ['connections/refused/banned_client', 'connectsRefusedBanned'],
  ['connections/refused/user', 'connectionsRefusedUser'],
  ['connections/refused/sessions', 'sessionsRefused'],
  ['connections/refused/proxy', 'connectionsRefusedProxy'],
  ['connections/refused/handshake', 'connectionsRefusedHandshake'],
  ['connections/refused/origin', 'connectionsRefusedOrigin'],
  ['connections/refused/not_authorized', 'connectionsDenied'],
  ['connections/closed/connect_timeout', 'connectTimeouts'],
  ['connections/closed/keep_alive', 'keepAliveTimeouts'],
  ['connections/closed/protocol_error', 'protocolErrors'],
  ['connections/closed/rate', 'connectionsClosedRate'],
  ['connections/closed/banned', 'connectionsClosedBanned'],
  ['connections/slowed', 'readsSlowed'],
  ['connections/descriptor_shortages', 'descriptorShortages'],
  ['logins/failed', 'loginsFailed'],
  ['logins/delayed', 'loginsDelayed'],
  ['subscriptions/refused', 'refusedSubscriptions'],
  ['wills/published', 'willsPublished'],
]

export class SysTopics {
  readonly #startedMs: number
  readonly #load = new LoadAverages()
  #timer: NodeJS.Timeout | undefined
  #dueMs = 0
  #clientsMax = 0
  readonly #last = new Map<string, string>()

  constructor(
    readonly config: BrokerConfig,
    readonly wiring: Wiring,
    readonly clock: Clock,
    readonly publish: (messages: readonly InternalPublish[]) => Promise<void>,
    /** Where a damaged store was moved to at this start, and why. */
    readonly quarantine: () => string | undefined = () => undefined,
    /** What no thread counts, by topic below `$SYS/broker/`; undefined where there is no such thing. */
    readonly more: () => Readonly<Record<string, number | undefined>> = () => ({}),
  ) {
    this.#startedMs = clock.now()
  }

  start(): void {
    this.tick()
    this.#timer = setInterval(() => this.tick(), TICK_MS)
  }

  /** Publishes when the interval has passed on the broker's clock. */
  tick(): void {
    const { intervalSeconds } = this.config.sys
    if (intervalSeconds === 0 || this.clock.now() < this.#dueMs) return
    this.#dueMs = this.clock.now() + intervalSeconds * 1_000
    this.publish(this.changes()).catch(() => this.forget())
  }

  /** A shard has died and a new one knows nothing: it gets everything next time, changed or not. */
  forget(): void {
    this.#last.clear()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** What differs from the last time. */
  changes(): InternalPublish[] {
    const changed: InternalPublish[] = []
    for (const [topic, value] of this.values()) {
      if (this.#last.get(topic) === value) continue
      this.#last.set(topic, value)
      changed.push({ topic: `$SYS/broker/${topic}`, payload: encodeText(value), retain: true })
    }
    return changed
  }

  /** Topics below `$SYS/broker/` with their values. */
  values(): [topic: string, value: string][] {
    const totals = this.totals()
    const uptime = Math.floor((this.clock.now() - this.#startedMs) / 1_000)
    this.#clientsMax = Math.max(this.#clientsMax, totals.sessionsConnected)
    const dropped = REASONS.filter(([topic]) => topic.startsWith('messages/dropped/'))
    const memory = process.memoryUsage()
    const numbers: [string, number][] = [
      ['clients/total', totals.sessions],
      ['clients/connected', totals.sessionsConnected],
      ['clients/disconnected', totals.sessionsDisconnected],
      ['clients/active', totals.sessionsConnected],
      ['clients/inactive', totals.sessionsDisconnected],
      ['clients/maximum', this.#clientsMax],
      ['clients/expired', totals.sessionsExpired],
      ['connections/socket/count', totals.socketsOpen],
      ['messages/received', totals.packetsReceived],
      ['messages/sent', totals.packetsSent],
      ['messages/stored', totals.messagesStored + totals.retainedMessages],
      ['publish/messages/received', totals.publishReceived],
      ['publish/messages/sent', totals.publishSent],
      ['publish/messages/dropped', dropped.reduce((sum, [, counter]) => sum + totals[counter], 0)],
      ['publish/bytes/received', totals.publishReceivedBytes],
      ['publish/bytes/sent', totals.publishSentBytes],
      ['bytes/received', totals.bytesReceived],
      ['bytes/sent', totals.bytesSent],
      ['retained messages/count', totals.retainedMessages],
      ['retained messages/bytes', totals.retainedBytes],
      ['store/messages/count', totals.messagesStored + totals.retainedMessages],
      ['store/messages/bytes', totals.messagesStoredBytes + totals.retainedBytes],
      ['store/full', totals.storeFull],
      ['store/given_up', totals.storeGivenUp],
      ['store/file/bytes', totals.storeFileBytes],
      ['store/file/free', totals.storeFreeBytes],
      ['store/commits', totals.storeCommits],
      ['store/records', totals.storeRecords],
      ['store/elided', totals.storeElided],
      ['lot/runs', totals.lotRuns],
      ['lot/failures', totals.lotFailures],
      ['lot/dropped', totals.lotDropped],
      ['subscriptions/count', totals.subscriptions + totals.sharedSubscriptions],
      ['shared_subscriptions/count', totals.sharedSubscriptions],
      ['heap/current', memory.heapUsed],
      ['memory/resident', memory.rss],
      ['socket buffers/bytes', totals.socketBufferBytes],
      ...REASONS.map(([topic, counter]): [string, number] => [topic, totals[counter]]),
    ]
    const load = this.#load.update(this.clock.now(), {
      'messages/received': totals.packetsReceived,
      'messages/sent': totals.packetsSent,
      'publish/received': totals.publishReceived,
      'publish/sent': totals.publishSent,
      'bytes/received': totals.bytesReceived,
      'bytes/sent': totals.bytesSent,
      connections: totals.connectionsAccepted,
      sockets: totals.connectionsAccepted,
    })
    const quarantine = this.quarantine()
    const more = Object.entries(this.more()).filter(([, value]) => value !== undefined)
    return [
      ...(quarantine === undefined ? [] : ([['store/quarantine', quarantine]] as [string, string][])),
      ['version', `merlot version ${programVersion()}`],
      ['uptime', `${uptime} seconds`],
      ...more.map(([topic, value]): [string, string] => [topic, String(value)]),
      ...numbers.map(([topic, value]): [string, string] => [topic, String(value)]),
      ...load,
    ]
  }

  /** The counters of all threads, added up. */
  totals(): Totals {
    const { connections, shards, storage, lot } = this.wiring
    const all = [...connections, ...shards, storage, lot].map(({ counters }) => openCounters(counters))
    const first = openCounters(shards[0].counters)
    return Object.fromEntries(
      COUNTER_NAMES.map((name) => {
        const index = Counter[name]
        const value = OF_ONE_SHARD.includes(name)
          ? first[index]
          : all.reduce((sum, counters) => sum + counters[index], 0)
        return [name, value]
      }),
    ) as Totals
  }
}
