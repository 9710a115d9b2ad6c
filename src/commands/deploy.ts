/** Brings an entity into a draft: parsed, checked, and fitting what is there. */
import { BrokerError } from '../base/errors.js'
import { checkEntity } from '../lot/check/check.js'
import { compileAction } from '../lot/compile/action.js'
import { compileModel } from '../lot/compile/model.js'
import { LotCompileError, type ModelOptions } from '../lot/program.js'
import { Source, type Span } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import { dedentCommon, splitEntities } from '../lot/syntax/split.js'
import type { Entity, EntityKind } from '../lot/tree.js'
import { readRule } from '../security/rules/rule.js'
import { entryKey, KIND_TITLES, type LotEntry, lotEntry } from './entry.js'
import { failure, type Reply, success } from './envelope.js'
import { type Draft, worldOf } from './library.js'
import { requirementText } from './pending.js'
import { type Problem, parsingErrorText, placedText, problemAt, problemOf } from './problem.js'
import { ruleNotes, ruleRefusal } from './rules.js'

export interface DeployOptions {
  readonly compat: 'v1' | 'v2'
  readonly strictIndent: boolean
  readonly plainOutput: ModelOptions['plainOutput']
}

const NO_LIMITS = { loopIterationsMax: 0, callDepthMax: 0, loopMsMax: 0 }
/** Of the key in the store. */
const KEY_BYTES_MAX = 1_900
/** The name that some clients send before the text once more. */
const LEADING_NAME = /^"?[\w./-]+"?\s+(?=DEFINE\b)/

/** The text of each entity in the body of an `-addX`, without what clients put around it. */
export function entityTexts(body: string): readonly string[] {
  const text = dedentCommon(body).replace(LEADING_NAME, '')
  const parts = splitEntities(text).map((part) => part.text)
  return parts.length === 0 ? [text] : parts
}

/** Adds all entities of a body; each stands and falls by itself. */
export function deployBody(draft: Draft, kind: EntityKind, body: string, options: DeployOptions): Reply {
  const replies = entityTexts(body).map((text) => withPrevious(draft, kind, deployEntity(draft, kind, text, options)))
  if (replies.length === 1) return replies[0]
  const failures = replies.filter((reply) => !reply.success)
  const data = replies.map(({ success, message, entity, data, errors, warnings }) => ({
    ...(data as object | undefined),
    success,
    name: entity?.name,
    message,
    errors,
    warnings,
  }))
  const warnings = replies.flatMap((reply) => reply.warnings ?? [])
  if (failures.length === 0) return success(replies.map(({ message }) => message).join(' '), { data, warnings })
  const errors = failures.flatMap((reply) => reply.errors ?? [{ message: reply.message }])
  return failure(failures.map(({ message }) => message).join(' '), { data, errors, warnings })
}

/** A refusal tells that what was there before goes on. */
function withPrevious(draft: Draft, kind: EntityKind, reply: Reply): Reply {
  const { success, message, entity } = reply
  if (success || entity === undefined || !draft.entities.has(entryKey(kind, entity.name))) return reply
  return { ...reply, message: `${message} - ${entity.type} '${entity.name}' stays as it was before` }
}

/** Adds one entity, in place of one with the same name. A draft that it fails in is as before. */
export function deployEntity(draft: Draft, kind: EntityKind, text: string, options: DeployOptions): Reply {
  const source = new Source(kind, text)
  const { program, diagnostics } = parseProgram(source, options)
  const [node] = program.entities
  const isReadable = diagnostics.every(({ severity }) => severity !== 'error')
  if (node !== undefined && isReadable && node.kind !== kind) return wrongKind(kind, node, source)
  const checked = node === undefined || !isReadable ? [] : checkEntity(node, worldOf(draft), options)
  const all = [...diagnostics, ...checked]
  const errors = all.filter(({ severity }) => severity === 'error').map((error) => problemOf(source, error))
  const entity = node === undefined ? undefined : { type: KIND_TITLES[kind], name: node.name.text }
  if (errors.length > 0) return failure(parsingErrorText(errors), { entity, errors })
  if (node === undefined) return nothingFound(kind, entity)
  if (program.entities.length > 1) return tooMany(kind, program.entities, source)
  const warnings = all.map((warning) => placedText(problemOf(source, warning)))
  const entry = lotEntry(text, node, warnings)
  return refusal(draft, entry, source, options) ?? put(draft, entry)
}

