/**
 * User name and password. A login that was right before is recognized without hashing, so that many may return at once;
 * equal ones that come together share one hash; unknown users cost what known ones cost.
 */
import { randomBytes } from 'node:crypto'
import { Turns } from '../base/turns.js'
import type { CredentialsDirectory } from './directory.js'
import { hashPassword, PASSWORD_BYTES_MAX, type VerifyPassword } from './passwords.js'
import { RememberedLogins } from './remembered.js'

export interface PasswordLoginParts {
  readonly directory: Pick<CredentialsDirectory, 'get'>
  readonly verify: VerifyPassword
  /** Asked each time, because it may change while the broker runs. */
  readonly rememberedMax: () => number
  /** Hashes that may be computed together by this thread. */
  readonly atOnce: number
  /** Logins that may wait for theirs. */
  readonly waitingMax: number
}

export type Verdict = 'right' | 'wrong' | 'busy'

/** A hash that is computed, or waits for its turn. */
interface Running {
  readonly verdict: Promise<Verdict>
  /** One for each client that waits for it. */
  readonly awaited: (() => boolean)[]
}

export class PasswordLogin {
  readonly #parts: PasswordLoginParts
  readonly #remembered = new RememberedLogins()
  readonly #turns: Turns
  /** By digest. At most as many as may run and wait. */
  readonly #running = new Map<string, Running>()
  /** Of a password that nobody has. The first login waits for it, whether its user is known or not. */
  #decoy: Promise<string> | undefined

  constructor(parts: PasswordLoginParts) {
    this.#parts = parts
    this.#turns = new Turns(parts.atOnce, parts.waitingMax)
  }

  /** @param isAwaited false once the client has gone: then its turn is left to others, and the verdict means nothing */
  check(userName: string, password: Uint8Array, isAwaited = always): Promise<Verdict> | Verdict {
    if (password.length > PASSWORD_BYTES_MAX) return 'wrong'
    const known = this.#parts.directory.get(userName)?.passwordHash
    const digest = this.#remembered.digest(userName, known ?? '', password)
    if (known !== undefined && this.#remembered.has(digest)) return 'right'
    const running = this.#running.get(digest)
    if (running !== undefined) {
      running.awaited.push(isAwaited)
      return running.verdict
    }
    if (this.#turns.isFull) return 'busy'
    const awaited = [isAwaited]
    const verdict = this.#turns
      .take(async () =>
        awaited.some((asks) => asks()) ? await this.#verify(userName, known, password, digest) : 'busy',
      )
      .finally(() => this.#running.delete(digest))
    this.#running.set(digest, { verdict, awaited })
    return verdict
  }

  async #verify(userName: string, known: string | undefined, password: Uint8Array, digest: string): Promise<Verdict> {
    const { directory, verify, rememberedMax } = this.#parts
    this.#decoy ??= hashPassword(randomBytes(32)).catch(() => '')
    const decoy = await this.#decoy
    const fits = await verify(known ?? decoy, password)
    // meanwhile the user may have gone, or have another password
    if (!fits || known === undefined || directory.get(userName)?.passwordHash !== known) return 'wrong'
    this.#remembered.add(digest, rememberedMax())
    return 'right'
  }
}

function always(): boolean {
  return true
}
