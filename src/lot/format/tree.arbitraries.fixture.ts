/** Random entities of every kind, as the parser would make them of some text. */
import fc from 'fast-check'
import type {
  ActionNode,
  Argument,
  ComponentItem,
  Entity,
  FieldNode,
  ModelNode,
  RouteNode,
  RuleCondition,
  SettingNode,
  Statement,
  Trigger,
} from '../tree.js'
import { anyName, bareName, expressionsOf, NO_SPAN, quotedName, text, word } from './expression.arbitraries.fixture.js'

const span = fc.constant(NO_SPAN)
const kind = <Kind extends string>(name: Kind): fc.Arbitrary<Kind> => fc.constant(name)
const none = fc.constant(undefined)
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const count = fc.integer({ min: 1, max: 500 })
const unit = fc.constantFrom('MILLISECOND' as const, 'SECOND' as const, 'WEEK' as const, 'YEAR' as const)

const inAction = expressionsOf(false)
const inModel = expressionsOf(true)

const given: fc.Arbitrary<Argument> = fc.record({ name: bareName, value: inAction.value })
const result = maybe(anyName)
const assignment = fc.record({ path: fc.array(word, { minLength: 1, maxLength: 3 }), value: inAction.value, span })

const { statement } = fc.letrec<{ statement: Statement; body: Statement[] }>((tie) => ({
  body: fc.array(tie('statement'), { minLength: 1, maxLength: 3 }),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: kind('set'), variable: anyName, value: inAction.value, span }),
    fc.record({ kind: kind('publish'), topic: inAction.sum, value: inAction.value, span }),
    fc.record({ kind: kind('keep'), topic: inAction.sum, value: inAction.value, span }),
    fc.record({ kind: kind('keepEnvironment'), secret: fc.boolean(), name: text, value: inAction.value, span }),
    fc.record({ kind: kind('deleteEnvironment'), secret: fc.boolean(), name: text, span }),
    fc.record({
      kind: kind('publishModel'),
      model: anyName,
      topic: inAction.sum,
      assignments: fc.array(assignment, { minLength: 1, maxLength: 4 }),
      span,
    }),
    fc.record({
      kind: kind('callAction'),
      action: bareName,
      arguments: fc.array(given, { maxLength: 3 }),
      results: fc.array(anyName, { maxLength: 2 }),
      span,
    }),
    fc.record({
      kind: kind('callPython'),
      target: text,
      arguments: fc.array(inAction.value, { maxLength: 3 }),
      result,
      span,
    }),
    fc.record({ kind: kind('callMcp'), target: text, arguments: fc.array(given, { maxLength: 3 }), result, span }),
    fc.record({
      kind: kind('callModel'),
      service: fc.constantFrom('LLM' as const, 'AGENT' as const),
      route: text,
      method: text,
      arguments: fc.array(given, { minLength: 1, maxLength: 3 }),
      result,
      span,
    }),
    fc.record({ kind: kind('triggerEvent'), event: text, route: bareName, payload: inAction.value, span }),
    fc.record({ kind: kind('triggerMapping'), route: text, payload: inAction.value, mapping: bareName, span }),
    fc.record({
      kind: kind('if'),
      branches: fc.array(fc.record({ condition: inAction.condition, body: tie('body') }), {
        minLength: 1,
        maxLength: 3,
      }),
      otherwise: maybe(tie('body')),
      span,
    }),
    fc.record({
      kind: kind('switch'),
      subject: inAction.value,
      cases: fc.array(fc.record({ value: inAction.value, body: tie('body') }), { minLength: 1, maxLength: 3 }),
      otherwise: maybe(tie('body')),
      span,
    }),
    fc.record({ kind: kind('loop'), body: tie('body'), until: inAction.condition, span }),
  ),
}))
const body = fc.array(statement, { minLength: 1, maxLength: 4 })

