/** What may come next at a place. */
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver'
import { RULE_SCOPES } from '../check/check-rule.js'
import { fieldsOf } from '../check/model-fields.js'
import { ROUTE_TYPES } from '../check/route-types.js'
import { ENTITY_WORDS } from '../syntax/parse.js'
import { DAY_SETS, TIME_UNITS, TRIGGER_WORDS } from '../syntax/parse-action.js'
import { EXPRESSION_WORDS, SESSION_WORDS, STATEMENT_WORDS } from '../syntax/words.js'
import type { Entity, ModelNode } from '../tree.js'
import { KEYWORD_HELP } from './keyword-help.js'
import type { LotDocument } from './lot-document.js'
import { scopeOf } from './occurrences.js'
import type { Workspace } from './workspace.js'

const TYPES = ['STRING', 'INT', 'DOUBLE', 'FLOAT', 'BOOL', 'OBJECT', 'ARRAY', 'TIMESTAMP']
const UNITS = TIME_UNITS.map((unit) => `${unit}S`)
const MARGIN_WORDS = ['DEFINE', 'ON', 'INPUT', 'DO', 'RETURN', 'OUTPUT', 'DESCRIPTION']
const BLOCK_WORDS = ['ELSE', 'CASE', 'DEFAULT', 'UNTIL']
const JOINING_WORDS = [
  'WITH',
  'THEN',
  'AS',
  'AND',
  'OR',
  'NOT',
  'EQUALS',
  'CONTAINS',
  'STARTS_WITH',
  'ENDS_WITH',
  'IN',
  'USING',
  'AND_THEN',
]
const CALLED_WORDS = ['ACTION', 'PYTHON', 'MCP', 'LLM', 'AGENT']
const MODEL_WORDS = ['ADD', 'WITH', 'STORE', 'FETCH']

interface Place {
  readonly document: LotDocument
  readonly offset: number
  readonly entity: Entity | undefined
  readonly workspace: Workspace
}

type Offer = (place: Place) => CompletionItem[]

