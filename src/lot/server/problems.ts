/** Diagnostics as editors show them, and the corrections that they come with. */
import {
  type CodeAction,
  CodeActionKind,
  DiagnosticSeverity,
  type Diagnostic as EditorDiagnostic,
  type Range,
} from 'vscode-languageserver'
import type { Diagnostic } from '../diagnostics.js'
import type { LotDocument } from './lot-document.js'

export function editorDiagnostic(
  document: LotDocument,
  { code, severity, message, span }: Diagnostic,
): EditorDiagnostic {
  return {
    range: document.range(span),
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    source: 'lot',
    message,
  }
}

/** Corrections of what is wrong in a range. */
export function correctionsIn(document: LotDocument, diagnostics: readonly Diagnostic[], range: Range): CodeAction[] {
  const start = document.offsetAt(range.start)
  const end = document.offsetAt(range.end)
  return diagnostics.flatMap((diagnostic) => {
    const { suggestion, span } = diagnostic
    if (suggestion === undefined || span.end < start || span.start > end) return []
    const newText = suggestion.replacement
    return {
      title: newText.trim() === '' ? 'Correct it' : `Write ${newText.trim()}`,
      kind: CodeActionKind.QuickFix,
      diagnostics: [editorDiagnostic(document, diagnostic)],
      edit: { changes: { [document.uri]: [{ range: document.range(suggestion.span), newText }] } },
    }
  })
}
