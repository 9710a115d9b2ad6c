/** The fields that a model has, those of its parents included. */
import { nearestSpelling } from '../../base/spelling.js'
import type { CollectionNode, FieldNode, ModelNode } from '../tree.js'
import type { CheckWorld } from './world.js'

export type Member = FieldNode | CollectionNode

export interface ModelFields {
  /** Those of the parents first; a field that is declared again is where the first declaration was. */
  readonly members: readonly Member[]
  /** A parent is not known, so there may be more. */
  readonly isOpen: boolean
}

export function fieldsOf(model: ModelNode, world: CheckWorld): ModelFields {
  const { lineage, end } = lineageOf(model, world)
  const members = new Map<string, Member>()
  for (const { members: own } of lineage.toReversed()) {
    for (const member of own) {
      if (member.kind === 'field' || member.kind === 'collection') members.set(member.name.text, member)
    }
  }
  return { members: [...members.values()], isOpen: end !== 'complete' }
}

/** The model and its parents, the youngest first, and how the row ends. */
export function lineageOf(
  model: ModelNode,
  world: CheckWorld,
): { readonly lineage: readonly ModelNode[]; readonly end: 'complete' | 'missing' | 'cycle' } {
  const lineage = [model]
  const names = new Set([model.name.text])
  for (let youngest = model; youngest.parent !== undefined; ) {
    const { text } = youngest.parent
    if (names.has(text)) return { lineage, end: 'cycle' }
    const parent = world.model?.(text)
    if (parent === undefined) return { lineage, end: 'missing' }
    names.add(text)
    lineage.push(parent)
    youngest = parent
  }
  return { lineage, end: 'complete' }
}

/** A place that a path leads to. */
export type Place =
  /** `rest` leads on into the value of the field. */
  | { readonly kind: 'field'; readonly member: Member; readonly rest: readonly string[] }
  | { readonly kind: 'unknown'; readonly name: string; readonly nearest: string | undefined }

/** @param members where the path begins */
export function findField(members: readonly Member[], path: readonly string[]): Place {
  let within = members
  for (let at = 0; at < path.length; at++) {
    const member = within.find(({ name }) => name.text === path[at])
    if (member === undefined) {
      const nearest = nearestSpelling(
        path[at],
        within.map(({ name }) => name.text),
      )
      return { kind: 'unknown', name: path.slice(0, at + 1).join('.'), nearest: nearest && replaced(path, at, nearest) }
    }
    const isLeaf = member.kind === 'collection' || member.members.length === 0
    if (isLeaf || at === path.length - 1) return { kind: 'field', member, rest: path.slice(at + 1) }
    if (member.type === 'ARRAY' && /^\d+$/.test(path[at + 1])) {
      const inner = member.members[Number(path[at + 1])]
      if (inner !== undefined && at + 2 === path.length) return { kind: 'field', member: inner, rest: [] }
    }
    within = member.members
  }
  return { kind: 'unknown', name: '', nearest: undefined }
}

function replaced(path: readonly string[], at: number, name: string): string {
  return path.with(at, name).join('.')
}

/** Whether a path may go on into the value of a field. */
export function mayHold(member: Member): boolean {
  return (
    member.kind === 'collection' || member.type === undefined || member.type === 'OBJECT' || member.type === 'ARRAY'
  )
}
