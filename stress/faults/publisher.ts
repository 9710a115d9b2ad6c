import { PacketType, type Qos } from '../../src/mqtt/packets.js'
import { encodePublish } from '../../src/mqtt/publish-writer.js'
import { reasonCodeName } from '../../src/mqtt/reason-codes.js'
import type { Ledger } from './ledger.js'
import { encodeMessage } from './message.js'
import { SessionClient, type SessionRole, type Site } from './session-client.js'
import type { Stream } from './stream.js'

export interface PublisherTraits {
  readonly clientId: string
  readonly version: 4 | 5
  /** Messages that may be unacknowledged. */
  readonly window: number
  readonly payloadBytes: number
  readonly retain: boolean
}

interface InFlight {
  readonly stream: Stream
  readonly sequence: number
  /** Set once PUBREC has come: from then on PUBREL is what goes out again. */
  isReleased: boolean
  sinceMs: number
}

const REFUSED = 0x80
/** Of a client's own; subscriptions use the upper half. */
const PACKET_ID_MAX = 0x7fff
const PUBREL = (PacketType.PUBREL << 4) | 2
const ANSWERS: Readonly<Record<number, string>> = {
  [PacketType.PUBACK]: 'PUBACK',
  [PacketType.PUBREC]: 'PUBREC',
  [PacketType.PUBCOMP]: 'PUBCOMP',
}
/** A publish that is not answered for so long makes the client connect again, which is when MQTT repeats it. */
const STALL_MS = 10_000

/** Publishes numbered messages on its streams, and repeats what is unacknowledged on every new connection. */
export class Publisher implements SessionRole {
  readonly client: SessionClient
  readonly streams: Stream[] = []
  /** By packet identifier, in the order in which they went out. */
  readonly #inFlight = new Map<number, InFlight>()
  #packetId = 0
  #turn = 0

  constructor(
    readonly traits: PublisherTraits,
    private readonly ledger: Ledger,
    private readonly site: Site,
  ) {
    const { clientId, version } = traits
    this.client = new SessionClient({ clientId, version, isPersistent: true, receiveMaximum: 64 }, site, this)
  }

  addStream(topic: string, qos: Qos): void {
    this.streams.push(this.ledger.addStream(this.traits.clientId, topic, qos))
  }

  /** Sends the next message, of its streams in turn. @returns false when the window is full or nobody is there */
  publish(nowMs: number): boolean {
    if (!this.client.isConnected || this.#inFlight.size >= this.traits.window) return false
    const stream = this.streams[this.#turn++ % this.streams.length]
    const sequence = stream.take()
    this.#send(this.#nextPacketId(), { stream, sequence, isReleased: false, sinceMs: nowMs }, false)
    return true
  }

  /** To be called now and then: connects again when the oldest publish has waited for too long. */
  checkStall(nowMs: number): void {
    const oldest = this.#inFlight.values().next().value
    if (!this.client.isConnected || oldest === undefined || nowMs - oldest.sinceMs < STALL_MS) return
    const { stream, sequence } = oldest
    if (!this.site.isExcused) {
      this.ledger.violations.add('stalled', `${stream.describe(sequence)}: no answer for ${STALL_MS} ms`)
    }
    for (const publish of this.#inFlight.values()) publish.sinceMs = nowMs
    this.client.drop()
  }

  onConnected(isNew: boolean): void {
    const nowMs = performance.now()
    for (const publish of this.#inFlight.values()) publish.sinceMs = nowMs
    if (isNew) this.#beginAnew()
    else this.#repeat()
  }

  /** [MQTT-4.4.0-1]: what is unacknowledged goes out again, in the original order [MQTT-4.6.0-1]. */
  #repeat(): void {
    for (const [packetId, publish] of this.#inFlight) {
      if (publish.isReleased) this.client.acknowledge(PUBREL, packetId)
      else this.#send(packetId, publish, true)
    }
  }

  /** The broker knows nothing any more, so there are no repeats: what it had not acknowledged is published as new. */
  #beginAnew(): void {
    const earlier = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const publish of earlier) {
      if (publish.isReleased) publish.stream.complete(publish.sequence)
      else this.#send(this.#nextPacketId(), publish, false)
    }
  }

  #send(packetId: number, publish: InFlight, dup: boolean): void {
    const { stream, sequence } = publish
    const { version, retain, payloadBytes } = this.traits
    if (stream.sends(sequence) > 0) this.ledger.publishedAgain++
    this.#inFlight.set(packetId, publish)
    stream.sent(sequence)
    const isClear = retain && clears(sequence)
    const payload = isClear ? new Uint8Array(0) : encodeMessage({ stream: stream.id, sequence }, payloadBytes)
    const { topic, qos } = stream
    const what = dup ? 'published with DUP' : 'published'
    this.ledger.violations.journal.message(this.traits.clientId, what, stream.id, sequence, packetId)
    this.client.write(encodePublish({ version, topic, payload, qos, dup, retain, packetId }))
  }

  onPublish(): void {
    this.ledger.violations.add('unexpected', `${this.traits.clientId} has no subscription and got a message`)
  }

  onAck(type: number, packetId: number, reasonCode: number): void {
    const publish = this.#inFlight.get(packetId)
    if (publish === undefined) {
      if (type === PacketType.PUBREC) this.client.acknowledge(PUBREL, packetId)
      return
    }
    const { stream, sequence } = publish
    const what = `was answered ${ANSWERS[type] ?? type} ${reasonCode}`
    this.ledger.violations.journal.message(this.traits.clientId, what, stream.id, sequence, packetId)
    if (reasonCode >= REFUSED && type !== PacketType.PUBCOMP) {
      this.#refused(publish, reasonCode)
      this.#inFlight.delete(packetId)
    } else if (type === PacketType.PUBREC) {
      stream.acknowledge(sequence)
      publish.isReleased = true
      this.client.acknowledge(PUBREL, packetId)
    } else {
      stream.complete(sequence)
      this.#inFlight.delete(packetId)
    }
  }

  #refused({ stream, sequence }: InFlight, reasonCode: number): void {
    if (!this.site.isExcused) {
      this.ledger.violations.add('publishRefused', `${stream.describe(sequence)}: ${reasonCodeName(reasonCode)}`)
    }
    stream.refuse(sequence)
  }

  #nextPacketId(): number {
    do this.#packetId = (this.#packetId % PACKET_ID_MAX) + 1
    while (this.#inFlight.has(this.#packetId))
    return this.#packetId
  }
}

const CLEAR_EVERY = 17

/** Whether this message of a retained topic is an empty one, which takes the value away. */
export function clears(sequence: number): boolean {
  return sequence % CLEAR_EVERY === CLEAR_EVERY - 1
}
