/** One network connection as its shard sees it, and what came out for it, as short texts that are easy to compare. */
import { decodeText, encodeText, hashBytes } from '../base/bytes.js'
import type { RingProducer } from '../base/ring.js'
import { jsonBytes } from '../contracts/record-json.js'
import {
  CloseCause,
  type ConnectRequest,
  DELIVER_COUNT,
  DELIVER_EXTRA,
  DELIVER_EXTRA_BYTES,
  DELIVER_PAYLOAD,
  DELIVER_PAYLOAD_BYTES,
  DELIVER_PROPERTIES,
  DELIVER_PROPERTIES_BYTES,
  DELIVER_RECEIVERS,
  DELIVER_TOPIC,
  DELIVER_TOPIC_BYTES,
  DELIVER_TOPIC_HASH,
  Descriptor,
  InboundKind,
  KIND,
  OutboundKind,
  PACKETS_BODY,
  PACKETS_DESCRIPTOR_INTS,
  PACKETS_HEADER_INTS,
  RECEIVER_INTS,
  SLOT,
  type WillRequest,
} from '../contracts/records.js'
import {
  type BrokerPacket,
  decodeBrokerPacket,
  encodeClientDisconnect,
  encodeSubscribe,
  encodeUnsubscribe,
} from '../mqtt/client-codec.js'
import { PacketType, type ProtocolVersion, type Qos } from '../mqtt/packets.js'
import { decodePublishProperties, encodePublishProperties, type PublishProperties } from '../mqtt/publish-properties.js'
import type { ShardFixture } from './shard.fixture.js'

export interface ClientOptions {
  readonly shard?: number
  readonly thread?: number
  readonly version?: ProtocolVersion
  readonly cleanStart?: boolean
  /** Seconds. */
  readonly expiry?: number
  readonly receiveMaximum?: number
  readonly maximumPacketBytes?: number
  readonly problemInformation?: boolean
  readonly will?: WillOptions
  readonly request?: Partial<ConnectRequest>
}

export interface WillOptions {
  readonly topic: string
  readonly payload?: string
  readonly qos?: Qos
  readonly retain?: boolean
  readonly delaySeconds?: number
  readonly properties?: PublishProperties
}

export interface PublishOptions {
  readonly qos?: Qos
  readonly retain?: boolean
  readonly dup?: boolean
  /** Given out in turn where left out. */
  readonly packetId?: number
  readonly properties?: PublishProperties
}

export interface SubscribeOptions {
  readonly qos?: Qos
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: 0 | 1 | 2
}

const ACK_TYPES = {
  puback: PacketType.PUBACK,
  pubrec: PacketType.PUBREC,
  pubrel: PacketType.PUBREL,
  pubcomp: PacketType.PUBCOMP,
}
type AckName = keyof typeof ACK_TYPES
const ACK_NAMES = new Map<number, string>([
  ...Object.entries(ACK_TYPES).map(([name, type]): [number, string] => [type, name]),
  [PacketType.PINGRESP, 'pingresp'],
])

export class TestClient {
  isOpen = true
  /** MARK records; answered at once unless `answersMarks` is off. */
  marks = 0
  answersMarks = true
  /** Properties of the messages in the order they came. */
  readonly properties: ReturnType<typeof decodePublishProperties>[] = []
  #received: string[] = []
  #nextPacketId = 1

  constructor(
    readonly fixture: ShardFixture,
    readonly ring: RingProducer,
    readonly clientId: string,
    readonly slot: number,
    readonly options: ClientOptions,
  ) {}

  get version(): ProtocolVersion {
    return this.options.version ?? 5
  }

  /**
   * What has come since the last time: `connack 0x00 present`, `a/b=text q1 #7 dup retain`, `puback #7 0x10`,
   * `suback #1 0,143`, `disconnect 0x8e`, `closed` …
   */
  take(): string[] {
    const taken = this.#received
    this.#received = []
    return taken
  }

