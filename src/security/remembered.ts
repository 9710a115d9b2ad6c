/**
 * Logins that were right not long ago. Neither passwords nor anything they could be guessed from by others are kept: only
 * their HMAC with a key of this process, which nobody else has. A new password has a new hash, so what belonged to the
 * old one is never found again.
 */
import { createHmac, randomBytes } from 'node:crypto'

const KEY_BYTES = 32

export class RememberedLogins {
  readonly #key = randomBytes(KEY_BYTES)
  /** The one that was used longest ago comes first. */
  readonly #digests = new Set<string>()

  get size(): number {
    return this.#digests.size
  }

  /** What a login is known by. */
  digest(userName: string, passwordHash: string, password: Uint8Array): string {
    const hmac = createHmac('sha256', this.#key)
    // lengths between them: no user can end where a password begins
    for (const part of [Buffer.from(userName), Buffer.from(passwordHash)]) {
      hmac.update(`${part.length}:`)
      hmac.update(part)
    }
    return hmac.update(password).digest('base64')
  }

  has(digest: string): boolean {
    if (!this.#digests.delete(digest)) return false
    this.#digests.add(digest)
    return true
  }

  /** @param limit digests; what was used longest ago is forgotten */
  add(digest: string, limit: number): void {
    if (limit > 0) this.#digests.add(digest)
    for (const oldest of this.#digests) {
      if (this.#digests.size <= limit) return
      this.#digests.delete(oldest)
    }
  }
}
