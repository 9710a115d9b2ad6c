import t from 'tap'
import { assignmentOf, firstWord, parseCommandLine, wordsOf } from './command-line.js'

t.test('a name, and what follows it', async (t) => {
  for (const [text, key, rest] of [
    ['-listModels', 'listmodels', ''],
    ['--list-models', 'listmodels', ''],
    ['-LISTMODELS', 'listmodels', ''],
    ['  -removeModel Tank \n', 'removemodel', 'Tank \n'],
    ['-addModel\n    DEFINE MODEL A\n        ADD "x" WITH 1', 'addmodel', '    DEFINE MODEL A\n        ADD "x" WITH 1'],
    ['-addModel \r\n\r\nDEFINE MODEL A\r\n', 'addmodel', 'DEFINE MODEL A\r\n'],
    [
      '-addPython # Script Name: A\ndef f(x):\n    return x\n',
      'addpython',
      '# Script Name: A\ndef f(x):\n    return x\n',
    ],
    ['\uFEFF-listEnv', 'listenv', ''],
    ['hello there', 'hello', 'there'],
    ['-l', 'l', ''],
  ] as const) {
    t.match(parseCommandLine(text), { key, rest }, JSON.stringify(text))
    t.equal(parseCommandLine(text)?.requestId, undefined)
  }
  for (const nothing of ['', '  \n ', '-', '---']) t.equal(parseCommandLine(nothing), undefined)
})

t.test('the identifier of the request at the end, also after a body', async (t) => {
  for (const [text, rest, requestId] of [
    ['-listModels -requestId r-17', '', 'r-17'],
    ['-listModels -REQUESTID r-17  \n', '', 'r-17'],
    ['-removeModel A -requestId x', 'A', 'x'],
    [
      '-addAction DEFINE ACTION A\nDO\n    PUBLISH TOPIC "a" WITH 1\n-requestId 9',
      'DEFINE ACTION A\nDO\n    PUBLISH TOPIC "a" WITH 1',
      '9',
    ],
    ['-setEnv A=-requestId', 'A=-requestId', undefined],
    ['-runAction -requestId', '-requestId', undefined],
    ['-addAction -requestId one -requestId two', '-requestId one', 'two'],
  ] as const) {
    t.match(parseCommandLine(text), { rest, requestId }, text)
  }
})

t.test('a long body costs little', async (t) => {
  const body = `${' x'.repeat(1_000_000)} -requestId r`
  const began = performance.now()
  t.equal(parseCommandLine(`-addModel ${body}`)?.requestId, 'r')
  parseCommandLine(`-addModel ${' '.repeat(1_000_000)}x`)
  t.ok(performance.now() - began < 500)
})

t.test('words', async (t) => {
  t.same(wordsOf('one "two three"  \'four five\' six'), ['one', 'two three', 'four five', 'six'])
  t.same(wordsOf(''), [])
  t.same(firstWord('Name {"a": "b c"}'), ['Name', '{"a": "b c"}'])
  t.same(firstWord('"My Name" x'), ['My Name', 'x'])
  t.same(firstWord(' '), [undefined, ''])
})

t.test('assignments', async (t) => {
  t.same(assignmentOf('A=b'), { name: 'A', value: 'b' })
  t.same(assignmentOf('A=b c=d'), { name: 'A', value: 'b c=d' })
  t.same(assignmentOf('"A=b c"'), { name: 'A', value: 'b c' })
  t.same(assignmentOf('A="b c"'), { name: 'A', value: 'b c' })
  t.same(assignmentOf('A='), { name: 'A', value: '' })
  t.equal(assignmentOf('A'), undefined)
  t.equal(assignmentOf('=b'), undefined)
})
