/** Panels with their components, and themes. */
import type { Span } from '../source.js'
import type { Statement } from './actions.js'
import type { Expression, TextNode } from './expressions.js'
import type { Name } from './names.js'

export type ComponentItem =
  | {
      readonly kind: 'setting'
      /** LABEL, UNIT, MIN, … in upper case. */
      readonly key: Name
      readonly value: Expression
      readonly span: Span
    }
  | { readonly kind: 'range'; readonly from: Expression; readonly to: Expression; readonly span: Span }
  | { readonly kind: 'bind'; readonly target: Name; readonly topic: TextNode; readonly span: Span }
  | { readonly kind: 'interact'; readonly group: TextNode; readonly span: Span }
  | { readonly kind: 'onClick'; readonly body: readonly Statement[]; readonly span: Span }

export interface ComponentNode {
  readonly name: Name
  readonly type: TextNode
  readonly items: readonly ComponentItem[]
  readonly span: Span
}

export interface PanelNode {
  readonly kind: 'panel'
  readonly name: Name
  readonly title: TextNode | undefined
  readonly layout: { readonly type: TextNode; readonly columns: number | undefined } | undefined
  readonly visibility: 'SHARED' | 'PRIVATE' | undefined
  readonly groups: readonly TextNode[]
  readonly state: 'DRAFT' | 'PUBLISHED' | 'ARCHIVED' | undefined
  readonly components: readonly ComponentNode[]
  readonly span: Span
}

export interface ThemeNode {
  readonly kind: 'theme'
  readonly name: Name
  readonly colors: readonly { readonly key: Name; readonly value: TextNode; readonly span: Span }[]
  readonly span: Span
}
