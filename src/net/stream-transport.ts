/** TCP, TLS and Unix sockets. */
import type { Socket } from 'node:net'
import type { Transport, TransportEvents } from './transport.js'

export class StreamTransport implements Transport {
  readonly address: string
  readonly #socket: Socket

  constructor(socket: Socket, address: string) {
    this.#socket = socket
    this.address = address
  }

  /** Starts reading. */
  open(events: TransportEvents): void {
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => events.onData(chunk))
    socket.on('drain', () => events.onDrain())
    socket.on('error', ignored) // 'close' follows
    socket.on('close', () => events.onClose())
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#socket.write(bytes, written)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}

function ignored(): void {}
