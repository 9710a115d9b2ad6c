/**
 * Passwords at rest: Argon2id (RFC 9106) in PHC format, with the costs that OWASP recommends. One hash takes about 10 ms
 * and 19 MiB in the thread pool of Node.js. The only importer of @node-rs/argon2.
 */
import type { Algorithm } from '@node-rs/argon2'
import { hasForbiddenCharacters } from './user-name.js'

/** Longer ones are refused before anything is computed. */
export const PASSWORD_BYTES_MAX = 1_024

const ARGON2ID = 2 satisfies Algorithm.Argon2id
const COSTS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Loaded with the first password: many brokers have none but that of root. */
const library = (): Promise<typeof import('@node-rs/argon2')> => import('@node-rs/argon2')

export async function hashPassword(password: string | Uint8Array): Promise<string> {
  return (await library()).hash(password, COSTS)
}

/** Whether a password belongs to a hash; false also where the hash cannot be read. Never rejects. */
export type VerifyPassword = (passwordHash: string, password: Uint8Array) => Promise<boolean>

export const verifyPassword: VerifyPassword = async (passwordHash, password) => {
  try {
    return await (await library()).verify(passwordHash, password)
  } catch {
    return false // bytes that are not UTF-8 make it throw before there is a promise
  }
}

export function isPasswordHash(text: string): boolean {
  return text.startsWith('$argon2id$')
}

/** @returns why a password cannot be given to a user, as a sentence; undefined if it can */
export function passwordProblem(password: string, bytesMin: number): string | undefined {
  const bytes = Buffer.byteLength(password)
  if (bytes < bytesMin) return `The password is too short: it must have at least ${bytesMin} bytes`
  if (bytes > PASSWORD_BYTES_MAX) return `The password is too long: it may have at most ${PASSWORD_BYTES_MAX} bytes`
  return hasForbiddenCharacters(password) ? 'The password holds control characters' : undefined
}
