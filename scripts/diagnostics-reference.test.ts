import { readFileSync } from 'node:fs'
import t from 'tap'
import { CATALOGUE } from '../src/lot/diagnostic-catalogue.js'
import { DIAGNOSTICS_FILE, diagnosticsReference, ungroupedCodes } from './diagnostics-reference.js'

t.test('docs/lot/diagnostics.md is what the catalogue says', async (t) => {
  t.equal(
    readFileSync(DIAGNOSTICS_FILE, 'utf8'),
    diagnosticsReference(),
    'run `npm run docs` after a change of the catalogue',
  )
})

t.test('every code has its place', async (t) => {
  t.same(ungroupedCodes(), [])
  const page = diagnosticsReference()
  for (const code of Object.keys(CATALOGUE)) t.equal(page.split(`\n### ${code}\n`).length, 2, code)
})