function put(draft: Draft, entry: LotEntry): Reply {
  draft.deploy(entry)
  const waitingFor = entry.requirements
    .filter(({ kind, name }) => !draft.entities.has(entryKey(kind, name)))
    .map(requirementText)
  const pending = waitingFor.map((needed) => `It waits for ${needed}`)
  return success(addedText(entry.kind, entry.name), {
    entity: { type: KIND_TITLES[entry.kind], name: entry.name },
    data: waitingFor.length === 0 ? {} : { pending: true, waitingFor },
    warnings: [...entry.warnings, ...pending, ...hintsOf(entry), ...ruleNotes(draft, entry)],
  })
}

/** Clients of different ages look for these very texts. */
export function addedText(kind: LotEntry['kind'] | 'python', name: string): string {
  const isQuiet = kind === 'action' || kind === 'python'
  return `${KIND_TITLES[kind]} '${name}' added successfully${isQuiet ? '.' : '!'}`
}

function hintsOf({ kind }: LotEntry): readonly string[] {
  return kind === 'route' ? ['It is kept, but this version does not run routes'] : []
}

// ---------- refusals ----------

function refusal(draft: Draft, entry: LotEntry, source: Source, options: DeployOptions): Reply | undefined {
  return nameRefusal(entry, source) ?? ruleRefusal(draft, entry) ?? compileRefusal(draft, entry, source, options)
}

/** The name is a level of a topic. */
function nameRefusal(entry: LotEntry, source: Source): Reply | undefined {
  const { name, kind } = entry
  if (/[+#/\u0000]/.test(name)) {
    return refused(entry, source, entry.node.name.span, 'A name can not contain +, # or /')
  }
  if (Buffer.byteLength(entryKey(kind, name)) <= KEY_BYTES_MAX && name !== '') return undefined
  return refused(entry, source, entry.node.name.span, 'A name has between 1 and 1,800 bytes')
}

/** What would fail in the LoT thread, or in the shards, is refused here, where the previous one can stay. */
function compileRefusal(
  draft: Draft,
  { node, name }: LotEntry,
  source: Source,
  options: DeployOptions,
): Reply | undefined {
  try {
    if (node.kind === 'action') compileAction(node, source, NO_LIMITS)
    if (node.kind === 'rule') readRule(source.text)
    if (node.kind === 'model') compileModel(node, source, (parent) => draft.modelText(parent), options)
    return undefined
  } catch (error) {
    if (error instanceof BrokerError) return failure(error.message, { entity: { type: KIND_TITLES[node.kind], name } })
    if (!(error instanceof LotCompileError)) throw error
    const { message, line, column } = error
    const problem = { message, line, column, sourceLines: [{ line, text: source.lineText(line) }], suggestions: [] }
    return failure(parsingErrorText([problem]), { entity: { type: KIND_TITLES[node.kind], name }, errors: [problem] })
  }
}

function wrongKind(expected: EntityKind, node: Entity, source: Source): Reply {
  const found = node.kind.toUpperCase()
  const span = { start: source.text.indexOf(found, node.span.start), end: node.span.end }
  return parsingError(
    source,
    span,
    `Expected ${expected.toUpperCase()}, but found ${found}`,
    `-add${KIND_TITLES[node.kind]}`,
    {
      type: KIND_TITLES[expected],
      name: node.name.text,
    },
  )
}

/** Whoever cut the text saw one entity only: the others would be lost without a word. */
function tooMany(kind: EntityKind, [node, second]: readonly Entity[], source: Source): Reply {
  const message = `Expected one entity, but found ${second.kind} ${second.name.text} behind ${node.name.text}`
  return parsingError(source, second.span, message, undefined, { type: KIND_TITLES[kind], name: node.name.text })
}

function nothingFound(kind: EntityKind, entity: Reply['entity']): Reply {
  const problem: Problem = { message: `Expected DEFINE ${kind.toUpperCase()}, but found nothing`, line: 1, column: 1 }
  return failure(parsingErrorText([problem]), { entity, errors: [problem] })
}

function refused(entry: LotEntry, source: Source, span: Span, message: string, suggestion?: string): Reply {
  return parsingError(source, span, message, suggestion, { type: KIND_TITLES[entry.kind], name: entry.name })
}

function parsingError(
  source: Source,
  span: Span,
  message: string,
  suggestion: string | undefined,
  entity: Reply['entity'],
): Reply {
  const problem = problemAt(source, span, message, suggestion)
  return failure(parsingErrorText([problem]), { entity, errors: [problem] })
}