/** By what stands before the word that is being written; the first one that fits counts. */
const OFFERS: readonly (readonly [before: RegExp, offer: Offer])[] = [
  [/^(?:[^"]*"[^"]*")*[^"]*\b(?:TOPIC|CHANGE|SUBSCRIBE)[ \t]+"[^"]*$/, topics],
  [/^(?:[^"]*"[^"]*")*[^"]*"[^"]*$/, nothing],
  [/\{[ \t]*\w*$/, variables],
  [/\bDEFINE[ \t]+\w*$/, () => keywords(Object.keys(ENTITY_WORDS))],
  [/^ON[ \t]+\w*$/, () => keywords(TRIGGER_WORDS)],
  [/\bEVERY[ \t]+\d+[ \t]+\w*$/, () => keywords(UNITS)],
  [/\bEVERY[ \t]+\w*$/, () => keywords(DAY_SETS)],
  [/\bCALL[ \t]+\w*$/, () => keywords(CALLED_WORDS)],
  [/\bCALL[ \t]+ACTION[ \t]+\w*$/, ({ workspace }) => names(workspace, 'action')],
  [
    /\bPUBLISH[ \t]+MODEL[ \t]+\w*$|\bDEFINE[ \t]+MODEL\b.*\bFROM[ \t]+\w*$|\bOF[ \t]+\w*$/,
    ({ workspace }) => names(workspace, 'model'),
  ],
  [/\bWITH[ \t]+TYPE[ \t]+\w*$/, () => keywords(Object.keys(ROUTE_TYPES))],
  [/\bDEFINE[ \t]+RULE\b.*\bFOR[ \t]+\w*$/, () => keywords(RULE_SCOPES)],
  [
    /\bAS[ \t]+\w*$/,
    ({ entity }) => keywords(entity?.kind === 'model' ? [...TYPES, 'BYTES', 'TRIGGER'] : [...TYPES, 'BYTES']),
  ],
  [/^[ \t]+ADD[ \t]+\w*$/, ({ entity }) => keywords(entity?.kind === 'model' ? [...TYPES, 'COLLECTION'] : [])],
  [/\bPUBLISH[ \t]+\w*$/, () => keywords(['TOPIC', 'MODEL'])],
  [/\b(?:KEEP|GET)[ \t]+\w*$/, () => keywords(['TOPIC', 'ENV', 'SECRET', 'JSON', 'MODEL'])],
  [/^\w*$/, () => keywords(MARGIN_WORDS)],
  [/^[ \t]+\w*$/, lineStart],
  [/./, value],
]

export function completionsAt(document: LotDocument, offset: number, workspace: Workspace): CompletionItem[] {
  const before = document.lineBefore(offset)
  if (/(?:^|[ \t])(?:\/\/|--[ \t])[^"]*$/.test(before)) return []
  const place = { document, offset, entity: document.entityAt(offset), workspace }
  return OFFERS.find(([pattern]) => pattern.test(before))?.[1](place) ?? []
}

function topics({ document, offset, workspace }: Place): CompletionItem[] {
  const start = document.source.text.lastIndexOf('"', offset - 1) + 1
  const range = document.range({ start, end: offset })
  return [...workspace.topics()].map((topic) => ({
    label: topic,
    kind: CompletionItemKind.Value,
    textEdit: { range, newText: topic },
  }))
}

/** Inside of other strings. */
function nothing(): CompletionItem[] {
  return []
}

/** A statement that is being written is not in the tree, and neither is what an open string or brace swallows. */
const ASSIGNMENT = /\bSET[ \t]+"(\w+)"|\bINPUT[ \t]+(\w+)|\bAS[ \t]+\{(\w+)\}/g

function variables({ document, entity, offset, workspace }: Place): CompletionItem[] {
  if (entity === undefined) return []
  if (entity.kind === 'model') return fields(entity, workspace)
  const scope = scopeOf(entity)
  const known = document.occurrences.filter(
    (one) => one.kind === 'variable' && one.isDefinition && one.within === scope,
  )
  const written = document.source.text.slice(entity.span.start, offset).matchAll(ASSIGNMENT)
  const found = [...written].map(([, set, input, result]) => set ?? input ?? result)
  return items(new Set([...known.map(({ name }) => name), ...found]), CompletionItemKind.Variable)
}

function fields(model: ModelNode, workspace: Workspace): CompletionItem[] {
  const { members } = fieldsOf(model, workspace)
  return items(
    members.map(({ name }) => name.text),
    CompletionItemKind.Field,
  )
}

function names(workspace: Workspace, kind: Entity['kind']): CompletionItem[] {
  const found = new Set(workspace.entities(kind).map(({ name }) => name.text))
  return items(found, kind === 'action' ? CompletionItemKind.Function : CompletionItemKind.Class)
}

function lineStart(place: Place): CompletionItem[] {
  if (place.entity?.kind === 'model') return keywords(MODEL_WORDS)
  return place.entity?.kind === 'action' ? keywords([...STATEMENT_WORDS, ...BLOCK_WORDS]) : value(place)
}

function value({ entity, workspace }: Place): CompletionItem[] {
  const words = [...EXPRESSION_WORDS].filter((word) => !SESSION_WORDS.includes(word as never) || hasSession(entity))
  const all = keywords([...words, ...JOINING_WORDS])
  return entity?.kind === 'model' ? [...fields(entity, workspace), ...all] : all
}

function hasSession(entity: Entity | undefined): boolean {
  const trigger = entity?.kind === 'action' ? entity.trigger?.kind : undefined
  return trigger === 'connect' || trigger === 'disconnect' || trigger === 'subscribe'
}

function keywords(words: readonly string[]): CompletionItem[] {
  return [...new Set(words)].map((word) => {
    const help = Object.hasOwn(KEYWORD_HELP, word) ? KEYWORD_HELP[word] : undefined
    return { label: word, kind: CompletionItemKind.Keyword, detail: help?.form, documentation: help?.text }
  })
}

function items(labels: Iterable<string>, kind: CompletionItemKind): CompletionItem[] {
  return [...labels].map((label) => ({ label, kind }))
}
