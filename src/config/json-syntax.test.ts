import fc from 'fast-check'
import t from 'tap'
import { jsonProblem } from './json-syntax.js'

t.test('agrees with JSON.parse, whatever is broken', async (t) => {
  const accepted = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }
  const json = fc
    .tuple(fc.jsonValue(), fc.constantFrom(0, 2))
    .map(([value, indent]) => JSON.stringify(value, undefined, indent))
  const position = fc.nat()
  const piece = fc.constantFrom('', ',', '"', '{', '}', '[', ']', ':', '1', '\\', 'true', '\n', '-', '0', 'e')
  fc.assert(fc.property(json, (text) => jsonProblem(text) === undefined))
  fc.assert(
    fc.property(json, position, piece, fc.nat(2), (text, at, inserted, removed) => {
      const index = at % (text.length + 1)
      const broken = text.slice(0, index) + inserted + text.slice(index + removed)
      const found = jsonProblem(broken)
      return (found === undefined) === accepted(broken) && (found === undefined || found.offset <= broken.length)
    }),
    { numRuns: 1_000 },
  )
  t.pass()
})

t.test('says what is expected and where', async (t) => {
  for (const [text, offset, message] of [
    ['', 0, 'a value is expected here, but the file ends'],
    ['{"a": 1,\n "b": }', 15, 'a value is expected here, not "}"'],
    ['{"a": 1,}', 8, 'a key in double quotes is expected here, not "}"'],
    ["{'a': 1}", 1, 'a key in double quotes is expected here, not "\'"'],
    ['{"a" 1}', 5, '":" is expected here, not "1"'],
    ['[1 2]', 3, '"," or "]" is expected here, not "2"'],
    ['{"a": [1, {}', 12, '"," or "]" is expected here, but the file ends'],
    ['{} x', 3, 'the end of the file is expected here, not "x"'],
    ['a: 1', 0, 'a value is expected here, not "a"'],
  ] as const) {
    t.same(jsonProblem(text), { message, offset }, text)
  }
  t.match(jsonProblem('['.repeat(1_000_000)), { offset: 1_000_000 }, 'depth costs no recursion')
})
