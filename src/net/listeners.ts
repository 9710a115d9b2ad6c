/** Opens the listeners of the configuration: turns accepted sockets into transports for the connection thread. */
import { unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { BrokerError } from '../base/errors.js'
import type { RateLimitedLog } from '../base/log-rate.js'
import type { SharedCounts } from '../base/shared-counts.js'
import { systemCode, systemReason } from '../base/system-error.js'
import type { BrokerConfig, Listener } from '../config/schema.js'
import type { Counters } from '../contracts/counters.js'
import type { TlsReload } from '../contracts/threads.js'
import { TicketSecret } from '../contracts/ticket-keys.js'
import type { Closable } from './accept-limits.js'
import { Entrance } from './entrance.js'
import type { PeerDetails } from './peer-details.js'
import { SharedReads } from './stream-transport.js'
import type { Transport } from './transport.js'

const BACKLOG = 4_096

export interface ListenerEvents {
  /** A connection has come, by way of a proxy or not. @returns false to close it at once */
  admit(socket: Closable, address: string): boolean
  /** A socket that was admitted is closed, whether it became a transport or not. */
  released(socket: Closable, address: string): void
  /** A socket that was admitted has become a transport. */
  accept(transport: Transport, socket: Closable, peer: PeerDetails): void
}

export interface ListenerResources {
  readonly config: BrokerConfig
  readonly counters: Counters
  readonly log: RateLimitedLog
  /** `createTicketSecret()` of src/contracts/ticket-keys.ts: the same for all connection threads. */
  readonly ticketSecret: SharedArrayBuffer
  /** TLS handshakes under way in all connection threads, by the name of the listener. */
  readonly handshakes: SharedCounts
  /** Milliseconds, never going back. */
  now(): number
  readonly events: ListenerEvents
}

export class Listeners {
  readonly #servers: Server[] = []
  readonly #entrances: Entrance[] = []
  readonly #reads = new SharedReads()
  readonly #tickets: TicketSecret

  constructor(readonly resources: ListenerResources) {
    this.#tickets = new TicketSecret(resources.ticketSecret)
  }

  /**
   * @param port instead of the listener's: where another thread listens already
   * @param reusePort several threads listen on one port
   * @returns the port taken; 0 for Unix sockets
   * @throws BrokerError PORT_IN_USE, LISTEN_FAILED, FILE_UNREADABLE, CERTIFICATE_INVALID
   */
  async open(listener: Listener, port: number, reusePort: boolean): Promise<number> {
    const name = `${listener.type} ${addressText(listener, listener.port)}`
    const entrance = new Entrance(name, listener, this.resources, this.#reads, this.#tickets)
    const server = createServer({ pauseOnConnect: true }, (socket: Socket) => entrance.enter(socket))
    if (listener.type === 'unix') await removeStale(listener.path)
    await listen(server, listener, port, reusePort)
    this.#servers.push(server)
    this.#entrances.push(entrance)
    const bound = server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : 0
  }

  /** Runs what is due; to be called now and then. */
  tick(): void {
    for (const entrance of this.#entrances) entrance.tick(this.resources.now())
  }

  /** Reads certificates again, for connections from now on. Where that fails, those before stay in force. */
  reloadTls(): TlsReload[] {
    return this.#entrances.flatMap((entrance) => {
      const result = entrance.reloadTls()
      if (result === undefined) return []
      const { problem } = result
      const listener = entrance.name
      return [problem === undefined ? { listener, ok: true } : { listener, ok: false, problem: problem.message }]
    })
  }

  /** Accepts no more. Connections stay. */
  close(): void {
    for (const server of this.#servers) server.close()
    this.#servers.length = 0
  }
}

function addressText({ type, path, host }: Listener, port: number): string {
  return type === 'unix' ? path : `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function listen(server: Server, listener: Listener, port: number, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(listenError(listener, port, cause))
    server.once('error', onError)
    const onListening = (): void => {
      server.off('error', onError)
      server.on('error', ignored) // of single accepts, such as too many open files: the next one may succeed
      resolve()
    }
    if (listener.type === 'unix') server.listen({ path: listener.path, backlog: BACKLOG }, onListening)
    else server.listen({ host: listener.host, port, backlog: BACKLOG, reusePort }, onListening)
  })
}

function listenError(listener: Listener, port: number, cause: Error): BrokerError {
  const address = addressText(listener, port)
  if (systemCode(cause) === 'EADDRINUSE') {
    const flag = {
      tcp: '--port',
      ws: '--ws-port',
      tls: 'the configuration',
      wss: 'the configuration',
      unix: 'the configuration',
    }
    return new BrokerError('PORT_IN_USE', { address, flag: flag[listener.type] }, { cause })
  }
  return new BrokerError('LISTEN_FAILED', { address, reason: systemReason(cause) }, { cause })
}

/** A socket file that a killed broker has left is in the way; one that somebody answers on is not ours to remove. */
async function removeStale(path: string): Promise<void> {
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error) => resolve(systemCode(error) !== 'ECONNREFUSED'))
  })
  if (!isAlive) unlinkSync(path)
}

function ignored(): void {}
