/**
 * What the broker says of clients and of itself below `$SYS/Coreflux` by the clock: `Stats`, `Resources/…`, `Comms/…`.
 * How much that costs does not grow with the number of sessions.
 */
import { encodeText } from '../base/bytes.js'
import type { Clock } from '../base/clock.js'
import type { BrokerConfig } from '../config/schema.js'
import type { AuditEntry } from '../contracts/audit.js'
import type { SessionSummary } from '../contracts/sessions.js'
import type { InternalPublish } from '../contracts/threads.js'
import { LoginEvents } from './login-events.js'
import { sessionLists } from './session-lists.js'
import { Statistics, type Totals } from './statistics.js'

const PREFIX = '$SYS/Coreflux/'
/** Milliseconds between looks at what has changed: lists are published no more often. */
const TICK_MS = 1_000
/** What is of the moment only. */
const NOT_RETAINED = new Set(['Stats'])

export interface CorefluxTopicsParts {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly totals: () => Totals
  /** Of each shard. */
  readonly sessions: () => Promise<readonly (readonly SessionSummary[])[]>
  readonly publish: (messages: readonly InternalPublish[]) => Promise<void>
}

export class CorefluxTopics {
  readonly #parts: CorefluxTopicsParts
  readonly #statistics: Statistics
  readonly #logins = new LoginEvents()
  #timer: NodeJS.Timeout | undefined
  #dueMs = 0
  /** Counters of sessions when the lists were made; undefined when they must be made anew. */
  #counted: string | undefined
  /** Lists as they were published last. */
  readonly #lists = new Map<string, string>()
  #isListing = false

  constructor(parts: CorefluxTopicsParts) {
    this.#parts = parts
    this.#statistics = new Statistics(parts.clock.now())
  }

  start(): void {
    this.tick()
    this.#timer = setInterval(() => this.tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Publishes what is due, and what has changed. */
  tick(): void {
    const { config, clock, totals } = this.#parts
    this.#send(this.#logins.tick())
    const { intervalSeconds } = config.sys
    if (intervalSeconds === 0) return
    const now = totals()
    if (clock.now() >= this.#dueMs) {
      this.#dueMs = clock.now() + intervalSeconds * 1_000
      this.#publishStatistics(now)
      this.#counted = undefined // a client may have come back without a change of any number
    }
    this.#list(now)
  }

  /** Everything now, whatever the clock says. */
  update(): void {
    const now = this.#parts.totals()
    this.#publishStatistics(now)
    this.#counted = undefined
    this.#list(now)
  }

  /** A shard has died and a new one knows nothing. */
  forget(): void {
    this.#counted = undefined
    this.#lists.clear()
    this.#dueMs = 0
  }

  /** What threads have said for the audit trail. */
  audited(entries: readonly AuditEntry[]): void {
    this.#send(this.#logins.take(entries))
  }

  #publishStatistics(totals: Totals): void {
    this.#send(retained(this.#statistics.read(this.#parts.clock.now(), totals)))
  }

  #list(totals: Totals): void {
    const { connectionsAccepted, sessions, sessionsConnected, subscriptions, sharedSubscriptions } = totals
    const counted = `${connectionsAccepted} ${sessions} ${sessionsConnected} ${subscriptions} ${sharedSubscriptions}`
    if (this.#isListing || counted === this.#counted) return
    this.#isListing = true
    this.#counted = counted
    this.#parts
      .sessions()
      .then((found) => this.#parts.publish(retained(this.#changed(sessionLists(found, totals)))))
      .catch(() => this.forget()) // a thread has died; its successor is asked
      .finally(() => {
        this.#isListing = false
      })
  }

  #changed(lists: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const changed = [...lists].filter(([topic, text]) => this.#lists.get(topic) !== text)
    for (const [topic, text] of changed) this.#lists.set(topic, text)
    return new Map(changed)
  }

  #send(messages: readonly InternalPublish[]): void {
    if (messages.length > 0) this.#parts.publish(messages).catch(() => this.forget())
  }
}

function retained(texts: ReadonlyMap<string, string>): readonly InternalPublish[] {
  return [...texts].map(([topic, text]) => {
    return { topic: PREFIX + topic, payload: encodeText(text), retain: !NOT_RETAINED.has(topic) }
  })
}
