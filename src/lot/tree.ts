/** The tree of a LoT text: what the parser makes, and checker, formatter, compiler and language server read. */
import type { Span } from './source.js'
import type { ActionNode } from './tree/actions.js'
import type { ModelNode } from './tree/models.js'
import type { PanelNode, ThemeNode } from './tree/panels.js'
import type { RouteNode } from './tree/routes.js'
import type { RuleNode } from './tree/rules.js'

export type * from './tree/actions.js'
export type * from './tree/expressions.js'
export type * from './tree/models.js'
export type * from './tree/names.js'
export type * from './tree/panels.js'
export type * from './tree/routes.js'
export type * from './tree/rules.js'

/** Comments are kept beside the tree, in the order of the text; the formatter puts them back by their place. */
export interface Comment {
  /** As written, with its `//` or `--` or slash-star. */
  readonly text: string
  /** Nothing but blanks before it on its line. */
  readonly ownLine: boolean
  readonly span: Span
}

/** What a text holds. Entities that could not be understood at all are missing; the diagnostics say why. */
export interface Program {
  readonly entities: readonly Entity[]
  readonly comments: readonly Comment[]
}

export type Entity = ActionNode | ModelNode | RouteNode | RuleNode | PanelNode | ThemeNode
export type EntityKind = Entity['kind']
