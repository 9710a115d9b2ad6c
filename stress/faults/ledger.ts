import type { Qos } from '../../src/mqtt/packets.js'
import { decodeMessage } from './message.js'
import { type DeliveryCounts, Receiver, type ReceiverTraits } from './receiver.js'
import { Stream } from './stream.js'
import { Violations } from './violations.js'

export interface LedgerCounts extends DeliveryCounts {
  published: number
  acknowledged: number
  refused: number
  /** Publishes that went out again after a loss of the connection. */
  publishedAgain: number
  /** QoS 2 PUBLISH packets that came again with their packet identifier still in use, as they should. */
  retransmitted: number
}

/** Everything that was published and everything that arrived. */
export class Ledger {
  readonly streams: Stream[] = []
  readonly receivers: Receiver[] = []
  readonly violations = new Violations()
  publishedAgain = 0
  retransmitted = 0

  addStream(publisher: string, topic: string, qos: Qos): Stream {
    const stream = new Stream(this.streams.length, publisher, topic, qos)
    this.streams.push(stream)
    return stream
  }

  addReceiver(traits: ReceiverTraits): Receiver {
    const receiver = new Receiver(traits, this.violations)
    this.receivers.push(receiver)
    return receiver
  }

  /** @returns which message it is; undefined, and a violation, when it is none of this run or came under a wrong topic */
  identify(name: string, topic: string, payload: Uint8Array): { stream: Stream; sequence: number } | undefined {
    const stamp = decodeMessage(payload)
    const stream = stamp === undefined ? undefined : this.streams[stamp.stream]
    if (stamp === undefined || stream === undefined || stream.topic !== topic) {
      this.violations.add('unexpected', `${name}: ${payload.length} bytes on ${topic} are no message of this run`)
      return undefined
    }
    return { stream, sequence: stamp.sequence }
  }

  /** So many faults have been struck. */
  mark(faults: number): void {
    this.violations.faults = faults
    for (const stream of this.streams) stream.mark(faults)
  }

  /** Deliveries of acknowledged messages that are still to come. */
  missing(): number {
    return this.#durable().reduce((sum, receiver) => sum + receiver.missing(), 0)
  }

  /** Publishes that the broker has neither taken nor refused. */
  unanswered(): number {
    return this.streams.reduce((sum, { next, acknowledged, refused }) => sum + next - acknowledged - refused, 0)
  }

  /** To be called once, when nothing is on its way any more. */
  judge(): void {
    for (const receiver of this.#durable()) receiver.judge()
  }

  counts(): LedgerCounts {
    const { publishedAgain, retransmitted } = this
    const sum = { published: 0, acknowledged: 0, refused: 0, publishedAgain, retransmitted }
    const total = { ...sum, delivered: 0, repeatsWithDup: 0, repeatsOfPublisher: 0 }
    for (const { next, acknowledged, refused } of this.streams) {
      total.published += next
      total.acknowledged += acknowledged
      total.refused += refused
    }
    for (const { counts } of this.receivers) {
      total.delivered += counts.delivered
      total.repeatsWithDup += counts.repeatsWithDup
      total.repeatsOfPublisher += counts.repeatsOfPublisher
    }
    return total
  }

  #durable(): Receiver[] {
    return this.receivers.filter(({ traits }) => traits.isDurable)
  }
}
