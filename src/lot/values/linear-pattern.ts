/**
 * Regular expressions that take linear time for any text (RE2 syntax): those of rules, which strangers feed with client
 * identifiers. The only importer of re2js.
 */
import { createRequire } from 'node:module'
import { messageOf } from '../../base/errors.js'

const require = createRequire(import.meta.url)
/** Loaded with the first pattern: it is large, and most brokers have none. */
const library = (): typeof import('re2js') => require('re2js') as typeof import('re2js')

/** UTF-16 code units of a text that is searched. */
export const SEARCHED_LENGTH_MAX = 1_024
/** Instructions; the time for one text grows with them. `.{1,1000}` has 2,000. */
const PROGRAM_SIZE_MAX = 2_048
const PATTERN_LENGTH_MAX = 4_096

export interface LinearPattern {
  /** Whether it matches anywhere in the text. @throws Error for a text of more than SEARCHED_LENGTH_MAX */
  find(text: string): boolean
}

export type LinearPatternResult =
  | { readonly pattern: LinearPattern; readonly problem?: undefined }
  | { readonly problem: string; readonly pattern?: undefined }

/** @returns the pattern, or in words why there is none */
export function compileLinearPattern(written: string): LinearPatternResult {
  if (written.length > PATTERN_LENGTH_MAX) return { problem: `it has more than ${PATTERN_LENGTH_MAX} characters` }
  try {
    const compiled = library().RE2JS.compile(written)
    if (compiled.programSize() > PROGRAM_SIZE_MAX) return { problem: 'it is too large: repeat less' }
    return { pattern: { find: (text) => compiled.test(searched(text)) } }
  } catch (error) {
    return { problem: messageOf(error).replace(/^error parsing regexp: /, '') }
  }
}

function searched(text: string): string {
  if (text.length <= SEARCHED_LENGTH_MAX) return text
  throw new Error(`a text of ${text.length} characters is too long for a regular expression`)
}
