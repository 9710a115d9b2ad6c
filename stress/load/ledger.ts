import { Histogram } from './histogram.js'
import { filterMatches, type Plan, type SubscriberPlan, streamTopics } from './plan.js'
import { Arrival, SequenceChecker } from './sequence.js'

/** One subscriber, or a group that shares its messages. */
export interface Receiver {
  readonly plan: SubscriberPlan
  /** The cell of its first stream in the sequence checker. */
  readonly firstCell: number
  /** Streams it receives from, one byte each, from `plan.streams.from` on. */
  readonly wanted: Uint8Array
  /** Messages that arrived, repeats not counted. */
  arrived: number
}

const CELLS_MAX = 1 << 26

/** What was sent, what is owed to whom, and what arrived: the bookkeeping of one run. */
export class Ledger {
  readonly streams: number
  readonly receivers: readonly Receiver[]
  /** By the order of the subscribers in the plan. */
  readonly receiverOf: readonly Receiver[]
  /** Per stream: messages handed to the socket. */
  readonly sent: Float64Array
  /** Per stream: messages that the broker refused with a reason code, so that nobody is owed them. */
  readonly refused: Float64Array
  /** Per publisher: deliveries that are awaited, counting only receivers that are not slow. */
  readonly owed: Int32Array
  /** Per stream: receivers that are waited for. */
  readonly fan: Int32Array
  readonly latency = new Histogram()
  isMeasuring = false
  delivered = 0
  /** Part of `delivered`. */
  deliveredSlow = 0
  duplicated = 0
  outOfOrder = 0
  unexpected = 0

  readonly #checker: SequenceChecker
  readonly #publisherOf: Int32Array
  #runSent = 0
  #runRead = 0
  #runLength = 0

  /** @param onDelivery called for each awaited delivery with the publisher whose window it opens */
  constructor(
    plan: Plan,
    private readonly onDelivery: (publisher: number) => void,
  ) {
    const topics = streamTopics(plan)
    this.streams = topics.length
    this.sent = new Float64Array(topics.length)
    this.refused = new Float64Array(topics.length)
    this.fan = new Int32Array(topics.length)
    this.owed = new Int32Array(plan.publishers.length)
    this.#publisherOf = Int32Array.from(plan.publishers.flatMap(({ topics }, index) => topics.map(() => index)))
    const { receivers, receiverOf, cells } = layOut(plan, topics)
    this.receivers = receivers
    this.receiverOf = receiverOf
    this.#checker = new SequenceChecker(cells)
    for (const receiver of receivers) this.#admit(receiver)
  }

  /** Hot: once per message. */
  noteSent(publisher: number, stream: number): void {
    this.sent[stream]++
    this.owed[publisher] += this.fan[stream]
  }

  noteRefused(publisher: number, stream: number): void {
    this.refused[stream]++
    this.owed[publisher] -= this.fan[stream]
    this.onDelivery(publisher)
  }

  /** Hot: once per delivery. @returns what the sequence number says, or UNEXPECTED for a stream that is not its own */
  noteArrival(receiver: Receiver, stream: number, sequence: number, sentMicros: number, readMicros: number): number {
    const { from, to } = receiver.plan.streams
    if (stream < from || stream >= to) {
      this.unexpected++
      return Arrival.UNEXPECTED
    }
    const arrival = this.#checker.accept(receiver.firstCell + stream - from, sequence)
    if (arrival === Arrival.DUPLICATE) this.duplicated++
    else if (arrival === Arrival.UNEXPECTED) this.unexpected++
    else this.#deliver(receiver, stream, sentMicros, readMicros)
    return arrival
  }

  #deliver(receiver: Receiver, stream: number, sentMicros: number, readMicros: number): void {
    receiver.arrived++
    this.delivered++
    if (receiver.plan.isSlow === true) {
      this.deliveredSlow++
      return
    }
    const publisher = this.#publisherOf[stream]
    this.owed[publisher]--
    this.onDelivery(publisher)
    if (!this.isMeasuring) return
    if (sentMicros === this.#runSent && readMicros === this.#runRead) this.#runLength++
    else this.#startRun(sentMicros, readMicros)
  }

  /** Messages of one write arrive in runs with one time stamp, which are recorded together. */
  #startRun(sentMicros: number, readMicros: number): void {
    this.recordRun()
    this.#runSent = sentMicros
    this.#runRead = readMicros
    this.#runLength = 1
  }

  /** Completes `latency`; to be called before it is read. */
  recordRun(): void {
    if (this.#runLength > 0) this.latency.record((this.#runRead - this.#runSent) >>> 0, this.#runLength)
    this.#runLength = 0
  }

  sentTotal(): number {
    return this.sent.reduce((sum, count) => sum + count, 0)
  }

  refusedTotal(): number {
    return this.refused.reduce((sum, count) => sum + count, 0)
  }

  /** @returns messages that the receiver should have got by now */
  expected(receiver: Receiver): number {
    const { from } = receiver.plan.streams
    let messages = 0
    for (let at = 0; at < receiver.wanted.length; at++) {
      if (receiver.wanted[at] === 1) messages += this.sent[from + at] - this.refused[from + at]
    }
    return messages
  }

  /** @returns messages that have not arrived at the receivers that are, or are not, slow */
  missing(isSlow: boolean): number {
    const receivers = this.receivers.filter(({ plan }) => (plan.isSlow ?? false) === isSlow)
    return receivers.reduce((sum, receiver) => sum + Math.max(0, this.expected(receiver) - receiver.arrived), 0)
  }

  #admit(receiver: Receiver): void {
    const { from } = receiver.plan.streams
    for (let at = 0; at < receiver.wanted.length; at++) {
      if (receiver.wanted[at] === 0) this.#checker.forbid(receiver.firstCell + at)
      else if (receiver.plan.isSlow !== true) this.fan[from + at]++
    }
  }
}

function layOut(plan: Plan, topics: readonly string[]) {
  const receivers: Receiver[] = []
  const groups = new Map<string, Receiver>()
  let cells = 0
  const receiverOf = plan.subscribers.map((subscriber) => {
    const existing = subscriber.group === undefined ? undefined : groups.get(subscriber.group)
    if (existing !== undefined) return existing
    const receiver: Receiver = { plan: subscriber, firstCell: cells, wanted: wantedOf(subscriber, topics), arrived: 0 }
    cells += receiver.wanted.length
    if (cells > CELLS_MAX) throw new RangeError('too many publishers and subscribers to check each pair: use fewer')
    receivers.push(receiver)
    if (subscriber.group !== undefined) groups.set(subscriber.group, receiver)
    return receiver
  })
  return { receivers, receiverOf, cells }
}

function wantedOf({ filters, streams, isPartial }: SubscriberPlan, topics: readonly string[]): Uint8Array {
  const wanted = new Uint8Array(streams.to - streams.from).fill(1)
  if (isPartial !== true) return wanted
  return wanted.map((_, at) => (filters.some((filter) => filterMatches(filter, topics[streams.from + at])) ? 1 : 0))
}
