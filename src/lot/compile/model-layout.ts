/** Where the values of a model's fields are: a slot for each leaf, and how the slots make JSON. */
import type { CollectionNode, FieldNode, FieldType } from '../tree.js'
import { fieldJsonText, jsonTextOf, quote } from '../values/json-text.js'
import type { Value } from '../values/value.js'
import type { Member } from './model-members.js'

export interface Leaf {
  readonly slot: number
  /** From the model down, with the names of objects and positions in arrays. */
  readonly path: readonly string[]
  readonly type: FieldType | undefined
  readonly isCollection: boolean
  readonly member: Member<FieldNode | CollectionNode>
}

/** What stands at one place of the JSON. */
export type Shape =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | { readonly kind: 'object'; readonly entries: readonly { readonly name: string; readonly shape: Shape }[] }
  | { readonly kind: 'array'; readonly entries: readonly { readonly name: string; readonly shape: Shape }[] }

export interface Layout {
  readonly root: Extract<Shape, { kind: 'object' }>
  readonly leaves: readonly Leaf[]
}

export function layOut(fields: readonly Member<FieldNode | CollectionNode>[]): Layout {
  const leaves: Leaf[] = []
  const place = (member: Member<FieldNode | CollectionNode>, above: readonly string[]): Shape => {
    const { node, source } = member
    const path = [...above, node.name.text]
    if (node.kind === 'field' && node.members.length > 0) {
      const entries = node.members.map((inner) => ({
        name: inner.name.text,
        shape: place({ node: inner, source }, path),
      }))
      return { kind: node.type === 'ARRAY' ? 'array' : 'object', entries }
    }
    const isCollection = node.kind === 'collection'
    const leaf = { slot: leaves.length, path, type: isCollection ? 'ARRAY' : node.type, isCollection, member } as const
    leaves.push(leaf)
    return { kind: 'leaf', leaf }
  }
  const entries = fields.map((member) => ({ name: member.node.name.text, shape: place(member, []) }))
  return { root: { kind: 'object', entries }, leaves }
}

/** A place and what is left of a path that leads into the JSON at it. */
export interface Found {
  readonly shape: Shape
  readonly rest: readonly string[]
}

/** @param within the object that the name is used in: its members are nearer than those of the model */
export function findShape(root: Shape, within: readonly string[], path: readonly string[]): Found | undefined {
  for (let depth = within.length; depth >= 0; depth--) {
    const found = descend(root, [...within.slice(0, depth), ...path])
    if (found !== undefined) return found
  }
  return undefined
}

function descend(root: Shape, path: readonly string[]): Found | undefined {
  let shape = root
  for (let i = 0; i < path.length; i++) {
    if (shape.kind === 'leaf') return { shape, rest: path.slice(i) }
    const { entries } = shape
    const entry =
      entries.find(({ name }) => name === path[i]) ?? (shape.kind === 'array' ? entries[Number(path[i])] : undefined)
    if (entry === undefined) return undefined
    shape = entry.shape
  }
  return { shape, rest: [] }
}

/** JSON of a place, from values that have the types of their fields already. */
export type WriteJson = (values: readonly Value[], given: ReadonlyMap<Shape, Value> | undefined) => string

/** @param given values for whole objects and arrays, in place of their members */
export function compileWriter(shape: Shape): WriteJson {
  if (shape.kind === 'leaf') {
    const { slot, type, isCollection } = shape.leaf
    const nothing = isCollection ? '[]' : 'null'
    return (values) => {
      const value = values[slot]
      if (typeof value === 'number') return jsonTextOf(value)
      return value === undefined ? nothing : fieldJsonText(value, type)
    }
  }
  const isArray = shape.kind === 'array'
  const parts = shape.entries.map((entry, index) => ({
    head: (index === 0 ? '' : ',') + (isArray ? '' : `${quote(entry.name)}:`),
    write: compileWriter(entry.shape),
  }))
  return (values, given) => {
    const whole = given?.get(shape)
    if (whole !== undefined) return jsonTextOf(whole)
    let text = isArray ? '[' : '{'
    for (const { head, write } of parts) text += head + write(values, given)
    return text + (isArray ? ']' : '}')
  }
}
