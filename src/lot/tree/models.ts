/** Models and their fields. */
import type { Span } from '../source.js'
import type { Expression, TextNode } from './expressions.js'
import type { Name } from './names.js'

export type FieldType = 'STRING' | 'INT' | 'DOUBLE' | 'FLOAT' | 'BOOL' | 'OBJECT' | 'ARRAY' | 'TIMESTAMP'

export type FieldSource =
  | { readonly kind: 'topic'; readonly filter: TextNode; readonly isTrigger: boolean; readonly span: Span }
  | { readonly kind: 'value'; readonly value: Expression; readonly span: Span }

export interface FieldNode {
  readonly kind: 'field'
  readonly name: Name
  /** undefined: untyped, the type is that of the value. */
  readonly type: FieldType | undefined
  readonly source: FieldSource | undefined
  /** Of OBJECT and ARRAY. */
  readonly members: readonly FieldNode[]
  readonly span: Span
}

export interface CollectionNode {
  readonly kind: 'collection'
  readonly name: Name
  readonly model: Name
  readonly span: Span
}

export interface StoreNode {
  readonly kind: 'store'
  readonly route: TextNode
  readonly table: TextNode
  readonly when: Expression | undefined
  readonly span: Span
}

export interface FetchNode {
  readonly kind: 'fetch'
  readonly route: TextNode
  readonly table: TextNode
  readonly when: Expression | undefined
  readonly limit: number | undefined
  readonly span: Span
}

export interface ModelNode {
  readonly kind: 'model'
  readonly name: Name
  readonly collapsed: boolean
  readonly parent: Name | undefined
  /** KEEP, RETAIN, WITH RETAIN */
  readonly retain: boolean
  readonly qos: 0 | 1 | 2
  readonly topic: TextNode | undefined
  readonly format: 'JSON' | 'PROTOBUF' | 'BOTH' | undefined
  readonly members: readonly (FieldNode | CollectionNode | StoreNode | FetchNode)[]
  readonly span: Span
}
