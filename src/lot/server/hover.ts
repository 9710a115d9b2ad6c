/** What is known of the word under the mouse. */
import type { Hover } from 'vscode-languageserver'
import { CATALOGUE } from '../diagnostic-catalogue.js'
import type { Diagnostic } from '../diagnostics.js'
import { KEYWORD_HELP } from './keyword-help.js'
import type { LotDocument } from './lot-document.js'
import type { Occurrence } from './occurrences.js'
import type { Workspace } from './workspace.js'

/** Lines of an entity that are shown. */
const LINES_SHOWN = 6

export function hoverAt(document: LotDocument, offset: number, workspace: Workspace): Hover | undefined {
  const occurrence = document.occurrenceAt(offset)
  const word = document.wordAt(offset)
  const parts: string[] = workspace
    .diagnose(document)
    .filter(({ span }) => span.start <= offset && offset <= span.end)
    .map(explain)
  if (occurrence !== undefined) parts.push(describe(occurrence, workspace))
  else if (Object.hasOwn(KEYWORD_HELP, word.text)) {
    const { form, text } = KEYWORD_HELP[word.text]
    parts.push(`${fenced(form)}\n${text}`)
  }
  if (parts.length === 0) return undefined
  const span = occurrence?.span ?? word.span
  return { contents: { kind: 'markdown', value: parts.join('\n\n---\n\n') }, range: document.range(span) }
}

function explain({ code, message }: Diagnostic): string {
  const { explanation, right } = CATALOGUE[code]
  return `**${code}** ${message}\n\n${explanation}\n\n${fenced(right)}`
}

/** The line of each definition; of an entity its first lines. */
function describe(occurrence: Occurrence, workspace: Workspace): string {
  const definitions = workspace.same(occurrence).filter(({ occurrence: other }) => other.isDefinition)
  const { kind, name } = occurrence
  if (definitions.length === 0) return `${kind} \`${name}\`: nothing in this workspace defines it`
  const [{ document, occurrence: first }] = definitions
  const { line } = document.source.positionOf(first.span.start)
  const last = kind === 'variable' || kind === 'field' ? line : line + LINES_SHOWN - 1
  const lines: string[] = []
  for (let at = line; at <= Math.min(last, document.source.lineCount); at++) {
    const text = document.source.lineText(at)
    if (at > line && /^DEFINE\b/.test(text)) break
    lines.push(text)
  }
  const more = definitions.length > 1 ? `\n\nset in ${definitions.length} places` : ''
  const shown = kind === 'variable' || kind === 'field' ? lines.map((text) => text.trim()) : lines
  return `${kind} \`${name}\`\n\n${fenced(shown.join('\n').trimEnd())}${more}`
}

function fenced(text: string): string {
  return `\`\`\`lot\n${text}\n\`\`\``
}
