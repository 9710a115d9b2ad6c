/** Models: parents, fields and topics. */
import type { Span } from '../source.js'
import type { Report } from '../syntax/report.js'
import type { FieldNode, ModelNode, TextNode } from '../tree.js'
import { numberOf } from '../values/casts.js'
import { checkExpression, type ExpressionScope } from './check-expression.js'
import { constantOf } from './constants.js'
import { fieldsOf, findField, lineageOf, type Member } from './model-fields.js'
import { ANY_OCCASION } from './occasion.js'
import { filterProblem, levelsOf, nameProblem, wildcardsOf } from './topics.js'
import { everyExpression } from './walk.js'
import type { CheckWorld } from './world.js'

export function checkModel(model: ModelNode, world: CheckWorld, report: Report): void {
  checkParents(model, world, report)
  const { members, isOpen } = fieldsOf(model, world)
  const own = model.members.filter((member) => member.kind === 'field' || member.kind === 'collection')
  checkNames(own, report)
  const topics = topicsOf(members)
  checkTopics(model, topics, isOpen, report)
  const triggers = topics.filter(({ isTrigger }) => isTrigger).map(({ filter }) => filter.value)
  const levelsMax = Math.max(...triggers.map((filter) => levelsOf(filter).most))
  const scope: FieldScope = {
    report,
    occasion: { ...ANY_OCCASION, name: 'the model', levelsMax: triggers.length === 0 ? Infinity : levelsMax },
    members,
    isOpen,
  }
  for (const member of own) if (member.kind === 'field') checkField(member, [], scope)
  for (const member of model.members) {
    const when = member.kind === 'store' || member.kind === 'fetch' ? member.when : undefined
    // a condition of FETCH compares columns of the table with fields
    if (when !== undefined) checkExpression(when, expressionScope(scope, [], member.kind === 'fetch'))
  }
}

function checkParents(model: ModelNode, world: CheckWorld, report: Report): void {
  if (model.parent === undefined) return
  const { text, span } = model.parent
  const { lineage, end } = lineageOf(model, world)
  if (end === 'cycle') {
    const names = [...lineage.map(({ name }) => name.text), lineage.at(-1)?.parent?.text]
    report.add('LOT3102', `The model would be its own parent: ${names.join(' is from ')}`, span)
  } else if (end === 'missing' && world.model !== undefined) {
    const missing = lineage.at(-1)?.parent?.text
    const whose = missing === text ? '' : `, the parent of ${lineage.at(-1)?.name.text}`
    report.add('LOT3101', `There is no model ${missing}${whose}: parents are deployed first`, span)
  }
}

function checkNames(members: readonly Member[], report: Report): void {
  const seen = new Set<string>()
  for (const member of members) {
    const { text, span } = member.name
    if (seen.has(text)) report.add('LOT3103', `The field "${text}" stands twice`, span)
    seen.add(text)
    if (member.kind === 'field') checkNames(member.members, report)
  }
}

interface FieldTopic {
  readonly filter: TextNode
  readonly isTrigger: boolean
}

function topicsOf(members: readonly Member[]): readonly FieldTopic[] {
  return members.flatMap((member): readonly FieldTopic[] => {
    if (member.kind === 'collection') return []
    if (member.source?.kind === 'topic') return [member.source, ...topicsOf(member.members)]
    return topicsOf(member.members)
  })
}

/** The output has no wildcards but those of the triggers, and a model that listens has a trigger. */
function checkTopics(model: ModelNode, topics: readonly FieldTopic[], isOpen: boolean, report: Report): void {
  for (const { filter } of topicsOf(ownFields(model))) checkFilter(filter, report)
  const triggers = topics.filter(({ isTrigger }) => isTrigger)
  const isReception = topics.length === 0 && !isOpen && fieldCount(model) === 0
  if (model.topic !== undefined && isReception) {
    checkFilter(model.topic, report)
    return
  }
  if (topics.length > 0 && triggers.length === 0 && !isOpen) {
    report.add('LOT4101', `The model ${model.name.text} never publishes: no field is AS TRIGGER`, model.name.span)
  }
  if (triggers.length > 0 && model.topic === undefined) {
    const message = `The model ${model.name.text} has a trigger, but no WITH TOPIC to publish on`
    report.add('LOT4104', message, model.name.span)
  }
  if (model.topic === undefined || isOpen) return
  checkOutput(model.topic, triggers, report)
  const known = widest(triggers.length > 0 ? triggers : topics.slice(0, 1))
  const own = topicsOf(ownFields(model))
  for (const topic of topics) {
    if (topic.isTrigger) continue
    // what is inherited stands in another text
    const span = own.includes(topic) ? topic.filter.span : model.name.span
    checkWildcards(topic.filter.value, span, known, report)
  }
}

