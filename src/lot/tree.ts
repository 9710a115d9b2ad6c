/** The tree of a LoT text: what the parser makes, and checker, formatter, compiler and language server read. */
import type { Span } from './source.js'

/** A name as it stands in the text; `text` is without quotes. */
export interface Name {
  readonly text: string
  readonly quoted: boolean
  readonly span: Span
}

// ---------- comments ----------

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

// ---------- expressions ----------

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

// ---------- actions ----------

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

// ---------- models ----------

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

// ---------- routes ----------

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

// ---------- rules ----------

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

// ---------- panels and themes ----------

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
