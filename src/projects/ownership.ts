/** Which entities belong to the loaded project; the others were added by hand. */
import { ENTITY_KINDS, type EntityKey, type EntityPlace, type Ownership } from './project.js'

export class OwnedEntities {
  readonly #owners = new Map<string, Ownership & EntityKey>()

  /** @param saved text of `toText`; what cannot be read counts as nothing */
  static fromText(saved: string | undefined): OwnedEntities {
    const owned = new OwnedEntities()
    for (const entry of savedEntries(saved)) {
      if (isEntry(entry)) owned.#owners.set(`${entry.kind}:${entry.name}`, entry)
    }
    return owned
  }

  toText(): string {
    return JSON.stringify([...this.#owners.values()])
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0
  }

  ownerOf({ kind, name }: EntityKey): Ownership | undefined {
    return this.#owners.get(`${kind}:${name}`)
  }

  add(project: string, { kind, name, file, cell }: EntityKey & EntityPlace): void {
    this.#owners.set(`${kind}:${name}`, { kind, name, project, file, cell })
  }

  /** @returns whether it was owned */
  release({ kind, name }: EntityKey): boolean {
    return this.#owners.delete(`${kind}:${name}`)
  }

  /** What was loaded last comes first: users of an entity go before it. */
  toRemove(isObsolete: (entity: EntityKey, owner: Ownership) => boolean): EntityKey[] {
    return [...this.#owners.values()]
      .filter((owned) => isObsolete(owned, owned))
      .sort((one, other) => ENTITY_KINDS.indexOf(other.kind) - ENTITY_KINDS.indexOf(one.kind))
      .map(({ kind, name }) => ({ kind, name }))
  }

  /** Payload of `Entities/ownership`. */
  toTopic(): Record<string, Ownership> {
    const map: Record<string, Ownership> = Object.create(null)
    for (const [key, { project, file, cell }] of this.#owners) map[key] = { project, file, cell }
    return map
  }
}

function savedEntries(saved: string | undefined): readonly unknown[] {
  try {
    const parsed: unknown = saved === undefined ? [] : JSON.parse(saved)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}

function isEntry(value: unknown): value is Ownership & EntityKey {
  if (typeof value !== 'object' || value === null) return false
  const { kind, name, project, file } = value as Partial<Record<string, unknown>>
  const isKind = ENTITY_KINDS.some((known) => known === kind)
  return isKind && typeof name === 'string' && typeof project === 'string' && typeof file === 'string'
}
