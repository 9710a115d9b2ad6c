/** Diagnostics for people, and for programs. */
import type { Diagnostic, Severity } from './diagnostics.js'
import type { Position, Source } from './source.js'

/** Longer lines are shown around the place only. */
const LINE_LENGTH_MAX = 160
const SHOWN_BEFORE = 60

/**
 * Three lines, without a line end after the last:
 * ```text
 * pump.lot:4:12 error LOT2013: A variable stands in braces: {presure}
 *   4 |     IF presure > 6.5 THEN
 *     |        ^^^^^^^ did you mean {presure}?
 * ```
 */
export function printDiagnostic(source: Source, diagnostic: Diagnostic): string {
  const { line, column } = source.positionOf(diagnostic.span.start)
  const { severity, code, message } = diagnostic
  const head = `${source.name}:${line}:${column} ${severity} ${code}: ${message}`
  const { start, end } = diagnostic.span
  return `${head}\n${pointedLine(source.lineText(line), line, column, end - start, adviceOf(source, diagnostic))}`
}

/** The line, and carets below the place in it: `length` of them where the line is so long. Without a line end at the end. */
export function pointedLine(text: string, line: number, column: number, length: number, advice: string): string {
  const from = text.length > LINE_LENGTH_MAX ? Math.max(0, column - 1 - SHOWN_BEFORE) : 0
  const shown = text.slice(from, from + LINE_LENGTH_MAX)
  const margin = String(line)
  const carets = caretsBelow(shown, column - 1 - from, length)
  return `  ${margin} | ${shown}\n  ${' '.repeat(margin.length)} | ${carets}${advice && ` ${advice}`}`
}

/** Tabs are kept, so that the carets stand below their characters. */
function caretsBelow(text: string, start: number, length: number): string {
  const width = Math.max(1, Math.min(length, text.length - start))
  return text.slice(0, start).replace(/[^\t]/g, ' ') + '^'.repeat(width)
}

function adviceOf(source: Source, { suggestion }: Diagnostic): string {
  if (suggestion === undefined) return ''
  const replacement = suggestion.replacement.trim()
  const { start, end } = suggestion.span
  if (replacement !== '' && start === end) return `add ${replacement}`
  if (replacement !== '') return `did you mean ${replacement}?`
  const removed = source.text.slice(start, end).trim()
  if (suggestion.replacement.includes('\n')) return 'begin a new line here'
  return removed === '' ? 'correct the indentation' : `remove ${removed}`
}

export interface DiagnosticJson {
  readonly code: string
  readonly severity: Severity
  readonly message: string
  /** All of these count from 1; the end is that of the last character and one. */
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  /** The line with its neighbours. */
  readonly sourceLines: readonly { readonly line: number; readonly text: string }[]
  readonly suggestions: readonly string[]
}

export function diagnosticToJson(source: Source, diagnostic: Diagnostic): DiagnosticJson {
  const { code, severity, message, span } = diagnostic
  const start = source.positionOf(span.start)
  const end = source.positionOf(span.end)
  return {
    code,
    severity,
    message,
    ...start,
    endLine: end.line,
    endColumn: end.column,
    sourceLines: linesAround(source, start),
    suggestions: suggestionsOf(diagnostic),
  }
}

function linesAround(source: Source, { line }: Position): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = []
  for (let near = Math.max(1, line - 1); near <= Math.min(source.lineCount, line + 1); near++) {
    lines.push({ line: near, text: source.lineText(near) })
  }
  return lines
}

function suggestionsOf({ suggestion }: Diagnostic): string[] {
  const replacement = suggestion?.replacement.trim() ?? ''
  return replacement === '' ? [] : [replacement]
}
