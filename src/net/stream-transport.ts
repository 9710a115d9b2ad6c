/** TCP, TLS and Unix sockets. */
import { Socket, type SocketConstructorOpts } from 'node:net'
import type { Transport, TransportEvents } from './transport.js'

/** Read into by every socket of the thread, one after the other. */
const READ_BUFFER_BYTES = 131_072

/** A socket and whoever gets what it reads; one after the other may set `onData`. */
export interface Reading {
  readonly socket: Socket
  /** The first `length` bytes are the receiver's until it returns; then others are read into the same memory. */
  onData: (bytes: Buffer, length: number) => void
}

export class StreamTransport implements Transport {
  readonly #socket: Socket

  constructor(
    readonly reading: Reading,
    readonly address: string,
    readonly port: number,
  ) {
    this.#socket = reading.socket
  }

  open(events: TransportEvents): void {
    const socket = this.#socket
    this.reading.onData = (bytes, length) => events.onData(bytes, length)
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

/** Reads a socket that reads into memory of its own, as a TLS socket does. */
export function ownReads(socket: Socket): Reading {
  const reading: Reading = { socket, onData: ignored }
  socket.on('data', (chunk: Buffer) => reading.onData(chunk, chunk.length))
  return reading
}

/**
 * Has the sockets of a thread read into one buffer. Node.js otherwise takes 64 kB for each read and gives back what was
 * not used; with thousands of clients that send a little each, what stays is scattered over hundreds of megabytes. A
 * socket can be told so only when it is made, and a server makes its sockets itself, so a new one takes over the handle.
 */
export class SharedReads {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

  /** @param accepted by a server with `pauseOnConnect`; it is not to be used any more */
  takeOver(accepted: Socket): Reading {
    const holder = accepted as unknown as { _handle: unknown }
    const buffer = this.#buffer
    const callback = (length: number): boolean => {
      reading.onData(buffer, length)
      return true
    }
    const options = { handle: holder._handle, onread: { buffer, callback } }
    const socket = new Socket(options as unknown as SocketConstructorOpts)
    const reading: Reading = { socket, onData: ignored }
    holder._handle = null
    accepted.destroy() // the server has one connection less to wait for
    return reading
  }
}

function ignored(): void {}
