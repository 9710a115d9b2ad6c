/** MQTT over WebSocket (§6). The only importer of ws. */
import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Transport, TransportEvents } from './transport.js'

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
  /** Bytes of one message at most. */
  readonly messageBytesMax: number
}

/** Accepts WebSockets on `path` of an HTTP server that carry MQTT. */
export function acceptWebSockets(
  server: Server | SecureServer,
  options: WebSocketOptions,
  accept: (transport: WebSocketTransport, socket: Socket) => void,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.messageBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false, // [MQTT-6.0.0-4]
  })
  server.on('upgrade', (request, socket, head) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    const problem =
      pathname !== options.path
        ? ['404 Not Found', `there is no WebSocket here; MQTT is at ${options.path}`]
        : offered.some((name) => SUBPROTOCOLS.includes(name))
          ? undefined
          : ['400 Bad Request', 'the WebSocket subprotocol "mqtt" is required']
    if (problem !== undefined) {
      const [status, text] = problem
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      accept(
        new WebSocketTransport(webSocket, request.socket.remoteAddress ?? '', request.socket.remotePort ?? 0),
        request.socket,
      )
    })
  })
  server.on('request', (_, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' })
    response.end(`This is an MQTT broker; connect a WebSocket to ${options.path}\n`)
  })
}