const trigger: fc.Arbitrary<Trigger> = fc.oneof(
  fc.record({ kind: kind('every'), count, unit, span }),
  fc.record({ kind: kind('days'), days: fc.constantFrom('MONDAY' as const, 'WEEKEND' as const), time: text, span }),
  fc.record({ kind: kind('timestamp'), time: text, span }),
  fc.record({ kind: fc.constantFrom('topic' as const, 'change' as const), filter: text, span }),
  fc.record({ kind: fc.constantFrom('start' as const, 'connect' as const, 'disconnect' as const), span }),
  fc.record({ kind: kind('subscribe'), filter: maybe(text), span }),
)
const input = fc.record({ name: bareName, type: fc.constantFrom('STRING' as const, 'INT' as const, 'JSON' as const) })

const action: fc.Arbitrary<ActionNode> = fc.oneof(
  fc.record({
    kind: kind('action'),
    name: bareName,
    trigger,
    inputs: fc.constant([]),
    body,
    outputs: fc.constant([]),
    description: maybe(text),
    span,
  }),
  fc.record({
    kind: kind('action'),
    name: bareName,
    trigger: none,
    inputs: fc.array(input, { maxLength: 3 }),
    body,
    outputs: fc.array(anyName, { maxLength: 3 }),
    description: maybe(text),
    span,
  }),
)

const source = maybe(
  fc.oneof(
    fc.record({ kind: kind('topic'), filter: text, isTrigger: fc.boolean(), span }),
    fc.record({ kind: kind('value'), value: inModel.value, span }),
  ),
)
const scalarType = fc.constantFrom(
  'STRING' as const,
  'INT' as const,
  'DOUBLE' as const,
  'TIMESTAMP' as const,
  undefined,
)
const { field } = fc.letrec<{ field: FieldNode }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: kind('field'), name: quotedName, type: scalarType, source, members: fc.constant([]), span }),
    fc.record({
      kind: kind('field'),
      name: quotedName,
      type: fc.constantFrom('OBJECT' as const, 'ARRAY' as const),
      source,
      members: fc.array(tie('field'), { maxLength: 3 }),
      span,
    }),
  ),
}))

const model: fc.Arbitrary<ModelNode> = fc.record({
  kind: kind('model'),
  name: bareName,
  collapsed: fc.boolean(),
  parent: maybe(bareName),
  retain: fc.boolean(),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  topic: maybe(text),
  format: fc.constantFrom('JSON' as const, undefined),
  members: fc.array(
    fc.oneof(
      { arbitrary: field, weight: 4 },
      fc.record({ kind: kind('collection'), name: quotedName, model: anyName, span }),
      fc.record({ kind: kind('store'), route: text, table: text, when: maybe(inModel.condition), span }),
      fc.record({
        kind: kind('fetch'),
        route: text,
        table: text,
        when: maybe(inModel.condition),
        limit: maybe(count),
        span,
      }),
    ),
    { maxLength: 5 },
  ),
  span,
})

const key = fc.constantFrom('SERVER', 'PORT', 'X_1').map((name) => ({ text: name, quoted: false, span: NO_SPAN }))
const setting: fc.Arbitrary<SettingNode> = fc.oneof(
  fc.record({
    key,
    value: fc.oneof(
      fc.record({ kind: kind('self'), span }),
      fc.record({
        kind: kind('word'),
        word: fc.constantFrom('out', 'NONE', 'broker-2.plant.example', '10.0.0.7'),
        span,
      }),
      fc.record({ kind: kind('expression'), value: inAction.sum, span }),
    ),
    span,
  }),
  fc.record({
    key: fc.constant({ text: 'EVERY', quoted: false, span: NO_SPAN }),
    value: fc.record({ kind: kind('interval'), count, unit, span }),
    span,
  }),
)
const settings = fc.array(setting, { maxLength: 4 })

