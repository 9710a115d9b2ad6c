/**
 * Everything that can be wrong with a LoT text, by its code. Codes are public and never reused: LOT1xxx characters and
 * words, LOT2xxx syntax, LOT3xxx names and meaning, LOT4xxx doubts, LOT9xxx layout.
 */
import { CHECK_CATALOGUE } from './check/check-catalogue.js'
import { FORM_CATALOGUE } from './syntax/form-catalogue.js'
import { LEXICAL_CATALOGUE } from './syntax/lexical-catalogue.js'
import { SYNTAX_CATALOGUE } from './syntax/syntax-catalogue.js'

export interface CatalogueEntry {
  /** A warning of layout is an error where the configuration says so. */
  readonly severity: 'error' | 'warning'
  /** A few words, lower case. */
  readonly title: string
  /** Markdown: the cause, and what to do. */
  readonly explanation: string
  /** LoT that has the mistake, and LoT that does not. */
  readonly wrong: string
  readonly right: string
}

export const CATALOGUE = {
  ...LEXICAL_CATALOGUE,
  ...SYNTAX_CATALOGUE,
  ...FORM_CATALOGUE,
  ...CHECK_CATALOGUE,
} as const satisfies Record<string, CatalogueEntry>

export type DiagnosticCode = keyof typeof CATALOGUE
