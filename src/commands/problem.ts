/** What is wrong with an entity, as clients are told: `errors[]` and the message of the answer. */
import { diagnosticToJson } from '../lot/diagnostic-text.js'
import type { Diagnostic } from '../lot/diagnostics.js'
import type { Source, Span } from '../lot/source.js'

export interface Problem {
  /** Code of the catalogue of diagnostics; absent where the text is not to blame. */
  readonly code?: string
  readonly message: string
  /** From 1, relative to the text of the entity. */
  readonly line?: number
  readonly column?: number
  readonly sourceLines?: readonly { readonly line: number; readonly text: string }[]
  readonly suggestions?: readonly string[]
}

export function problemOf(source: Source, diagnostic: Diagnostic): Problem {
  const { code, message, line, column, sourceLines, suggestions } = diagnosticToJson(source, diagnostic)
  return { code, message, line, column, sourceLines, suggestions }
}

export function problemAt(source: Source, { start }: Span, message: string, suggestion?: string): Problem {
  const { line, column } = source.positionOf(start)
  const sourceLines: { line: number; text: string }[] = []
  for (let near = Math.max(1, line - 1); near <= Math.min(source.lineCount, line + 1); near++) {
    sourceLines.push({ line: near, text: source.lineText(near) })
  }
  const suggestions = suggestion === undefined || suggestion === '' ? [] : [suggestion]
  return { message, line, column, sourceLines, suggestions }
}

/** `Parsing error: Expected DO, but found NEWLINE (2,9) with Errors: … Suggestions: DO`; each as it is to be written */
export function parsingErrorText(problems: readonly Problem[]): string {
  const [first, ...others] = problems
  const more = others.length === 0 ? '' : ` with Errors: ${others.map(placedText).join('; ')}`
  const suggestions = first.suggestions ?? []
  const tail = suggestions.length === 0 ? '' : ` Suggestions: ${suggestions.join(', ')}`
  return `Parsing error: ${placedText(first)}${more}${tail}`
}

/** `Expected DO (2,9)` */
export function placedText({ message, line, column }: Problem): string {
  return line === undefined ? message : `${message} (${line},${column})`
}
