import { PacketType } from '../../src/mqtt/packets.js'
import { readVarint, varintBytes } from '../../src/mqtt/varint.js'
import { type ClientContext, type ClientRole, LoadClient } from './client.js'
import type { Identity } from './identity.js'
import type { Ledger, Receiver } from './ledger.js'
import { readUint32, STAMP_BYTES } from './payload.js'
import { Arrival } from './sequence.js'

const DUP = 0x08
const PACKET_IDS = 65_536

/** Receives, acknowledges and checks messages. */
export class Subscriber implements ClientRole {
  readonly client: LoadClient
  readonly #hasProperties: boolean
  /** Members of a group: the highest sequence number per stream; order is promised to each member, not to the group. */
  readonly #highest: Int32Array | undefined
  /** QoS 2: bit per packet identifier that was received and not yet released. */
  #unreleased: Uint32Array | undefined

  constructor(
    identity: Identity,
    private readonly context: ClientContext,
    readonly receiver: Receiver,
    private readonly ledger: Ledger,
    private readonly onLoss: (clientId: string, reason: string) => void,
  ) {
    this.client = new LoadClient(identity, context, this)
    this.#hasProperties = identity.version === 5
    this.#highest = receiver.plan.group === undefined ? undefined : new Int32Array(receiver.wanted.length).fill(-1)
  }

  onPublish(firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    const qos = (firstByte >>> 1) & 3
    let at = start + 2 + ((bytes[start] << 8) | bytes[start + 1])
    if (qos > 0) {
      const packetId = (bytes[at] << 8) | bytes[at + 1]
      at += 2
      this.client.acknowledge(qos === 1 ? PacketType.PUBACK << 4 : PacketType.PUBREC << 4, packetId)
      if (qos === 2 && this.#isRepeat(packetId, firstByte)) return
    }
    if (this.#hasProperties) {
      const length = readVarint(bytes, at, end)
      at += length + varintBytes(length)
    }
    if (end - at < STAMP_BYTES) {
      this.ledger.unexpected++
      return
    }
    const stream = readUint32(bytes, at)
    const sequence = readUint32(bytes, at + 4)
    const sentMicros = readUint32(bytes, at + 8)
    const arrival = this.ledger.noteArrival(this.receiver, stream, sequence, sentMicros, this.context.readMicros)
    if (this.#highest !== undefined) this.#checkMemberOrder(this.#highest, stream, sequence)
    else if (arrival === Arrival.LATE) this.ledger.outOfOrder++
  }

  onAck(type: number, packetId: number): void {
    if (type !== PacketType.PUBREL) return
    if (this.#unreleased !== undefined) this.#unreleased[packetId >>> 5] &= ~(1 << (packetId & 31))
    this.client.acknowledge(PacketType.PUBCOMP << 4, packetId)
  }

  onFlushed(): void {}

  onLost(reason: string): void {
    this.onLoss(this.client.identity.clientId, reason)
  }

  /** A message that was sent again before its release is the same message [MQTT-4.3.3-10], if it says so itself. */
  #isRepeat(packetId: number, firstByte: number): boolean {
    this.#unreleased ??= new Uint32Array(PACKET_IDS / 32)
    const bit = 1 << (packetId & 31)
    const isKnown = (this.#unreleased[packetId >>> 5] & bit) !== 0
    this.#unreleased[packetId >>> 5] |= bit
    return isKnown && (firstByte & DUP) !== 0
  }

  #checkMemberOrder(highest: Int32Array, stream: number, sequence: number): void {
    const at = stream - this.receiver.plan.streams.from
    if (sequence < highest[at]) this.ledger.outOfOrder++
    else highest[at] = sequence
  }
}
