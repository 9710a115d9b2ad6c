/** Storage that lasts as long as its thread. */
import { type KeptMessage, LogRecord, type RetainedLimits, type ShardStorage } from '../src/contracts/storage.js'
import { MemoryRetained } from './memory-retained.js'

export class MemoryStorage<Message extends KeptMessage<Message>> implements ShardStorage<Message> {
  readonly retained: MemoryRetained<Message>
  readonly isDurable = false
  readonly isFull = false
  readonly hasReceivers = false
  readonly nextSequence = 1
  #nextSession = 1

  constructor(limits: RetainedLimits) {
    this.retained = new MemoryRetained(limits)
  }

  /** There is no disk to wait for. */
  get isFlushed(): boolean {
    return true
  }

  whenFlushed(done: (isKept: boolean) => void): void {
    done(true)
  }

  nextSessionNumber(): number {
    return this.#nextSession++
  }

  addReceiver(): LogRecord {
    return new LogRecord(0, 0, 1, 1, false)
  }

  putSession(): void {}
  deleteSession(): void {}
  putSubscription(): void {}
  deleteSubscription(): void {}
  append(): boolean {
    return false
  }

  beginTogether(): void {}
  commitTogether(): void {}
  sent(): void {}
  released(): void {}
  done(): void {}
  deleteReceived(): void {}
  putRetained(): void {}
}
