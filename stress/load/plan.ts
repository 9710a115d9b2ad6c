/** Who publishes what and who receives what, before any connection exists. */

export interface PublisherPlan {
  /** Published to in turn. All of one length in bytes, so that one buffer serves them. */
  readonly topics: readonly string[]
}

/** Streams are topics, numbered through all publishers in the order of the plan. */
export interface StreamRange {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

export interface SubscriberPlan {
  readonly filters: readonly string[]
  /** Subscribed to as well; no topic of the plan matches them. */
  readonly idleFilters?: readonly string[]
  /** The streams it may receive from. All of them, unless `isPartial`. */
  readonly streams: StreamRange
  /** Only the streams of the range whose topics match a filter are received. */
  readonly isPartial?: boolean
  /** Members of one group share each message; they have the same streams. */
  readonly group?: string
  /** Reads in short bursts and is not waited for. */
  readonly isSlow?: boolean
}

export interface Plan {
  readonly publishers: readonly PublisherPlan[]
  readonly subscribers: readonly SubscriberPlan[]
  /** Clients that only stay connected. */
  readonly idleClients: number
}

/** @returns the topics of all streams, by number */
export function streamTopics(plan: Plan): string[] {
  return plan.publishers.flatMap((publisher) => publisher.topics)
}

/** Whether a topic filter without `$share` matches a topic name that does not begin with `$` (§4.7). */
export function filterMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return true
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false
  }
  return wanted.length === levels.length
}
