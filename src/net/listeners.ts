/** Opens the listeners of the configuration: turns accepted sockets into transports for the connection thread. */
import { unlinkSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { BrokerError } from '../base/errors.js'
import { systemCode, systemReason } from '../base/system-error.js'
import type { BrokerConfig, Listener } from '../config/schema.js'
import type { Closable } from './accept-limits.js'
import { ownReads, SharedReads } from './stream-transport.js'
import { readTlsOptions } from './tls-files.js'
import type { Transport } from './transport.js'
import { acceptWebSockets } from './websocket-transport.js'

const BACKLOG = 4_096
/** Of an HTTP request before it becomes a WebSocket; the time until CONNECT is watched by `AcceptLimits`. */
const HTTP_HEADER_BYTES_MAX = 16_384
const FRAME_OVERHEAD_BYTES = 1_024

export interface ListenerEvents {
  /** A socket has been accepted. @returns false to close it at once */
  admit(socket: Closable, address: string): boolean
  /** A socket that was admitted is closed, whether it became a transport or not. */
  released(socket: Closable, address: string): void
  /** A socket that was admitted has become a transport. */
  accept(transport: Transport, socket: Closable, listener: string): void
}

export class Listeners {
  readonly #servers: Server[] = []
  readonly #reads = new SharedReads()
  /** Accepted sockets by peer, of TLS and HTTP servers: a TLS socket does not tell which socket it runs over. */
  readonly #carriers = new Map<string, Socket>()

  constructor(
    readonly config: BrokerConfig,
    readonly events: ListenerEvents,
  ) {}

  /**
   * @param port instead of the listener's: where another thread listens already
   * @param reusePort several threads listen on one port
   * @returns the port taken; 0 for Unix sockets
   * @throws BrokerError PORT_IN_USE, LISTEN_FAILED, FILE_UNREADABLE, CERTIFICATE_INVALID
   */
  async open(listener: Listener, port: number, reusePort: boolean): Promise<number> {
    const server = this.#create(listener)
    server.on('connection', (socket: Socket) => this.#admit(listener, socket))
    if (listener.type === 'unix') await removeStale(listener.path)
    await listen(server, listener, port, reusePort)
    this.#servers.push(server)
    const bound = server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : 0
  }

  /** Accepts no more. Connections stay. */
  close(): void {
    for (const server of this.#servers) server.close()
    this.#servers.length = 0
  }

  #admit(listener: Listener, accepted: Socket): void {
    const address = addressOf(listener, accepted)
    const isPlain = listener.type === 'tcp' || listener.type === 'unix'
    const transport = isPlain ? this.#reads.adopt(accepted, address) : undefined
    const socket = transport?.socket ?? accepted
    socket.on('error', ignored)
    if (!this.events.admit(socket, address)) {
      socket.destroy()
      return
    }
    const key = peerKey(socket)
    if (!isPlain) this.#carriers.set(key, socket)
    socket.on('close', () => {
      if (this.#carriers.get(key) === socket) this.#carriers.delete(key)
      this.events.released(socket, address)
    })
    if (transport !== undefined) this.events.accept(transport, socket, listener.type)
  }

  /** The accepted socket under a TLS socket. */
  #carrierOf(socket: Socket): Closable {
    return this.#carriers.get(peerKey(socket)) ?? socket
  }

  #create(listener: Listener): Server {
    const messageBytesMax = this.config.connection.packetBytesMax + FRAME_OVERHEAD_BYTES
    const webSockets = { path: listener.path, messageBytesMax }
    switch (listener.type) {
      case 'tcp':
      case 'unix':
        return createServer({ pauseOnConnect: true })
      case 'tls': {
        const server = createTlsServer(readTlsOptions(listener))
        server.on('secureConnection', (socket) => {
          const address = addressOf(listener, socket)
          this.events.accept(ownReads(socket, address), this.#carrierOf(socket), 'tls')
        })
        return server
      }
      case 'ws': {
        const server = createHttpServer({ maxHeaderSize: HTTP_HEADER_BYTES_MAX })
        acceptWebSockets(server, webSockets, (transport, socket) => this.events.accept(transport, socket, 'ws'))
        return server
      }
      case 'wss': {
        const options = { ...readTlsOptions(listener), maxHeaderSize: HTTP_HEADER_BYTES_MAX }
        const server = createHttpsServer(options)
        acceptWebSockets(server, webSockets, (transport, socket) => {
          this.events.accept(transport, this.#carrierOf(socket), 'wss')
        })
        return server
      }
    }
  }
}

function addressOf(listener: Listener, socket: Socket): string {
  return listener.type === 'unix' ? listener.path : (socket.remoteAddress ?? '')
}

function peerKey(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localPort}`
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
  const address = listener.type === 'unix' ? listener.path : `${listener.host}:${port}`
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
