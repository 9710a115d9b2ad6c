/** The rings between the LoT thread and the shards, and what is told through them. */
import { copyWords, encodeText } from '../base/bytes.js'
import { Doorbell } from '../base/doorbell.js'
import { type RecordHandler, RingConsumer, RingProducer } from '../base/ring.js'
import { FromLotKind, type LotLink } from '../contracts/lot.js'
import { KIND } from '../contracts/records.js'

/** Bytes taken from one ring before the next one has its turn. */
const TURN_BYTES_MAX = 131_072
const PUBLISH_HEADER_BYTES = 24
const WANT_HEADER_BYTES = 24

interface Line {
  incoming: RingConsumer
  outgoing: RingProducer
  readonly bell: Doorbell
}

export class Shards {
  readonly #lines: Line[]

  constructor(links: readonly LotLink[], doorbells: readonly SharedArrayBuffer[]) {
    this.#lines = links.map((link, index) => ({ ...openLink(link), bell: new Doorbell(doorbells[index]) }))
  }

  get count(): number {
    return this.#lines.length
  }

  get hasInput(): boolean {
    return this.#lines.some(({ incoming }) => !incoming.isEmpty)
  }

  /** Some ring is full: nothing should be done now that publishes more. */
  get isCongested(): boolean {
    return this.#lines.some(({ outgoing }) => outgoing.isCongested)
  }

  replace(shard: number, link: LotLink): void {
    this.#lines[shard] = { ...this.#lines[shard], ...openLink(link) }
  }

  /** @returns bytes taken */
  drain(handle: RecordHandler): number {
    let taken = 0
    for (const { incoming } of this.#lines) taken += incoming.drain(handle, TURN_BYTES_MAX)
    return taken
  }

  /** Makes visible what was written. @returns whether some ring is full */
  flush(): boolean {
    let isCongested = false
    for (const { outgoing, bell } of this.#lines) {
      if (outgoing.publish()) bell.ring()
      isCongested ||= outgoing.isCongested
    }
    return isCongested
  }

  /**
   * Hot. Topic and payload lie one behind the other, from a whole word on.
   * @param flags as int 3 of PUBLISH
   */
  publish(
    shard: number,
    flags: number,
    bytes: Uint8Array,
    ints: Int32Array,
    at: number,
    topicBytes: number,
    payloadBytes: number,
  ): void {
    const { outgoing } = this.#lines[shard]
    const length = PUBLISH_HEADER_BYTES + topicBytes + payloadBytes
    const to = outgoing.begin(length)
    const i = to >> 2
    outgoing.ints[i + KIND] = FromLotKind.PUBLISH
    outgoing.ints[i + 3] = flags
    outgoing.ints[i + 4] = topicBytes
    outgoing.ints[i + 5] = payloadBytes
    const body = to + PUBLISH_HEADER_BYTES
    copyWords(ints, bytes, at, outgoing.ints, outgoing.bytes, body, topicBytes + payloadBytes)
    outgoing.end(to, length)
  }

  /** Something that LoT itself says, rarely. @param flags as int 3 of PUBLISH */
  publishText(shard: number, topic: string, payload: Uint8Array, flags: number): void {
    const topicBytes = encodeText(topic)
    const body = new Uint8Array((topicBytes.length + payload.length + 3) & ~3)
    body.set(topicBytes)
    body.set(payload, topicBytes.length)
    const ints = new Int32Array(body.buffer)
    this.publish(shard, flags, body, ints, 0, topicBytes.length, payload.length)
  }

  /** @param number that the shard answers with */
  want(shard: number, number: number, isWanted: boolean, filter: string): void {
    const { outgoing } = this.#lines[shard]
    const encoded = encodeText(filter)
    const at = outgoing.begin(WANT_HEADER_BYTES + encoded.length)
    const i = at >> 2
    outgoing.ints[i + KIND] = FromLotKind.WANT
    outgoing.ints[i + 3] = number
    outgoing.ints[i + 4] = isWanted ? 1 : 0
    outgoing.ints[i + 5] = encoded.length
    outgoing.bytes.set(encoded, at + WANT_HEADER_BYTES)
    outgoing.end(at, WANT_HEADER_BYTES + encoded.length)
  }

  /** @param isTaken false: there was no room for the message */
  answer(shard: number, number: number, isTaken: boolean): void {
    const { outgoing } = this.#lines[shard]
    const at = outgoing.begin(24)
    const i = at >> 2
    outgoing.ints[i + KIND] = FromLotKind.TAKEN
    outgoing.ints[i + 3] = number
    outgoing.ints[i + 4] = isTaken ? 1 : 0
    outgoing.end(at, 24)
  }

  setHooks(shard: number, hooks: number): void {
    const { outgoing } = this.#lines[shard]
    const at = outgoing.begin(16)
    outgoing.ints[(at >> 2) + KIND] = FromLotKind.HOOKS
    outgoing.ints[(at >> 2) + 3] = hooks
    outgoing.end(at, 16)
  }
}

function openLink(link: LotLink): Pick<Line, 'incoming' | 'outgoing'> {
  return { incoming: new RingConsumer(link.toLot), outgoing: new RingProducer(link.toShard) }
}
