/** The retained messages below `$SYS/Coreflux` that this broker stands behind, and what of them is not published yet. */
import { encodeText } from '../base/bytes.js'
import type { InternalPublish } from '../contracts/threads.js'
import { SYS_PREFIX } from './snapshots.js'

const NOTHING = new Uint8Array(0)

export class RetainedTopics {
  readonly #texts = new Map<string, string>()
  readonly #changed = new Set<string>()

  /** @param topic below `$SYS/Coreflux/` */
  set(topic: string, text: string): void {
    if (this.#texts.get(topic) === text) return
    this.#texts.set(topic, text)
    this.#changed.add(topic)
  }

  /** Takes the message away from the broker too, also where it is from an earlier start. */
  remove(topic: string): void {
    this.#texts.delete(topic)
    this.#changed.add(topic)
  }

  has(topic: string): boolean {
    return this.#texts.has(topic)
  }

  /** All are published next time, changed or not. @param prefix of topics */
  forget(prefix = ''): void {
    for (const topic of this.#texts.keys()) if (topic.startsWith(prefix)) this.#changed.add(topic)
  }

  /** What is to be published, once. */
  take(): InternalPublish[] {
    const messages = [...this.#changed].map((topic) => {
      const text = this.#texts.get(topic)
      return { topic: SYS_PREFIX + topic, payload: text === undefined ? NOTHING : encodeText(text), retain: true }
    })
    this.#changed.clear()
    return messages
  }
}
