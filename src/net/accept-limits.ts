/** Who may open a network connection: bans, limits in number, by address and by rate, and time until CONNECT. */
import { addressGroup } from '../base/address.js'
import type { SharedCounts } from '../base/shared-counts.js'
import type { BrokerConfig } from '../config/schema.js'
import { Counter, type CounterName, type Counters } from '../contracts/counters.js'
import type { Bans } from './bans.js'

/** What is closed when its time is up: a socket, whatever runs over it. */
export interface Closable {
  destroy(): void
}

/** Ints of the totals. That of the second has the end of its number in front of the count, so that they change as one. */
const TOTAL = 0
const IN_SECOND = 2
const COUNT_BITS = 20
const COUNT_MASK = (1 << COUNT_BITS) - 1
const SECOND_MASK = 0xfff

export interface AcceptParts {
  readonly config: BrokerConfig['connection']
  /** Of the whole broker: int 0 is the number of network connections, int 2 that of the second (below). */
  readonly totals: SharedArrayBuffer
  /** Connections of all connection threads by `addressGroup`. */
  readonly byAddress: SharedCounts
  readonly bans: Bans
  readonly counters: Counters
}

export class AcceptLimits {
  readonly #parts: AcceptParts
  readonly #totals: Int32Array
  /** Sockets without CONNECT yet, oldest first, and when they were accepted. */
  readonly #awaiting = new Map<Closable, number>()

  constructor(parts: AcceptParts) {
    this.#parts = parts
    this.#totals = new Int32Array(parts.totals)
  }

  /** @returns why the socket must be closed at once; undefined when it is admitted and counted until `release` */
  admit(socket: Closable, address: string, nowMs: number): CounterName | undefined {
    const { config, byAddress, bans, counters } = this.#parts
    if (bans.ofAddress(address, nowMs) !== undefined) return 'connectionsRefusedBanned'
    const { connectionsMax, connectionsPerAddressMax, connectionsPerSecondMax } = config
    const group = addressGroup(address)
    const fromAddress = byAddress.add(group, 1) ?? Number.POSITIVE_INFINITY
    if (connectionsPerAddressMax > 0 && fromAddress > connectionsPerAddressMax) {
      byAddress.add(group, -1)
      return 'connectionsRefusedAddress'
    }
    if (Atomics.add(this.#totals, TOTAL, 1) >= connectionsMax) {
      Atomics.sub(this.#totals, TOTAL, 1)
      byAddress.add(group, -1)
      return 'connectionsRefusedTotal'
    }
    // last, so that none is counted that is refused for another reason
    if (connectionsPerSecondMax > 0 && !this.#countInSecond(Math.floor(nowMs / 1_000), connectionsPerSecondMax)) {
      Atomics.sub(this.#totals, TOTAL, 1)
      byAddress.add(group, -1)
      return 'connectionsRefusedRate'
    }
    counters[Counter.socketsOpen]++
    this.#awaiting.set(socket, nowMs)
    return undefined
  }

  /** @returns false where as many were counted in this second as may be, by all threads together */
  #countInSecond(second: number, max: number): boolean {
    const now = (second & SECOND_MASK) << COUNT_BITS
    for (;;) {
      const before = Atomics.load(this.#totals, IN_SECOND)
      const count = (before & ~COUNT_MASK) === now ? before & COUNT_MASK : 0
      if (count >= max) return false
      if (Atomics.compareExchange(this.#totals, IN_SECOND, before, now | (count + 1)) === before) return true
    }
  }

  /** CONNECT has come and its client was admitted. */
  connected(socket: Closable): void {
    this.#awaiting.delete(socket)
  }

  release(socket: Closable, address: string): void {
    const { byAddress, counters } = this.#parts
    this.#awaiting.delete(socket)
    Atomics.sub(this.#totals, TOTAL, 1)
    counters[Counter.socketsOpen]--
    byAddress.add(addressGroup(address), -1)
  }

  /** Closes sockets whose time until CONNECT is up. @returns how many */
  closeLate(nowMs: number): number {
    let closed = 0
    for (const [socket, acceptedMs] of this.#awaiting) {
      if (nowMs - acceptedMs < this.#parts.config.connectSeconds * 1_000) break
      this.#awaiting.delete(socket)
      socket.destroy()
      closed++
    }
    return closed
  }
}
