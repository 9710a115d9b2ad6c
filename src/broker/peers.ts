/** The other shards: messages they are interested in, and what this shard wants of theirs. */
import { copyWords } from '../base/bytes.js'
import type { RingProducer } from '../base/ring.js'
import { jsonBytes } from '../contracts/record-json.js'
import {
  FORWARD_FIXED_INTS,
  FORWARD_FLAGS,
  FORWARD_GROUP_INTS,
  FORWARD_GROUPS,
  FORWARD_NUMBER,
  FORWARD_PUBLISH,
  FORWARD_PUBLISHER_HASH,
  FORWARD_STAMP,
  FORWARD_TOGETHER,
  type Interest,
  KIND,
  LAST_ROUND,
  PeerKind,
  SLOT,
} from '../contracts/records.js'
import type { PublishFields } from './message.js'
import type { Round } from './shared-group.js'

export const ForwardFlag = { DELIVER: 1, RETAIN: 2 } as const

/** A shared group of the shard that a message goes to. */
export interface GroupTurn extends Round {
  readonly groupId: number
}

/** A record as FORWARD has it, before its message. */
export interface ForwardHead {
  readonly number: number
  readonly flags: number
  readonly groups: readonly GroupTurn[]
  readonly stamp: number
  /** Number under which several shards write it; 0 where this one writes for itself. */
  readonly together: number
  readonly publisherHash: number
}

export interface PeerAnswer {
  readonly accepted: number
  readonly refused: number
  /** Records written for the store. */
  readonly records: number
}

export const NO_ANSWER: PeerAnswer = { accepted: 0, refused: 0, records: 0 }

/** Something that is done when every shard in `awaited` has answered. */
interface Question {
  readonly awaited: Set<number>
  readonly answered: (answer: PeerAnswer) => void
  readonly done: () => void
}

export class Peers {
  /** Numbers of the other shards. */
  readonly others: readonly number[]
  readonly #rings: (RingProducer | undefined)[]
  readonly #questions = new Map<number, Question>()
  /** A number that goes over a ring as two ints. */
  readonly #float = new Float64Array(1)
  readonly #floatInts = new Int32Array(this.#float.buffer)
  #nextNumber = 1

  constructor(
    readonly own: number,
    rings: readonly (RingProducer | undefined)[],
  ) {
    this.#rings = [...rings]
    this.others = [...this.#rings.keys()].filter((shard) => shard !== own)
  }

  get rings(): readonly (RingProducer | undefined)[] {
    return this.#rings
  }

  /** Questions without all their answers; bounded by the inflight messages and subscriptions of the clients. */
  get openQuestions(): number {
    return this.#questions.size
  }

  /** @returns a number that no open question has, nor gets soon */
  nextNumber(): number {
    const number = this.#nextNumber
    this.#nextNumber = number === 0x7fff_ffff ? 1 : number + 1
    return number
  }

  /** @returns the number that the other shards answer with */
  ask(shards: Iterable<number>, done: () => void, answered: Question['answered'] = () => {}): number {
    const number = this.nextNumber()
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
    const fixed = (FORWARD_FIXED_INTS + head.groups.length * FORWARD_GROUP_INTS) * 4
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
    this.#writeFloat(ints, i + FORWARD_STAMP, head.stamp)
    this.#writeFloat(ints, i + FORWARD_TOGETHER, head.together)
    ints[i + FORWARD_PUBLISHER_HASH] = head.publisherHash
    for (let k = 0; k < head.groups.length; k++) {
      const { groupId, first, isLastRound } = head.groups[k]
      const at = i + FORWARD_FIXED_INTS + k * FORWARD_GROUP_INTS
      ints[at] = groupId
      ints[at + 1] = first | (isLastRound ? LAST_ROUND : 0)
    }
    ring.end(at, body - at + fields.bodyBytes + 4)
  }

  /** The head of the FORWARD record at int `i`. */
  readHead(ints: Int32Array, i: number): ForwardHead {
    const groups: GroupTurn[] = []
    for (let k = 0; k < ints[i + FORWARD_GROUPS]; k++) {
      const at = i + FORWARD_FIXED_INTS + k * FORWARD_GROUP_INTS
      const round = ints[at + 1]
      groups.push({ groupId: ints[at], first: round & ~LAST_ROUND, isLastRound: (round & LAST_ROUND) !== 0 })
    }
    return {
      number: ints[i + FORWARD_NUMBER],
      flags: ints[i + FORWARD_FLAGS],
      groups,
      stamp: this.#readFloat(ints, i + FORWARD_STAMP),
      together: this.#readFloat(ints, i + FORWARD_TOGETHER),
      publisherHash: ints[i + FORWARD_PUBLISHER_HASH],
    }
  }

  #writeFloat(ints: Int32Array, at: number, value: number): void {
    this.#float[0] = value
    ints[at] = this.#floatInts[0]
    ints[at + 1] = this.#floatInts[1]
  }

  #readFloat(ints: Int32Array, at: number): number {
    this.#floatInts[0] = ints[at]
    this.#floatInts[1] = ints[at + 1]
    return this.#float[0]
  }

  #ring(shard: number): RingProducer {
    const ring = this.#rings[shard]
    if (ring === undefined) throw new Error(`shard ${shard} has no ring to itself`)
    return ring
  }
}
