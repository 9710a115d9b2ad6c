/** What is wrong with a text, in one shape for every stage. The catalogue of codes is in diagnostic-catalogue.ts. */
import type { DiagnosticCode } from './diagnostic-catalogue.js'
import type { Span } from './source.js'

export type Severity = 'error' | 'warning'

export interface Suggestion {
  /** What to replace; empty (start = end) to insert. */
  readonly span: Span
  readonly replacement: string
}

export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly severity: Severity
  /** Without a full stop; complete in itself. */
  readonly message: string
  readonly span: Span
  readonly suggestion?: Suggestion
}