  /** Acknowledges, as a client would, all that has come since `take` until nothing more comes. @returns all of it */
  takeAll(): string[] {
    const all: string[] = []
    for (let taken = this.take(); taken.length > 0; taken = this.take()) {
      all.push(...taken)
      for (const text of taken) {
        const packetId = Number(/#(\d+)/.exec(text)?.[1] ?? 0)
        if (/ q1 /.test(text)) this.ack('puback', packetId)
        else if (/ q2 /.test(text)) this.ack('pubrec', packetId)
        else if (text.startsWith('pubrel')) this.ack('pubcomp', packetId)
      }
    }
    return all
  }

  publish(topic: string, payload: string, options: PublishOptions = {}): number {
    const packetId = this.writePublish(topic, payload, options)
    this.fixture.settle()
    return packetId
  }

  /** As `publish`, but nobody has looked at it yet. */
  writePublish(topic: string, payload: string, options: PublishOptions = {}): number {
    const { qos = 0, retain = false, dup = false, properties = {} } = options
    const packetId = qos === 0 ? 0 : (options.packetId ?? this.#nextPacketId++)
    const [name, props, body] = [encodeText(topic), encodePublishProperties(properties), encodeText(payload)]
    const lead = 3 // as the packet identifier and more before it would have it
    const { expirySeconds } = properties
    const flags = (retain ? 0x400 : 0) | (dup ? 0x800 : 0) | (expirySeconds === undefined ? 0 : 0x1000)
    const descriptor = [
      Descriptor.PUBLISH | (qos << 8) | flags,
      packetId,
      lead,
      name.length,
      hashBytes(name, 0, name.length),
      lead + name.length,
      props.length,
      lead + name.length + props.length,
      body.length,
      expirySeconds ?? -1,
    ]
    this.#packets(descriptor, [new Uint8Array(lead), name, props, body])
    return packetId
  }

  ack(name: AckName, packetId: number, reasonCode = 0): void {
    this.#packets([Descriptor.ACK | (ACK_TYPES[name] << 8), packetId | (reasonCode << 16)], [])
    this.fixture.settle()
  }

  subscribe(filters: string | readonly string[], options: SubscribeOptions = {}, identifier?: number): number {
    const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options
    const packetId = this.#nextPacketId++
    const packet = encodeSubscribe(
      {
        kind: 'subscribe',
        packetId,
        subscriptions: [filters].flat().map((filter) => ({ filter, qos, noLocal, retainAsPublished, retainHandling })),
        subscriptionIdentifier: identifier,
        userProperties: [],
      },
      this.version,
    )
    this.control(PacketType.SUBSCRIBE, packet)
    return packetId
  }

  unsubscribe(...filters: readonly string[]): number {
    const packetId = this.#nextPacketId++
    const packet = encodeUnsubscribe({ kind: 'unsubscribe', packetId, filters, userProperties: [] }, this.version)
    this.control(PacketType.UNSUBSCRIBE, packet)
    return packetId
  }

  ping(): void {
    this.control(PacketType.PINGREQ, Uint8Array.of(PacketType.PINGREQ << 4, 0))
  }

  /** DISCONNECT, and the end of the connection. @param expiry in seconds */
  disconnect(reasonCode = 0, expiry?: number): void {
    const packet = encodeClientDisconnect(
      { kind: 'disconnect', reasonCode, sessionExpirySeconds: expiry, reasonString: undefined, userProperties: [] },
      this.version,
    )
    this.control(PacketType.DISCONNECT, packet)
    this.drop(CloseCause.DISCONNECTED)
  }

  /** The connection is gone. */
  drop(cause: CloseCause = CloseCause.NETWORK): void {
    this.isOpen = false
    this.signal(InboundKind.CLOSED, cause)
    this.fixture.settle()
  }

  /** The socket takes bytes too slowly, or has taken all again. */
  slow(isSlow: boolean): void {
    this.signal(InboundKind.FLOW, isSlow ? 1 : 0)
    this.fixture.settle()
  }

  reachMark(): void {
    this.signal(InboundKind.MARK_REACHED, 0)
    this.fixture.settle()
  }

  /** A packet as bytes, of a type that the connection thread passes on whole. */
  control(type: number, packet: Uint8Array): void {
    this.#packets([Descriptor.CONTROL | (type << 8), 0, packet.length], [packet])
    this.fixture.settle()
  }

  signal(kind: number, value: number): void {
    const at = this.ring.begin(16)
    this.ring.ints.set([kind, this.slot, value], (at >> 2) + KIND)
    this.ring.end(at, 16)
  }

  sendConnect(): void {
    const { cleanStart = true, expiry = 0, receiveMaximum = 65_535, will } = this.options
    const request: ConnectRequest = {
      clientId: this.clientId,
      assigned: false,
      version: this.version,
      isBridge: false,
      cleanStart,
      keepAliveSeconds: 0,
      serverKeepAliveSeconds: undefined,
      userName: undefined,
      claims: undefined,
      knownChange: 0,
      address: '127.0.0.1',
      port: 49_152,
      sessionExpirySeconds: expiry,
      receiveMaximum,
      maximumPacketBytes: this.options.maximumPacketBytes ?? 0xffff_ffff,
      topicAliasMaximum: 0,
      requestResponseInformation: false,
      requestProblemInformation: this.options.problemInformation ?? true,
      authenticationMethod: undefined,
      authenticationData: undefined,
      will: will && willRequest(will),
      ...this.options.request,
    }
    const json = jsonBytes(request)
    const at = this.ring.begin(16 + json.length)
    this.ring.ints.set([InboundKind.CONNECT, this.slot, json.length], (at >> 2) + KIND)
    this.ring.bytes.set(json, at + 16)
    this.ring.end(at, 16 + json.length)
    this.fixture.settle()
  }

  /** A record for this connection alone. */
  receive(kind: number, bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    if (!this.isOpen) return
    switch (kind) {
      case OutboundKind.ACKS:
        for (let k = 0; k < ints[i + 3]; k++) this.#received.push(ackText(ints[i + 4 + k]))
        return
      case OutboundKind.MARK:
        this.marks++
        if (this.answersMarks) this.signal(InboundKind.MARK_REACHED, 0)
        return
      default:
        if (ints[i + 3] > 0) {
          const packet = decodeBrokerPacket(bytes.slice(at + 16, at + 16 + ints[i + 3]), this.version)
          this.#received.push(packetText(packet))
        }
        if (kind !== OutboundKind.CLOSE) return
        this.#received.push('closed')
        this.isOpen = false
    }
  }

  /** A message for several connections. */
  static receiveDelivery(
    slots: readonly (TestClient | undefined)[],
    bytes: Uint8Array,
    ints: Int32Array,
    at: number,
  ): void {
    const i = at >> 2
    const part = (offset: number, length: number): Uint8Array =>
      bytes.slice(at + ints[i + offset], at + ints[i + offset] + ints[i + length])
    const topic = part(DELIVER_TOPIC, DELIVER_TOPIC_BYTES)
    if (ints[i + DELIVER_TOPIC_HASH] !== hashBytes(topic, 0, topic.length)) throw new Error('the hash is wrong')
    const extra = part(DELIVER_EXTRA, DELIVER_EXTRA_BYTES)
    const own = part(DELIVER_PROPERTIES, DELIVER_PROPERTIES_BYTES)
    const payload = part(DELIVER_PAYLOAD, DELIVER_PAYLOAD_BYTES)
    const head = `${decodeText(topic, 0, topic.length)}=${decodeText(payload, 0, payload.length)}`
    for (let k = 0; k < ints[i + DELIVER_COUNT]; k++) {
      const receiver = i + DELIVER_RECEIVERS + k * RECEIVER_INTS
      const client = slots[ints[receiver]]
      if (client === undefined || !client.isOpen) continue
      const meta = ints[receiver + 1]
      const flags = `${meta & (1 << 19) ? ' dup' : ''}${meta & (1 << 18) ? ' retain' : ''}`
      client.#received.push(`${head} q${(meta >> 16) & 3} #${meta & 0xffff}${flags}`)
      client.properties.push(decodePublishProperties(Buffer.concat([extra, own])))
    }
  }

  #packets(descriptor: readonly number[], parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const body = (PACKETS_HEADER_INTS + descriptor.length) * 4
    const at = this.ring.begin(body + length + 8)
    const i = at >> 2
    const { ints, bytes } = this.ring
    ints[i + KIND] = InboundKind.PACKETS
    ints[i + SLOT] = this.slot
    ints[i + PACKETS_DESCRIPTOR_INTS] = descriptor.length
    ints[i + PACKETS_BODY] = body
    ints.set(descriptor, i + PACKETS_HEADER_INTS)
    let to = at + body
    for (const part of parts) {
      bytes.set(part, to)
      to += part.length
    }
    this.ring.end(at, body + length + 8)
  }
}

function willRequest(will: WillOptions): WillRequest {
  const { topic, payload = '', qos = 0, retain = false, delaySeconds = 0, properties = {} } = will
  const publishProperties = Buffer.from(encodePublishProperties(properties)).toString('base64')
  return { topic, payload: Buffer.from(payload).toString('base64'), qos, retain, delaySeconds, publishProperties }
}

function ackText(ack: number): string {
  const name = ACK_NAMES.get(ack >>> 24) ?? `type ${ack >>> 24}`
  return name === 'pingresp' ? name : `${name} #${ack & 0xffff}${codeText((ack >>> 16) & 0xff)}`
}

function codeText(reasonCode: number): string {
  return reasonCode === 0 ? '' : ` 0x${reasonCode.toString(16).padStart(2, '0')}`
}

function packetText(packet: BrokerPacket): string {
  switch (packet.kind) {
    case 'connack':
      return `connack${codeText(packet.reasonCode)}${packet.sessionPresent ? ' present' : ''}`
    case 'suback':
    case 'unsuback':
      return `${packet.kind} #${packet.packetId} ${packet.codes.join(',')}`
    case 'disconnect':
      return `disconnect${codeText(packet.reasonCode)}`
    default:
      return packet.kind
  }
}
