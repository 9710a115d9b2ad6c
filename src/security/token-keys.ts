/**
 * The keys that signatures of tokens are checked with. A shared secret is used for HS… alone and public keys for the
 * others alone, whatever a token says of itself: one kind cannot be passed off as the other.
 */
import { messageOf } from '../base/errors.js'
import type { BrokerConfig } from '../config/schema.js'
import { keySet, remoteKeySet, type TokenKeys } from './token-library.js'
import { WatchedFile } from './watched-file.js'

export type JwtConfig = NonNullable<BrokerConfig['authentication']['jwt']>

const SECRET_BYTES_MIN = 32
const RESPONSE_BYTES_MAX = 1_048_576
/** After a failure the address is left alone for so long: clients cannot make this broker knock at it. */
const RETRY_MS = 30_000

export interface TokenKeyParts {
  readonly now: () => number
  /** Told why keys cannot be had. */
  readonly onProblem: (reason: string) => void
  readonly fetch: typeof fetch
}

export function tokenKeys(jwt: JwtConfig, parts: TokenKeyParts): TokenKeys {
  const secret = jwt.secretFile === undefined ? undefined : fileSecret(jwt.secretFile, parts)
  const publicKeys =
    jwt.jwksFile !== undefined
      ? fileKeys(jwt.jwksFile, parts)
      : jwt.jwksUrl !== undefined
        ? addressKeys(new URL(jwt.jwksUrl), parts)
        : undefined
  return async (header, token) => {
    const key = header.alg?.startsWith('HS') ? await secret?.() : await publicKeys?.(header, token)
    if (key === undefined) throw new Error('there is no key for it')
    return key
  }
}

function fileSecret(path: string, { now, onProblem }: TokenKeyParts): () => Promise<Uint8Array | undefined> {
  const file = new WatchedFile(path, parseSecret, onProblem)
  return () => file.content(now())
}

function parseSecret(bytes: Buffer): Uint8Array {
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end--
  if (bytes[end - 1] === 0x0d && end < bytes.length) end--
  if (end < SECRET_BYTES_MIN) throw new Error(`the shared secret must have at least ${SECRET_BYTES_MIN} bytes`)
  return new Uint8Array(bytes.subarray(0, end))
}

function fileKeys(path: string, { now, onProblem }: TokenKeyParts): TokenKeys {
  const file = new WatchedFile(path, (bytes) => keySet(bytes.toString('utf8')), onProblem)
  return async (header, token) => {
    const keys = await file.content(now())
    if (keys === undefined) throw new Error('there are no keys')
    return keys(header, token)
  }
}

function addressKeys(url: URL, { now, onProblem, fetch }: TokenKeyParts): TokenKeys {
  let failedMs = Number.NEGATIVE_INFINITY
  return remoteKeySet(url, async (address, options) => {
    if (now() - failedMs < RETRY_MS) throw new Error(`${url.origin} is not asked again so soon`)
    try {
      const response = await fetch(address, options)
      if (response.status !== 200) throw new Error(`it answers with status ${response.status}`)
      const text = await boundedText(response)
      keySet(text) // what is no key set counts as a failure, too
      return new Response(text)
    } catch (error) {
      failedMs = now()
      onProblem(`cannot get the keys of tokens from ${url.origin}: ${messageOf(error)}`)
      throw error
    }
  })
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length
    if (bytes > RESPONSE_BYTES_MAX) throw new Error(`the answer has more than ${RESPONSE_BYTES_MAX} bytes`)
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks).toString('utf8')
}
