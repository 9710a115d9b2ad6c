/** The members of a model after inheritance. */
import { type FindModel, LotCompileError } from '../program.js'
import type { Source } from '../source.js'
import type { CollectionNode, FetchNode, FieldNode, ModelNode, StoreNode } from '../tree.js'

/** A node and the text it stands in: an inherited field is in the parent's. */
export interface Member<Node> {
  readonly node: Node
  readonly source: Source
}

export interface ModelMembers {
  /** Those of the parents first; a field that is declared again is where the first declaration was. */
  readonly fields: readonly Member<FieldNode | CollectionNode>[]
  readonly stores: readonly StoreNode[]
  readonly fetches: readonly FetchNode[]
  readonly collapsed: boolean
  readonly format: ModelNode['format']
}

/** Fields, COLLAPSED and FORMAT are inherited; topic, KEEP, QoS, STORE and FETCH are not. */
export function resolveMembers(node: ModelNode, source: Source, find: FindModel): ModelMembers {
  const fields = new Map<string, Member<FieldNode | CollectionNode>>()
  const lineage = lineageOf(node, source, find)
  for (const { node: ancestor, source: text } of lineage) {
    for (const member of ancestor.members) {
      if (member.kind === 'field' || member.kind === 'collection') {
        fields.set(member.name.text, { node: member, source: text })
      }
    }
  }
  return {
    fields: [...fields.values()],
    stores: node.members.filter((member) => member.kind === 'store'),
    fetches: node.members.filter((member) => member.kind === 'fetch'),
    collapsed: lineage.some(({ node: ancestor }) => ancestor.collapsed),
    format: lineage.map(({ node: ancestor }) => ancestor.format).findLast((format) => format !== undefined),
  }
}

/** The oldest ancestor first. */
function lineageOf(node: ModelNode, source: Source, find: FindModel): Member<ModelNode>[] {
  const lineage: Member<ModelNode>[] = [{ node, source }]
  const names = new Set([node.name.text])
  for (let youngest = lineage[0]; youngest.node.parent !== undefined; youngest = lineage[0]) {
    const { text, span } = youngest.node.parent
    const { line, column } = youngest.source.positionOf(span.start)
    if (names.has(text)) throw new LotCompileError(`model "${text}" would be its own parent`, line, column)
    const parent = find(text)
    if (parent === undefined) throw new LotCompileError(`there is no model "${text}"`, line, column)
    names.add(text)
    lineage.unshift(parent)
  }
  return lineage
}
