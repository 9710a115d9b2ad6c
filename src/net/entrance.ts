/** The way of a connection through one listener: header of a proxy, limits, TLS, HTTP, and in the end a transport. */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'
import type { BrokerError } from '../base/errors.js'
import type { Listener } from '../config/schema.js'
import { Counter } from '../contracts/counters.js'
import type { TicketSecret } from '../contracts/ticket-keys.js'
import type { ListenerResources } from './listeners.js'
import { type PeerDetails, peerDetails, proxiedCertificate, proxiedTls, type Source, sourceOf } from './peer-details.js'
import { ProxyGate } from './proxy-gate.js'
import { ownReads, type Reading, type SharedReads, StreamTransport } from './stream-transport.js'
import { TlsServer } from './tls-server.js'
import { originProblem } from './web-origin.js'
import { acceptWebSockets } from './websocket-transport.js'

/** Of an HTTP request before it becomes a WebSocket; the time until CONNECT is watched by `AcceptLimits`. */
const HTTP_HEADER_BYTES_MAX = 16_384
const FRAME_OVERHEAD_BYTES = 1_024
const NO_BYTES = Buffer.alloc(0)

/** What is known of a connection that speaks HTTP, until it is a WebSocket. */
interface HttpArrival {
  readonly carrier: Socket
  readonly peer: PeerDetails
}

export class Entrance {
  readonly #isPlain: boolean
  readonly #gate: ProxyGate | undefined
  readonly #tls: TlsServer | undefined
  readonly #http: HttpServer | undefined
  readonly #httpArrivals = new WeakMap<Socket, HttpArrival>()

  /**
   * @param name of the listener, for messages
   * @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID
   */
  constructor(
    readonly name: string,
    readonly listener: Listener,
    readonly resources: ListenerResources,
    readonly reads: SharedReads,
    tickets: TicketSecret,
  ) {
    const { type, proxyProtocol } = listener
    this.#isPlain = type === 'tcp' || type === 'unix'
    this.#gate = proxyProtocol && new ProxyGate(proxyProtocol.trusted)
    this.#tls = this.#createTls(tickets)
    this.#http = type === 'ws' || type === 'wss' ? this.#createHttp() : undefined
  }

