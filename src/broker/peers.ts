/** The other shards: messages they are interested in, and what this shard wants of theirs. */
import { copyWords } from '../base/bytes.js'
import type { RingProducer } from '../base/ring.js'
import { jsonBytes } from '../contracts/record-json.js'
import {
  FORWARD_FIXED_INTS,
  FORWARD_FLAGS,
  FORWARD_GROUPS,
  FORWARD_NUMBER,
  FORWARD_PUBLISH,
  FORWARD_PUBLISHER_HASH,
  FORWARD_STAMP,
  type Interest,
  KIND,
  PeerKind,
  SLOT,
} from '../contracts/records.js'
import type { PublishFields } from './message.js'

export const ForwardFlag = { DELIVER: 1, RETAIN: 2, TOGETHER: 4 } as const

/** A record as FORWARD has it, before its message. */
export interface ForwardHead {
  readonly number: number
  readonly flags: number
  readonly groups: readonly number[]
  readonly stamp: number
  readonly publisherHash: number
}

export interface PeerAnswer {
  readonly accepted: number
  readonly refused: number
  /** Records written for the store. */
  readonly records: number
}

const NO_ANSWER: PeerAnswer = { accepted: 0, refused: 0, records: 0 }

/** Something that is done when every shard in `awaited` has answered. */
interface Question {
  readonly awaited: Set<number>
  readonly answered: (answer: PeerAnswer) => void
  readonly done: () => void
}

export class Peers {
  readonly #rings: (RingProducer | undefined)[]
  readonly #questions = new Map<number, Question>()
  readonly #stampFloat = new Float64Array(1)
  readonly #stampInts = new Int32Array(this.#stampFloat.buffer)
  #nextNumber = 1

  constructor(
    readonly own: number,
    rings: readonly (RingProducer | undefined)[],
  ) {
    this.#rings = [...rings]
  }

  /** Numbers of the other shards. */
  get others(): readonly number[] {
    return [...this.#rings.keys()].filter((shard) => shard !== this.own)
  }

  get rings(): readonly (RingProducer | undefined)[] {
    return this.#rings
  }

  /** Questions without all their answers; bounded by the inflight messages and subscriptions of the clients. */
  get openQuestions(): number {
    return this.#questions.size
  }

  /** @returns the number that the other shards answer with */
  ask(shards: Iterable<number>, done: () => void, answered: Question['answered'] = () => {}): number {
    const number = this.#nextNumber
    this.#nextNumber = number === 0x7fff_ffff ? 1 : number + 1
    this.#questions.set(number, { awaited: new Set(shards), answered, done })
    return number
  }

  answer(number: number, shard: number, answer: PeerAnswer): void {
    const question = this.#questions.get(number)
    if (question === undefined || !question.awaited.delete(shard)) return
    question.answered(answer)
    if (question.awaited.size > 0) return
    this.#questions.delete(number)
    question.done()
  }

  /** A shard was started anew: what it was asked will not be answered by it. */
  replace(shard: number, ring: RingProducer): void {
    this.#rings[shard] = ring
    this.lose(shard)
  }

  /** Nothing of what this shard was asked will be answered by it. */
  lose(shard: number): void {
    for (const number of [...this.#questions.keys()]) this.answer(number, shard, NO_ANSWER)
  }

  sendInterest(shard: number, number: number, members: number, interest: Interest): void {
    const ring = this.#ring(shard)
    const json = jsonBytes(interest)
    const at = ring.begin(24 + json.length)
    const i = at >> 2
    ring.ints[i + KIND] = PeerKind.INTEREST
    ring.ints[i + SLOT] = this.own
    ring.ints[i + 3] = number
    ring.ints[i + 4] = members
    ring.ints[i + 5] = json.length
    ring.bytes.set(json, at + 24)
    ring.end(at, 24 + json.length)
  }

  sendAnswer(shard: number, kind: number, number: number, accepted = 0, refused = 0, records = 0): void {
    const ring = this.#ring(shard)
    const at = ring.begin(32)
    const i = at >> 2
    ring.ints[i + KIND] = kind
    ring.ints[i + SLOT] = this.own
    ring.ints[i + 3] = number
    ring.ints[i + 4] = accepted
    ring.ints[i + 5] = refused
    ring.ints[i + 6] = records
    ring.end(at, 32)
  }

  forward(shard: number, fields: PublishFields, head: ForwardHead): void {
    const ring = this.#ring(shard)
    const fixed = (FORWARD_FIXED_INTS + head.groups.length) * 4
    const at = ring.begin(fixed + fields.bodyBytes + 16)
    const { ints } = ring
    const i = at >> 2
    const body = ((at + fixed + 3) & ~3) + 4 + (fields.topicStart & 3)
    copyWords(fields.ints, fields.bytes, fields.topicStart, ints, ring.bytes, body, fields.bodyBytes)
    const shift = body - at - fields.topicStart
    ints[i + KIND] = PeerKind.FORWARD
    ints[i + SLOT] = this.own
    ints[i + FORWARD_PUBLISH] =
      (fields.qos << 8) |
      (fields.retain ? 0x400 : 0) |
      (fields.expirySeconds >= 0 ? 0x1000 : 0) |
      (fields.isKeepValue ? 0x2000 : 0)
    ints[i + FORWARD_PUBLISH + 1] = 0
    ints[i + FORWARD_PUBLISH + 2] = fields.topicStart + shift
    ints[i + FORWARD_PUBLISH + 3] = fields.topicBytes
    ints[i + FORWARD_PUBLISH + 4] = fields.topicHash
    ints[i + FORWARD_PUBLISH + 5] = fields.propertiesStart + shift
    ints[i + FORWARD_PUBLISH + 6] = fields.propertiesBytes
    ints[i + FORWARD_PUBLISH + 7] = fields.payloadStart + shift
    ints[i + FORWARD_PUBLISH + 8] = fields.payloadBytes
    ints[i + FORWARD_PUBLISH + 9] = fields.expirySeconds
    ints[i + FORWARD_NUMBER] = head.number
    ints[i + FORWARD_FLAGS] = head.flags
    ints[i + FORWARD_GROUPS] = head.groups.length
    this.#stampFloat[0] = head.stamp
    ints[i + FORWARD_STAMP] = this.#stampInts[0]
    ints[i + FORWARD_STAMP + 1] = this.#stampInts[1]
    ints[i + FORWARD_PUBLISHER_HASH] = head.publisherHash
    for (let k = 0; k < head.groups.length; k++) ints[i + FORWARD_FIXED_INTS + k] = head.groups[k]
    ring.end(at, body - at + fields.bodyBytes + 4)
  }

  /** The head of the FORWARD record at int `i`. */
  readHead(ints: Int32Array, i: number): ForwardHead {
    const groups: number[] = []
    for (let k = 0; k < ints[i + FORWARD_GROUPS]; k++) groups.push(ints[i + FORWARD_FIXED_INTS + k])
    this.#stampInts[0] = ints[i + FORWARD_STAMP]
    this.#stampInts[1] = ints[i + FORWARD_STAMP + 1]
    return {
      number: ints[i + FORWARD_NUMBER],
      flags: ints[i + FORWARD_FLAGS],
      groups,
      stamp: this.#stampFloat[0],
      publisherHash: ints[i + FORWARD_PUBLISHER_HASH],
    }
  }

  #ring(shard: number): RingProducer {
    const ring = this.#rings[shard]
    if (ring === undefined) throw new Error(`shard ${shard} has no ring to itself`)
    return ring
  }
}
