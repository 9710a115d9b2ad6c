/** Retained messages that a session has yet to get for its new subscriptions. */
import type { RetainedStore, RetainedTopic } from '../contracts/storage.js'
import type { Message } from './message.js'
import type { Subscription } from './subscription.js'

interface Waiting {
  readonly subscription: Subscription
  /** The last stamp when the subscription was made: what has a later one has reached the session by itself. */
  readonly since: number
}

interface Item {
  readonly topic: RetainedTopic<Message>
  /** What was retained when the subscription was made: a later message reaches the session by itself. */
  readonly message: Message
}

/**
 * Subscriptions wait by filter, and only the first is spread out into its messages, so that however often a client
 * subscribes the backlog stays within the number of its filters and of the retained messages.
 */
export class RetainedBacklog {
  readonly #waiting = new Map<string, Waiting>()
  #items: Item[] = []
  #next = 0
  #filter: string | undefined
  #subscription: Subscription | undefined

  /** @param since the last stamp of the store at this moment */
  add(filter: string, subscription: Subscription, since: number): void {
    this.#waiting.set(filter, { subscription, since })
  }

  /** The subscription is gone: nothing more of it. */
  remove(filter: string): void {
    this.#waiting.delete(filter)
    if (this.#filter !== filter) return
    this.#items = []
    this.#next = 0
  }

  /** @returns the next message and the subscription it is for; undefined when nothing is left */
  peek(retained: RetainedStore<Message>): { message: Message; subscription: Subscription } | undefined {
    for (;;) {
      while (this.#next < this.#items.length) {
        const { topic, message } = this.#items[this.#next]
        if (topic.message === message && this.#subscription !== undefined) {
          return { message, subscription: this.#subscription }
        }
        this.#next++
      }
      const first = this.#waiting.entries().next().value
      if (first === undefined) {
        this.#items = []
        return undefined
      }
      const [filter, { subscription, since }] = first
      this.#waiting.delete(filter)
      this.#filter = filter
      this.#subscription = subscription
      this.#items = []
      this.#next = 0
      for (const topic of retained.matching(filter)) {
        const { message, stamp } = topic
        if (message !== undefined && stamp <= since) this.#items.push({ topic, message })
      }
    }
  }

  /** Steps over the message that `peek` has shown. */
  advance(): void {
    this.#next++
  }
}
