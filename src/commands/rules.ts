/** The registry's side of rules: those that come with the broker, and which a user may add or remove. */

import { SEEDED_KEY } from '../contracts/definition-keys.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import type { RuleNode } from '../lot/tree.js'
import { reviewLockouts, reviewRules } from '../security/rules/review.js'
import { BUILT_IN_RULES, SEED_RULES } from './built-in-rules.js'
import { type Entry, entryKey, KIND_TITLES, type LotEntry, lotEntry } from './entry.js'
import { failure, type Reply } from './envelope.js'
import type { Draft, Library } from './library.js'

const BUILT_IN_NAMES: ReadonlySet<string> = new Set(BUILT_IN_RULES.map(([name]) => name))

export function isLocked(name: string): boolean {
  return BUILT_IN_NAMES.has(name)
}

const SEED_NAMES: ReadonlySet<string> = new Set(SEED_RULES.map(([name]) => name))

/** What `-removeAllRules` takes: the rules of users, so that a client that clears its own locks nobody out. */
export function isOfUser(name: string): boolean {
  return !isLocked(name) && !SEED_NAMES.has(name)
}

/** Those that nobody can remove; they are not kept, but come with each start. */
export function setBuiltInRules(library: Library): void {
  for (const [name, text] of BUILT_IN_RULES) library.entities.set(entryKey('rule', name), knownRule(text))
}

/** The seeds come with the first start; whoever removes them does not get them back with the next. */
export function seedOnce(draft: Draft): void {
  if (draft.notes.has(SEEDED_KEY)) return
  restoreSeeds(draft)
  draft.notes.set(SEEDED_KEY, 'yes')
}

/** Puts the seeds where they are missing. @returns the names of those that were */
export function restoreSeeds(draft: Draft): readonly string[] {
  const restored: string[] = []
  for (const [name, text] of SEED_RULES) {
    if (draft.entities.get(entryKey('rule', name))?.source === text) continue
    draft.deploy(knownRule(text))
    restored.push(name)
  }
  return restored
}

/** @returns why this rule can not be added; undefined if it can, or is none */
export function ruleRefusal(draft: Draft, { kind, name }: LotEntry): Reply | undefined {
  if (kind !== 'rule' || !draft.entities.has(entryKey(kind, name))) return undefined
  return failure(`A rule with the name '${name}' already exists`, { entity: { type: KIND_TITLES.rule, name } })
}

/** What a rule does, with those that are there, that is hardly meant: as `merlot rule check` says it. */
export function ruleNotes({ entities }: Draft, { node, name }: LotEntry): readonly string[] {
  if (node.kind !== 'rule') return []
  const others = ruleNodes(entities.values()).filter((rule) => rule.name.text !== name)
  const notes = reviewRules([node], others).filter(({ rule }) => rule === node)
  return notes.map(({ message }) => message)
}

/** What nobody but root can do any more, because of rules that the draft has removed. */
export function removalNotes({ library, entities }: Draft): readonly string[] {
  const before = new Set(reviewLockouts(ruleNodes(library.entities.values())))
  return reviewLockouts(ruleNodes(entities.values())).filter((message) => !before.has(message))
}

function ruleNodes(entries: Iterable<Entry>): readonly RuleNode[] {
  return [...entries].flatMap((entry) => (entry.kind === 'rule' ? [entry.node as RuleNode] : []))
}

export interface RuleSummary {
  readonly name: string
  readonly priority: number
  readonly scope: string
  readonly topic: string | null
  readonly locked: boolean
}

/** By priority, those that decide first before the others. */
export function ruleSummaries(entries: Iterable<Entry>): readonly RuleSummary[] {
  const summaries: RuleSummary[] = []
  for (const entry of entries) {
    if (entry.kind !== 'rule') continue
    const { name, priority, scope, topic } = entry.node as RuleNode
    summaries.push({
      name: name.text,
      priority,
      scope: scope.text,
      topic: topic?.value ?? null,
      locked: isLocked(name.text),
    })
  }
  return summaries.sort((one, other) => one.priority - other.priority)
}

function knownRule(text: string): LotEntry {
  const { program } = parseProgram(new Source('rule', text), { compat: 'v2' })
  return lotEntry(text, program.entities[0], [])
}
