/** What a broker must never do, as it is found. */
import { Journal, type Subject } from './journal.js'

export const VIOLATIONS = {
  lost: 'acknowledged messages that never arrived',
  qos2Duplicate: 'QoS 2 messages that arrived again',
  outOfOrder: 'messages that arrived after a later one',
  duplicateWithoutDup: 'repeats without DUP that no repeat of the publisher explains',
  retransmissionWithoutDup: 'QoS 2 retransmissions without DUP',
  packetIdReused: 'packet identifiers used for another message while in use',
  unexpected: 'messages that nobody sent to this subscriber',
  retained: 'retained values that are not the last acknowledged one',
  sessionLost: 'sessions that were acknowledged and are gone',
  sessionRevived: 'sessions present that a clean start should have ended',
  subscriptionRefused: 'subscriptions that were refused',
  publishRefused: 'publishes that were refused with no fault to explain it',
  stalled: 'publishes that were not answered with no fault to explain it',
  start: 'starts that failed',
  fault: 'faults that had no effect, or that the broker did not survive',
  end: 'ends of the broker that were not in order',
} as const

export type ViolationKind = keyof typeof VIOLATIONS

export interface Violation {
  readonly kind: ViolationKind
  /** Faults that had been struck before it was found. */
  readonly afterFaults: number
  readonly text: string
}

/** Of each kind; the rest is only counted. */
const EXAMPLES_MAX = 20
/** Of each kind, those that are told with what led to them. */
const STORIES_MAX = 2

/** Collects violations: all are counted, the first of each kind kept as examples. */
export class Violations {
  readonly counts = new Map<ViolationKind, number>()
  readonly examples: Violation[] = []
  readonly journal = new Journal()
  /** Set by the run as it goes. */
  faults = 0

  /** @param subject the message that it is about */
  add(kind: ViolationKind, text: string, subject?: Subject): void {
    const count = this.count(kind) + 1
    this.counts.set(kind, count)
    if (count > EXAMPLES_MAX) return
    const story = subject !== undefined && count <= STORIES_MAX ? this.journal.about(subject) : []
    this.examples.push({ kind, afterFaults: this.faults, text: [text, ...story].join('\n    ') })
  }

  count(kind: ViolationKind): number {
    return this.counts.get(kind) ?? 0
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }
}
