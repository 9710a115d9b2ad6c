/** What of network connections is overdue: a CONNECT, a packet of a silent client, the end of a socket that closes. */
import { BrokerError } from '../base/errors.js'
import type { RateLimitedLog } from '../base/log-rate.js'
import type { BrokerConfig } from '../config/schema.js'
import { Counter, type Counters } from '../contracts/counters.js'
import type { AcceptLimits } from './accept-limits.js'
import { type Connection, ConnectionState } from './connection.js'

/** A socket whose peer does not take the last bytes is closed hard after this. */
const CLOSING_MS_MAX = 5_000

export interface OverdueParts {
  readonly config: BrokerConfig
  readonly counters: Counters
  readonly log: RateLimitedLog
  readonly limits: AcceptLimits
  readonly connections: readonly (Connection | undefined)[]
  readonly refuse: (connection: Connection, error: BrokerError) => void
}

export class Overdue {
  constructor(private readonly parts: OverdueParts) {}

  /** Closes what is overdue by now, and counts what waits for sockets. */
  run(nowMs: number): void {
    const { connections, counters } = this.parts
    this.#closeLate(nowMs)
    let buffered = 0
    for (const connection of connections) {
      if (connection === undefined) continue
      buffered += connection.transport.bufferedBytes
      if (connection.state === ConnectionState.CLOSING) {
        if (nowMs - connection.closingSinceMs >= CLOSING_MS_MAX) connection.transport.destroy()
      } else if (connection.state === ConnectionState.CONNECTED) this.#checkKeepAlive(connection, nowMs)
    }
    counters[Counter.socketBufferBytes] = buffered
  }

  #closeLate(nowMs: number): void {
    const { config, counters, limits, log } = this.parts
    const late = limits.closeLate(nowMs)
    if (late === 0) return
    counters[Counter.connectTimeouts] += late
    const { connectSeconds } = config.connection
    log.log('warn', 'connectTimeouts', `closed ${late} connections without CONNECT within ${connectSeconds} s`)
  }

  #checkKeepAlive(connection: Connection, nowMs: number): void {
    const { keepAliveSeconds } = connection
    // not read because a shard is behind: the silence is ours
    if (keepAliveSeconds === 0 || connection.isPaused || connection.rate?.isHeld === true) return
    const seconds = keepAliveSeconds * 1.5 // [MQTT-3.1.2-22]
    if (nowMs - connection.lastPacketMs < seconds * 1_000) return
    this.parts.counters[Counter.keepAliveTimeouts]++
    this.parts.refuse(connection, new BrokerError('KEEP_ALIVE_TIMEOUT', { seconds }))
  }
}