function ownFields(model: ModelNode): readonly Member[] {
  return model.members.filter((member) => member.kind === 'field' || member.kind === 'collection')
}

function fieldCount(model: ModelNode): number {
  return ownFields(model).length + (model.parent === undefined ? 0 : 1)
}

function checkFilter(filter: TextNode, report: Report): void {
  const problem = filterProblem(filter.value)
  if (problem !== undefined) report.add('LOT3012', `The topic filter is not valid: ${problem}`, filter.span)
}

function checkOutput(topic: TextNode, triggers: readonly FieldTopic[], report: Report): void {
  if (triggers.length === 0) return
  const problem = topic.value.includes('#') ? '# does not stand for one topic' : nameProblem(topic.value)
  if (problem !== undefined) {
    report.add('LOT3013', `Nothing can be published to it: ${problem}`, topic.span)
    return
  }
  checkWildcards(topic.value, topic.span, widest(triggers), report)
}

/** Wildcards of the trigger that has most of them: they tell the instances of the model apart. */
function widest(triggers: readonly FieldTopic[]): readonly string[] {
  let names: readonly string[] = []
  for (const { filter } of triggers) {
    const own = [...new Set(wildcardsOf(filter.value))]
    if (own.length > names.length) names = own
  }
  return names
}

function checkWildcards(topic: string, span: Span, known: readonly string[], report: Report): void {
  const unknown = wildcardsOf(topic).find((name) => !known.includes(name))
  if (unknown === undefined) return
  if (unknown.startsWith('{')) {
    report.add('LOT3106', `No trigger has the ${unknown} of "${topic}": nothing says what it stands for`, span)
  } else {
    report.add('LOT3105', `"${topic}" has more + than the trigger: nothing says what they stand for`, span)
  }
}

interface FieldScope extends Pick<ExpressionScope, 'report' | 'occasion'> {
  readonly members: readonly Member[]
  readonly isOpen: boolean
}

function checkField(field: FieldNode, within: readonly string[], scope: FieldScope): void {
  const { report } = scope
  if (field.type === undefined) {
    const message = `The field "${field.name.text}" has no type: what it publishes depends on the data`
    report.add('LOT4102', message, field.name.span)
  }
  if (field.source?.kind === 'value') {
    checkExpression(field.source.value, expressionScope(scope, within, false))
    checkLiteral(field, report)
    for (const part of everyExpression(field.source.value)) {
      if (part.kind === 'topicValue') checkFilter(part.topic, report)
    }
  }
  for (const member of field.members) checkField(member, [...within, field.name.text], scope)
}

function expressionScope(scope: FieldScope, within: readonly string[], allowsColumns: boolean): ExpressionScope {
  const { report, occasion, members, isOpen } = scope
  const find = (path: readonly string[], span: Span, written: (name: string) => string) => {
    for (let depth = within.length; depth > 0; depth--) {
      if (findField(members, [...within.slice(0, depth), ...path]).kind === 'field') return
    }
    const place = findField(members, path)
    if (place.kind === 'field' || isOpen) return
    report.add('LOT3104', `The model has no field ${place.name}`, span, place.nearest && written(place.nearest))
  }
  return {
    report,
    occasion,
    variable: (path, span) => find(path, span, (name) => `{${name}}`),
    field: (path, span) => {
      if (!allowsColumns) find(path, span, (name) => name)
    },
  }
}

/** A literal that the type of its field cannot hold becomes 0 or false. */
function checkLiteral({ name, type, source }: FieldNode, report: Report): void {
  const value = source?.kind === 'value' ? constantOf(source.value)?.value : undefined
  if (typeof value !== 'string' || source?.kind !== 'value') return
  const isNumber = type === 'INT' || type === 'DOUBLE' || type === 'FLOAT'
  if (!isNumber || numberOf(value) !== undefined) return
  report.add('LOT4103', `The field "${name.text}" is ${type}: the text "${value}" becomes 0`, source.value.span)
}
