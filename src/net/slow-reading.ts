/** Reads connections no faster than the limits allow. What was read and may not be taken yet waits in the connection. */
import type { RingProducer } from '../base/ring.js'
import { Counter, type Counters } from '../contracts/counters.js'
import { type Connection, ConnectionState } from './connection.js'
import type { InboundReader } from './inbound.js'
import type { ConnectionRate, RateLimits } from './rates.js'

const NO_BYTES = Buffer.alloc(0)
/** How exactly waits end. */
const STEP_MS = 20
const STEPS = 64

export interface SlowReadingParts {
  readonly inbound: InboundReader
  readonly counters: Counters
  readonly limits: RateLimits
  readonly now: () => number
  /** The connection may be read on, as far as its rate is concerned. */
  readonly resume: (connection: Connection) => void
}

export class SlowReading {
  readonly #parts: SlowReadingParts
  /** Connections that wait, by the step in which to look at them again: a wheel. Each is in it once. */
  readonly #wheel: Connection[][] = Array.from({ length: STEPS }, () => [])
  #waiting = 0
  /** Number of the last step that was looked at. */
  #step: number
  #timer: NodeJS.Timeout | undefined

  constructor(parts: SlowReadingParts) {
    this.#parts = parts
    this.#step = Math.floor(parts.now() / STEP_MS)
  }

  /** Connections that are not read at the moment because they were too fast. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * In place of `InboundReader.take`, of a connection that is not held. May leave a part for later; then the connection
   * is paused and held until `resume`.
   * @throws BrokerError as `take` does, and MESSAGE_RATE_TOO_HIGH
   */
  take(
    connection: Connection,
    chunk: Buffer,
    length: number,
    ringOf: (connection: Connection) => RingProducer,
    nowMs: number,
  ): void {
    const { inbound, counters, limits } = this.#parts
    const rate = this.#rateOf(connection)
    let [bytes, count] = [chunk, length]
    for (;;) {
      const before = counters[Counter.publishReceived]
      const isAll = inbound.take(connection, bytes, count, ringOf, nowMs, limits.packetsMax)
      if (connection.state >= ConnectionState.CLOSING) return
      const waitMs = limits.charge(rate, counters[Counter.publishReceived] - before, count, nowMs)
      if (waitMs > 0) {
        this.#hold(connection, nowMs)
        return
      }
      if (isAll) return
      bytes = NO_BYTES
      count = 0
    }
  }

  #rateOf(connection: Connection): ConnectionRate {
    if (connection.rate !== undefined) return connection.rate
    const { limits } = this.#parts
    const rate = limits.open(connection.peer.address)
    limits.identify(rate, connection.userName) // there was no limit yet when it was admitted
    connection.rate = rate
    return rate
  }

  /** In place of `InboundReader.stash`. */
  stash(connection: Connection, chunk: Buffer, length: number, nowMs: number): void {
    const { inbound, limits } = this.#parts
    inbound.stash(connection, chunk, length)
    if (connection.rate === undefined) return
    const waitMs = limits.add(connection.rate, 0, length, nowMs)
    connection.rate.heldUntilMs = Math.max(connection.rate.heldUntilMs, nowMs + waitMs)
  }

  /** The connection is closed. */
  forget(connection: Connection): void {
    if (connection.rate !== undefined) connection.rate.isHeld = false
  }

  /** Lets go on whose time has come. */
  run(nowMs: number): void {
    const now = Math.floor(nowMs / STEP_MS)
    // once around is enough, however late this is
    for (let step = Math.max(this.#step + 1, now - STEPS + 1); step <= now; step++) this.#turn(step, nowMs)
    this.#step = now
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #hold(connection: Connection, nowMs: number): void {
    const { rate } = connection
    if (rate === undefined) return
    this.#parts.counters[Counter.readsSlowed]++
    connection.transport.pause()
    rate.isHeld = true
    this.#put(connection, nowMs)
    if (this.#waiting++ === 0 && this.#timer === undefined) {
      this.#step = Math.floor(nowMs / STEP_MS)
      this.#timer = setInterval(() => this.run(this.#parts.now()), STEP_MS)
      this.#timer.unref()
    }
  }

  #put(connection: Connection, nowMs: number): void {
    const now = Math.floor(nowMs / STEP_MS)
    const due = Math.ceil((connection.rate?.heldUntilMs ?? nowMs) / STEP_MS)
    this.#wheel[Math.min(Math.max(due, now + 1), now + STEPS - 1) % STEPS].push(connection)
  }

  #turn(step: number, nowMs: number): void {
    const due = this.#wheel[step % STEPS]
    if (due.length === 0) return
    this.#wheel[step % STEPS] = []
    for (const connection of due) {
      const { rate } = connection
      if (rate?.isHeld === true && rate.heldUntilMs > nowMs) {
        this.#put(connection, nowMs)
        continue
      }
      this.#waiting--
      if (rate?.isHeld !== true) continue
      rate.isHeld = false
      connection.lastPacketMs = nowMs // it was not read: the silence until now was ours
      this.#parts.resume(connection)
    }
    if (this.#waiting === 0) this.stop()
  }
}
