import t from 'tap'
import { readNotebook, writeNotebook } from './notebook.js'

t.test('cells with their numbers; unknown keys do not matter', (t) => {
  const text = JSON.stringify([
    { kind: 1, language: 'markdown', value: '# Plant' },
    { kind: 2, language: 'lot', value: 'DEFINE ACTION A', outputs: [], extra: 1 },
    { kind: 2, language: 'Python', value: 'x = 1', scriptName: 'Old' },
    { kind: 2, language: 'shellscript', value: 'rm -rf /' },
  ])
  t.strictSame(readNotebook(`\uFEFF${text}`), {
    cells: [
      { number: 1, language: 'markdown', text: '# Plant', scriptName: undefined },
      { number: 2, language: 'lot', text: 'DEFINE ACTION A', scriptName: undefined },
      { number: 3, language: 'python', text: 'x = 1', scriptName: 'Old' },
      { number: 4, language: 'shellscript', text: 'rm -rf /', scriptName: undefined },
    ],
    problems: [],
  })
  t.end()
})

t.test('an empty file is an empty notebook', (t) => {
  for (const text of ['', ' \n', '\uFEFF', '[]']) t.strictSame(readNotebook(text), { cells: [], problems: [] })
  t.end()
})

t.test('what is wrong is told with the number of the cell, and the rest is read', (t) => {
  const good = { kind: 2, language: 'lot', value: 'x' }
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [null, /JSON object/],
    [[], /JSON object/],
    ['text', /JSON object/],
    [{ kind: 2, language: 'lot' }, /"value"/],
    [{ kind: 2, language: 'lot', value: 7 }, /"value"/],
    [{ kind: 3, language: 'lot', value: '' }, /"kind"/],
    [{ kind: 2, language: 'rust', value: '' }, /"rust"/],
    [{ kind: 2, value: '' }, /left out/],
  ]
  for (const [cell, message] of bad) {
    const { cells, problems } = readNotebook(JSON.stringify([good, cell, good]))
    t.same(
      cells.map(({ number }) => number),
      [1, 3],
    )
    t.equal(problems[0]?.cell, 2)
    t.match(problems[0]?.message, message)
  }
  t.end()
})

t.test('a file that is no notebook', (t) => {
  for (const text of ['{', '{"cells":[]}', '7', 'null', '"x"']) {
    const { cells, problems } = readNotebook(text)
    t.same(cells, [])
    t.match(problems, [{ cell: undefined, message: /JSON array of cells/ }])
  }
  t.match(readNotebook(`[${'{},'.repeat(10_000)}{}]`).problems, [{ message: /at most 10000 cells/ }])
  t.end()
})

t.test('what is written reads the same', (t) => {
  const { cells } = readNotebook('[{"kind":1,"value":"a"},{"kind":2,"language":"python","value":"b","scriptName":"S"}]')
  t.strictSame(readNotebook(writeNotebook(cells)).cells, cells)
  t.end()
})
