import { messageOf } from '../../src/base/errors.js'
import {
  type BrokerPacket,
  decodeBrokerPacket,
  encodeConnect,
  encodeSubscribe,
  encodeUnsubscribe,
  PLAIN_CONNECT,
} from '../../src/mqtt/client-codec.js'
import { NEVER_EXPIRES, PacketType, type Qos } from '../../src/mqtt/packets.js'
import { reasonCodeName } from '../../src/mqtt/reason-codes.js'
import { varintBytes } from '../../src/mqtt/varint.js'
import { PacketReader, type PacketSink } from '../load/packet-reader.js'
import type { Dialer, Transport, TransportEvents } from '../load/transport.js'
import type { Violations } from './violations.js'

export interface SessionTraits {
  readonly clientId: string
  readonly version: 4 | 5
  /** The session outlives its connections, which begin with clean start off. */
  readonly isPersistent: boolean
  /** QoS 1 and 2 messages it takes at once; MQTT 5 only. */
  readonly receiveMaximum: number
}

export type Publish = Extract<BrokerPacket, { kind: 'publish' }>

/** What a client does with its session. All calls come in the order of the packets. */
export interface SessionRole {
  /** A connection is up. @param isNew the broker has no state from before, so ours is void as well */
  onConnected(isNew: boolean): void
  onPublish(publish: Publish): void
  /** @param type PUBACK, PUBREC, PUBREL or PUBCOMP */
  onAck(type: number, packetId: number, reasonCode: number): void
}

/** What the clients of a run share. */
export interface Site {
  /** undefined while the broker is down. */
  readonly dialer: Dialer | undefined
  readonly violations: Violations
  /** A CONNACK came. */
  onWelcome(): void
  /** Milliseconds until a client that lost its connection comes back. */
  reconnectMs(): number
  /** Whether the broker may refuse or leave unanswered just now: its disk is full, or its storage thread is down. */
  readonly isExcused: boolean
}

const CONNECT_MS = 20_000
const FAILED = 0x80
const SESSION_EXPIRY_SECONDS = 86_400
const PINGREQ = Uint8Array.of(PacketType.PINGREQ << 4, 0)
const DISCONNECT = Uint8Array.of(PacketType.DISCONNECT << 4, 0)

/**
 * An MQTT session that holds on to its broker: it connects again after every loss, and remembers what the broker has
 * promised, so that a promise that a fault broke is noticed.
 */
export class SessionClient implements PacketSink {
  readonly #reader = new PacketReader(this)
  readonly #requests = new Map<number, (codes: readonly number[] | undefined) => void>()
  #transport: Transport | undefined
  #isWelcome = false
  /** It wants to be connected. */
  #isWanted = false
  /** The broker has acknowledged this session, so it must be there again. */
  #isPromised = false
  #timer: NodeJS.Timeout | undefined
  #packetId = 0x8000
  connections = 0

  constructor(
    readonly traits: SessionTraits,
    private readonly site: Site,
    private readonly role: SessionRole,
  ) {}

  get isConnected(): boolean {
    return this.#isWelcome
  }

