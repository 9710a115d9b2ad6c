/** Publishes answers, those of one turn together and in their order. */
import type { InternalPublish } from '../contracts/threads.js'

export class Output {
  #waiting: InternalPublish[] = []
  #sending: Promise<void> | undefined

  constructor(
    private readonly publish: (messages: readonly InternalPublish[]) => Promise<void>,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Resolves when it has gone out, or could not. */
  send(message: InternalPublish): Promise<void> {
    this.#waiting.push(message)
    this.#sending ??= this.#send()
    return this.#sending
  }

  async #send(): Promise<void> {
    // the turns of other answers that became ready with this one
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const messages = this.#waiting
      this.#waiting = []
      await this.publish(messages).catch(this.onFailure)
    }
    this.#sending = undefined
  }
}
