/** What is durable, as definitions in the store: `action/Name`, `env/NAME`, `secret/NAME`,
 * `user/NAME`, `python-package/NAME`, and notes by their own keys. */
import { encodeText } from '../base/bytes.js'
import { messageOf } from '../base/errors.js'
import { type SecretBox, unreadableSecret } from '../base/secret-box.js'
import { PACKAGE_KEY, RULE_KEY, SEEDED_KEY, USER_KEY } from '../contracts/definition-keys.js'
import type { DefinitionChange, StoredDefinition } from '../contracts/lot.js'
import { type Entry, entryKey, isModel, KIND_TITLES, type LotEntry, readLotEntry } from './entry.js'
import { DECOY_KEY } from './identities.js'
import type { Draft, Library } from './library.js'
import type { InstalledPackage } from './python-packages.js'
import { isLocked } from './rules.js'
import { readUser, storedUser } from './users.js'

const ENVIRONMENT = 'env/'
const SECRET = 'secret/'
/** Notes of this folder, and those that projects keep. */
const NOTES = ['timer/', 'settings/', 'projects/', 'ban/']
/** Whether the seeds were there, so that those a user has removed stay away, and what hides who is a user. */
export const IDENTITY_NOTES = [SEEDED_KEY, DECOY_KEY]

interface StoredEntity {
  readonly source: string
  readonly functions?: readonly string[]
  readonly parents?: readonly string[]
}

/** @param box needed where secrets are set @throws Error where it is needed and missing */
export function definitionChanges(draft: Draft, box: SecretBox | undefined): DefinitionChange[] {
  const changes: DefinitionChange[] = []
  const put = (key: string, value: Uint8Array | undefined): void => {
    changes.push({ key, value })
  }
  for (const [key, entry] of draft.entities.changes) put(key, entry && encodeText(JSON.stringify(storedEntity(entry))))
  for (const [name, value] of draft.environment.changes) {
    put(ENVIRONMENT + name, value === undefined ? undefined : encodeText(value))
  }
  for (const [name, value] of draft.secrets.changes) {
    if (value !== undefined && box === undefined) throw new Error('there is no key of secrets')
    put(SECRET + name, value === undefined ? undefined : box?.seal(name, value))
  }
  for (const [name, user] of draft.users.changes) put(USER_KEY + name, user && encodeText(storedUser(user)))
  for (const [name, one] of draft.packages.changes) put(PACKAGE_KEY + name, one && encodeText(JSON.stringify(one)))
  for (const [key, value] of draft.notes.changes) put(key, value === undefined ? undefined : encodeText(value))
  return changes
}

/** @returns by their keys in the store; without the rules that come with the broker, which are not kept */
export function identityDefinitions({ entities, users, notes }: Library): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, entry] of entities) {
    if (entry.kind === 'rule' && !isLocked(entry.name)) found.set(key, JSON.stringify(storedEntity(entry)))
  }
  for (const [name, user] of users) found.set(USER_KEY + name, storedUser(user))
  for (const key of IDENTITY_NOTES) {
    const note = notes.get(key)
    if (note !== undefined) found.set(key, note)
  }
  return found
}

function storedEntity(entry: Entry): StoredEntity {
  if (entry.kind === 'python') return { source: entry.source, functions: entry.functions }
  if (!isModel(entry) || entry.keptParents.length === 0) return { source: entry.source }
  return { source: entry.source, parents: entry.keptParents.map(({ source }) => source) }
}

/** What could not be read: it stays in the store as it is. */
export interface Unread {
  /** One for each, rules too. */
  readonly problems: readonly string[]
  /** Names of rules, and why: without one, more might be allowed than before. */
  readonly rules: ReadonlyMap<string, string>
}

/** Fills the library. */
export function readDefinitions(
  definitions: readonly StoredDefinition[],
  library: Library,
  box: SecretBox | undefined,
): Unread {
  const problems: string[] = []
  const rules = new Map<string, string>()
  for (const { key, value } of definitions) {
    const problem = readDefinition(key, value, library, box)
    if (problem === undefined) continue
    problems.push(problem)
    const rule = key.startsWith(RULE_KEY) ? key.slice(RULE_KEY.length) : undefined
    if (rule !== undefined && !isLocked(rule)) rules.set(rule, problem)
  }
  return { problems, rules }
}

function readDefinition(
  key: string,
  value: Uint8Array,
  library: Library,
  box: SecretBox | undefined,
): string | undefined {
  if (key.startsWith(SECRET)) return readSecret(key.slice(SECRET.length), value, library, box)
  const text = new TextDecoder().decode(value)
  if (key.startsWith(ENVIRONMENT)) {
    library.environment.set(key.slice(ENVIRONMENT.length), text)
    return undefined
  }
  if (NOTES.some((prefix) => key.startsWith(prefix))) {
    library.notes.set(key, text)
    return undefined
  }
  if (key.startsWith(USER_KEY)) return readStoredUser(key.slice(USER_KEY.length), text, library)
  if (key.startsWith(PACKAGE_KEY)) return readPackage(key, text, library)
  const entry = readEntity(key, text)
  if (typeof entry === 'string') return entry
  if (entry.kind === 'rule' && isLocked(entry.name)) return `the rule ${entry.name} comes with the broker`
  library.entities.set(key, entry)
  return undefined
}

function readStoredUser(name: string, text: string, library: Library): string | undefined {
  const user = readUser(name, text)
  if (typeof user === 'string') {
    library.unreadableUsers.add(name)
    return user
  }
  library.users.set(name, user)
  return undefined
}

function readPackage(key: string, text: string, library: Library): string | undefined {
  try {
    const { name, version, requires, sourceBytes, wheel } = JSON.parse(text) as Partial<InstalledPackage>
    const isWhole = [name, version, wheel].every((part) => typeof part === 'string') && Array.isArray(requires)
    if (!isWhole || typeof sourceBytes !== 'number') return `the text of ${key} cannot be understood`
    const kept = { name, version, requires, sourceBytes, wheel } as InstalledPackage
    library.packages.set(key.slice(PACKAGE_KEY.length), kept)
    return undefined
  } catch (error) {
    return `${key} cannot be read: ${messageOf(error)}`
  }
}

function readSecret(
  name: string,
  sealed: Uint8Array,
  library: Library,
  box: SecretBox | undefined,
): string | undefined {
  if (box === undefined) return `the secret ${name} cannot be read without the key of secrets`
  try {
    library.secrets.set(name, box.open(name, sealed))
    return undefined
  } catch (error) {
    return unreadableSecret(name, error)
  }
}

function readEntity(key: string, text: string): Entry | string {
  const [kind] = key.split('/', 1)
  const name = key.slice(kind.length + 1)
  if (!Object.hasOwn(KIND_TITLES, kind)) return `${key} is of a kind that this version does not know`
  try {
    const { source, functions = [], parents = [] } = JSON.parse(text) as StoredEntity
    if (kind === 'python') return { kind, name, source, functions, warnings: [] }
    const entry = readLotEntry(source)
    if (entry === undefined || entryKey(entry.kind, entry.name) !== key)
      return `the text of ${key} cannot be understood`
    return withParents(entry, parents)
  } catch (error) {
    return `${key} cannot be read: ${messageOf(error)}`
  }
}

function withParents(entry: LotEntry, sources: readonly string[]): LotEntry {
  const parents = sources.map((source) => readLotEntry(source))
  return { ...entry, keptParents: parents.filter(isModel) }
}
