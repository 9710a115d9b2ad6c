import { MemoryStorage } from '../../storage/memory-storage.js'
import type { Message } from './message.js'

/** Storage in memory that claims to be on disk only when it is told so. */
export class HeldStorage extends MemoryStorage<Message> {
  isHeld = false
  #waiting: (() => void)[] = []

  override get isFlushed(): boolean {
    return !this.isHeld
  }

  override whenFlushed(done: () => void): void {
    if (this.isHeld) this.#waiting.push(done)
    else done()
  }

  flush(): void {
    this.isHeld = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done()
  }
}
