import type { Qos } from '../../src/mqtt/packets.js'

/** How far a message has come, on the side of its publisher. */
export const Progress = {
  NONE: 0,
  SENT: 1,
  /** The broker answered that it did not take it. */
  REFUSED: 2,
  /** PUBACK or PUBREC: the broker is responsible from here. */
  ACKNOWLEDGED: 3,
  /** PUBACK or PUBCOMP. */
  COMPLETE: 4,
} as const
export type Progress = (typeof Progress)[keyof typeof Progress]

const PROGRESS_BITS = 4
const SENDS_MAX = 15
const FIRST_CAPACITY = 1_024

/**
 * What one publisher has sent on one topic at one QoS, in order. One byte a message: how often it was sent (1 to 15) in
 * the upper half, its progress in the lower.
 */
export class Stream {
  /** The next sequence number, and how many there are. */
  next = 0
  acknowledged = 0
  refused = 0
  #messages = new Uint8Array(FIRST_CAPACITY)
  /** Faults that had been struck, and the first sequence number after them; for saying when a message was sent. */
  readonly #marks: { readonly faults: number; readonly from: number }[] = []

  constructor(
    readonly id: number,
    readonly publisher: string,
    readonly topic: string,
    readonly qos: Qos,
  ) {}

  /** @returns the sequence number of a new message */
  take(): number {
    if (this.next === this.#messages.length) {
      const grown = new Uint8Array(this.next * 2)
      grown.set(this.#messages)
      this.#messages = grown
    }
    return this.next++
  }

  /** Notes that the message goes out, for the first time or again. */
  sent(sequence: number): void {
    const sends = Math.min(this.sends(sequence) + 1, SENDS_MAX)
    const progress = Math.max(this.progress(sequence), Progress.SENT)
    this.#messages[sequence] = (sends << PROGRESS_BITS) | progress
  }

  refuse(sequence: number): void {
    if (this.progress(sequence) !== Progress.SENT) return
    this.refused++
    this.#set(sequence, Progress.REFUSED)
  }

  acknowledge(sequence: number): void {
    if (this.progress(sequence) >= Progress.ACKNOWLEDGED) return
    this.acknowledged++
    this.#set(sequence, Progress.ACKNOWLEDGED)
  }

  complete(sequence: number): void {
    this.acknowledge(sequence)
    this.#set(sequence, Progress.COMPLETE)
  }

  /** How often the message went out. */
  sends(sequence: number): number {
    return this.#messages[sequence] >>> PROGRESS_BITS
  }

  progress(sequence: number): Progress {
    return (this.#messages[sequence] & ((1 << PROGRESS_BITS) - 1)) as Progress
  }

  isAcknowledged(sequence: number): boolean {
    return this.progress(sequence) >= Progress.ACKNOWLEDGED
  }

  /** @returns the first message that the broker has neither taken nor refused, or `next` */
  firstUnacknowledged(): number {
    let sequence = this.next
    while (sequence > 0 && this.progress(sequence - 1) === Progress.SENT) sequence--
    return sequence
  }

  /** @returns the last message that is complete, or -1 */
  lastComplete(): number {
    let sequence = this.next - 1
    while (sequence >= 0 && this.progress(sequence) !== Progress.COMPLETE) sequence--
    return sequence
  }

  /** Messages from here on were sent after so many faults. */
  mark(faults: number): void {
    this.#marks.push({ faults, from: this.next })
  }

  /** For people: which message, and between which faults it was first sent. */
  describe(sequence: number): string {
    const faults = this.#marks.findLast(({ from }) => from <= sequence)?.faults ?? 0
    const sends = this.sends(sequence)
    return `${this.topic} #${sequence} (QoS ${this.qos}, sent ${sends} time${sends === 1 ? '' : 's'}, first after fault ${faults})`
  }

  #set(sequence: number, progress: Progress): void {
    this.#messages[sequence] = (this.sends(sequence) << PROGRESS_BITS) | progress
  }
}
