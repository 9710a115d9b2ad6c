/** The examples of the catalogue are what they say: the wrong one has the mistake, the right one has none. */
import t from 'tap'
import { CATALOGUE, type CatalogueEntry } from '../diagnostic-catalogue.js'
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import { checkProgram } from './check.js'
import { CHECK_CATALOGUE } from './check-catalogue.js'

const WORLD = {
  model: () => undefined,
  python: (script: string) => (script === 'Statistics' ? ['average'] : undefined),
}

function codesIn(text: string, compat: 'v1' | 'v2'): readonly string[] {
  const { program, diagnostics } = parseProgram(new Source('example', text), { compat })
  return [...new Set([...diagnostics, ...checkProgram(program, WORLD, { compat })].map(({ code }) => code))]
}

for (const [code, { severity, wrong, right }] of Object.entries<CatalogueEntry>(CHECK_CATALOGUE)) {
  void t.test(code, async (t) => {
    t.equal(severity, code.startsWith('LOT3') ? 'error' : 'warning')
    const compat = code === 'LOT4201' ? 'v1' : 'v2'
    t.same(codesIn(wrong, compat), [code], 'the wrong text has this mistake and no other')
    t.same(codesIn(right, compat), [], 'the right text has none')
  })
}

void t.test('codes of the checker are part of the catalogue', async (t) => {
  for (const code of Object.keys(CHECK_CATALOGUE)) t.ok(Object.hasOwn(CATALOGUE, code), code)
})
