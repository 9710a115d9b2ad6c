/** Signatures of JSON Web Tokens and sets of their keys. The only importer of jose. */
import {
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'

export type TokenPayload = JWTPayload
export type TokenChecks = JWTVerifyOptions
/** Finds the key for a token. @throws Error where there is none */
export type TokenKeys = (header: JWTHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey | Uint8Array>

/** @throws Error that `tokenProblem` puts into words */
export async function verifyToken(token: string, keys: TokenKeys, checks: TokenChecks): Promise<TokenPayload> {
  return (await jwtVerify(token, keys, checks)).payload
}

/** @throws Error if it is no JSON Web Key Set, or an empty one */
export function keySet(text: string): TokenKeys {
  const set = JSON.parse(text) as JSONWebKeySet
  const keys = createLocalJWKSet(set)
  if (set.keys.length === 0) throw new Error('there are no keys in it')
  return keys
}

const FETCH_MS_MAX = 5_000
/** How soon a key that is not known makes the broker ask for the keys again. */
const COOLDOWN_MS = 30_000
const AGE_MS_MAX = 600_000

/** Keys at an address. While it cannot be reached, those that came last stay in force. */
export function remoteKeySet(url: URL, fetchKeys: (url: string, options: RequestInit) => Promise<Response>): TokenKeys {
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_MS_MAX,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: AGE_MS_MAX,
    [customFetch]: fetchKeys,
  })
  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (error) {
      const last = remote.jwks()
      if (last === undefined || error instanceof errors.JWKSNoMatchingKey) throw error
      return createLocalJWKSet(last)(header, token)
    }
  }
}

/** Never a word of the token. */
export function tokenProblem(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim ${error.claim} of the token is not accepted`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the signature of the token is of a kind that is not accepted'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong'
  return 'the token cannot be verified'
}
