/** Retained messages that a session has yet to get for its new subscriptions. */
import type { RetainedStore, RetainedTopic } from '../contracts/storage.js'
import type { Message } from './message.js'
import type { Subscription } from './subscription.js'

interface Waiting {
  readonly subscription: Subscription
  /** Arrivals when the subscription was made: a later one has reached the session by itself. */
  readonly since: number
}

/**
 * Subscriptions wait by filter, and only the first is spread out into its messages, so that however often a client
 * subscribes the backlog stays within the number of its filters and of the retained messages.
 */
export class RetainedBacklog {
  readonly #waiting = new Map<string, Waiting>()
  #topics: RetainedTopic<Message>[] = []
  #next = 0
  #since = 0
  #filter: string | undefined
  #subscription: Subscription | undefined

  /** @param since arrivals of the store at this moment */
  add(filter: string, subscription: Subscription, since: number): void {
    this.#waiting.set(filter, { subscription, since })
  }

  /** The subscription is gone: nothing more of it. */
  remove(filter: string): void {
    this.#waiting.delete(filter)
    if (this.#filter !== filter) return
    this.#topics = []
    this.#next = 0
  }

  /**
   * @param retained loaded: what is missing would never be sent
   * @returns the next message and the subscription it is for; undefined when nothing is left
   */
  peek(retained: RetainedStore<Message>): { message: Message; topic: string; subscription: Subscription } | undefined {
    for (;;) {
      for (; this.#next < this.#topics.length; this.#next++) {
        const { message, name: topic, arrival } = this.#topics[this.#next]
        if (message === undefined || arrival > this.#since || this.#subscription === undefined) continue
        return { message, topic, subscription: this.#subscription }
      }
      const first = this.#waiting.entries().next().value
      this.#topics = []
      this.#next = 0
      if (first === undefined) return undefined
      const [filter, { subscription, since }] = first
      this.#waiting.delete(filter)
      this.#filter = filter
      this.#subscription = subscription
      this.#since = since
      for (const topic of retained.matching(filter)) if (topic.arrival <= since) this.#topics.push(topic)
    }
  }

  /** Steps over the message that `peek` has shown. */
  advance(): void {
    this.#next++
  }
}
