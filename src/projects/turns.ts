/** One after the other. */
import { refused } from './refusal.js'

const WAITING_MAX = 100

/** Runs what it is given in order, so that no two commands change the same folders. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @throws BrokerError PROJECT_REFUSED when too many wait already */
  async take<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= WAITING_MAX) throw refused('too many commands for projects wait; try again later')
    this.#waiting++
    const turn = this.#last.then(run)
    this.#last = turn.catch(() => {}) // whoever took the turn sees the failure
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }
}
