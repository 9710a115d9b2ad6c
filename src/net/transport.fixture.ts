/** A network connection at the hands of a test: what is written stays to be looked at, and may be slow to leave. */
import { type BrokerPacket, decodeBrokerPacket } from '../mqtt/client-codec.js'
import { FrameStatus, FrameView, readFrame } from '../mqtt/frame.js'
import type { ProtocolVersion } from '../mqtt/packets.js'
import type { Transport, TransportEvents } from './transport.js'

/** Shared by all, as the sockets of a thread share it: whoever keeps a view of it sees other bytes later. */
const readBuffer = Buffer.allocUnsafe(1 << 20)

export class FakeTransport implements Transport {
  readonly address = '127.0.0.1'
  readonly port = 49_152
  isPaused = false
  /** `end` was called; the other side has not closed yet. */
  isEnding = false
  isClosed = false
  /** The peer takes nothing: what is written waits. */
  isStuck = false
  #written: Buffer[] = []
  #waiting: { readonly bytes: number; readonly written: () => void }[] = []
  #events: TransportEvents | undefined

  open(events: TransportEvents): void {
    this.#events = events
  }

  get bufferedBytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#written.push(Buffer.from(bytes))
    if (this.isStuck) this.#waiting.push({ bytes: bytes.length, written })
    else written()
  }

  end(): void {
    this.isEnding = true
  }

  destroy(): void {
    this.close()
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  /** The peer sends these bytes. */
  receive(...parts: readonly Uint8Array[]): void {
    const length = Buffer.concat(parts).copy(readBuffer)
    this.#events?.onData(readBuffer, length)
    readBuffer.fill(0xee, 0, length)
  }

  /** The peer takes all that waits. */
  drain(): void {
    this.isStuck = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const { written } of waiting) written()
    this.#events?.onDrain()
  }

  /** The socket is closed, whoever closed it. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#events?.onClose()
  }

  /** Bytes written since the last time. */
  take(): Buffer {
    const taken = Buffer.concat(this.#written)
    this.#written = []
    return taken
  }

  takePackets(version: ProtocolVersion): BrokerPacket[] {
    return splitPackets(this.take()).map((packet) => decodeBrokerPacket(packet, version))
  }
}

/** @throws Error when the bytes are not whole packets */
export function splitPackets(bytes: Uint8Array): Uint8Array[] {
  const frame = new FrameView()
  const packets: Uint8Array[] = []
  for (let position = 0; position < bytes.length; position += frame.packetBytes) {
    if (readFrame(bytes, position, bytes.length, frame) !== FrameStatus.COMPLETE) throw new Error('half a packet')
    packets.push(bytes.slice(position, position + frame.packetBytes))
  }
  return packets
}
