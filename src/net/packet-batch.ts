/** Collects the packets of one read of one socket and writes them to the ring of the shard as one PACKETS record. */
import type { RingProducer } from '../base/ring.js'
import {
  Descriptor,
  InboundKind,
  KIND,
  PACKETS_BODY,
  PACKETS_DESCRIPTOR_INTS,
  PACKETS_HEADER_INTS,
  PUBLISH_DESCRIPTOR_INTS,
  SLOT,
} from '../contracts/records.js'
import type { PublishView } from '../mqtt/publish-codec.js'

/** A longer read becomes several records. */
const DESCRIPTOR_INTS_MAX = 8_192
const SHORT_BODY_BYTES = 96

export class PacketBatch {
  readonly #descriptors = new Int32Array(DESCRIPTOR_INTS_MAX + PUBLISH_DESCRIPTOR_INTS)
  #ints = 0
  /** The part of the read that descriptors refer to. */
  #from = 0
  #to = 0

  get isEmpty(): boolean {
    return this.#ints === 0
  }
  get isFull(): boolean {
    return this.#ints >= DESCRIPTOR_INTS_MAX
  }

  /** Hot. Offsets in `view` are those of the read. */
  addPublish(view: PublishView): void {
    const d = this.#descriptors
    const i = this.#ints
    const from = this.#include(view.topicStart, view.payloadStart + view.payloadLength)
    d[i] =
      Descriptor.PUBLISH |
      (view.qos << 8) |
      (view.retain << 10) |
      (view.dup << 11) |
      (view.expirySeconds >= 0 ? 0x1000 : 0)
    d[i + 1] = view.packetId
    d[i + 2] = view.topicStart - from
    d[i + 3] = view.topicLength
    d[i + 4] = view.topicHash
    d[i + 5] = view.propertiesStart - from
    d[i + 6] = view.propertiesLength
    d[i + 7] = view.payloadStart - from
    d[i + 8] = view.payloadLength
    d[i + 9] = view.expirySeconds
    this.#ints = i + PUBLISH_DESCRIPTOR_INTS
  }

  addAck(type: number, packetId: number, reasonCode: number): void {
    this.#descriptors[this.#ints] = Descriptor.ACK | (type << 8)
    this.#descriptors[this.#ints + 1] = packetId | (reasonCode << 16)
    this.#ints += 2
  }

  /** @param start of the whole packet */
  addControl(type: number, start: number, length: number): void {
    const from = this.#include(start, start + length)
    this.#descriptors[this.#ints] = Descriptor.CONTROL | (type << 8)
    this.#descriptors[this.#ints + 1] = start - from
    this.#descriptors[this.#ints + 2] = length
    this.#ints += 3
  }

  /** Packets come in the order of the read, so its part only grows at the end. @returns where the part begins */
  #include(start: number, end: number): number {
    if (this.#to === 0) this.#from = start
    this.#to = end
    return this.#from
  }

  /** Writes the record, if there is anything, and starts anew. */
  writeTo(ring: RingProducer, slot: number, source: Uint8Array): void {
    if (this.#ints === 0) return
    const count = this.#ints
    const length = this.#to - this.#from
    const body = (PACKETS_HEADER_INTS + count) * 4
    const at = ring.begin(body + length + 8)
    const i = at >> 2
    const { ints, bytes } = ring
    ints[i + KIND] = InboundKind.PACKETS
    ints[i + SLOT] = slot
    ints[i + PACKETS_DESCRIPTOR_INTS] = count
    ints[i + PACKETS_BODY] = body
    const descriptors = this.#descriptors
    for (let k = 0; k < count; k++) ints[i + PACKETS_HEADER_INTS + k] = descriptors[k]
    if (length > SHORT_BODY_BYTES) {
      bytes.set(new Uint8Array(source.buffer, source.byteOffset + this.#from, length), at + body)
    } else {
      const from = this.#from
      for (let k = 0; k < length; k++) bytes[at + body + k] = source[from + k]
    }
    // a word more than the body, because shards copy messages word by word
    ring.end(at, body + length + 8)
    this.#ints = 0
    this.#from = 0
    this.#to = 0
  }
}
