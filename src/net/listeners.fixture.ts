/** Listeners at the hands of a test: what they let through is written down, and real clients connect to them. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { Counter, type CounterName, createCountersMemory, openCounters } from '../contracts/counters.js'
import { createTicketSecret } from '../contracts/ticket-keys.js'
import { AcceptLimits, type Closable } from './accept-limits.js'
import { Bans } from './bans.js'
import { Listeners } from './listeners.js'
import type { PeerDetails } from './peer-details.js'
import type { Transport } from './transport.js'

export type ListenerInput = NonNullable<BrokerConfigInput['listeners']>[number]

/** With what Node.js takes and its types leave out. */
type ClientOptions = ConnectionOptions & { readonly requestOCSP?: boolean }

/** A connection that came through. */
export class Arrival {
  received = ''
  isClosed = false
  #changed: () => void = () => {}

  constructor(
    readonly transport: Transport,
    readonly peer: PeerDetails,
  ) {
    transport.open({
      onData: (bytes, length) => {
        this.received += bytes.toString('latin1', 0, length)
        this.#changed()
      },
      onDrain: () => {},
      onClose: () => {
        this.isClosed = true
        this.#changed()
      },
    })
  }

  /** Resolves when this has come. */
  async receives(text: string): Promise<void> {
    await this.#until(() => this.received.includes(text))
  }

  async closed(): Promise<void> {
    await this.#until(() => this.isClosed)
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#changed = resolve))
  }
}

export class ListenersFixture {
  readonly logged: LogRecord[] = []
  readonly counters = openCounters(createCountersMemory())
  /** Accepted sockets that are not closed yet, by the address they were admitted with. */
  readonly admitted = new Map<Closable, string>()
  readonly limits: AcceptLimits
  readonly listeners: Listeners
  nowMs = 1_000_000
  port = 0
  readonly #arrivals: Arrival[] = []
  #arrived: () => void = () => {}

  private constructor(
    t: Test,
    readonly config: BrokerConfig,
    ticketSecret: SharedArrayBuffer,
    handshakes: SharedCounts,
  ) {
    const log = createSinkLogger({ level: 'info', areas: {} }, (record) => this.logged.push(record))
    this.limits = new AcceptLimits({
      config: config.connection,
      totals: new SharedArrayBuffer(12),
      byAddress: new SharedCounts(createSharedCountsMemory(1, 1_000), 0),
      bans: new Bans(() => false),
      counters: this.counters,
    })
    this.listeners = new Listeners({
      config,
      counters: this.counters,
      log: new RateLimitedLog(log.area('listener'), () => this.nowMs),
      ticketSecret,
      handshakes,
      now: () => this.nowMs,
      events: {
        admit: (socket, address) => {
          if (this.limits.admit(socket, address, this.nowMs) !== undefined) return false
          this.admitted.set(socket, address)
          return true
        },
        released: (socket, address) => {
          this.admitted.delete(socket)
          this.limits.release(socket, address)
        },
        accept: (transport, _socket, peer) => {
          this.#arrivals.push(new Arrival(transport, peer))
          this.#arrived()
        },
      },
    })
    t.teardown(() => {
      this.listeners.close()
      for (const socket of this.admitted.keys()) socket.destroy()
    })
  }

  /** Opens one listener on a free port. */
  static async open(
    t: Test,
    listener: ListenerInput,
    more: BrokerConfigInput = {},
    ticketSecret = createTicketSecret(),
    handshakes = new SharedCounts(createSharedCountsMemory(1, 10), 0),
  ): Promise<ListenersFixture> {
    const config = BrokerConfig.parse({ ...more, listeners: [{ port: 0, ...listener }] })
    const fixture = new ListenersFixture(t, config, ticketSecret, handshakes)
    fixture.port = await fixture.listeners.open(config.listeners[0], 0, false)
    return fixture
  }

  /** The next connection that came through. */
  async arrival(): Promise<Arrival> {
    for (;;) {
      const arrival = this.#arrivals.shift()
      if (arrival !== undefined) return arrival
      await new Promise<void>((resolve) => (this.#arrived = resolve))
    }
  }

  count(name: CounterName): number {
    return this.counters[Counter[name]]
  }

  /** Lines with this text. */
  linesWith(text: string): readonly string[] {
    return this.logged.map(({ message }) => message).filter((message) => message.includes(text))
  }

  client(t: Test): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1' })
    socket.on('error', ignored)
    t.teardown(() => socket.destroy())
    return socket
  }

  tlsClient(t: Test, options: ClientOptions = {}): TLSSocket {
    const socket = connectTls({
      ...(options.socket === undefined ? { port: this.port, host: '127.0.0.1' } : {}),
      servername: 'localhost',
      rejectUnauthorized: false,
      ...options,
    })
    socket.on('error', ignored)
    t.teardown(() => socket.destroy())
    return socket
  }

  /** @returns the connection that came through, or why the client was closed instead */
  async tlsOutcome(t: Test, options: ClientOptions = {}): Promise<Arrival | string> {
    const client = this.tlsClient(t, options)
    const refused = closedReason(client)
    client.write('hello')
    return Promise.race([this.arrival(), refused])
  }
}

/** Resolves when the socket is closed. @returns the code of its error, or `closed` */
export function closedReason(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let reason = 'closed'
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message
    })
    socket.on('close', () => resolve(reason))
    socket.resume()
  })
}

function ignored(): void {}
