/** The LoT thread as one shard sees it, and what came to it, as short texts that are easy to compare. */
import { decodeText, encodeText } from '../base/bytes.js'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import {
  DEPTH_SHIFT,
  FromLotKind,
  LOT_CLIENT,
  LOT_CLIENT_BYTES,
  LOT_FLAGS,
  LOT_NUMBER,
  LOT_PAYLOAD,
  LOT_PAYLOAD_BYTES,
  LOT_TOPIC,
  LOT_TOPIC_BYTES,
  type SessionEvent,
  ToLotKind,
} from '../contracts/lot.js'
import { KIND } from '../contracts/records.js'

const RING_BYTES = 65_536

export class TestLot {
  /** The shard's ends. */
  readonly outgoing: RingProducer
  readonly incoming: RingConsumer
  readonly #in: RingConsumer
  readonly #out: RingProducer
  #received: string[] = []
  #nextNumber = 1

  constructor() {
    const [toLot, toShard] = [createRingMemory(RING_BYTES), createRingMemory(RING_BYTES)]
    this.outgoing = new RingProducer(toLot)
    this.incoming = new RingConsumer(toShard)
    this.#in = new RingConsumer(toLot)
    this.#out = new RingProducer(toShard)
  }

  want(filter: string, isWanted = true): void {
    this.#write(FromLotKind.WANT, [this.#nextNumber++, isWanted ? 1 : 0, Buffer.byteLength(filter)], filter)
  }

  hooks(mask: number): void {
    this.#write(FromLotKind.HOOKS, [mask, 0, 0], '')
  }

  /** @param flags as int 3 of PUBLISH */
  publish(topic: string, payload: string, flags = 0): void {
    const lengths = [flags, Buffer.byteLength(topic), Buffer.byteLength(payload)]
    this.#write(FromLotKind.PUBLISH, lengths, topic + payload)
  }

  /** Answers a message that asked for it. */
  answer(number: number, isTaken: boolean): void {
    this.#write(FromLotKind.TAKEN, [number, isTaken ? 1 : 0, 0], '')
  }

  /** What has come since the last time: `wanted 1`, `a/b=text q1 retain from ann #7`, JSON of session events. */
  take(): string[] {
    const taken = this.#received
    this.#received = []
    return taken
  }

  /** Takes what the shard has written. @returns whether there was anything */
  work(): boolean {
    return this.#in.drain((bytes, ints, at) => this.#receive(bytes, ints, at), RING_BYTES) > 0
  }

  #receive(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const i = at >> 2
    switch (ints[i + KIND]) {
      case ToLotKind.WANTED:
        this.#received.push(`wanted ${ints[i + LOT_NUMBER]}`)
        return
      case ToLotKind.SESSION:
        this.#received.push(describe(JSON.parse(decodeText(bytes, at + 16, ints[i + 3])) as SessionEvent))
        return
      default: {
        const text = (start: number, length: number): string =>
          decodeText(bytes, at + ints[i + start], ints[i + length])
        const flags = ints[i + LOT_FLAGS]
        const number = ints[i + LOT_NUMBER]
        const parts = [`${text(LOT_TOPIC, LOT_TOPIC_BYTES)}=${text(LOT_PAYLOAD, LOT_PAYLOAD_BYTES)}`]
        if (flags & 3) parts.push(`q${flags & 3}`)
        if (flags & 4) parts.push('retain')
        if (flags >> DEPTH_SHIFT > 0) parts.push(`depth ${flags >> DEPTH_SHIFT}`)
        const client = text(LOT_CLIENT, LOT_CLIENT_BYTES)
        if (client !== '') parts.push(`from ${client}`)
        if (number > 0) parts.push(`#${number}`)
        this.#received.push(parts.join(' '))
      }
    }
  }

  #write(kind: number, three: readonly number[], text: string): void {
    const body = encodeText(text)
    const at = this.#out.begin(24 + body.length)
    this.#out.ints[(at >> 2) + KIND] = kind
    for (const [k, value] of three.entries()) this.#out.ints[(at >> 2) + 3 + k] = value
    this.#out.bytes.set(body, at + 24)
    this.#out.end(at, 24 + body.length)
    this.#out.publish()
  }
}

function describe({ hook, clientId, endpoint, cleanSession, reason, filter, qos }: SessionEvent): string {
  const more = [cleanSession, reason, filter, qos, hook === 'connect' ? endpoint : undefined].filter(
    (part) => part !== undefined,
  )
  return [hook, clientId, ...more].join(' ')
}