  /** @param accepted by a server with `pauseOnConnect` */
  enter(accepted: Socket): void {
    accepted.on('error', ignored) // 'close' follows
    const { remoteAddress, remotePort } = accepted
    const reading = this.#isPlain ? this.reads.takeOver(accepted) : undefined
    reading?.socket.on('error', ignored)
    if (this.#gate === undefined) {
      this.#admit(accepted, reading, sourceOf(this.listener, remoteAddress, remotePort), NO_BYTES)
      return
    }
    const gated = reading ?? ownReads(accepted)
    this.#gate.read(
      gated,
      this.resources.now(),
      (header, rest) => {
        if (reading === undefined) accepted.pause().removeAllListeners('data')
        this.#admit(accepted, reading, sourceOf(this.listener, remoteAddress, remotePort, header), rest)
      },
      (reason) => this.#refuse('connectionsRefusedProxy', reason, remoteAddress ?? ''),
    )
    gated.socket.resume()
  }

  /** Looks at what changes with time. */
  tick(nowMs: number): void {
    this.#tls?.tick(nowMs)
    const late = this.#gate?.closeLate(nowMs) ?? 0
    if (late === 0) return
    this.resources.counters[Counter.connectionsRefusedProxy] += late
    this.resources.log.log('warn', `proxy ${this.name}`, `closed ${late} connections without a PROXY header`)
  }

  /** Reads the files of TLS again. @returns undefined for a listener without TLS */
  reloadTls(): { readonly problem: BrokerError | undefined } | undefined {
    return this.#tls && { problem: this.#tls.reload() }
  }

  /** @param rest what the client has sent already */
  #admit(accepted: Socket, reading: Reading | undefined, source: Source, rest: Buffer): void {
    const { events } = this.resources
    const carrier = reading?.socket ?? accepted
    const { address, port, proxy } = source
    const certificate = proxiedCertificate(proxy?.tls)
    if (certificate?.authorized === false) {
      this.#refuse('connectionsRefusedHandshake', 'the proxy says that its certificate does not hold', address)
      carrier.destroy()
      return
    }
    if (!events.admit(carrier, address)) {
      carrier.destroy()
      return
    }
    carrier.on('close', () => events.released(carrier, address))
    if (reading !== undefined) {
      const peer = peerDetails(this.listener, source, proxy && proxiedTls(proxy), certificate)
      events.accept(new StreamTransport(reading, address, port), carrier, peer)
      if (rest.length > 0 && !carrier.destroyed) reading.onData(rest, rest.length)
      return
    }
    if (rest.length > 0) carrier.unshift(rest)
    if (this.#tls === undefined) {
      const peer = peerDetails(this.listener, source, proxy && proxiedTls(proxy), certificate)
      this.#serveHttp(carrier, { carrier, peer })
    } else if (!this.#tls.begin(carrier, source)) {
      this.#refuse('connectionsRefusedHandshake', 'tls.handshakesMax is reached', address)
      carrier.destroy()
    }
  }

  #createTls(tickets: TicketSecret): TlsServer | undefined {
    const { tls, type } = this.listener
    if (tls === undefined) return undefined
    const { config, log, counters, handshakes, events } = this.resources
    return new TlsServer({
      name: this.name,
      tls,
      protocol: type === 'wss' ? 'http/1.1' : 'mqtt',
      handshakeMsMax: config.connection.connectSeconds * 1_000,
      tickets,
      handshakes,
      log,
      failed: () => counters[Counter.connectionsRefusedHandshake]++,
      secured: (socket, carrier, source, details, certificate) => {
        const peer = peerDetails(this.listener, source, details, certificate)
        if (this.#http !== undefined) this.#serveHttp(socket, { carrier, peer })
        else events.accept(new StreamTransport(ownReads(socket), source.address, source.port), carrier, peer)
      },
    })
  }

  #serveHttp(socket: Socket, arrival: HttpArrival): void {
    this.#httpArrivals.set(socket, arrival)
    this.#http?.emit('connection', socket)
    socket.resume()
  }

  #createHttp(): HttpServer {
    const { path, compression, origins } = this.listener
    const { config, events } = this.resources
    const server = createHttpServer({ maxHeaderSize: HTTP_HEADER_BYTES_MAX })
    acceptWebSockets(server, {
      path,
      compression,
      messageBytesMax: config.connection.packetBytesMax + FRAME_OVERHEAD_BYTES,
      originProblem: (socket, origin, host) => {
        const peer = this.#httpArrivals.get(socket)?.peer
        const problem = originProblem(origin, host, origins, peer?.isLocal ?? true)
        if (problem !== undefined) {
          this.#refuse('connectionsRefusedOrigin', problem, peer?.address ?? '', { origin, host })
        }
        return problem
      },
      sourceOf: (socket) => this.#httpArrivals.get(socket)?.peer,
      accept: (transport, socket, isProxied) => {
        const arrival = this.#httpArrivals.get(socket)
        if (arrival === undefined) return
        const { carrier, peer } = arrival
        events.accept(transport, carrier, isProxied ? { ...peer, isLocal: false } : peer)
      },
    })
    return server
  }

  #refuse(
    counter: 'connectionsRefusedProxy' | 'connectionsRefusedHandshake' | 'connectionsRefusedOrigin',
    reason: string,
    address: string,
    more: Readonly<Record<string, string | undefined>> = {},
  ): void {
    const { counters, log } = this.resources
    counters[Counter[counter]]++
    log.log('warn', `${counter} ${this.name}`, `connection refused: ${reason}`, {
      listener: this.name,
      address,
      ...more,
    })
  }
}

function ignored(): void {}
