import { messageOf } from '../../src/base/errors.js'
import {
  type BrokerPacket,
  decodeBrokerPacket,
  encodeSubscribe,
  encodeUnsubscribe,
} from '../../src/mqtt/client-codec.js'
import { PacketType, type Qos } from '../../src/mqtt/packets.js'
import { reasonCodeName } from '../../src/mqtt/reason-codes.js'
import { varintBytes } from '../../src/mqtt/varint.js'
import { connectPacket, type Identity, type LoadVersion } from './identity.js'
import { PacketReader, type PacketSink } from './packet-reader.js'
import { nowMicros } from './payload.js'
import type { Dialer, Transport, TransportEvents } from './transport.js'

/** What a client is there for. All calls come from its connection, in the order of the packets. */
export interface ClientRole {
  /** Hot. The body of a PUBLISH is `bytes[start … end - 1]`, valid during the call. */
  onPublish(firstByte: number, bytes: Uint8Array, start: number, end: number): void
  /** Hot. @param type PUBACK, PUBREC, PUBREL or PUBCOMP @param reasonCode 0 where the packet has none */
  onAck(type: number, packetId: number, reasonCode: number): void
  /** What was written has left, after a write that had to wait. */
  onFlushed(): void
  /** The connection ended without `disconnect` or `destroy` having been called. */
  onLost(reason: string): void
}

const CONNECT_TIMEOUT_MS = 30_000
const ACKS_BYTES_MAX = 65_536
const PINGREQ = Uint8Array.of(PacketType.PINGREQ << 4, 0)
const DISCONNECT = Uint8Array.of(PacketType.DISCONNECT << 4, 0)
const FAILED = 0x80

/** Acknowledgements of the client whose bytes are being read; they leave in one write when the read is done. */
export class AckBuffer {
  bytes = new Uint8Array(ACKS_BYTES_MAX)
  used = 0

  /** @param firstByte type and flags */
  add(firstByte: number, packetId: number): void {
    const { bytes, used } = this
    bytes[used] = firstByte
    bytes[used + 1] = 2
    bytes[used + 2] = packetId >>> 8
    bytes[used + 3] = packetId
    this.used = used + 4
  }

  isFull(): boolean {
    return this.used + 4 > this.bytes.length
  }

  flush(transport: Transport): void {
    if (!transport.write(this.bytes.subarray(0, this.used))) this.bytes = new Uint8Array(ACKS_BYTES_MAX)
    this.used = 0
  }
}

/** What the clients of a run share. */
export interface ClientContext {
  readonly dialer: Dialer
  readonly acks: AckBuffer
  /** `nowMicros` when the bytes that are being handled were read. */
  readMicros: number
}

/** CONNACK. */
export type Welcome = Extract<BrokerPacket, { kind: 'connack' }>

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** An MQTT client reduced to what a load needs: it trusts the broker's syntax and never queues. */
export class LoadClient implements PacketSink {
  readonly #reader = new PacketReader(this)
  /** By packet identifier, for the reason codes of SUBACK or UNSUBACK. */
  readonly #waiting = new Map<number, Waiting<readonly number[]>>()
  #connecting: (Waiting<Welcome> & { readonly timeout: NodeJS.Timeout }) | undefined
  #transport: Transport | undefined
  #packetId = 0
  #leaving = false
  #welcomed = false
  #pausesAfterRead = false
  /** Why the broker says that it closes the connection. */
  #farewell: string | undefined

  constructor(
    readonly identity: Identity,
    private readonly context: ClientContext,
    private readonly role: ClientRole,
  ) {}

