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

export interface AcceptParts {
  readonly config: BrokerConfig['connection']
  /** Of the whole broker: int 0 is the number of network connections. */
  readonly totals: SharedArrayBuffer
  /** Connections of all connection threads by `addressGroup`. */
  readonly byAddress: SharedCounts
  readonly bans: Bans
  readonly counters: Counters
}

export class AcceptLimits {
  readonly #parts: AcceptParts
  readonly #total: Int32Array
  /** Sockets without CONNECT yet, oldest first, and when they were accepted. */
  readonly #awaiting = new Map<Closable, number>()
  #second = 0
  #thisSecond = 0

  constructor(parts: AcceptParts) {
    this.#parts = parts
    this.#total = new Int32Array(parts.totals)
  }

  /** @returns why the socket must be closed at once; undefined when it is admitted and counted until `release` */
  admit(socket: Closable, address: string, nowMs: number): CounterName | undefined {
    const { config, byAddress, bans, counters } = this.#parts
    if (bans.ofAddress(address, nowMs) !== undefined) return 'connectionsRefusedBanned'
    const { connectionsMax, connectionsPerAddressMax, connectionsPerSecondMax } = config
    const second = Math.floor(nowMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#thisSecond = 0
    }
    if (connectionsPerSecondMax > 0 && this.#thisSecond >= connectionsPerSecondMax) return 'connectionsRefusedRate'
    const group = addressGroup(address)
    const fromAddress = byAddress.add(group, 1) ?? Number.POSITIVE_INFINITY
    if (connectionsPerAddressMax > 0 && fromAddress > connectionsPerAddressMax) {
      byAddress.add(group, -1)
      return 'connectionsRefusedAddress'
    }
    if (Atomics.add(this.#total, 0, 1) >= connectionsMax) {
      Atomics.sub(this.#total, 0, 1)
      byAddress.add(group, -1)
      return 'connectionsRefusedTotal'
    }
    counters[Counter.socketsOpen]++
    this.#thisSecond++
    this.#awaiting.set(socket, nowMs)
    return undefined
  }

  /** CONNECT has come and its client was admitted. */
  connected(socket: Closable): void {
    this.#awaiting.delete(socket)
  }

  release(socket: Closable, address: string): void {
    const { byAddress, counters } = this.#parts
    this.#awaiting.delete(socket)
    Atomics.sub(this.#total, 0, 1)
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
