/** TCP, TLS and Unix sockets. */
import { Socket, type SocketConstructorOpts } from 'node:net'
import type { Transport, TransportEvents } from './transport.js'

/** Read into by every socket of the thread, one after the other. */
const READ_BUFFER_BYTES = 131_072

export class StreamTransport implements Transport {
  readonly #socket: Socket
  #onData: (bytes: Buffer, length: number) => void = ignored

  /** @param open makes or returns the socket, which hands what it reads to the function it is given */
  constructor(
    readonly address: string,
    open: (onData: (bytes: Buffer, length: number) => void) => Socket,
  ) {
    this.#socket = open((bytes, length) => this.#onData(bytes, length))
  }

  get port(): number {
    return this.#socket.remotePort ?? 0
  }

  get socket(): Socket {
    return this.#socket
  }

  open(events: TransportEvents): void {
    const socket = this.#socket
    this.#onData = (bytes, length) => events.onData(bytes, length)
    socket.setNoDelay(true)
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

/** A transport over a socket that reads into memory of its own, as a TLS socket does. */
export function ownReads(socket: Socket, address: string): StreamTransport {
  return new StreamTransport(address, (onData) => {
    socket.on('data', (chunk: Buffer) => onData(chunk, chunk.length))
    return socket
  })
}

/**
 * Has the sockets of a thread read into one buffer. Node.js otherwise takes 64 kB for each read and gives back what was
 * not used; with thousands of clients that send a little each, what stays is scattered over hundreds of megabytes. A
 * socket can be told so only when it is made, and a server makes its sockets itself, so a new one takes over the handle.
 */
export class SharedReads {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

  /** @param accepted by a server with `pauseOnConnect`; it is not to be used any more */
  adopt(accepted: Socket, address: string): StreamTransport {
    return new StreamTransport(address, (onData) => this.#takeOver(accepted, onData))
  }

  #takeOver(accepted: Socket, onData: (bytes: Buffer, length: number) => void): Socket {
    const holder = accepted as unknown as { _handle: unknown }
    const buffer = this.#buffer
    const callback = (length: number): boolean => {
      onData(buffer, length)
      return true
    }
    const options = { handle: holder._handle, onread: { buffer, callback } }
    const socket = new Socket(options as unknown as SocketConstructorOpts)
    holder._handle = null
    accepted.destroy() // the server has one connection less to wait for
    return socket
  }
}

function ignored(): void {}