const route: fc.Arbitrary<RouteNode> = fc.record({
  kind: kind('route'),
  name: bareName,
  type: fc.constant({ text: 'MQTT_BRIDGE', quoted: false, span: NO_SPAN }),
  members: fc.array(
    fc.oneof(
      fc.record({
        kind: kind('config'),
        name: fc.constant({ text: 'SQL_CONFIG', quoted: false, span: NO_SPAN }),
        settings,
        span,
      }),
      fc.record({ kind: kind('event'), name: anyName, settings, span }),
      fc.record({
        kind: kind('mapping'),
        name: anyName,
        settings,
        tags: fc.array(fc.record({ name: anyName, settings, span }), { maxLength: 3 }),
        span,
      }),
      fc.record({
        kind: kind('storage'),
        route: bareName,
        target: fc.constantFrom('TABLE_NAME' as const, 'INDEX_NAME' as const),
        name: text,
        span,
      }),
    ),
    { maxLength: 4 },
  ),
  span,
})

const subject = fc.constantFrom('CLIENTID' as const, 'ENDPOINT' as const)
const { or: ruleCondition } = fc.letrec<Record<string, RuleCondition>>((tie) => ({
  test: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: kind('userIs'), negated: fc.boolean(), user: text, span }),
    fc.record({ kind: kind('userHas'), property: anyName, span }),
    fc.record({ kind: kind('userInGroup'), group: text, span }),
    fc.record({ kind: kind('is'), subject, negated: fc.boolean(), value: inAction.sum, span }),
    fc.record({ kind: kind('matches'), subject, regex: fc.boolean(), pattern: text, span }),
    fc.record({ kind: kind('topicExists'), topic: inAction.sum, span }),
    fc.record({ kind: kind('topicIs'), topic: inAction.sum, negated: fc.boolean(), value: inAction.sum, span }),
    fc.record({ kind: kind('ruleNot'), operand: tie('test'), span }),
    fc.record({ kind: kind('ruleGroup'), inner: tie('or'), span }),
  ),
  and: fc.oneof(
    { depthSize: 'small' },
    tie('test'),
    fc.record({
      kind: kind('ruleLogic'),
      operator: fc.constant('AND' as const),
      left: tie('and'),
      right: tie('test'),
      span,
    }),
  ),
  or: fc.oneof(
    { depthSize: 'small' },
    tie('and'),
    fc.record({
      kind: kind('ruleLogic'),
      operator: fc.constant('OR' as const),
      left: tie('or'),
      right: tie('and'),
      span,
    }),
  ),
}))
const verdict = fc.constantFrom('ALLOW' as const, 'DENY' as const)

const rule: fc.Arbitrary<Entity> = fc.record({
  kind: kind('rule'),
  name: bareName,
  priority: count,
  scope: bareName,
  topic: maybe(text),
  body: fc.oneof(
    fc.record({ kind: kind('always'), verdict }),
    fc.record({ kind: kind('when'), condition: ruleCondition, verdict, otherwise: maybe(verdict) }),
  ),
  span,
})

const item: fc.Arbitrary<ComponentItem> = fc.oneof(
  fc.record({ kind: kind('setting'), key, value: inAction.unary, span }),
  fc.record({ kind: kind('range'), from: inAction.unary, to: inAction.unary, span }),
  fc.record({ kind: kind('bind'), target: bareName, topic: text, span }),
  fc.record({ kind: kind('interact'), group: text, span }),
  fc.record({ kind: kind('onClick'), body, span }),
)

const panel: fc.Arbitrary<Entity> = fc.record({
  kind: kind('panel'),
  name: anyName,
  title: maybe(text),
  layout: maybe(fc.record({ type: text, columns: maybe(count) })),
  visibility: fc.constantFrom('SHARED' as const, 'PRIVATE' as const, undefined),
  groups: fc.array(text, { maxLength: 2 }),
  state: fc.constantFrom('DRAFT' as const, 'ARCHIVED' as const, undefined),
  components: fc.array(fc.record({ name: anyName, type: text, items: fc.array(item, { maxLength: 3 }), span }), {
    maxLength: 3,
  }),
  span,
})

const theme: fc.Arbitrary<Entity> = fc.record({
  kind: kind('theme'),
  name: anyName,
  colors: fc.array(fc.record({ key: quotedName, value: text, span }), { maxLength: 3 }),
  span,
})

export const anyEntity: fc.Arbitrary<Entity> = fc.oneof(action, model, route, rule, panel, theme)
