import t from 'tap'
import { diagnosticToJson, printDiagnostic } from './diagnostic-text.js'
import { Source } from './source.js'
import { parseProgram } from './syntax/parse.js'

function printed(text: string): string[] {
  const source = new Source('pump.lot', text)
  return parseProgram(source).diagnostics.map((diagnostic) => printDiagnostic(source, diagnostic))
}

const HEAD = 'DEFINE ACTION A\nON START DO\n'

void t.test('place, message, line, carets, advice', async (t) => {
  t.same(printed(`${HEAD}    SET "x" WITH level + 1`), [
    [
      'pump.lot:3:18 error LOT2013: A variable stands in braces: {level}',
      '  3 |     SET "x" WITH level + 1',
      '    |                  ^^^^^ did you mean {level}?',
    ].join('\n'),
  ])
})

void t.test('advice says what to do with the text', async (t) => {
  const adviceOf = (text: string) => printed(text)[0].replace(/[\s\S]*\^ ?/, '')
  t.equal(adviceOf(`${HEAD}    SET "x" 5`), 'add WITH')
  t.equal(adviceOf(`${HEAD}    SET "x" WITH [1,]`), 'remove ,')
  t.equal(adviceOf('DEFINE ACTION A\n    ON START DO\n    SET "x" WITH 1'), 'correct the indentation')
  t.equal(adviceOf('DEFINE ACTION A\nDO\n    SET "x" WITH 1\nRETURN OUTPUT x'), 'begin a new line here')
  t.equal(adviceOf(`${HEAD}    SET "x" WITH *`), '')
})

void t.test('tabs stay below tabs, long lines are cut', async (t) => {
  const [warning, error] = printed(`${HEAD}\tSET "x" WITH a`)
  t.match(warning, 'LOT9002')
  t.ok(error.includes('\n    | \t             ^ did'))
  const long = printed(`${HEAD}    SET "x" WITH "${'y'.repeat(500)}" + a + "${'z'.repeat(500)}"`)[0].split('\n')
  t.ok(long[1].length < 180)
  t.equal(long[1][long[2].indexOf('^')], 'a')
})

void t.test('for programs', async (t) => {
  const source = new Source('a.lot', `${HEAD}    SET "x" WITH level`)
  const [diagnostic] = parseProgram(source).diagnostics
  t.same(diagnosticToJson(source, diagnostic), {
    code: 'LOT2013',
    severity: 'error',
    message: 'A variable stands in braces: {level}',
    line: 3,
    column: 18,
    endLine: 3,
    endColumn: 23,
    sourceLines: [
      { line: 2, text: 'ON START DO' },
      { line: 3, text: '    SET "x" WITH level' },
    ],
    suggestions: ['{level}'],
  })
})
