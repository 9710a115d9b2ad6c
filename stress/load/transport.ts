import net from 'node:net'
import tls from 'node:tls'
import WebSocket from 'ws'
import type { Target } from './target.js'

/** What happens on a connection. Nothing is called after `onClose`. */
export interface TransportEvents {
  onOpen(): void
  /** The bytes are only valid during the call. */
  onBytes(bytes: Uint8Array, length: number): unknown
  /** Everything that was written has left for the kernel. */
  onFlushed(): void
  /** @param reason undefined after an orderly end */
  onClose(reason: string | undefined): unknown
}

/** One connection to the broker, whatever carries it. */
export interface Transport {
  /** @returns whether the bytes are gone already; otherwise they must not be changed until `onFlushed` */
  write(bytes: Uint8Array): boolean
  isFlushed(): boolean
  pause(): void
  resume(): void
  end(): void
  /** Drops the connection at once, with a reset where the transport has one. */
  destroy(): void
}

/** Makes connections of one run. All that are not encrypted share a read buffer where the platform allows it. */
export class Dialer {
  /** Node fills and reports it within one turn on POSIX; on Windows a read is pending in it, so it cannot be shared. */
  readonly #readBuffer = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES)
  #dialed = 0

  constructor(readonly target: Target) {}

  dial(events: TransportEvents): Transport {
    const localAddress = this.#localAddress()
    switch (this.target.transport) {
      case 'tcp':
        return openTcp(this.target, events, this.#readBuffer, localAddress)
      case 'tls':
        return openTls(this.target, events, localAddress)
      case 'ws':
      case 'wss':
        return openWebSocket(this.target, events, localAddress)
    }
  }

  /** One address has about 28,000 ports, so on the loopback of Linux, which is a whole network, we use several. */
  #localAddress(): string | undefined {
    const nth = this.#dialed++
    if (process.platform !== 'linux' || !this.target.host.startsWith('127.')) return undefined
    return `127.0.${1 + (Math.floor(nth / PORTS_PER_ADDRESS) % 200)}.1`
  }
}

const READ_BYTES = 262_144
const PORTS_PER_ADDRESS = 10_000

class SocketTransport implements Transport {
  readonly #flushed: () => void
  #error: string | undefined

  constructor(
    readonly socket: net.Socket,
    events: TransportEvents,
    openEvent: 'connect' | 'secureConnect',
  ) {
    this.#flushed = () => events.onFlushed()
    socket.setNoDelay(true)
    socket.once(openEvent, () => events.onOpen())
    socket.on('error', (error) => {
      this.#error = error.message
    })
    socket.once('close', () => events.onClose(this.#error))
    socket.on('end', () => socket.end())
  }

  write(bytes: Uint8Array): boolean {
    this.socket.write(bytes, this.#flushed)
    // The stream counts bytes down as soon as the kernel has them, so 0 here means that the write was synchronous.
    return this.socket.writableLength === 0
  }

  isFlushed(): boolean {
    return this.socket.writableLength === 0
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    if (this.socket instanceof tls.TLSSocket) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }
}

function openTcp(
  { host, port }: Target,
  events: TransportEvents,
  buffer: Buffer | undefined,
  localAddress: string | undefined,
): Transport {
  const onread = buffer && {
    buffer,
    callback: (length: number, bytes: Uint8Array): boolean => {
      events.onBytes(bytes, length)
      return true
    },
  }
  const socket = net.connect({ host, port, localAddress, onread })
  if (onread === undefined) socket.on('data', (bytes) => events.onBytes(bytes, bytes.length))
  return new SocketTransport(socket, events, 'connect')
}

function openTls({ host, port, ca, insecure }: Target, events: TransportEvents, localAddress?: string): Transport {
  const servername = net.isIP(host) === 0 ? host : undefined
  const options: tls.ConnectionOptions & { localAddress?: string } = { host, port, ca, servername, localAddress }
  const socket = tls.connect({ ...options, rejectUnauthorized: !insecure })
  socket.on('data', (bytes) => events.onBytes(bytes, bytes.length))
  return new SocketTransport(socket, events, 'secureConnect')
}

class WebSocketTransport implements Transport {
  readonly #flushed: () => void
  #error: string | undefined

  constructor(
    readonly socket: WebSocket,
    events: TransportEvents,
  ) {
    this.#flushed = () => events.onFlushed()
    socket.binaryType = 'nodebuffer'
    socket.once('open', () => events.onOpen())
    socket.on('message', (bytes: Buffer) => events.onBytes(bytes, bytes.length))
    socket.on('error', (error) => {
      this.#error = error.message
    })
    socket.once('close', () => events.onClose(this.#error))
  }

  write(bytes: Uint8Array): boolean {
    // ws copies what it masks, so the caller has its buffer back at once.
    this.socket.send(bytes, this.#flushed)
    return true
  }

  isFlushed(): boolean {
    return this.socket.bufferedAmount === 0
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.close()
  }

  destroy(): void {
    this.socket.terminate()
  }
}

function openWebSocket({ url, ca, insecure }: Target, events: TransportEvents, localAddress?: string): Transport {
  const options = { ca, rejectUnauthorized: !insecure, localAddress, perMessageDeflate: false }
  return new WebSocketTransport(new WebSocket(url, 'mqtt', options), events)
}
