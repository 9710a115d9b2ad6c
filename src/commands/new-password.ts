/** Makes of a password what is kept of it: its hash, and verifiers for the mechanisms that the configuration names. */
import { randomBytes } from 'node:crypto'
import type { BrokerConfig } from '../config/schema.js'
import { hashPassword } from '../security/passwords.js'
import { SALT_BYTES, scramVerifier } from '../security/scram.js'
import type { Password } from './users.js'

export async function newPassword(
  password: string,
  { scram, scramIterations }: BrokerConfig['authentication'],
): Promise<Password> {
  const passwordHash = await hashPassword(password)
  const verifiers: Record<string, Password['scram'][keyof Password['scram']]> = {}
  for (const mechanism of scram) {
    verifiers[mechanism] = await scramVerifier(mechanism, password, randomBytes(SALT_BYTES), scramIterations)
  }
  return { passwordHash, scram: verifiers }
}
