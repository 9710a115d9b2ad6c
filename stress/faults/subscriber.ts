import { PacketType, type Qos } from '../../src/mqtt/packets.js'
import type { Ledger } from './ledger.js'
import type { Receiver } from './receiver.js'
import { type Publish, SessionClient, type SessionRole, type SessionTraits, type Site } from './session-client.js'
import type { Stream } from './stream.js'

export interface SubscriberTraits extends SessionTraits {
  readonly qos: Qos
  /** Acknowledgements that go out with each `tick`; undefined answers at once. */
  readonly acksPerTick?: number
}

/** A subscription that this session wants, and which streams it is for. */
interface Wanted {
  readonly filter: string
  readonly streams: readonly Stream[]
  isGranted: boolean
}

const PUBACK = PacketType.PUBACK << 4
const PUBREC = PacketType.PUBREC << 4
const PUBCOMP = PacketType.PUBCOMP << 4
const PACKET_IDS = 0x10000

/** Keeps subscriptions on a session and enters every delivery in the ledger. */
export class Subscriber implements SessionRole {
  readonly client: SessionClient
  readonly #wanted: Wanted[] = []
  /** QoS 2 messages that arrived and are not released, by packet identifier: part of the session. */
  readonly #received = new Map<number, number>()
  /** Answers that a slow subscriber owes: first byte × 65,536 + packet identifier. */
  #owed: number[] = []
  /** A slow one that must not be slow any more. */
  isHurrying = false

  /** @param receiver judges what arrives; the members of a group have one together */
  constructor(
    readonly traits: SubscriberTraits,
    readonly receiver: Receiver,
    private readonly ledger: Ledger,
    site: Site,
  ) {
    this.client = new SessionClient(traits, site, this)
    receiver.clients.add(traits.clientId)
  }

  /** Whether the broker has acknowledged all subscriptions. */
  get isReady(): boolean {
    return this.client.isConnected && this.#wanted.every(({ isGranted }) => isGranted)
  }

  /** @param streams whose topics the filter matches */
  want(filter: string, streams: readonly Stream[]): void {
    const wanted = { filter, streams, isGranted: false }
    this.#wanted.push(wanted)
    if (this.client.isConnected) void this.#subscribe(wanted)
  }

  /** Gives up a subscription. Until UNSUBACK comes the session may have it or not, so it is repeated with each connection. */
  async unwant(filter: string): Promise<void> {
    const index = this.#wanted.findIndex((wanted) => wanted.filter === filter)
    if (index < 0 || !this.client.isConnected) return
    for (const stream of this.#wanted[index].streams) this.receiver.release(stream)
    this.#wanted.splice(index, 1)
    this.#note(`UNSUBSCRIBE ${filter}`)
    if (await this.client.unsubscribe(filter)) this.#note(`UNSUBACK ${filter}`)
  }

  wants(filter: string): boolean {
    return this.#wanted.some((wanted) => wanted.filter === filter)
  }

  onConnected(isNew: boolean): void {
    this.#owed = []
    if (isNew) this.#beginAnew()
    for (const wanted of this.#wanted) if (!wanted.isGranted) void this.#subscribe(wanted)
  }

  #beginAnew(): void {
    this.#received.clear()
    if (!this.traits.isPersistent && !this.receiver.traits.isShared) this.receiver.restart()
    for (const wanted of this.#wanted) wanted.isGranted = false
  }

  async #subscribe(wanted: Wanted): Promise<void> {
    this.#note(`SUBSCRIBE ${wanted.filter}`)
    if (!(await this.client.subscribe(wanted.filter, this.traits.qos)) || !this.#wanted.includes(wanted)) return
    this.#note(`SUBACK ${wanted.filter}`)
    wanted.isGranted = true
    for (const stream of wanted.streams) this.receiver.expect(stream)
  }

  #note(what: string): void {
    this.ledger.violations.journal.note(this.traits.clientId, what)
  }

  onPublish({ topic, payload, qos, dup, packetId }: Publish): void {
    const { clientId } = this.traits
    const message = this.ledger.identify(clientId, topic, payload)
    if (message === undefined) return
    const { stream, sequence } = message
    const what = dup ? 'received with DUP' : 'received'
    this.ledger.violations.journal.message(clientId, what, stream.id, sequence, packetId)
    const expectedQos = Math.min(this.traits.qos, stream.qos)
    if (qos !== expectedQos) {
      const text = `${clientId}: ${stream.describe(sequence)} came at QoS ${qos} instead of ${expectedQos}`
      this.ledger.violations.add('unexpected', text)
    }
    if (qos === 2 && this.#isRetransmission(packetId, stream, sequence, dup)) this.ledger.retransmitted++
    else this.receiver.deliver(stream, sequence, dup)
    if (qos > 0) this.#answer(qos === 1 ? PUBACK : PUBREC, packetId)
  }

  /** A packet identifier that is not released stands for the same message, which is not delivered again [MQTT-4.3.3-10]. */
  #isRetransmission(packetId: number, stream: Stream, sequence: number, dup: boolean): boolean {
    const key = stream.id * 2 ** 32 + sequence
    const earlier = this.#received.get(packetId)
    this.#received.set(packetId, key)
    if (earlier === undefined) return false
    const text = `${this.traits.clientId}: packet identifier ${packetId}, ${stream.describe(sequence)}`
    if (earlier !== key) {
      this.ledger.violations.add('packetIdReused', text)
      return false
    }
    if (!dup) this.ledger.violations.add('retransmissionWithoutDup', text)
    return true
  }

  onAck(type: number, packetId: number): void {
    if (type !== PacketType.PUBREL) return
    this.ledger.violations.journal.note(this.traits.clientId, 'PUBREL received', packetId)
    this.#received.delete(packetId)
    this.#answer(PUBCOMP, packetId)
  }

  #answer(firstByte: number, packetId: number): void {
    if (this.traits.acksPerTick === undefined || this.isHurrying) this.client.acknowledge(firstByte, packetId)
    else this.#owed.push(firstByte * PACKET_IDS + packetId)
  }

  /** A slow subscriber answers some of what it owes, in order. */
  tick(): void {
    const { acksPerTick } = this.traits
    if (this.#owed.length === 0 || acksPerTick === undefined || !this.client.isConnected) return
    for (const owed of this.#owed.splice(0, this.isHurrying ? this.#owed.length : acksPerTick)) {
      this.client.acknowledge(Math.floor(owed / PACKET_IDS), owed % PACKET_IDS)
    }
  }
}
