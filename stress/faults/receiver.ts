import type { Qos } from '../../src/mqtt/packets.js'
import type { Stream } from './stream.js'
import type { ViolationKind, Violations } from './violations.js'

/** Who receives: one session, or all members of a shared group together. */
export interface ReceiverTraits {
  readonly name: string
  /** Of its subscriptions. */
  readonly qos: Qos
  /** A session that outlives its connections: everything that is acknowledged must arrive. */
  readonly isDurable: boolean
  /** Members of a group get their messages in any order, and repeats from each other. */
  readonly isShared: boolean
}

export interface DeliveryCounts {
  delivered: number
  /** QoS 1 repeats with DUP. */
  repeatsWithDup: number
  /** QoS 1 repeats without DUP, each of which the publisher caused by sending again. */
  repeatsOfPublisher: number
}

const DUP_SHIFT = 4
const COUNT_MAX = 15
const FIRST_CAPACITY = 1_024

/** One stream as one receiver sees it. */
class Row {
  /** One byte a message: deliveries with DUP in the upper half, without it in the lower, both up to 15. */
  #seen = new Uint8Array(FIRST_CAPACITY)
  highest = -1
  /** What must arrive: ranges of sequence numbers, the last one open while subscribed. */
  readonly expected: { readonly from: number; until: number }[] = []

  constructor(readonly stream: Stream) {}

  has(sequence: number): boolean {
    return sequence < this.#seen.length && this.#seen[sequence] !== 0
  }

  /** @returns deliveries of that message without DUP, this one included */
  count(sequence: number, dup: boolean): number {
    if (sequence >= this.#seen.length) {
      const grown = new Uint8Array(Math.max(sequence + 1, this.#seen.length * 2))
      grown.set(this.#seen)
      this.#seen = grown
    }
    const seen = this.#seen[sequence]
    const withDup = Math.min((seen >>> DUP_SHIFT) + (dup ? 1 : 0), COUNT_MAX)
    const plain = Math.min((seen & COUNT_MAX) + (dup ? 0 : 1), COUNT_MAX)
    this.#seen[sequence] = (withDup << DUP_SHIFT) | plain
    return plain
  }

  forget(): void {
    this.#seen.fill(0)
    this.highest = -1
  }

  /** Acknowledged messages that had to arrive and did not. */
  *missing(): Generator<number> {
    for (const { from, until } of this.expected) {
      const end = Math.min(until, this.stream.next)
      for (let sequence = from; sequence < end; sequence++) {
        if (this.stream.isAcknowledged(sequence) && !this.has(sequence)) yield sequence
      }
    }
  }
}

/** Judges what one receiver gets, message by message, and at the end what it did not get. */
export class Receiver {
  readonly counts: DeliveryCounts = { delivered: 0, repeatsWithDup: 0, repeatsOfPublisher: 0 }
  /** Clients that receive for it. */
  readonly clients = new Set<string>()
  readonly #rows = new Map<number, Row>()

  constructor(
    readonly traits: ReceiverTraits,
    private readonly violations: Violations,
  ) {}

  /** From now on everything must arrive: SUBACK has come. */
  expect(stream: Stream): void {
    const { expected } = this.#row(stream)
    if (expected.at(-1)?.until === Number.POSITIVE_INFINITY) return
    expected.push({ from: stream.next, until: Number.POSITIVE_INFINITY })
  }

  /**
   * From now on nothing has to arrive: UNSUBSCRIBE goes out. What is on its way still may; so may what is not
   * acknowledged, because its publisher may have to send it again when the subscription is gone.
   */
  release(stream: Stream): void {
    const last = this.#row(stream).expected.at(-1)
    if (last !== undefined) last.until = Math.min(last.until, stream.firstUnacknowledged())
  }

  /** A session without past: what it received before does not count against what comes. */
  restart(): void {
    for (const row of this.#rows.values()) row.forget()
  }

  /** One PUBLISH arrived; a QoS 2 retransmission of a packet identifier that is in use is none. */
  deliver(stream: Stream, sequence: number, dup: boolean): void {
    if (sequence >= stream.next) {
      this.violations.add('unexpected', `${this.traits.name}: ${stream.topic} #${sequence} was never sent`)
      return
    }
    const row = this.#row(stream)
    this.counts.delivered++
    const isRepeat = row.has(sequence)
    const plain = row.count(sequence, dup)
    if (isRepeat) this.#repeat(stream, sequence, dup, plain)
    else if (sequence > row.highest) row.highest = sequence
    else this.#overtaken(row, sequence)
  }

  #repeat(stream: Stream, sequence: number, dup: boolean, plain: number): void {
    const { qos, isShared } = this.traits
    if (Math.min(qos, stream.qos) === 2) {
      this.#violate('qos2Duplicate', stream, sequence, 'arrived again')
      return
    }
    if (dup) {
      this.counts.repeatsWithDup++
      return
    }
    // QoS 2 too: a broker may pass a message on at QoS 1, die before it has stored it, and be sent it again.
    this.counts.repeatsOfPublisher++
    if (plain > stream.sends(sequence) && !isShared) {
      this.#violate('duplicateWithoutDup', stream, sequence, `came without DUP for the ${plain}. time`)
    }
  }

  #overtaken(row: Row, sequence: number): void {
    if (this.traits.isShared) return
    // before SUBACK nobody knows when the subscription began: what was sent before it may be sent again after it
    const last = row.expected.at(-1)
    if (last === undefined || last.until < Number.POSITIVE_INFINITY || sequence < last.from) return
    this.#violate('outOfOrder', row.stream, sequence, `arrived after #${row.highest}`)
  }

  #violate(kind: ViolationKind, stream: Stream, sequence: number, what: string): void {
    const clients = new Set([...this.clients, stream.publisher])
    const text = `${this.traits.name}: ${stream.describe(sequence)} ${what}`
    this.violations.add(kind, text, { clients, stream: stream.id, sequence })
  }

  /** How many acknowledged messages have not arrived yet. */
  missing(): number {
    let count = 0
    for (const row of this.#rows.values()) for (const _ of row.missing()) count++
    return count
  }

  /** At the end: what is missing is lost. */
  judge(): void {
    for (const row of this.#rows.values()) {
      for (const sequence of row.missing()) {
        this.#violate('lost', row.stream, sequence, 'never arrived')
      }
    }
  }

  #row(stream: Stream): Row {
    let row = this.#rows.get(stream.id)
    if (row === undefined) {
      row = new Row(stream)
      this.#rows.set(stream.id, row)
    }
    return row
  }
}
