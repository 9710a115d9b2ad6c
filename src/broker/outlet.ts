/** Writes the records that one connection thread gets from this shard. */
import { copyWords } from '../base/bytes.js'
import type { RingProducer } from '../base/ring.js'
import {
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
  KIND,
  OutboundKind,
  RECEIVER_INTS,
  SLOT,
} from '../contracts/records.js'
import type { PublishFields } from './message.js'

const NO_BYTES = new Uint8Array(0)

/** One receiver's int: how the message goes to it. */
export function receiverMeta(packetId: number, qos: number, retain: boolean, dup: boolean): number {
  return packetId | (qos << 16) | (retain ? 1 << 18 : 0) | (dup ? 1 << 19 : 0)
}

export class Outlet {
  #at = -1
  #count = 0
  #acksFor = -1
  #acks = new Int32Array(256)
  #ackCount = 0

  constructor(readonly ring: RingProducer) {}

  /** Opens a DELIVER record for at most `receiversMax` connections, unless one is open. */
  openDelivery(fields: PublishFields, receiversMax: number, extra: Uint8Array = NO_BYTES): void {
    const fixed = (DELIVER_RECEIVERS + receiversMax * RECEIVER_INTS) * 4
    this.#at = this.ring.begin(fixed + extra.length + fields.bodyBytes + 16)
    this.#count = 0
  }

  get isOpen(): boolean {
    return this.#at >= 0
  }

  addReceiver(slot: number, meta: number): void {
    const place = (this.#at >> 2) + DELIVER_RECEIVERS + this.#count * RECEIVER_INTS
    this.ring.ints[place] = slot
    this.ring.ints[place + 1] = meta
    this.#count++
  }

  /** Closes the record with the bytes of the message; drops it when nobody was added. */
  closeDelivery(fields: PublishFields, extra: Uint8Array = NO_BYTES): void {
    const at = this.#at
    this.#at = -1
    if (this.#count === 0) return
    const { ints, bytes } = this.ring
    const extraStart = at + (DELIVER_RECEIVERS + this.#count * RECEIVER_INTS) * 4
    if (extra.length > 0) bytes.set(extra, extraStart)
    // whole words are copied, so the message must lie as in its source modulo 4, with a word to spare in front
    const free = ((extraStart + extra.length + 3) & ~3) + 4
    const body = free + (fields.topicStart & 3)
    copyWords(fields.ints, fields.bytes, fields.topicStart, ints, bytes, body, fields.bodyBytes)
    const shift = body - at - fields.topicStart
    const i = at >> 2
    ints[i + KIND] = OutboundKind.DELIVER
    ints[i + DELIVER_COUNT] = this.#count
    ints[i + DELIVER_TOPIC] = fields.topicStart + shift
    ints[i + DELIVER_TOPIC_BYTES] = fields.topicBytes
    ints[i + DELIVER_TOPIC_HASH] = fields.topicHash
    ints[i + DELIVER_PROPERTIES] = fields.propertiesStart + shift
    ints[i + DELIVER_PROPERTIES_BYTES] = fields.propertiesBytes
    ints[i + DELIVER_PAYLOAD] = fields.payloadStart + shift
    ints[i + DELIVER_PAYLOAD_BYTES] = fields.payloadBytes
    ints[i + DELIVER_EXTRA] = extraStart - at
    ints[i + DELIVER_EXTRA_BYTES] = extra.length
    this.ring.end(at, body - at + fields.bodyBytes + 4)
  }

  /** Notes an acknowledgement; those of one connection go out together with `flushAcks`, or when it changes. */
  ack(slot: number, type: number, packetId: number, reasonCode: number): void {
    if (this.#acksFor !== slot) {
      this.flushAcks()
      this.#acksFor = slot
    }
    if (this.#ackCount === this.#acks.length) this.flushAcks()
    this.#acksFor = slot
    this.#acks[this.#ackCount++] = packetId | (reasonCode << 16) | (type << 24)
  }

  flushAcks(): void {
    if (this.#ackCount === 0) return
    const at = this.ring.begin(16 + this.#ackCount * 4)
    const i = at >> 2
    const { ints } = this.ring
    ints[i + KIND] = OutboundKind.ACKS
    ints[i + SLOT] = this.#acksFor
    ints[i + 3] = this.#ackCount
    for (let k = 0; k < this.#ackCount; k++) ints[i + 4 + k] = this.#acks[k]
    this.ring.end(at, 16 + this.#ackCount * 4)
    this.#ackCount = 0
    this.#acksFor = -1
  }

  /** SEND, ACCEPT or CLOSE with a whole packet; CLOSE may have none. */
  send(kind: number, slot: number, packet: Uint8Array = NO_BYTES): void {
    this.flushAcks()
    const at = this.ring.begin(16 + packet.length)
    const i = at >> 2
    this.ring.ints[i + KIND] = kind
    this.ring.ints[i + SLOT] = slot
    this.ring.ints[i + 3] = packet.length
    this.ring.bytes.set(packet, at + 16)
    this.ring.end(at, 16 + packet.length)
  }

  /** MARK or RELEASED. */
  signal(kind: number, slot: number): void {
    this.flushAcks()
    const at = this.ring.begin(16)
    this.ring.ints[(at >> 2) + KIND] = kind
    this.ring.ints[(at >> 2) + SLOT] = slot
    this.ring.end(at, 16)
  }
}