  /** Connects, and again whenever the connection is lost. */
  join(): void {
    this.#isWanted = true
    if (this.#transport === undefined) this.#dial()
  }

  /** Leaves in order and stays away until `join`. */
  leave(): void {
    this.#isWanted = false
    if (this.#isWelcome) {
      this.write(DISCONNECT)
      this.#transport?.end()
    }
    this.#abandon()
  }

  /** Drops the connection without a word; the client comes back. */
  drop(): void {
    this.#transport?.destroy()
    this.#abandon()
    this.#dialLater()
  }

  /** Connects once more while the connection is there: the broker must hand the session over. */
  takeOver(): void {
    if (!this.#isWelcome) return
    this.#abandon()
    this.#dial()
  }

  /** The broker is up, or went away: `site.dialer` has changed. */
  onBrokerChanged(): void {
    if (this.#isWanted && this.#transport === undefined) this.#dial()
  }

  write(bytes: Uint8Array): void {
    this.#transport?.write(bytes)
  }

  ping(): void {
    if (this.#isWelcome) this.write(PINGREQ)
  }

  /** @returns whether SUBACK came; not when the connection went away or, which is a violation, it was refused */
  async subscribe(filter: string, qos: Qos): Promise<boolean> {
    const packetId = this.#nextPacketId()
    const choices = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    const request = { kind: 'subscribe', packetId, subscriptions: [choices], userProperties: [] } as const
    const codes = await this.#request(
      packetId,
      encodeSubscribe({ ...request, subscriptionIdentifier: undefined }, this.traits.version),
    )
    const code = codes?.[0] ?? 0
    if (code < FAILED) return codes !== undefined
    if (!this.site.isExcused) {
      this.site.violations.add('subscriptionRefused', `${this.traits.clientId}: ${filter}: ${reasonCodeName(code)}`)
    }
    return false
  }

  /** @returns whether UNSUBACK came before the connection went away */
  async unsubscribe(filter: string): Promise<boolean> {
    const packetId = this.#nextPacketId()
    const request = { kind: 'unsubscribe', packetId, filters: [filter], userProperties: [] } as const
    return (await this.#request(packetId, encodeUnsubscribe(request, this.traits.version))) !== undefined
  }

  /** @param firstByte type and flags */
  acknowledge(firstByte: number, packetId: number): void {
    this.write(Uint8Array.of(firstByte, 2, packetId >>> 8, packetId))
  }

  #request(packetId: number, bytes: Uint8Array): Promise<readonly number[] | undefined> {
    if (!this.#isWelcome) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#requests.set(packetId, resolve)
      this.write(bytes)
    })
  }

  /** Of the upper half: publishers take theirs from the lower. */
  #nextPacketId(): number {
    this.#packetId = this.#packetId === 0xffff ? 0x8000 : this.#packetId + 1
    return this.#packetId
  }

  #dial(): void {
    clearTimeout(this.#timer)
    const { dialer } = this.site
    if (dialer === undefined) return
    this.#reader.reset()
    const isCurrent = (): boolean => this.#transport === transport
    const events: TransportEvents = {
      onOpen: () => isCurrent() && this.write(this.#connectPacket()),
      onBytes: (bytes, length) => isCurrent() && this.#read(bytes, length),
      onFlushed: () => undefined,
      onClose: () => {
        if (!isCurrent()) return
        this.#abandon()
        this.#dialLater()
      },
    }
    const transport = dialer.dial(events)
    this.#transport = transport
    this.#timer = setTimeout(() => this.drop(), CONNECT_MS)
  }

  #dialLater(): void {
    if (!this.#isWanted) return
    this.#timer = setTimeout(() => this.#dial(), this.site.reconnectMs())
  }

  /** What the connection still has to say is not heard. */
  #abandon(): void {
    clearTimeout(this.#timer)
    if (this.#isWelcome) this.site.violations.journal.note(this.traits.clientId, 'has no connection any more')
    this.#transport = undefined
    this.#isWelcome = false
    for (const answer of this.#requests.values()) answer(undefined)
    this.#requests.clear()
  }

  #connectPacket(): Uint8Array {
    const { clientId, version, isPersistent, receiveMaximum } = this.traits
    const before5 = isPersistent ? NEVER_EXPIRES : 0
    return encodeConnect({
      ...PLAIN_CONNECT,
      clientId,
      version,
      cleanStart: !isPersistent,
      receiveMaximum: version === 5 ? receiveMaximum : PLAIN_CONNECT.receiveMaximum,
      sessionExpirySeconds: version === 4 ? before5 : isPersistent ? SESSION_EXPIRY_SECONDS : 0,
    })
  }

  #read(bytes: Uint8Array, length: number): void {
    try {
      this.#reader.read(bytes, length)
    } catch (error) {
      this.site.violations.add('unexpected', `${this.traits.clientId}: ${messageOf(error)}`)
      this.drop()
    }
  }

  onPacket(firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    const type = firstByte >>> 4
    // A role may drop its connection half way through a read.
    if (this.#transport === undefined) return
    if (type >= PacketType.PUBACK && type <= PacketType.PUBCOMP) {
      const packetId = (bytes[start] << 8) | bytes[start + 1]
      this.role.onAck(type, packetId, end - start > 2 ? bytes[start + 2] : 0)
      return
    }
    const packet = decodeBrokerPacket(bytes.subarray(start - 1 - varintBytes(end - start), end), this.traits.version)
    if (packet.kind === 'publish') this.role.onPublish(packet)
    else if (packet.kind === 'connack') this.#onConnack(packet.reasonCode, packet.sessionPresent)
    else if (packet.kind === 'suback' || packet.kind === 'unsuback') {
      this.#requests.get(packet.packetId)?.(packet.codes)
      this.#requests.delete(packet.packetId)
    }
  }

  #onConnack(reasonCode: number, sessionPresent: boolean): void {
    // A broker that is still starting may refuse; whether it ever lets us in is seen at the end.
    if (reasonCode !== 0) return
    const { clientId, isPersistent } = this.traits
    clearTimeout(this.#timer)
    this.#isWelcome = true
    this.connections++
    this.site.onWelcome()
    if (this.#isPromised && !sessionPresent) {
      this.site.violations.add('sessionLost', `${clientId}: no session present at connection ${this.connections}`)
    }
    if (!isPersistent && sessionPresent) {
      this.site.violations.add('sessionRevived', `${clientId}: session present at connection ${this.connections}`)
    }
    this.#isPromised = isPersistent
    this.site.violations.journal.note(clientId, `is connected${sessionPresent ? ', session present' : ''}`)
    this.role.onConnected(!sessionPresent)
  }
}
