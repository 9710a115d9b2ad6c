/**
 * The loop of a thread that lives on rings: works while there is work, gives the event loop its turn after each round,
 * and sleeps on its doorbell when all rings are empty.
 */
import { Sleeper } from './doorbell.js'

/** Rounds through the event loop without work before the thread sleeps: waking up costs more than a short look. */
const IDLE_ROUNDS = 2
const CONGESTED_POLL_MS = 1

export class Reactor {
  readonly #sleeper: Sleeper
  #isRunning = false
  #isScheduled = false
  #isAsleep = false
  #idleRounds = 0
  #settling: ((hadWork: boolean) => void)[] = []
  #workSince = 0

  /**
   * @param work one round: takes from the rings, writes to others; answers how much it took
   * @param flush makes visible what was written; answers true while some ring is too full to take all of it
   * @param hasInput whether a ring has something to take
   */
  constructor(
    doorbell: SharedArrayBuffer,
    readonly work: () => number,
    readonly flush: () => boolean,
    readonly hasInput: () => boolean,
  ) {
    this.#sleeper = new Sleeper(doorbell)
  }

  start(): void {
    this.#isRunning = true
    this.#schedule()
  }

  stop(): void {
    this.#isRunning = false
    this.#sleeper.cancel()
  }

  /** Something was written or moved outside of a round: publish it, and look at the rings. */
  poke(): void {
    this.flush()
    this.#schedule()
  }

  /** Resolves when the rings have been found empty and everything written has gone out. @returns whether there was work */
  settle(): Promise<boolean> {
    this.#workSince = 0
    return new Promise((resolve) => {
      this.#settling.push(resolve)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isRunning) return
    this.#isScheduled = true
    setImmediate(this.#round)
  }

  readonly #round = (): void => {
    this.#isScheduled = false
    if (!this.#isRunning) return
    if (this.#isAsleep) this.#sleeper.cancel()
    const taken = this.work()
    const congested = this.flush()
    this.#workSince += taken
    if (taken > 0) {
      this.#idleRounds = 0
      this.#schedule()
      return
    }
    if (congested) {
      // the reader is behind and rings nobody when it has made room
      this.#isScheduled = true
      setTimeout(this.#round, CONGESTED_POLL_MS)
      return
    }
    if (this.#settling.length > 0 && !this.hasInput()) this.#resolveSettling()
    if (this.#idleRounds < IDLE_ROUNDS) {
      this.#idleRounds++
      this.#schedule()
      return
    }
    this.#sleep()
  }

  #sleep(): void {
    this.#sleeper.announce()
    if (this.hasInput()) {
      this.#sleeper.cancel()
      this.#schedule()
      return
    }
    if (this.#isAsleep) return // the waiter of the last time is still there
    this.#isAsleep = true
    this.#sleeper.sleep(() => {
      this.#isAsleep = false
      this.#idleRounds = 0
      if (this.#isScheduled || !this.#isRunning) return
      this.#round()
    })
  }

  #resolveSettling(): void {
    const hadWork = this.#workSince > 0
    const waiting = this.#settling
    this.#settling = []
    for (const resolve of waiting) resolve(hadWork)
  }
}
