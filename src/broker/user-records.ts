/** When the users were made that the broker keeps: tells those of today from others who had their names before. */
import type { AccessChange } from '../contracts/security.js'
import type { Session } from './session.js'

export class UserRecords {
  readonly #createdAt = new Map<string, string | undefined>()
  /** Their records are damaged: whoever has the name is taken for the one of before. */
  readonly #unreadable = new Set<string>()

  /** @returns users whose names had another record until now */
  change({ users, removedUsers, isWhole, unreadableUsers = [] }: AccessChange): readonly string[] {
    if (isWhole) {
      this.#createdAt.clear()
      this.#unreadable.clear()
    }
    for (const name of removedUsers) this.#forget(name)
    const made = users.filter(({ name, createdAt }) => this.#isKnown(name) && this.#createdAt.get(name) !== createdAt)
    for (const { name, createdAt } of users) {
      this.#forget(name)
      this.#createdAt.set(name, createdAt)
    }
    for (const name of unreadableUsers) this.#unreadable.add(name)
    return made.map(({ name }) => name)
  }

  /** @returns undefined for a user without a record: of a token, or of a certificate */
  createdAtOf(userName: string | undefined): string | undefined {
    return userName === undefined ? undefined : this.#createdAt.get(userName)
  }

  /** Whether the user that the session belongs to is there no more; another one may have the name. */
  isOfOther({ identity: { userName }, userCreatedAt }: Pick<Session, 'identity' | 'userCreatedAt'>): boolean {
    if (userName === undefined || userCreatedAt === undefined || this.#unreadable.has(userName)) return false
    return this.#createdAt.get(userName) !== userCreatedAt
  }

  #isKnown(name: string): boolean {
    return this.#createdAt.has(name) || this.#unreadable.has(name)
  }

  #forget(name: string): void {
    this.#createdAt.delete(name)
    this.#unreadable.delete(name)
  }
}
