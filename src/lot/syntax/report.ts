/** Collects what is wrong with a text while it is read. */

import { CATALOGUE, type DiagnosticCode } from '../diagnostic-catalogue.js'
import type { Diagnostic, Suggestion } from '../diagnostics.js'
import type { Span } from '../source.js'

const ERRORS_MAX = 100
const WARNINGS_MAX = 100

/** At most 100 errors and 100 warnings, and one error for a place: what follows from the first would only hide it. */
export class Report {
  readonly #errors: Diagnostic[] = []
  readonly #warnings: Diagnostic[] = []
  readonly #errorStarts = new Set<number>()

  /** @param replacement for the text at `span`; or a suggestion with a place of its own */
  add(code: DiagnosticCode, message: string, span: Span, replacement?: string | Suggestion): void {
    const { severity } = CATALOGUE[code]
    this.push({
      code,
      severity,
      message,
      span: { start: span.start, end: span.end },
      suggestion:
        typeof replacement === 'string' ? { span: { start: span.start, end: span.end }, replacement } : replacement,
    })
  }

  push(diagnostic: Diagnostic): void {
    if (diagnostic.severity === 'warning') {
      if (this.#warnings.length < WARNINGS_MAX) this.#warnings.push(diagnostic)
      return
    }
    const { span } = diagnostic
    if (this.isFull || this.#errorStarts.has(span.start)) return
    this.#errorStarts.add(span.start)
    this.#errors.push(diagnostic)
    if (!this.isFull) return
    const message = 'Too many errors: the rest of the text is not read'
    this.#errors.push({ code: 'LOT2028', severity: 'error', message, span })
  }

  /** Nothing more can be reported: reading on is of no use. */
  get isFull(): boolean {
    return this.#errors.length >= ERRORS_MAX
  }

  /** By place. */
  sorted(): readonly Diagnostic[] {
    const all = [...this.#errors, ...this.#warnings]
    return all.sort((one, other) => one.span.start - other.span.start || one.span.end - other.span.end)
  }
}
