/**
 * Who was removed lately. A connection thread may have admitted such a user before it knew, and what it has written for
 * this shard may come when the sessions of the user have ended already.
 */
import type { AccessChange } from '../contracts/security.js'

/** Beyond it the oldest are forgotten. */
const REMEMBERED_MAX = 1_024

export class RemovedUsers {
  /** Numbers of the changes by names of users, the latest last. */
  readonly #numbers = new Map<string, number>()
  /** Whom changes up to this one have removed is not known. */
  #unknownUpTo = 0

  note({ removedUsers, isWhole, number = 0 }: AccessChange): void {
    if (isWhole) {
      this.#numbers.clear()
      this.#unknownUpTo = number
    }
    for (const name of removedUsers) {
      this.#numbers.delete(name)
      this.#numbers.set(name, number)
    }
    for (const [name, oldest] of this.#numbers) {
      if (this.#numbers.size <= REMEMBERED_MAX) return
      this.#numbers.delete(name)
      this.#unknownUpTo = oldest
    }
  }

  /**
   * @param userName undefined for anonymous clients, who are never removed
   * @param knownChange the latest that was known where the user was admitted
   * @returns whether the user may have been removed since
   */
  mayInclude(userName: string | undefined, knownChange: number): boolean {
    if (userName === undefined) return false
    return knownChange < Math.max(this.#unknownUpTo, this.#numbers.get(userName) ?? 0)
  }
}
