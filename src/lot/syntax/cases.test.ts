/** The files in `cases/` are LoT with the diagnostics that reading it is to give: see cases.fixture.ts. */
import t from 'tap'
import { casesOf, expectedIn, foundIn } from '../cases.fixture.js'
import { CATALOGUE } from '../diagnostic-catalogue.js'
import { parseProgram } from './parse.js'

const cases = casesOf('syntax')

for (const source of cases) {
  void t.test(source.name, async (t) => {
    t.same(foundIn(source, parseProgram(source).diagnostics), expectedIn(source))
  })
}

void t.test('every code of lexer and parser has a case', async (t) => {
  const texts = cases.map(({ text }) => text).join('')
  // a comment without end, deep nesting and very many errors would hide the other cases of a file: see parse.test.ts
  const elsewhere = ['LOT1003', 'LOT2027', 'LOT2028']
  const codes = Object.keys(CATALOGUE).filter((code) => /^LOT[129]/.test(code) && !elsewhere.includes(code))
  t.same(
    codes.filter((code) => !texts.includes(code)),
    [],
  )
})
