/** What other threads are told of users and rules: a change, or the whole for a thread that has just begun. */
import { randomBytes } from 'node:crypto'
import { RULE_KEY } from '../contracts/definition-keys.js'
import type { AccessChange, CredentialsChange } from '../contracts/security.js'
import type { Draft, Library } from './library.js'
import { isLocked } from './rules.js'
import { credentialsOf, profileOf } from './users.js'

/** The threads that decide and admit. */
export interface Identities {
  /**
   * Resolves when all of them know; one that dies meanwhile is told everything when it begins anew. Rejects when one lives
   * and does not take it: that one ends, and begins anew.
   */
  tell(access: AccessChange, credentials: CredentialsChange): Promise<void>
}

export const DECOY_KEY = 'settings/decoyKey'
const KEY_BYTES = 32

/** Made once: what is derived from it must stay the same, or users that there are could be told from others. */
export function makeDecoyKey(draft: Draft): void {
  if (!draft.notes.has(DECOY_KEY)) draft.notes.set(DECOY_KEY, randomBytes(KEY_BYTES).toString('base64'))
}

export function wholeAccess(library: Library): AccessChange {
  return {
    rules: ruleTexts(library),
    users: [...library.users.values()].map(profileOf),
    removedUsers: [],
    isWhole: true,
    unreadableUsers: [...library.unreadableUsers],
  }
}

export function wholeCredentials(library: Library): CredentialsChange {
  const users = [...library.users.values()].map(credentialsOf)
  for (const name of library.unreadableUsers)
    users.push({ name, passwordHash: undefined, scram: {}, isUnreadable: true })
  return { users, removedUsers: [], isWhole: true, decoyKey: library.notes.get(DECOY_KEY) }
}

/**
 * @param library with the draft in force
 * @returns undefined where the draft concerns neither users nor rules
 */
export function identityChanges(draft: Draft, library: Library): [AccessChange, CredentialsChange] | undefined {
  const changedRules = changesRules(draft)
  if (!changedRules && draft.users.changes.size === 0) return undefined
  const changes = [...draft.users.changes]
  const users = changes.flatMap(([, user]) => (user === undefined ? [] : [user]))
  const removedUsers = changes.flatMap(([name, user]) => (user === undefined ? [name] : []))
  const rules = changedRules ? ruleTexts(library) : undefined
  return [
    { rules, users: users.map(profileOf), removedUsers, isWhole: false },
    { users: users.map(credentialsOf), removedUsers, isWhole: false },
  ]
}

export function changesRules(draft: Draft): boolean {
  return [...draft.entities.changes.keys()].some((key) => key.startsWith(RULE_KEY))
}

/** Those that come with the broker first. */
function ruleTexts(library: Library): readonly string[] {
  const rules = [...library.entities.values()].filter(({ kind }) => kind === 'rule')
  const own = rules.filter(({ name }) => isLocked(name))
  return [...own, ...rules.filter(({ name }) => !isLocked(name))].map(({ source }) => source)
}
