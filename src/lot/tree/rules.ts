/** Rules and their conditions. */
import type { Span } from '../source.js'
import type { Expression, LogicOperator, TextNode } from './expressions.js'
import type { Name } from './names.js'

export type Verdict = 'ALLOW' | 'DENY'

export type RuleCondition =
  | { readonly kind: 'userIs'; readonly negated: boolean; readonly user: TextNode; readonly span: Span }
  | { readonly kind: 'userHas'; readonly property: Name; readonly span: Span }
  | { readonly kind: 'userInGroup'; readonly group: TextNode; readonly span: Span }
  | {
      readonly kind: 'is'
      readonly subject: 'CLIENTID' | 'ENDPOINT'
      readonly negated: boolean
      readonly value: Expression
      readonly span: Span
    }
  | {
      readonly kind: 'matches'
      readonly subject: 'CLIENTID' | 'ENDPOINT'
      /** Without REGEX it is equality. */
      readonly regex: boolean
      readonly pattern: TextNode
      readonly span: Span
    }
  | { readonly kind: 'topicExists'; readonly topic: Expression; readonly span: Span }
  | {
      readonly kind: 'topicIs'
      readonly topic: Expression
      readonly negated: boolean
      readonly value: Expression
      readonly span: Span
    }
  | { readonly kind: 'ruleNot'; readonly operand: RuleCondition; readonly span: Span }
  | {
      readonly kind: 'ruleLogic'
      readonly operator: LogicOperator
      readonly left: RuleCondition
      readonly right: RuleCondition
      readonly span: Span
    }
  | { readonly kind: 'ruleGroup'; readonly inner: RuleCondition; readonly span: Span }

export interface RuleNode {
  readonly kind: 'rule'
  readonly name: Name
  readonly priority: number
  readonly scope: Name
  readonly topic: TextNode | undefined
  readonly body:
    | { readonly kind: 'always'; readonly verdict: Verdict }
    | {
        readonly kind: 'when'
        readonly condition: RuleCondition
        readonly verdict: Verdict
        /** undefined: the rule abstains where the condition is false. */
        readonly otherwise: Verdict | undefined
      }
  readonly span: Span
}
