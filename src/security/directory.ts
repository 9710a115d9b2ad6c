/** Whom a connection thread knows: the credentials that the main thread has told it. */
import type { CredentialsChange, UserCredentials } from '../contracts/security.js'

export class CredentialsDirectory {
  readonly #users = new Map<string, UserCredentials>()
  #decoyKey: Buffer | undefined
  #number = 0

  /** Whether all users were told: before that nobody is admitted. */
  get isReady(): boolean {
    return this.#decoyKey !== undefined
  }

  /** Secret of this installation, which salts of users that do not exist are made of. Empty until `isReady`. */
  get decoyKey(): Uint8Array {
    return this.#decoyKey ?? new Uint8Array()
  }

  /** Of the latest change. */
  get number(): number {
    return this.#number
  }

  get(name: string): UserCredentials | undefined {
    return this.#users.get(name)
  }

  change({ users, removedUsers, isWhole, decoyKey, number = 0 }: CredentialsChange): void {
    if (isWhole) this.#users.clear()
    for (const name of removedUsers) this.#users.delete(name)
    for (const user of users) this.#users.set(user.name, user)
    if (decoyKey !== undefined) this.#decoyKey = Buffer.from(decoyKey, 'base64')
    this.#number = number
  }
}
