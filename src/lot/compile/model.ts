/** A model as a program. */
import type { CompiledModel, FindModel, ModelInput, ModelInstance, ModelOptions, ModelTemplate } from '../program.js'
import type { Source } from '../source.js'
import type { FieldNode, ModelNode, TextNode } from '../tree.js'
import { DIVISION_BY_ZERO } from '../values/operators.js'
import { compileError } from './compiled.js'
import { compileFetch, type Fetch } from './model-fetch.js'
import { type CompiledField, compileField, type InputOf, makeFieldScope, refuseFormat } from './model-fields.js'
import { Instance, ReceptionInstance } from './model-instance.js'
import { compileWriter, type Layout, layOut, type WriteJson } from './model-layout.js'
import { type ModelMembers, resolveMembers } from './model-members.js'
import { Template } from './model-template.js'
import { CaptureKeys, TopicPattern } from './model-topics.js'
import { compileTest, type Test } from './operator-expressions.js'

/** Everything that instances and templates of a model share. */
export interface ModelProgram {
  readonly name: string
  readonly source: Source
  readonly retain: boolean
  readonly qos: 0 | 1 | 2
  readonly output: TopicPattern | undefined
  readonly inputs: readonly (ModelInput & { readonly pattern: TopicPattern })[]
  readonly layout: Layout
  readonly fields: readonly CompiledField[]
  /** Runs when the first field without source is reached. */
  readonly fetch: Fetch | undefined
  readonly write: WriteJson
  readonly publishesJson: boolean
  readonly publishesFields: boolean
  readonly stores: readonly { readonly route: string; readonly table: string; readonly when: Test | undefined }[]
}

/**
 * @param find the models that it may inherit from
 * @throws LotCompileError for a parent that is not there, a field that is not known, a topic with too many wildcards
 */
export function compileModel(node: ModelNode, source: Source, find: FindModel, options: ModelOptions): CompiledModel {
  const members = resolveMembers(node, source, find)
  refuseFormat(members.format, source, node.span.start)
  const header = { name: node.name.text, retain: node.retain, qos: node.qos }
  if (members.fields.length === 0 && node.topic !== undefined) return reception(header, node.topic, source)
  const program = { ...header, source, ...compileMembers(node, source, members, options) }
  return {
    ...header,
    inputs: program.inputs,
    isReception: false,
    open: (captures, state): ModelInstance => new Instance(program, captures, state),
    template: (paths): ModelTemplate => new Template(program, paths),
  }
}

function compileMembers(
  node: ModelNode,
  source: Source,
  members: ModelMembers,
  options: ModelOptions,
): Omit<ModelProgram, 'name' | 'source' | 'retain' | 'qos'> {
  const layout = layOut(members.fields)
  const triggers = topicsOf(layout).filter(({ isTrigger }) => isTrigger)
  const fallback = topicsOf(layout).slice(0, 1)
  const keys = CaptureKeys.ofTriggers((triggers.length > 0 ? triggers : fallback).map(({ filter }) => filter.value))
  const inputs: (ModelInput & { readonly pattern: TopicPattern })[] = []
  const inputOf: InputOf = (topic, text) => {
    const known = inputs.findIndex(({ pattern }) => pattern.text === topic.value)
    if (known >= 0) return known
    const isTrigger = triggers.some(({ filter }) => filter.value === topic.value)
    inputs.push({ ...keys.input(topic.value, isTrigger), pattern: keys.pattern(topic, text) })
    return inputs.length - 1
  }
  const fields = layout.leaves.map((leaf) => compileField(leaf, layout, inputOf))
  const bare = fields.find(({ hasSource }) => !hasSource)
  const fetchNode = members.fetches[0]
  const last = makeFieldScope(layout, layout.leaves.length, [], source, inputOf)
  const isPlain = !members.collapsed
  return {
    inputs,
    layout,
    fields,
    output: node.topic === undefined ? undefined : outputPattern(node.topic, keys, source, triggers.length > 0),
    fetch:
      bare === undefined || fetchNode === undefined
        ? undefined
        : compileFetch(fetchNode, makeFieldScope(layout, bare.leaf.slot, [], source, inputOf), source),
    write: compileWriter(layout.root),
    publishesJson: !isPlain || options.plainOutput !== 'fields',
    publishesFields: isPlain && options.plainOutput !== 'json',
    stores: members.stores.map((store) => ({
      route: store.route.value,
      table: store.table.value,
      when: store.when === undefined ? undefined : falseIfNull(compileTest(store.when, last)),
    })),
  }
}

/** A condition that divides by zero is null, like a field, and null does not hold. */
function falseIfNull(test: Test): Test {
  return (run) => {
    try {
      return test(run)
    } catch (error) {
      if (error !== DIVISION_BY_ZERO) throw error
      return false
    }
  }
}

/** A model that nothing triggers writes to no topic of its own, so its wildcards mean nothing. */
function outputPattern(topic: TextNode, keys: CaptureKeys, source: Source, isTriggered: boolean): TopicPattern {
  if (!isTriggered) return new TopicPattern(topic.value, [{ text: topic.value }])
  if (topic.value === '' || topic.value.includes('#')) {
    throw compileError({ source }, topic.span, `a model cannot publish on "${topic.value}"`)
  }
  return keys.pattern(topic, source)
}

/** Topics of fields, those within objects too. */
function topicsOf(layout: Layout): Extract<NonNullable<FieldNode['source']>, { kind: 'topic' }>[] {
  return layout.leaves.flatMap(({ member: { node } }) =>
    node.kind === 'field' && node.source?.kind === 'topic' ? [node.source] : [],
  )
}

function reception(
  header: { readonly name: string; readonly retain: boolean; readonly qos: 0 | 1 | 2 },
  topic: TextNode,
  source: Source,
): CompiledModel {
  const keys = CaptureKeys.ofTriggers([topic.value])
  const pattern = keys.pattern(topic, source)
  return {
    ...header,
    inputs: [keys.input(topic.value, true)],
    isReception: true,
    open: (captures): ModelInstance => new ReceptionInstance(header, pattern, captures),
    template: () => {
      throw new Error(`model "${header.name}" has no fields`)
    },
  }
}
