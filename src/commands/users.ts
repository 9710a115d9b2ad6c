/** Users as they are kept: definitions `user/NAME`. */
import { messageOf } from '../base/errors.js'
import type { ScramVerifier, UserCredentials, UserProfile } from '../contracts/security.js'
import { isPasswordHash } from '../security/passwords.js'
import { userNameProblem } from '../security/user-name.js'

export interface User extends UserProfile, UserCredentials {
  readonly createdAt: string
}

/** What `-changeUserSettings` knows; the built-in rules ask for all but the last. */
export const PERMISSION_FLAGS = [
  'AllowedSystemConfiguration',
  'AllowedUserManagement',
  'AllowedLogManagement',
  'AllowedAssetManipulation',
] as const

export function newUser(name: string, password: Password, createdMs: number): User {
  return { name, groups: [], properties: {}, ...password, createdAt: new Date(createdMs).toISOString() }
}

/** What is kept of a password. */
export type Password = Pick<UserCredentials, 'passwordHash' | 'scram'>

export function storedUser({ name: _, ...kept }: User): string {
  return JSON.stringify(kept)
}

/** @returns what is wrong with it: half of a user might be allowed more than the whole */
export function readUser(name: string, text: string): User | string {
  const problem = userNameProblem(name)
  if (problem !== undefined) return `the user ${JSON.stringify(name)} cannot be read: the name ${problem}`
  try {
    const { groups, properties, passwordHash, scram, createdAt } = JSON.parse(text) as Partial<User>
    must(Array.isArray(groups) && groups.every(isText), 'groups')
    must(isRecord(properties) && Object.values(properties).every(isText), 'properties')
    must(passwordHash === undefined || (isText(passwordHash) && isPasswordHash(passwordHash)), 'passwordHash')
    must(isRecord(scram) && Object.values(scram).every(isVerifier), 'scram')
    must(isText(createdAt), 'createdAt')
    return { name, groups, properties, passwordHash, scram, createdAt }
  } catch (error) {
    return `the user ${JSON.stringify(name)} cannot be read: ${messageOf(error)}`
  }
}

export function profileOf({ name, groups, properties, createdAt }: User): UserProfile {
  return { name, groups, properties, createdAt }
}

export function credentialsOf({ name, passwordHash, scram }: User): UserCredentials {
  return { name, passwordHash, scram }
}

/** What others may see of it. */
export function userView({ name, groups, properties, passwordHash, scram }: User): object {
  return { name, groups, properties, hasPassword: passwordHash !== undefined, scram: Object.keys(scram) }
}

function must(isRight: boolean, what: string): asserts isRight {
  if (!isRight) throw new Error(`${what} is not as it was written`)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isVerifier(value: unknown): value is ScramVerifier {
  if (!isRecord(value)) return false
  const { salt, iterations, storedKey, serverKey } = value
  return isText(salt) && Number.isSafeInteger(iterations) && isText(storedKey) && isText(serverKey)
}
