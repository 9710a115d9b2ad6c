/** Storage that lasts as long as its thread. */
import type { KeptMessage, RetainedLimits, ShardStorage } from '../src/contracts/storage.js'
import { MemoryRetained } from './memory-retained.js'

export class MemoryStorage<Message extends KeptMessage<Message>> implements ShardStorage<Message> {
  readonly retained: MemoryRetained<Message>

  constructor(limits: RetainedLimits) {
    this.retained = new MemoryRetained(limits)
  }

  /** There is no disk to wait for. */
  get isFlushed(): boolean {
    return true
  }

  whenFlushed(done: () => void): void {
    done()
  }
}
