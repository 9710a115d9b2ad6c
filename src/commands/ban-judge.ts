/** Finds who is to be banned: addresses with too many failed logins, clients that come and go too often. */
import { isLocalAddress } from '../base/address.js'
import type { BrokerConfig } from '../config/schema.js'
import { type Ban, type BanRef, banKey } from '../contracts/bans.js'

const MINUTE_MS = 60_000
/** A minute is counted in so many parts, the oldest of which is forgotten when a new one begins. */
const PARTS = 6
const PART_MS = MINUTE_MS / PARTS
/** Who was quiet for so long begins anew. */
const QUIET_MS = 86_400_000
/** Addresses and clients that are watched; beyond it those go that were seen least recently. */
const WATCHED_MAX = 65_536
/** Of these, how many are looked at to find one that is not banned. */
const LOOK_MAX = 64

interface Watched {
  readonly counts: number[]
  /** Number of the part that was counted in last. */
  part: number
  /** Bans until now. */
  bans: number
  untilMs: number
  lastMs: number
}

export class BanJudge {
  /** By `banKey`, the least recently seen first. */
  readonly #watched = new Map<string, Watched>()

  constructor(readonly limits: () => BrokerConfig['limits']['ban']) {}

  get watched(): number {
    return this.#watched.size
  }

  /** Logins have failed. @param address as `addressGroup` gives it @returns the ban that follows from it */
  failed(address: string, count: number, nowMs: number): Ban | undefined {
    const { failuresMax, local } = this.limits()
    if (isLocalAddress(address.replace(/\/\d+$/, '')) && !local) return undefined
    const reason = `${failuresMax} failed logins within a minute`
    return this.#count({ kind: 'address', what: address }, count, failuresMax, reason, nowMs)
  }

  /** A client has connected. @param userName null for none */
  connected(clientId: string, userName: string | null, count: number, nowMs: number): Ban | undefined {
    const { flappingMax } = this.limits()
    const reason = `connected ${flappingMax} times within a minute`
    return this.#count({ kind: 'client', what: clientId, userName }, count, flappingMax, reason, nowMs)
  }

  /** Forgets what is held against somebody. */
  forgive(ref: BanRef): void {
    this.#watched.delete(banKey(ref))
  }

  #count(ref: BanRef, count: number, countMax: number, reason: string, nowMs: number): Ban | undefined {
    if (countMax === 0) return undefined
    const watched = this.#watch(banKey(ref), nowMs)
    if (nowMs < watched.untilMs) return undefined // on its way when the ban began
    const part = Math.floor(nowMs / PART_MS)
    const passed = Math.min(PARTS, Math.max(0, part - watched.part))
    for (let step = 1; step <= passed; step++) watched.counts[(watched.part + step) % PARTS] = 0
    watched.part = Math.max(part, watched.part)
    watched.counts[watched.part % PARTS] += count
    watched.lastMs = nowMs
    if (watched.counts.reduce((sum, each) => sum + each, 0) < countMax) return undefined
    watched.counts.fill(0)
    const { seconds, secondsMax } = this.limits()
    const lasts = Math.min(secondsMax, seconds * 2 ** Math.min(watched.bans, 40))
    watched.bans++
    watched.untilMs = nowMs + lasts * 1_000
    return { ...ref, reason, sinceMs: nowMs, untilMs: watched.untilMs, isManual: false }
  }

  #watch(key: string, nowMs: number): Watched {
    const known = this.#watched.get(key)
    if (known !== undefined) {
      if (nowMs - Math.max(known.lastMs, known.untilMs) >= QUIET_MS) known.bans = 0
      this.#watched.delete(key) // to the end
      this.#watched.set(key, known)
      return known
    }
    if (this.#watched.size >= WATCHED_MAX) this.#watched.delete(this.#leastWorth(nowMs))
    const watched = { counts: new Array<number>(PARTS).fill(0), part: 0, bans: 0, untilMs: 0, lastMs: nowMs }
    this.#watched.set(key, watched)
    return watched
  }

  /** The least recently seen of those that were never banned, if there is one among the first. */
  #leastWorth(nowMs: number): string {
    let first: string | undefined
    let looked = 0
    for (const [key, { bans, lastMs, untilMs }] of this.#watched) {
      first ??= key
      if (bans === 0 || nowMs - Math.max(lastMs, untilMs) >= QUIET_MS) return key
      if (++looked >= LOOK_MAX) break
    }
    return first ?? ''
  }
}
