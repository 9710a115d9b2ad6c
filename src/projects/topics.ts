/** What projects say on `$SYS/Coreflux`. */
import type { InternalPublish } from '../contracts/threads.js'

const PREFIX = '$SYS/Coreflux/'

/** Retained topics, remembered so that they can be published again after the shards were started anew. */
export class ProjectTopics {
  readonly #retained = new Map<string, Uint8Array>()

  constructor(private readonly publish: (messages: readonly InternalPublish[]) => Promise<void>) {}

  /** Publishes a value as JSON where it differs from the last one. */
  async set(topic: string, value: unknown): Promise<void> {
    const payload = Buffer.from(JSON.stringify(value))
    if (this.#retained.get(topic) !== undefined && payload.equals(this.#retained.get(topic)!)) return
    this.#retained.set(topic, payload)
    await this.publish([{ topic: PREFIX + topic, payload, retain: true }])
  }

  /** Takes back what is retained, also from earlier runs of the broker. */
  async clear(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.#retained.delete(topic)
    await this.publish(topics.map((topic) => ({ topic: PREFIX + topic, payload: new Uint8Array(), retain: true })))
  }

  /** Publishes once, for those who are subscribed now. */
  async send(topic: string, text: string): Promise<void> {
    await this.publish([{ topic: PREFIX + topic, payload: Buffer.from(text), retain: false }])
  }

  async republish(): Promise<void> {
    await this.publish(
      [...this.#retained].map(([topic, payload]) => ({ topic: PREFIX + topic, payload, retain: true })),
    )
  }
}
