/** The token with which the owner of the data folder administers this broker, from this machine and until it stops. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const TOKEN_BYTES = 32

export function makeControlToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** Takes the same time wherever they differ. */
export function isSameSecret(given: Uint8Array, expected: string): boolean {
  const digest = (secret: Uint8Array | string): Buffer => createHash('sha256').update(secret).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
