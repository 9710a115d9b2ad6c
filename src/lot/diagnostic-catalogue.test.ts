import t from 'tap'
import { CATALOGUE, type CatalogueEntry } from './diagnostic-catalogue.js'
import { Source } from './source.js'
import { parseProgram } from './syntax/parse.js'

const ENTRIES = Object.entries<CatalogueEntry>(CATALOGUE)

/** Places that an example may be written for. */
const FRAMES: readonly ((example: string) => string)[] = [
  (example) => example,
  (example) => `DEFINE ACTION A\nON TOPIC "t" DO\n${indented(example, 4)}`,
  (example) => `DEFINE ACTION A\n${example}\n    SET "x" WITH 1`,
  (example) => `DEFINE ACTION A\n${example}`,
  (example) => `DEFINE ACTION A\nDO\n    SET "x" WITH 1\n${example}`,
  (example) => `DEFINE MODEL M\n${indented(example, 4)}`,
  (example) => `DEFINE ROUTE R WITH TYPE X\n${indented(example, 4)}`,
  (example) => `DEFINE RULE R WITH PRIORITY 150 FOR Connect\n${indented(example, 4)}`,
  (example) => `DEFINE PANEL "P"\n    ADD COMPONENT "c" WITH TYPE "button"\n${indented(example, 8)}`,
]

function indented(text: string, columns: number): string {
  return text.replace(/^/gm, ' '.repeat(columns))
}

function codesIn(text: string): string[] {
  return parseProgram(new Source('example', text)).diagnostics.map(({ code }) => code)
}

void t.test('codes are ordered, entries are complete', async (t) => {
  for (const [code, { severity, title, explanation }] of ENTRIES) {
    t.match(code, /^LOT[1-9]\d{3}$/)
    t.ok(severity === 'error' || severity === 'warning')
    t.match(title, /^\S.*[^.]$/)
    t.not(explanation.trim(), '')
  }
})

void t.test('the wrong examples of the parser have the mistake, the right ones do not', async (t) => {
  // the first cannot be shown in a line, the second needs a hundred errors
  const isShown = (code: string) => /^LOT[129]/.test(code) && code !== 'LOT2027' && code !== 'LOT2028'
  for (const [code, { wrong, right }] of ENTRIES.filter(([code]) => isShown(code))) {
    const frame = FRAMES.find((candidate) => codesIn(candidate(wrong)).includes(code))
    if (!t.ok(frame, `${code} in ${wrong}`)) continue
    const isRightSomewhere = FRAMES.some((candidate) => codesIn(candidate(right)).length === 0)
    t.ok(isRightSomewhere || !codesIn(frame!(right)).includes(code), `${code} not in ${right}`)
  }
})
