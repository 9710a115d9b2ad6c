/** The files in `cases/` are LoT that can be read, with the findings that checking it is to give: see cases.fixture.ts. */
import t from 'tap'
import { casesOf, expectedIn, foundIn } from '../cases.fixture.js'
import { parseProgram } from '../syntax/parse.js'
import { checkProgram } from './check.js'
import { CHECK_CATALOGUE } from './check-catalogue.js'

const cases = casesOf('check')
const WORLD = {
  model: () => undefined,
  python: (script: string) => (script === 'Statistics' ? ['average'] : undefined),
}

for (const source of cases) {
  void t.test(source.name, async (t) => {
    const { program, diagnostics } = parseProgram(source)
    t.same(foundIn(source, [...diagnostics, ...checkProgram(program, WORLD)]), expectedIn(source))
  })
}

void t.test('every code of the checker has a case', async (t) => {
  const texts = cases.map(({ text }) => text).join('')
  // priorities of version 1: see check.test.ts
  const codes = Object.keys(CHECK_CATALOGUE).filter((code) => code !== 'LOT4201')
  t.same(
    codes.filter((code) => !texts.includes(code)),
    [],
  )
})
