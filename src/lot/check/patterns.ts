/** Regular expressions in a text. */
import type { Report } from '../syntax/report.js'
import type { TextNode } from '../tree.js'
import { compileRegex } from '../values/regex.js'
import { findExponential } from '../values/regex-danger.js'

export function checkPattern(pattern: TextNode, report: Report): void {
  const { problem } = compileRegex(pattern.value)
  if (problem !== undefined) {
    report.add('LOT3014', `The regular expression cannot be used: ${problem}`, pattern.span)
    return
  }
  const danger = findExponential(pattern.value)
  if (danger !== undefined) report.add('LOT4009', `The regular expression can take for ever: ${danger}`, pattern.span)
}
