import t from 'tap'
import { problemTexts } from './answer-problems.js'

t.test('errors of an answer are printed like those of lot check', async (t) => {
  const sourceLines = [
    { line: 1, text: 'DEFINE ACTION B1' },
    { line: 2, text: '\tON EVERY 1 SECOND D' },
  ]
  const error = { code: 'LOT2001', message: 'Expected DO', line: 2, column: 20, sourceLines, suggestions: ['DO'] }
  const message = 'Parsing error: Expected DO (2,20) Suggestions: DO'
  const [own] = problemTexts({ message, entityType: 'Action', entityName: 'B1', errors: [error] })
  t.equal(
    own,
    `Action B1:2:20 error LOT2001: Expected DO
  2 | \tON EVERY 1 SECOND D
    | \t                  ^ did you mean DO?`,
  )
  const [ofProject] = problemTexts({ errors: [{ ...error, file: 'plant.lotnb', cell: 3, fileLine: 12 }] })
  t.match(ofProject, /^plant\.lotnb cell 3:12:20 error LOT2001: Expected DO\n {2}12 \| \tON EVERY/)
  t.match(problemTexts({ errors: [error] }), [/^2:20 error LOT2001/])
  const sent = (text: string) => problemTexts({ errors: [error] }, { name: 'b.lot', text })
  const text = sourceLines.map((line) => line.text).join('\n')
  t.match(
    sent(`// first\n\n${text}\n`),
    [/^b\.lot:4:20 error LOT2001: Expected DO\n {2}4 \| /],
    'found again in the file',
  )
  t.match(sent(`${text}\n${text}\n`), [/^2:20 error/], 'nobody knows which')
  t.match(sent('other'), [/^2:20 error/])
  t.same(problemTexts({ message: 'No', errors: [{ message: 'No' }] }), [], 'nothing that was said')
  t.same(problemTexts({ message: 'No', entityType: 'Rule', errors: [{ message: 'Why' }] }), ['Rule: error: Why'])
  t.same(problemTexts({ message: 'No', errors: [{ message: 'Why' }] }), ['error: Why'])
})