  /** Connects. @throws Error when the broker refuses, is not there, or says nothing for 30 s */
  open(cleanStart = !this.identity.isPersistent): Promise<Welcome> {
    this.#leaving = false
    this.#welcomed = false
    this.#farewell = undefined
    this.#reader.reset()
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => this.destroy(`no CONNACK within ${CONNECT_TIMEOUT_MS} ms`), CONNECT_TIMEOUT_MS)
      this.#connecting = { resolve, reject, timeout }
      this.#transport = this.#dial(connectPacket(this.identity, cleanStart))
    })
  }

  /** What an earlier connection of this client still has to say is not heard. */
  #dial(connect: Uint8Array): Transport {
    const isCurrent = (): boolean => this.#transport === transport
    const events: TransportEvents = {
      onOpen: () => isCurrent() && this.write(connect),
      onBytes: (bytes, length) => isCurrent() && this.#onBytes(bytes, length),
      onFlushed: () => this.role.onFlushed(),
      onClose: (reason) => isCurrent() && this.#onClose(reason),
    }
    const transport = this.context.dialer.dial(events)
    return transport
  }

  /** @throws Error when the broker refuses one of them */
  async subscribe(filters: readonly string[], qos: Qos): Promise<void> {
    const packetId = this.#nextPacketId()
    const codes = await this.#request(packetId, subscribePacket(this.identity.version, packetId, filters, qos))
    const refused = codes.findIndex((code) => code >= FAILED)
    if (refused >= 0) throw new Error(`subscription to ${filters[refused]} refused: ${reasonCodeName(codes[refused])}`)
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    const packetId = this.#nextPacketId()
    const request = { kind: 'unsubscribe', packetId, filters, userProperties: [] } as const
    await this.#request(packetId, encodeUnsubscribe(request, this.identity.version))
  }

  /** @returns whether the bytes may be reused at once; if not, they must stay as they are until `onFlushed` */
  write(bytes: Uint8Array): boolean {
    return this.#transport === undefined || this.#transport.write(bytes)
  }

  isFlushed(): boolean {
    return this.#transport === undefined || this.#transport.isFlushed()
  }

  ping(): void {
    if (this.#welcomed && !this.#leaving) this.write(PINGREQ)
  }

  pause(): void {
    this.#transport?.pause()
  }

  resume(): void {
    this.#pausesAfterRead = false
    this.#transport?.resume()
  }

  /** Takes what one read brings, at most a buffer full, and pauses again. */
  readOnce(): void {
    this.resume()
    this.#pausesAfterRead = true
  }

  /** Leaves in order. */
  disconnect(): void {
    this.#leaving = true
    this.write(DISCONNECT)
    this.#transport?.end()
  }

  /** Drops the connection. @param reason what those are told who still wait for an answer */
  destroy(reason = 'the connection was dropped on purpose'): void {
    this.#leaving = true
    this.#transport?.destroy()
    this.#fail(reason)
  }

  /** Only to be called while a packet of this client is being handled. @param firstByte type and flags */
  acknowledge(firstByte: number, packetId: number): void {
    const { acks } = this.context
    if (acks.isFull() && this.#transport !== undefined) acks.flush(this.#transport)
    acks.add(firstByte, packetId)
  }

  #onBytes(bytes: Uint8Array, length: number): void {
    this.context.readMicros = nowMicros()
    if (this.#pausesAfterRead) this.pause()
    try {
      this.#reader.read(bytes, length)
    } catch (error) {
      this.destroy(messageOf(error))
      this.role.onLost(messageOf(error))
    }
    if (this.context.acks.used > 0 && this.#transport !== undefined) this.context.acks.flush(this.#transport)
  }

  #onClose(reason: string | undefined): void {
    const isLoss = this.#welcomed && !this.#leaving
    this.#transport = undefined
    this.#welcomed = false
    const cause = this.#farewell ?? reason ?? 'the broker closed the connection'
    this.#fail(cause)
    if (isLoss) this.role.onLost(cause)
  }

  onPacket(firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    const type = firstByte >>> 4
    switch (type) {
      case PacketType.PUBLISH:
        this.role.onPublish(firstByte, bytes, start, end)
        break
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBREL:
      case PacketType.PUBCOMP:
        this.role.onAck(type, (bytes[start] << 8) | bytes[start + 1], end - start > 2 ? bytes[start + 2] : 0)
        break
      default:
        // The fixed header stands before the body in the same bytes.
        this.#onControl(bytes.subarray(start - 1 - varintBytes(end - start), end))
    }
  }

  #onControl(bytes: Uint8Array): void {
    const packet = decodeBrokerPacket(bytes, this.identity.version)
    if (packet.kind === 'connack') this.#onConnack(packet)
    else if (packet.kind === 'suback' || packet.kind === 'unsuback') {
      this.#waiting.get(packet.packetId)?.resolve(packet.codes)
      this.#waiting.delete(packet.packetId)
    } else if (packet.kind === 'disconnect') {
      this.#farewell = `DISCONNECT from the broker: ${reasonCodeName(packet.reasonCode)}`
    }
  }

  #onConnack(welcome: Welcome): void {
    const connecting = this.#connecting
    if (connecting === undefined) return
    if (welcome.reasonCode !== 0) {
      this.destroy(`refused by the broker: ${connackText(welcome.reasonCode)}`)
      return
    }
    this.#connecting = undefined
    this.#welcomed = true
    clearTimeout(connecting.timeout)
    connecting.resolve(welcome)
  }

  #request(packetId: number, bytes: Uint8Array): Promise<readonly number[]> {
    if (!this.#welcomed) return Promise.reject(new Error(`${this.identity.clientId}: not connected`))
    return new Promise((resolve, reject) => {
      this.#waiting.set(packetId, { resolve, reject })
      this.write(bytes)
    })
  }

  /** A client that subscribes does not publish, so these are the only identifiers it gives away. */
  #nextPacketId(): number {
    this.#packetId = (this.#packetId % 65_535) + 1
    return this.#packetId
  }

  #fail(reason: string): void {
    if (this.#connecting === undefined && this.#waiting.size === 0) return
    const error = new Error(`${this.identity.clientId}: ${reason}`)
    const connecting = this.#connecting
    this.#connecting = undefined
    clearTimeout(connecting?.timeout)
    connecting?.reject(error)
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}

function subscribePacket(version: LoadVersion, packetId: number, filters: readonly string[], qos: Qos): Uint8Array {
  const choices = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
  const subscriptions = filters.map((filter) => ({ filter, ...choices }))
  const request = { kind: 'subscribe', packetId, subscriptions, subscriptionIdentifier: undefined } as const
  return encodeSubscribe({ ...request, userProperties: [] }, version)
}

const RETURN_CODES = ['', 'protocol version', 'client identifier', 'server unavailable', 'bad user name or password']

function connackText(code: number): string {
  return code >= FAILED ? reasonCodeName(code) : (RETURN_CODES[code] ?? 'not authorized')
}
