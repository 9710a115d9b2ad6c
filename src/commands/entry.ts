/** Entities as the registry holds them. */
import { type Dependency, missingDependencies } from '../lot/check/check.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import type { Entity, EntityKind, ModelNode } from '../lot/tree.js'

export type EntryKind = EntityKind | 'python'

export interface LotEntry {
  readonly kind: EntityKind
  readonly name: string
  /** Verbatim. */
  readonly source: string
  readonly node: Entity
  readonly warnings: readonly string[]
  /** What must be there before it can run. */
  readonly requirements: readonly Dependency[]
  /** Of a model: ancestors that were removed; it keeps the fields that it has from them. */
  readonly keptParents: readonly ModelEntry[]
}

export type ModelEntry = LotEntry & { readonly node: ModelNode }

export interface PythonEntry {
  readonly kind: 'python'
  readonly name: string
  readonly source: string
  readonly functions: readonly string[]
  readonly warnings: readonly string[]
}

export type Entry = LotEntry | PythonEntry

/** As clients call them. */
export const KIND_TITLES: Readonly<Record<EntryKind, string>> = {
  model: 'Model',
  action: 'Action',
  route: 'Route',
  rule: 'Rule',
  python: 'Python script',
  panel: 'Panel',
  theme: 'Theme',
}

/** Key in the registry and in the store. */
export function entryKey(kind: EntryKind, name: string): string {
  return `${kind}/${name}`
}

export function isModel(entry: Entry | undefined): entry is ModelEntry {
  return entry?.kind === 'model'
}

export function lotEntry(source: string, node: Entity, warnings: readonly string[]): LotEntry {
  return {
    kind: node.kind,
    name: node.name.text,
    source,
    node,
    warnings,
    requirements: missingDependencies(node, {}),
    keptParents: [],
  }
}

/** An entity whose text was accepted before, in whatever mode. @returns undefined if it can not be read any more */
export function readLotEntry(source: string): LotEntry | undefined {
  const { program } = parseProgram(new Source('stored entity', source), { compat: 'v1' })
  const [node] = program.entities
  return node === undefined ? undefined : lotEntry(source, node, [])
}
