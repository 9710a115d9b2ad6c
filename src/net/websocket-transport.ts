/** MQTT over WebSocket (§6). The only importer of ws. */
import type { IncomingMessage, Server } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { PerMessageDeflateOptions, RawData, WebSocket } from 'ws'
import { isForwarded } from './forwarded.js'
import type { Transport, TransportEvents } from './transport.js'

// loaded where there is a listener for it, and as the CommonJS that it is: that takes a third of the time
const require = createRequire(import.meta.url)
const webSocketLibrary = (): typeof import('ws') => require('ws') as typeof import('ws')

/** Names that clients ask for: that of the specification, and that of MQTT 3.1 clients. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1']
/** Of RFC 6455: data of a type that cannot be accepted. */
const UNSUPPORTED_DATA = 1003
const NORMAL_CLOSURE = 1000

export class WebSocketTransport implements Transport {
  readonly #socket: WebSocket
  #wasFull = false

  constructor(
    socket: WebSocket,
    readonly address: string,
    readonly port: number,
  ) {
    this.#socket = socket
    socket.binaryType = 'nodebuffer'
  }

  open(events: TransportEvents): void {
    const socket = this.#socket
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (isBinary) events.onData(data as Buffer, (data as Buffer).length)
      else socket.close(UNSUPPORTED_DATA, 'MQTT wants binary frames') // [MQTT-6.0.0-1]
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => events.onClose())
    this.#onDrain = () => events.onDrain()
  }

  #onDrain: () => void = () => {}

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#socket.send(bytes, { binary: true }, () => {
      written()
      if (this.#wasFull && this.#socket.bufferedAmount === 0) {
        this.#wasFull = false
        this.#onDrain()
      }
    })
    this.#wasFull ||= this.#socket.bufferedAmount > 0
  }

  end(): void {
    this.#socket.close(NORMAL_CLOSURE)
  }

  destroy(): void {
    this.#socket.terminate()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}

export interface WebSocketOptions {
  readonly path: string
  /** Bytes of one message at most, after it is decompressed. */
  readonly messageBytesMax: number
  /** Whether messages are compressed for clients that offer it. */
  readonly compression: boolean
  /** @returns why the client is refused, by its headers `Origin` and `Host` */
  originProblem(socket: Socket, origin: string | undefined, host: string | undefined): string | undefined
  /** @returns where the client comes from; undefined closes the socket */
  sourceOf(socket: Socket): { readonly address: string; readonly port: number } | undefined
  /** @param isProxied a proxy has passed the request on */
  accept(transport: WebSocketTransport, socket: Socket, isProxied: boolean): void
}

/** Each message is compressed for itself: what was in one cannot be guessed from the length of another. */
const COMPRESSION: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  threshold: 1_024,
  zlibDeflateOptions: { level: 6, memLevel: 7 },
}

/** Accepts WebSockets on a path of an HTTP server that carry MQTT. */
export function acceptWebSockets(server: Server, options: WebSocketOptions): void {
  const { WebSocketServer } = webSocketLibrary()
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.messageBytesMax,
    perMessageDeflate: options.compression && COMPRESSION,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false, // [MQTT-6.0.0-4]
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', ignored) // 'close' follows
    const problem = problemOf(request, options)
    if (problem !== undefined) {
      const [status, text] = problem
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
      return
    }
    const source = options.sourceOf(request.socket)
    if (source === undefined) {
      socket.destroy()
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const transport = new WebSocketTransport(webSocket, source.address, source.port)
      options.accept(transport, request.socket, isForwarded(request.headers))
    })
  })
  server.on('request', (_, response) => {
    response.writeHead(426, { 'content-type': 'text/plain', connection: 'close' })
    response.end(`This is an MQTT broker; connect a WebSocket to ${options.path}\n`)
  })
}

/** @returns status and text of the answer to a request that is refused */
function problemOf({ url, headers, socket }: IncomingMessage, options: WebSocketOptions): [string, string] | undefined {
  const [path] = (url ?? '').split('?', 1)
  if (path !== options.path) return ['404 Not Found', `there is no WebSocket here; MQTT is at ${options.path}`]
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (!offered.some((name) => SUBPROTOCOLS.includes(name))) {
    return ['400 Bad Request', 'the WebSocket subprotocol "mqtt" is required']
  }
  const problem = options.originProblem(socket, headers.origin, headers.host)
  return problem === undefined ? undefined : ['403 Forbidden', problem]
}

function ignored(): void {}
