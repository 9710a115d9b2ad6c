/** Routes and their settings. */
import type { Span } from '../source.js'
import type { TimeUnit } from './actions.js'
import type { Expression, TextNode } from './expressions.js'
import type { Name } from './names.js'

export type SettingValue =
  | { readonly kind: 'self'; readonly span: Span }
  | { readonly kind: 'expression'; readonly value: Expression; readonly span: Span }
  /** A bare word: NONE, out, … */
  | { readonly kind: 'word'; readonly word: string; readonly span: Span }
  | { readonly kind: 'interval'; readonly count: number; readonly unit: TimeUnit; readonly span: Span }

/** `WITH KEY value`; `key.text` is upper case. */
export interface SettingNode {
  readonly key: Name
  readonly value: SettingValue
  readonly span: Span
}

export interface TagNode {
  readonly name: Name
  readonly settings: readonly SettingNode[]
  readonly span: Span
}

export type RouteMember =
  | {
      readonly kind: 'config'
      /** `SQL_CONFIG` */
      readonly name: Name
      readonly settings: readonly SettingNode[]
      readonly span: Span
    }
  | {
      readonly kind: 'event'
      readonly name: Name
      readonly settings: readonly SettingNode[]
      readonly span: Span
    }
  | {
      readonly kind: 'mapping'
      readonly name: Name
      readonly settings: readonly SettingNode[]
      readonly tags: readonly TagNode[]
      readonly span: Span
    }
  | {
      readonly kind: 'storage'
      readonly route: Name
      readonly target: 'TABLE_NAME' | 'INDEX_NAME'
      readonly name: TextNode
      readonly span: Span
    }

export interface RouteNode {
  readonly kind: 'route'
  readonly name: Name
  /** `text` is upper case. */
  readonly type: Name
  readonly members: readonly RouteMember[]
  readonly span: Span
}
