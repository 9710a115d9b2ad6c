/** Keeps who is banned: by command, in the store; and found by the broker, until it stops. Tells the connection threads. */
import type { Clock } from '../base/clock.js'
import { messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import type { BrokerConfig } from '../config/schema.js'
import { type Ban, type BanRef, type BanReport, type BansChange, banKey } from '../contracts/bans.js'
import { BanJudge } from './ban-judge.js'
import type { Changes } from './changes.js'
import type { Library } from './library.js'
import type { RetainedTopics } from './retained-topics.js'

const NOTE = 'ban/'
/** Set by commands. */
const MANUAL_MAX = 10_000
/** Found by the broker; beyond it those go that were found first. */
const FOUND_MAX = 65_536
/** Of all, the latest that are published and listed. */
const LISTED_MAX = 1_000
/** Ended bans are cleared away, and what has changed is published, this often. */
const TICK_MS = 1_000

export interface BanKeeperParts {
  readonly library: Library
  readonly changes: Changes
  readonly topics: RetainedTopics
  readonly clock: Clock
  readonly log: Logger
  readonly limits: () => BrokerConfig['limits']['ban']
  /** Tells all connection threads, and resolves when they know. */
  readonly tell: (change: BansChange) => Promise<void>
  /** Publishes what has changed in `topics`. */
  readonly publish: () => Promise<void>
}

export class BanKeeper {
  readonly #parts: BanKeeperParts
  readonly #judge: BanJudge
  readonly #manual = new Map<string, Ban>()
  readonly #found = new Map<string, Ban>()
  readonly #log: RateLimitedLog
  #isChanged = true
  #timer: NodeJS.Timeout | undefined

  constructor(parts: BanKeeperParts) {
    this.#parts = parts
    this.#judge = new BanJudge(parts.limits)
    this.#log = new RateLimitedLog(parts.log, () => parts.clock.now())
  }

  /** Reads what is kept, once the library is filled. What cannot be read is logged and passed over. */
  start(): void {
    for (const [key, text] of this.#parts.library.notes) {
      if (!key.startsWith(NOTE)) continue
      try {
        const ban = JSON.parse(text) as Ban
        this.#manual.set(banKey(ban), { ...ban, untilMs: ban.untilMs ?? undefined })
      } catch (error) {
        this.#parts.log.error('a ban in the store is passed over', { key, reason: messageOf(error) })
      }
    }
    this.tick()
    this.#timer = setInterval(() => this.tick(), TICK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** For a connection thread that has just begun. */
  whole(): BansChange {
    return { bans: this.#inForce(), lifted: [], isWhole: true }
  }

  /** The latest first. @returns how many there are in all, too */
  list(): { readonly count: number; readonly bans: readonly Ban[] } {
    const all = this.#inForce().sort((a, b) => b.sinceMs - a.sinceMs)
    return { count: all.length, bans: all.slice(0, LISTED_MAX) }
  }

  /** @returns why it cannot be; undefined when it is in force and kept */
  async ban(ban: Ban): Promise<string | undefined> {
    const key = banKey(ban)
    if (this.#manual.size >= MANUAL_MAX && !this.#manual.has(key)) return `There are ${MANUAL_MAX} bans already`
    await this.#parts.changes.make((draft) => draft.notes.set(NOTE + key, JSON.stringify(ban)))
    this.#manual.set(key, ban)
    await this.#tell({ bans: [ban], lifted: [], isWhole: false })
    return undefined
  }

  /** Also those that the broker has found; of a client, with whatever user name. @returns whether there was one */
  async unban(ref: BanRef): Promise<boolean> {
    const gone = this.#inForce().filter(({ kind, what }) => kind === ref.kind && what === ref.what)
    if (gone.length === 0) return false
    const keys = gone.map(banKey)
    await this.#parts.changes.make((draft) => {
      for (const key of keys) draft.notes.delete(NOTE + key)
    })
    for (const each of gone) this.#judge.forgive(each)
    for (const key of keys) {
      this.#manual.delete(key)
      this.#found.delete(key)
    }
    await this.#tell({ bans: [], lifted: gone.map(refOf), isWhole: false })
    return true
  }

  /** What a connection thread has seen. Never throws. */
  take({ failures, connects }: BanReport): void {
    const nowMs = this.#parts.clock.now()
    const bans: Ban[] = []
    const add = (ban: Ban | undefined): void => {
      if (ban !== undefined) bans.push(ban)
    }
    for (const [address, count] of failures) add(this.#judge.failed(address, count, nowMs))
    for (const { clientId, userName, count } of connects) add(this.#judge.connected(clientId, userName, count, nowMs))
    if (bans.length === 0) return
    for (const ban of bans) this.#keepFound(ban)
    this.#tell({ bans, lifted: [], isWhole: false }).catch((error: unknown) => {
      this.#parts.log.warn('a connection thread was not told of a ban', { reason: messageOf(error) })
    })
  }

  /** Clears away what has ended, and publishes what has changed. */
  tick(): void {
    const nowMs = this.#parts.clock.now()
    const ended = [...this.#manual, ...this.#found].filter(([, ban]) => !isInForce(ban, nowMs))
    const kept = ended.filter(([key]) => this.#manual.has(key)).map(([key]) => key)
    for (const [key] of ended) {
      this.#manual.delete(key)
      this.#found.delete(key)
    }
    if (ended.length > 0) this.#isChanged = true
    if (kept.length > 0) {
      const { changes, log } = this.#parts
      const cleared = changes.make((draft) => {
        for (const key of kept) if (!this.#manual.has(key)) draft.notes.delete(NOTE + key)
      })
      cleared.catch((error: unknown) => log.warn('ended bans stay in the store', { reason: messageOf(error) }))
    }
    this.#log.report()
    if (this.#isChanged) this.#publish()
  }

  #keepFound(ban: Ban): void {
    const { kind, what, reason, sinceMs, untilMs } = ban
    if (this.#found.size >= FOUND_MAX) {
      const [first] = this.#found.keys()
      this.#found.delete(first)
    }
    this.#found.set(banKey(ban), ban)
    const seconds = Math.round(((untilMs ?? sinceMs) - sinceMs) / 1_000)
    this.#log.log('warn', kind, `${kind} banned for ${seconds} s: ${reason}`, { [kind]: what })
  }

  async #tell(change: BansChange): Promise<void> {
    this.#isChanged = true
    await this.#parts.tell(change)
  }

  #inForce(): Ban[] {
    const nowMs = this.#parts.clock.now()
    return [...this.#manual.values(), ...this.#found.values()].filter((ban) => isInForce(ban, nowMs))
  }

  #publish(): void {
    this.#isChanged = false
    const { topics, publish, log } = this.#parts
    const { count, bans } = this.list()
    topics.set('Bans', JSON.stringify({ count, bans: bans.map(banView) }))
    publish().catch((error: unknown) => log.warn('bans could not be published', { reason: messageOf(error) }))
  }
}

/** As clients see it. */
export function banView({ kind, what, userName, reason, sinceMs, untilMs, isManual }: Ban): object {
  return {
    kind,
    what,
    user: userName,
    reason,
    sinceUtc: new Date(sinceMs).toISOString(),
    untilUtc: untilMs === undefined ? null : new Date(untilMs).toISOString(),
    manual: isManual,
  }
}

function refOf({ kind, what, userName }: Ban): BanRef {
  return userName === undefined ? { kind, what } : { kind, what, userName }
}

function isInForce({ untilMs }: Ban, nowMs: number): boolean {
  return untilMs === undefined || nowMs < untilMs
}
