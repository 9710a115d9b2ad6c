/** Who may open a network connection: limits in number, by address and by rate, and time until CONNECT. */
import type { BrokerConfig } from '../config/schema.js'
import { Counter, type CounterName, type Counters } from '../contracts/counters.js'

/** What is closed when its time is up: a socket, whatever runs over it. */
export interface Closable {
  destroy(): void
}

export class AcceptLimits {
  readonly #config: BrokerConfig['connection']
  /** Connections of all connection threads. */
  readonly #total: Int32Array
  readonly #byAddress = new Map<string, number>()
  /** Sockets without CONNECT yet, oldest first, and when they were accepted. */
  readonly #awaiting = new Map<Closable, number>()
  #second = 0
  #thisSecond = 0

  constructor(
    config: BrokerConfig['connection'],
    totals: SharedArrayBuffer,
    readonly counters: Counters,
  ) {
    this.#config = config
    this.#total = new Int32Array(totals)
  }

  /** @returns why the socket must be closed at once; undefined when it is admitted and counted until `release` */
  admit(socket: Closable, address: string, nowMs: number): CounterName | undefined {
    const { connectionsMax, connectionsPerAddressMax, connectionsPerSecondMax } = this.#config
    const second = Math.floor(nowMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#thisSecond = 0
    }
    if (connectionsPerSecondMax > 0 && this.#thisSecond >= connectionsPerSecondMax) return 'connectionsRefusedRate'
    const fromAddress = this.#byAddress.get(address) ?? 0
    if (connectionsPerAddressMax > 0 && fromAddress >= connectionsPerAddressMax) return 'connectionsRefusedAddress'
    if (Atomics.add(this.#total, 0, 1) >= connectionsMax) {
      Atomics.sub(this.#total, 0, 1)
      return 'connectionsRefusedTotal'
    }
    this.counters[Counter.socketsOpen]++
    this.#thisSecond++
    this.#byAddress.set(address, fromAddress + 1)
    this.#awaiting.set(socket, nowMs)
    return undefined
  }

  /** CONNECT has come and its client was admitted. */
  connected(socket: Closable): void {
    this.#awaiting.delete(socket)
  }

  release(socket: Closable, address: string): void {
    this.#awaiting.delete(socket)
    Atomics.sub(this.#total, 0, 1)
    this.counters[Counter.socketsOpen]--
    const fromAddress = (this.#byAddress.get(address) ?? 1) - 1
    if (fromAddress > 0) this.#byAddress.set(address, fromAddress)
    else this.#byAddress.delete(address)
  }

  /** Closes sockets whose time until CONNECT is up. @returns how many */
  closeLate(nowMs: number): number {
    let closed = 0
    for (const [socket, acceptedMs] of this.#awaiting) {
      if (nowMs - acceptedMs < this.#config.connectSeconds * 1_000) break
      this.#awaiting.delete(socket)
      socket.destroy()
      closed++
    }
    return closed
  }
}
