/** JSON Web Tokens (RFC 7519) in place of passwords. */
import type { TokenClaims } from '../contracts/security.js'
import { type JwtConfig, type TokenKeyParts, tokenKeys } from './token-keys.js'
import { type TokenKeys, type TokenPayload, tokenProblem, verifyToken } from './token-library.js'
import { tokenText } from './token-text.js'
import { ROOT, userNameProblem } from './user-name.js'

export interface TokenLogin {
  readonly userName: string
  readonly claims: TokenClaims
}

export class Tokens {
  readonly #jwt: JwtConfig
  readonly #keys: TokenKeys
  readonly #now: () => number

  constructor(jwt: JwtConfig, parts: TokenKeyParts) {
    this.#jwt = jwt
    this.#keys = tokenKeys(jwt, parts)
    this.#now = parts.now
  }

  /** @returns who the token makes its owner, or why it is refused; never a word of the token. Never rejects. */
  async login(password: Uint8Array): Promise<TokenLogin | string> {
    const { algorithms, issuer, audience, clockSkewSeconds: clockTolerance } = this.#jwt
    try {
      const currentDate = new Date(this.#now())
      const checks = { algorithms: [...algorithms], issuer, audience, clockTolerance, currentDate }
      return loginOf(await verifyToken(tokenText(password), this.#keys, checks), this.#jwt)
    } catch (error) {
      return tokenProblem(error)
    }
  }
}

function loginOf(payload: TokenPayload, jwt: JwtConfig): TokenLogin | string {
  const userName = payload[jwt.userClaim]
  if (typeof userName !== 'string') return `the token has no text as claim ${jwt.userClaim}`
  const problem = userNameProblem(userName)
  if (problem !== undefined) return `the user name of the token ${problem}`
  if (userName === ROOT) return `a token cannot make its owner ${ROOT}`
  const lists = [jwt.groupsClaim, jwt.publishClaim, jwt.subscribeClaim].map((name) => textsOf(payload[name]))
  if (lists.includes('wrong')) return 'a claim of the token that should be a list of texts is none'
  const [groups = [], publish, subscribe] = lists as (readonly string[] | undefined)[]
  // the clocks that let it in late let it stay as long
  const expiresAtMs = payload.exp === undefined ? undefined : (payload.exp + jwt.clockSkewSeconds) * 1_000
  return { userName, claims: { groups, publish, subscribe, expiresAtMs } }
}

/** A claim that is there and cannot be understood must not count as missing: that would allow more. */
function textsOf(claim: unknown): readonly string[] | undefined | 'wrong' {
  if (claim === undefined) return undefined
  if (typeof claim === 'string') return [claim]
  return Array.isArray(claim) && claim.every((item) => typeof item === 'string') ? claim : 'wrong'
}
