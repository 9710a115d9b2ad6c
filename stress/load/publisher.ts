import { PacketType, type Qos } from '../../src/mqtt/packets.js'
import { encodePublish } from '../../src/mqtt/publish-writer.js'
import { type ClientContext, type ClientRole, LoadClient } from './client.js'
import type { Identity } from './identity.js'
import type { Ledger } from './ledger.js'
import { writeUint32 } from './payload.js'

export interface PublisherOptions {
  readonly index: number
  readonly topics: readonly string[]
  readonly firstStream: number
  readonly qos: Qos
  readonly retain: boolean
  readonly payloadBytes: number
  /** Most messages that one write takes. */
  readonly batchMax: number
}

const BATCH_BYTES_MAX = 262_144
const PACKET_IDS = 65_536
const FAILED = 0x80
const FILLER = 0x2e
/** Their length, which is 0. */
const NO_PROPERTIES_BYTES = 1

/**
 * Publishes in batches. All packets lie ready in one buffer, topic after topic, and only packet identifier, sequence and
 * time stamp are filled in; a batch is a stretch of that buffer and leaves in one write.
 *
 *   | packet on topic 0 | packet on topic 1 | … | packet on topic 0 | packet on topic 1 | …
 *     ^ #position: the next to leave; back to the start at the end
 */
export class Publisher implements ClientRole {
  readonly client: LoadClient
  /** Messages without PUBACK or PUBCOMP; 0 at QoS 0. */
  unacknowledged = 0
  /** The broker takes no more than this many unacknowledged messages. */
  receiveMaximum = 65_535
  readonly #bytes: Uint8Array
  readonly #packetBytes: number
  readonly #packets: number
  /** Where in a packet its identifier stands; 0 at QoS 0. */
  readonly #packetIdAt: number
  readonly #stampAt: number
  readonly #sequences: Int32Array
  /** By packet identifier: the stream of the message, to tell which one was refused; empty at QoS 0. */
  readonly #streamOfId: Int32Array
  #position = 0
  #packetId = 0
  /** Part of the buffer is still on its way to the kernel. */
  #isBusy = false

  constructor(
    identity: Identity,
    context: ClientContext,
    private readonly options: PublisherOptions,
    private readonly ledger: Ledger,
    private readonly onRoom: (publisher: number) => void,
    private readonly onLoss: (clientId: string, reason: string) => void,
  ) {
    this.client = new LoadClient(identity, context, this)
    const { topics, qos, retain, payloadBytes, batchMax, firstStream } = options
    const { version } = identity
    const payload = new Uint8Array(payloadBytes).fill(FILLER)
    const packets = topics.map((topic) => encodePublish({ version, topic, payload, qos, retain, packetId: 1 }))
    this.#packetBytes = packets[0].length
    if (packets.some(({ length }) => length !== this.#packetBytes)) throw new RangeError('topics differ in length')
    this.#stampAt = this.#packetBytes - payloadBytes
    this.#packetIdAt = qos === 0 ? 0 : this.#stampAt - 2 - (version === 5 ? NO_PROPERTIES_BYTES : 0)
    const batch = Math.max(1, Math.min(batchMax, Math.floor(BATCH_BYTES_MAX / this.#packetBytes)))
    this.#packets = Math.ceil(batch / topics.length) * topics.length
    this.#sequences = new Int32Array(topics.length)
    this.#streamOfId = new Int32Array(qos === 0 ? 0 : PACKET_IDS)
    this.#bytes = new Uint8Array(this.#packets * this.#packetBytes)
    for (let nth = 0; nth < this.#packets; nth++) {
      const at = nth * this.#packetBytes
      this.#bytes.set(packets[nth % topics.length], at)
      writeUint32(this.#bytes, at + this.#stampAt, firstStream + (nth % topics.length))
    }
  }

  /** Hot. Sends up to `wanted` messages in one write. @returns how many; 0 while the last write is on its way */
  send(wanted: number, micros: number): number {
    if (this.#isBusy) return 0
    const count = Math.min(wanted, this.#packets - this.#position)
    const from = this.#position * this.#packetBytes
    const { index, topics, firstStream } = this.options
    let topic = this.#position % topics.length
    for (let at = from, nth = 0; nth < count; nth++, at += this.#packetBytes) {
      const stream = firstStream + topic
      if (this.#packetIdAt > 0) this.#identify(at + this.#packetIdAt, stream)
      writeUint32(this.#bytes, at + this.#stampAt + 4, this.#sequences[topic]++)
      writeUint32(this.#bytes, at + this.#stampAt + 8, micros)
      this.ledger.noteSent(index, stream)
      if (++topic === topics.length) topic = 0
    }
    this.#position = (this.#position + count) % this.#packets
    this.#isBusy = !this.client.write(this.#bytes.subarray(from, from + count * this.#packetBytes))
    return count
  }

  /** Takes the retained messages of its topics back. */
  clearRetained(): void {
    const { version } = this.client.identity
    const payload = new Uint8Array(0)
    for (const topic of this.options.topics) {
      this.client.write(encodePublish({ version, topic, payload, qos: 0, retain: true }))
    }
  }

  #identify(at: number, stream: number): void {
    const packetId = this.#packetId === PACKET_IDS - 1 ? 1 : this.#packetId + 1
    this.#packetId = packetId
    this.#bytes[at] = packetId >>> 8
    this.#bytes[at + 1] = packetId
    this.#streamOfId[packetId] = stream
    this.unacknowledged++
  }

  onPublish(): void {
    this.ledger.unexpected++
  }

  onAck(type: number, packetId: number, reasonCode: number): void {
    if (type === PacketType.PUBREC && reasonCode < FAILED) {
      this.client.acknowledge((PacketType.PUBREL << 4) | 2, packetId)
      return
    }
    this.unacknowledged--
    if (reasonCode >= FAILED) this.ledger.noteRefused(this.options.index, this.#streamOfId[packetId])
    this.onRoom(this.options.index)
  }

  onFlushed(): void {
    if (!this.#isBusy || !this.client.isFlushed()) return
    this.#isBusy = false
    this.onRoom(this.options.index)
  }

  onLost(reason: string): void {
    this.onLoss(this.client.identity.clientId, reason)
  }
}
