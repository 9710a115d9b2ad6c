/** `merlot rule check`: what is wrong with rules, and what they do that is hardly meant. */
import { counted } from '../base/counted.js'
import { BUILT_IN_RULES, SEED_RULES } from '../commands/built-in-rules.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import type { Entity, RuleNode } from '../lot/tree.js'
import { type ReviewNote, reviewRules } from '../security/rules/review.js'
import type { CommandContext, CommandDefinition } from './command.js'
import {
  CHECK_OPTIONS,
  type Checked,
  checkExit,
  diagnosticsToJson,
  errorCount,
  printProblems,
  readChecked,
  warningCount,
} from './lot-checked.js'
import { FILES_ARGUMENT } from './lot-options.js'
import { type CheckedText, type LotTexts, textName } from './lot-texts.js'

export const ONLY_OPTION = {
  flags: '--only',
  kind: 'flag',
  doc: 'these rules alone, without those that every broker begins with',
} as const

export const ruleCheckCommand: CommandDefinition = {
  name: 'rule check',
  summary: 'Check rules, also for what they do together; exit code 1 for errors',
  argument: FILES_ARGUMENT,
  options: [ONLY_OPTION, ...CHECK_OPTIONS],
  examples: ['merlot rule check rules.lot', 'merlot rule check plant --strict', 'merlot rule check rules.lot --only'],
  async run(values, context) {
    const checked = await readChecked(values, context)
    const found = findingsOf(checked, values.flag('only'))
    if (values.flag('json')) context.stdout.write(`${JSON.stringify(toJson(found, checked), undefined, 2)}\n`)
    else print(found, checked, context)
    return checkExit(found.errors, found.warnings, values)
  },
}

interface PlacedRule {
  readonly text: CheckedText
  readonly node: RuleNode
}

interface Findings {
  readonly rules: readonly PlacedRule[]
  readonly notes: readonly ReviewNote[]
  readonly errors: number
  readonly warnings: number
}

/** What rules do together is looked at where each can be read. */
function findingsOf(checked: Checked, only: boolean): Findings {
  const rules = rulesIn(checked.texts)
  const errors = errorCount(checked)
  const nodes = rules.map(({ node }) => node)
  const notes = errors > 0 ? [] : reviewRules(nodes, only ? [] : ownRules().map(({ node }) => node))
  return { rules, notes, errors, warnings: warningCount(checked) + notes.length }
}

export function rulesIn(texts: LotTexts): readonly PlacedRule[] {
  return texts.texts.flatMap((text) => text.program.entities.filter(isRule).map((node) => ({ text, node })))
}

/** The rules that every broker begins with. */
export function ownRules(): readonly { readonly text: string; readonly node: RuleNode }[] {
  return [...BUILT_IN_RULES, ...SEED_RULES].map(([name, text]) => {
    const [node] = parseProgram(new Source(name, text)).program.entities.filter(isRule)
    return { text, node }
  })
}

function isRule(entity: Entity): entity is RuleNode {
  return entity.kind === 'rule'
}

function toJson({ rules, notes }: Findings, { files, texts }: Checked): unknown {
  return {
    diagnostics: diagnosticsToJson(texts),
    problems: files.problems,
    warnings: [
      ...texts.warnings.map((message) => ({ message })),
      ...notes.map((note) => ({ rule: note.rule?.name.text, ...placeOf(note, rules), message: note.message })),
    ],
  }
}

/** undefined for what is about all rules together. */
function placeOf({ rule }: ReviewNote, rules: readonly PlacedRule[]) {
  const placed = rules.find(({ node }) => node === rule)
  if (placed === undefined) return undefined
  const { file, cell, source } = placed.text
  return { file, cell, ...source.positionOf(placed.node.name.span.start) }
}

function print({ rules, notes, errors, warnings }: Findings, checked: Checked, context: CommandContext): void {
  const { stdout } = context
  printProblems(checked, context)
  for (const note of notes) {
    const place = placeOf(note, rules)
    const written = place === undefined ? '' : `${textName(place)}:${place.line}:${place.column} `
    stdout.write(`${written}warning: ${note.message}\n`)
  }
  stdout.write(`${counted(rules.length, 'rule')}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`)
}
