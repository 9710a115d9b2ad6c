/** What has been deployed and set, and changes to it that are not yet in force. */
import type { EnvironmentChange } from '../contracts/lot.js'
import type { CheckWorld } from '../lot/check/check.js'
import { Source } from '../lot/source.js'
import type { Entity, ModelNode } from '../lot/tree.js'
import { type Entry, entryKey, isModel, type LotEntry, type ModelEntry } from './entry.js'
import { Overlay } from './overlay.js'
import type { InstalledPackage } from './python-packages.js'
import type { User } from './users.js'

/** Everything durable, as it is in force. */
export class Library {
  /** By `entryKey`. */
  readonly entities = new Map<string, Entry>()
  readonly environment = new Map<string, string>()
  readonly secrets = new Map<string, string>()
  readonly users = new Map<string, User>()
  /** Users that are kept and cannot be read; one that is added anew is none of them any more. */
  readonly unreadableUsers = new Set<string>()
  /** Python packages by their normalised names. */
  readonly packages = new Map<string, InstalledPackage>()
  /** Texts that others want to find again after a restart. */
  readonly notes = new Map<string, string>()
}

/** Changes that become durable and take effect together. */
export class Draft {
  readonly entities: Overlay<Entry>
  readonly environment: Overlay<string>
  readonly secrets: Overlay<string>
  readonly users: Overlay<User>
  readonly packages: Overlay<InstalledPackage>
  readonly notes: Overlay<string>
  /** Keys of entities that begin anew, also where their text is the same as before. */
  readonly deployed = new Set<string>()
  /** Keys of entities that were added or removed, one after the other. */
  readonly touched: string[] = []
  /** Names of variables and secrets whose changes come from the LoT thread. */
  readonly inForce = new Set<string>()
  /** What was not as it should be when the draft was put into force: for the answers to all commands that it comes from. */
  readonly warnings: string[] = []

  constructor(readonly library: Library) {
    this.entities = new Overlay(library.entities)
    this.environment = new Overlay(library.environment)
    this.secrets = new Overlay(library.secrets)
    this.users = new Overlay(library.users)
    this.packages = new Overlay(library.packages)
    this.notes = new Overlay(library.notes)
  }

  model(name: string): ModelEntry | undefined {
    const entry = this.entities.get(entryKey('model', name))
    return isModel(entry) ? entry : undefined
  }

  /** For what inherits from it. */
  modelText(name: string): { readonly node: ModelNode; readonly source: Source } | undefined {
    const entry = this.model(name)
    return entry && { node: entry.node, source: new Source(name, entry.source) }
  }

  deploy(entry: Entry): void {
    const key = entryKey(entry.kind, entry.name)
    this.entities.set(key, entry)
    this.deployed.add(key)
    this.touched.push(key)
  }

  /** @returns warnings; undefined if there is no such entity */
  remove(kind: Entry['kind'], name: string): readonly string[] | undefined {
    const key = entryKey(kind, name)
    const entry = this.entities.get(key)
    if (entry === undefined) return undefined
    const children = isModel(entry) ? this.#keepFields(entry) : []
    this.#drop(key)
    const waiting = this.#usersOf(entry)
    return [
      ...children.map((child) => `Model '${child}' keeps the fields that it has from '${name}'`),
      ...waiting.map((user) => `Action '${user}' waits until '${name}' is there again`),
    ]
  }

  /** @returns their names; children need not keep what they had from parents, because all go */
  removeAll(kind: Entry['kind'], isRemovable: (name: string) => boolean = () => true): readonly string[] {
    const gone = [...this.entities.values()].filter((entry) => entry.kind === kind && isRemovable(entry.name))
    for (const { name } of gone) this.#drop(entryKey(kind, name))
    return gone.map(({ name }) => name)
  }

  /** What an action has set or deleted. */
  takeEnvironment(changes: readonly EnvironmentChange[]): void {
    for (const { secret, name, value } of changes) {
      const place = secret ? this.secrets : this.environment
      if (value === undefined) place.delete(name)
      else place.set(name, value)
      this.inForce.add(`${secret ? 'secret' : 'env'}/${name}`)
    }
  }

  #drop(key: string): void {
    this.entities.delete(key)
    this.deployed.delete(key)
    this.touched.push(key)
  }

  /** Children of a model that goes keep what they inherited. @returns their names */
  #keepFields(parent: ModelEntry): string[] {
    const children: string[] = []
    const { keptParents, ...plain } = parent
    const gone: readonly ModelEntry[] = [{ ...plain, keptParents: [] }, ...keptParents]
    for (const [key, child] of this.entities.entries()) {
      if (!isModel(child) || child.name === parent.name) continue
      if (!ancestorsOf(child, (name) => this.model(name)).some(({ name }) => name === parent.name)) continue
      const names = new Set(gone.map(({ name }) => name))
      const kept = [...gone, ...child.keptParents.filter(({ name }) => !names.has(name))]
      this.entities.set(key, { ...child, keptParents: kept })
      children.push(child.name)
    }
    return children
  }

  #usersOf({ kind, name }: Entry): string[] {
    const users: string[] = []
    for (const entry of this.entities.values()) {
      if (entry.kind !== 'action') continue
      if ((entry as LotEntry).requirements.some((needed) => needed.kind === kind && needed.name === name)) {
        users.push(entry.name)
      }
    }
    return users
  }
}

/** What the checker of LoT sees. */
export function worldOf(draft: Draft): CheckWorld {
  const nodeOf = <Kind extends Entity['kind']>(
    kind: Kind,
    name: string,
  ): Extract<Entity, { kind: Kind }> | undefined => {
    const entry = draft.entities.get(entryKey(kind, name))
    return entry === undefined || entry.kind === 'python' ? undefined : (entry.node as Extract<Entity, { kind: Kind }>)
  }
  return {
    model: (name) => nodeOf('model', name),
    action: (name) => nodeOf('action', name),
    route: (name) => nodeOf('route', name),
    python: (name) => {
      const entry = draft.entities.get(entryKey('python', name))
      return entry?.kind === 'python' ? entry.functions : undefined
    },
  }
}

/** Parents of a model, the nearest first: those that are there, else those it has kept. */
export function ancestorsOf(
  model: ModelEntry,
  lookUp: (name: string) => ModelEntry | undefined,
): readonly ModelEntry[] {
  const found: ModelEntry[] = []
  for (let name = model.node.parent?.text; name !== undefined; name = found.at(-1)?.node.parent?.text) {
    const parent: ModelEntry | undefined = lookUp(name) ?? model.keptParents.find((kept) => kept.name === name)
    if (parent === undefined || parent.name === model.name || found.includes(parent)) break
    found.push(parent)
  }
  return found
}
