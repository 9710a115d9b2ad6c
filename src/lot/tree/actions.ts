/** Actions: triggers and statements. */
import type { Span } from '../source.js'
import type { Expression, TextNode } from './expressions.js'
import type { Name } from './names.js'

export type TimeUnit = 'MILLISECOND' | 'SECOND' | 'MINUTE' | 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'YEAR'
export type DayName = 'MONDAY' | 'TUESDAY' | 'WEDNESDAY' | 'THURSDAY' | 'FRIDAY' | 'SATURDAY' | 'SUNDAY'
export type DaySet = DayName | 'WEEKDAY' | 'WEEKEND'

export type Trigger =
  | { readonly kind: 'every'; readonly count: number; readonly unit: TimeUnit; readonly span: Span }
  /** `EVERY MONDAY AT "06:00"` */
  | { readonly kind: 'days'; readonly days: DaySet; readonly time: TextNode; readonly span: Span }
  /** `TIMESTAMP "06:00:00"` daily, `TIMESTAMP "24-12-2026 06:00:00"` once. */
  | { readonly kind: 'timestamp'; readonly time: TextNode; readonly span: Span }
  | { readonly kind: 'topic'; readonly filter: TextNode; readonly span: Span }
  | { readonly kind: 'change'; readonly filter: TextNode; readonly span: Span }
  | { readonly kind: 'start'; readonly span: Span }
  | { readonly kind: 'connect'; readonly span: Span }
  | { readonly kind: 'disconnect'; readonly span: Span }
  | { readonly kind: 'subscribe'; readonly filter: TextNode | undefined; readonly span: Span }

export type InputType = 'STRING' | 'INT' | 'DOUBLE' | 'BOOL' | 'JSON'

export interface ActionNode {
  readonly kind: 'action'
  readonly name: Name
  /** undefined for callable actions. */
  readonly trigger: Trigger | undefined
  readonly inputs: readonly { readonly name: Name; readonly type: InputType }[]
  readonly body: readonly Statement[]
  readonly outputs: readonly Name[]
  readonly description: TextNode | undefined
  readonly span: Span
}

export interface Argument {
  readonly name: Name
  readonly value: Expression
}

export type Statement =
  | { readonly kind: 'set'; readonly variable: Name; readonly value: Expression; readonly span: Span }
  | { readonly kind: 'publish'; readonly topic: Expression; readonly value: Expression; readonly span: Span }
  | { readonly kind: 'keep'; readonly topic: Expression; readonly value: Expression; readonly span: Span }
  | {
      readonly kind: 'keepEnvironment'
      readonly secret: boolean
      readonly name: TextNode
      readonly value: Expression
      readonly span: Span
    }
  | { readonly kind: 'deleteEnvironment'; readonly secret: boolean; readonly name: TextNode; readonly span: Span }
  | {
      readonly kind: 'publishModel'
      readonly model: Name
      readonly topic: Expression
      readonly assignments: readonly {
        readonly path: readonly string[]
        readonly value: Expression
        readonly span: Span
      }[]
      readonly span: Span
    }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly condition: Expression; readonly body: readonly Statement[] }[]
      readonly otherwise: readonly Statement[] | undefined
      readonly span: Span
    }
  | {
      readonly kind: 'switch'
      readonly subject: Expression
      readonly cases: readonly { readonly value: Expression; readonly body: readonly Statement[] }[]
      readonly otherwise: readonly Statement[] | undefined
      readonly span: Span
    }
  | { readonly kind: 'loop'; readonly body: readonly Statement[]; readonly until: Expression; readonly span: Span }
  | {
      readonly kind: 'callAction'
      readonly action: Name
      readonly arguments: readonly Argument[]
      readonly results: readonly Name[]
      readonly span: Span
    }
  /** `"Script.function"` */
  | {
      readonly kind: 'callPython'
      readonly target: TextNode
      readonly arguments: readonly Expression[]
      readonly result: Name | undefined
      readonly span: Span
    }
  /** `"Route.tool"` */
  | {
      readonly kind: 'callMcp'
      readonly target: TextNode
      readonly arguments: readonly Argument[]
      readonly result: Name | undefined
      readonly span: Span
    }
  | {
      readonly kind: 'callModel'
      readonly service: 'LLM' | 'AGENT'
      readonly route: TextNode
      readonly method: TextNode
      readonly arguments: readonly Argument[]
      readonly result: Name | undefined
      readonly span: Span
    }
  /** `TRIGGER "Event" TO Route WITH payload` */
  | {
      readonly kind: 'triggerEvent'
      readonly event: TextNode
      readonly route: Name
      readonly payload: Expression
      readonly span: Span
    }
  /** `TRIGGER "Route" TO data FOR mapping` */
  | {
      readonly kind: 'triggerMapping'
      readonly route: TextNode
      readonly payload: Expression
      readonly mapping: Name
      readonly span: Span
    }
