/** Values of a LoT text: in actions, models, routes and rules. */
import type { Span } from '../source.js'
import type { Name } from './names.js'

export type CastType = 'INT' | 'DOUBLE' | 'FLOAT' | 'BOOL' | 'STRING' | 'TIMESTAMP' | 'ARRAY' | 'OBJECT' | 'BYTES'

/** Spellings are made one: `=`, `EQUALS`, `EQUAL` and `IS` are `==`; `<>`, `NOT EQUALS` and `IS NOT` are `!=`. */
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'CONTAINS' | 'STARTS_WITH' | 'ENDS_WITH'
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'
export type LogicOperator = 'AND' | 'OR'

export type SessionWord =
  | 'CLIENTID'
  | 'USER'
  | 'ENDPOINT'
  | 'CLEANSESSION'
  | 'DISCONNECTREASON'
  | 'SUBSCRIBETOPIC'
  | 'SUBSCRIBEQOS'

/** A literal that is not plainly text also keeps how it was written, for the formatter. */
export type Expression =
  | { readonly kind: 'text'; readonly value: string; readonly written: string; readonly span: Span }
  | { readonly kind: 'number'; readonly value: number; readonly written: string; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly written: string; readonly span: Span }
  | { readonly kind: 'empty'; readonly word: 'EMPTY' | 'NULL'; readonly span: Span }
  /** `{name}`, `{name.a.b}`: path[0] is the variable, the rest a path into its JSON. */
  | { readonly kind: 'variable'; readonly path: readonly string[]; readonly span: Span }
  /** A bare name, in models only: another field of the same model. */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly span: Span }
  | { readonly kind: 'payload'; readonly span: Span }
  | { readonly kind: 'session'; readonly word: SessionWord; readonly span: Span }
  /** `RESULT`: what the pipeline has so far, or the last SET value. */
  | { readonly kind: 'result'; readonly span: Span }
  | { readonly kind: 'topicPosition'; readonly position: number; readonly span: Span }
  /** `GET TOPIC t` (src/lot/README.md says where `t` ends). */
  | { readonly kind: 'getTopic'; readonly topic: Expression; readonly span: Span }
  /** `TOPIC "t"` as a value inside the JSON of a model field. */
  | { readonly kind: 'topicValue'; readonly topic: TextNode; readonly span: Span }
  | { readonly kind: 'getJson'; readonly path: TextNode; readonly source: Expression; readonly span: Span }
  | { readonly kind: 'getEnvironment'; readonly secret: boolean; readonly name: TextNode; readonly span: Span }
  | {
      readonly kind: 'getModel'
      readonly model: TextNode
      readonly route: TextNode
      readonly field: Name
      readonly operator: ComparisonOperator
      readonly value: Expression
      readonly span: Span
    }
  | { readonly kind: 'uuid'; readonly span: Span }
  | {
      readonly kind: 'random'
      /** undefined: `RANDOM BETWEEN`, whole if both bounds are. */
      readonly type: 'INT' | 'DOUBLE' | undefined
      readonly from: Expression
      readonly to: Expression
      readonly span: Span
    }
  | { readonly kind: 'timestamp'; readonly format: TextNode; readonly span: Span }
  | { readonly kind: 'filter'; readonly source: Expression; readonly pattern: TextNode; readonly span: Span }
  /** `separator` is undefined for CSV. */
  | {
      readonly kind: 'split'
      readonly source: Expression
      readonly separator: TextNode | undefined
      readonly span: Span
    }
  | {
      readonly kind: 'replace'
      readonly find: TextNode
      readonly replacement: Expression
      readonly source: Expression
      readonly span: Span
    }
  | { readonly kind: 'trim'; readonly source: Expression; readonly span: Span }
  | { readonly kind: 'cast'; readonly operand: Expression; readonly type: CastType; readonly span: Span }
  | { readonly kind: 'negate'; readonly operand: Expression; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Expression; readonly span: Span }
  | {
      readonly kind: 'arithmetic'
      readonly operator: ArithmeticOperator
      readonly left: Expression
      readonly right: Expression
      readonly span: Span
    }
  | {
      readonly kind: 'comparison'
      readonly operator: ComparisonOperator
      /** As written, for the formatter: `EQUALS`, `=`, … */
      readonly written: string
      readonly left: Expression
      readonly right: Expression
      readonly span: Span
    }
  | {
      readonly kind: 'logic'
      readonly operator: LogicOperator
      readonly left: Expression
      readonly right: Expression
      readonly span: Span
    }
  | {
      readonly kind: 'choice'
      readonly branches: readonly { readonly condition: Expression; readonly value: Expression }[]
      readonly otherwise: Expression | undefined
      readonly span: Span
    }
  /** `source AND_THEN stage AND_THEN stage`; a stage takes what is before it as its source. */
  | {
      readonly kind: 'pipeline'
      readonly source: Expression
      readonly stages: readonly PipelineStage[]
      readonly span: Span
    }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[]; readonly span: Span }
  | { readonly kind: 'array'; readonly items: readonly Expression[]; readonly span: Span }
  /** Parentheses, kept because they decide where a topic ends and because the formatter gives them back. */
  | { readonly kind: 'group'; readonly inner: Expression; readonly span: Span }

export type TextNode = Extract<Expression, { kind: 'text' }>
export interface JsonMember {
  readonly key: Name
  readonly value: Expression
}

export type PipelineStage =
  | { readonly kind: 'trim'; readonly span: Span }
  | { readonly kind: 'filter'; readonly pattern: TextNode; readonly span: Span }
  | { readonly kind: 'replace'; readonly find: TextNode; readonly replacement: Expression; readonly span: Span }
  | { readonly kind: 'split'; readonly separator: TextNode | undefined; readonly span: Span }
