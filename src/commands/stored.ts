/** What is durable, as definitions in the store: `action/Name`, `env/NAME`, `secret/NAME`, and notes by their own keys. */
import { encodeText } from '../base/bytes.js'
import { messageOf } from '../base/errors.js'
import type { DefinitionChange, StoredDefinition } from '../contracts/lot.js'
import { type Entry, entryKey, isModel, KIND_TITLES, type LotEntry, readLotEntry } from './entry.js'
import type { Draft, Library } from './library.js'
import { type SecretBox, unreadableSecret } from './secret-box.js'

const ENVIRONMENT = 'env/'
const SECRET = 'secret/'
/** Notes of this folder, and those that projects keep. */
const NOTES = ['timer/', 'settings/', 'projects/']

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
  for (const [key, value] of draft.notes.changes) put(key, value === undefined ? undefined : encodeText(value))
  return changes
}

function storedEntity(entry: Entry): StoredEntity {
  if (entry.kind === 'python') return { source: entry.source, functions: entry.functions }
  if (!isModel(entry) || entry.keptParents.length === 0) return { source: entry.source }
  return { source: entry.source, parents: entry.keptParents.map(({ source }) => source) }
}

/** Fills the library. @returns what could not be read: it stays in the store as it is */
export function readDefinitions(
  definitions: readonly StoredDefinition[],
  library: Library,
  box: SecretBox | undefined,
): readonly string[] {
  const problems: string[] = []
  for (const { key, value } of definitions) {
    const problem = readDefinition(key, value, library, box)
    if (problem !== undefined) problems.push(problem)
  }
  return problems
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
  const entry = readEntity(key, text)
  if (typeof entry === 'string') return entry
  library.entities.set(key, entry)
  return undefined
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
