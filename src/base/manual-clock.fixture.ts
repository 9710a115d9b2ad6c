import type { Clock } from './clock.js'

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  nowMs = 1_750_000_000_000

  now(): number {
    return this.nowMs
  }
}
