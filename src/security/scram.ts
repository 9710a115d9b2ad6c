/**
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677): keys and messages. Texts are prepared by NFKC; the rest of
 * SASLprep (RFC 4013) is that control characters are refused.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { ScramVerifier } from '../contracts/security.js'
import { hasForbiddenCharacters } from './user-name.js'

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export const SALT_BYTES = 16

const HASHES = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
} as const
const derive = promisify(pbkdf2)

export function isScramMechanism(name: string): name is ScramMechanism {
  return Object.hasOwn(HASHES, name)
}

// ---------- keys ----------

/** What the server keeps of a password. Takes as long as the client's part of a login. */
export async function scramVerifier(
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramVerifier> {
  const { name, bytes } = HASHES[mechanism]
  const salted = await derive(password.normalize('NFKC'), salt, iterations, bytes, name)
  const clientKey = hmac(mechanism, salted, 'Client Key')
  return {
    salt: Buffer.from(salt).toString('base64'),
    iterations,
    storedKey: createHash(name).update(clientKey).digest('base64'),
    serverKey: hmac(mechanism, salted, 'Server Key').toString('base64'),
  }
}

/**
 * For users that there are not: the same each time for one name, so that nobody can tell them from those that there are.
 * @param key secret of this installation
 */
export function decoyVerifier(
  mechanism: ScramMechanism,
  userName: string,
  key: Uint8Array,
  iterations: number,
): ScramVerifier {
  const part = (what: string): Buffer => hmac(mechanism, key, `${what} ${mechanism} ${userName}`)
  return {
    salt: part('salt').subarray(0, SALT_BYTES).toString('base64'),
    iterations,
    storedKey: part('stored key').toString('base64'),
    serverKey: part('server key').toString('base64'),
  }
}

/** Whether the client has proven that it knows the password. */
export function isProof(
  mechanism: ScramMechanism,
  { storedKey }: ScramVerifier,
  authMessage: string,
  proof: Uint8Array,
): boolean {
  const stored = Buffer.from(storedKey, 'base64')
  const signature = hmac(mechanism, stored, authMessage)
  if (proof.length !== signature.length) return false
  const clientKey = signature.map((byte, at) => byte ^ proof[at])
  const shown = createHash(HASHES[mechanism].name).update(clientKey).digest()
  return shown.length === stored.length && timingSafeEqual(shown, stored)
}

/** With it the server proves that it knows the user. */
export function serverSignature(mechanism: ScramMechanism, { serverKey }: ScramVerifier, authMessage: string): string {
  return hmac(mechanism, Buffer.from(serverKey, 'base64'), authMessage).toString('base64')
}

function hmac(mechanism: ScramMechanism, key: Uint8Array, text: string): Buffer {
  return createHmac(HASHES[mechanism].name, key).update(text).digest()
}

// ---------- messages ----------

const MESSAGE_BYTES_MAX = 4_096
/** Flag of channel binding, the user to act as, then the message proper. */
const CLIENT_FIRST = /^([ny]|p=[^,]*),(?:a=([^,]*))?,((m=[^,]*,)?n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s
const CLIENT_FINAL = /^((c=[A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?),p=([A-Za-z0-9+/]+={0,2})$/s

export interface ClientFirst {
  /** Flag and user to act as, as they stand: the client repeats them in its last message. */
  readonly header: string
  /** What both sides sign. */
  readonly bare: string
  readonly userName: string
  readonly nonce: string
}

/** @returns what is wrong with it, as text */
export function readClientFirst(data: Uint8Array): ClientFirst | string {
  const text = textOf(data)
  const match = text === undefined ? undefined : CLIENT_FIRST.exec(text)
  if (text === undefined || match === undefined || match === null) return 'the first message of SCRAM is not valid'
  const [, flag, actsAs, bare, extension, name, nonce] = match
  if (flag.startsWith('p')) return 'channel binding is not supported'
  if (extension !== undefined) return 'the client demands an extension of SCRAM that is not supported'
  const userName = readName(name)
  if (userName === undefined) return 'the user name of SCRAM is not valid'
  if (actsAs !== undefined && actsAs !== '' && readName(actsAs) !== userName) {
    return 'nobody can act as somebody else'
  }
  return { header: text.slice(0, text.length - bare.length), bare, userName, nonce }
}

export interface ClientFinal {
  readonly withoutProof: string
  /** `c=` and the header of the first message, as base64. */
  readonly binding: string
  readonly nonce: string
  readonly proof: Uint8Array
}

/** @returns what is wrong with it, as text */
export function readClientFinal(data: Uint8Array): ClientFinal | string {
  const text = textOf(data)
  const match = text === undefined ? undefined : CLIENT_FINAL.exec(text)
  if (match === undefined || match === null) return 'the last message of SCRAM is not valid'
  const [, withoutProof, binding, nonce, proof] = match
  return { withoutProof, binding, nonce, proof: Buffer.from(proof, 'base64') }
}

function textOf(data: Uint8Array): string | undefined {
  if (data.length > MESSAGE_BYTES_MAX) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    return undefined
  }
}

/** `=2C` is a comma and `=3D` an equals sign; any other `=` is wrong. */
function readName(written: string): string | undefined {
  if (/=(?!2C|3D)/.test(written)) return undefined
  const name = written.replaceAll('=2C', ',').replaceAll('=3D', '=').normalize('NFKC')
  return name === '' || hasForbiddenCharacters(name) ? undefined : name
}
