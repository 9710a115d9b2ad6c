import fc from 'fast-check'
import t from 'tap'
import { readString, writeString } from './string-literal.js'

const CASES: readonly (readonly [written: string, value: string])[] = [
  ['""', ''],
  ['"plain °C"', 'plain °C'],
  ["'1883'", '1883'],
  [String.raw`"a\"b"`, 'a"b'],
  [String.raw`'a\'b"c'`, `a'b"c`],
  [String.raw`"line\nnext\ttab\rreturn\\slash"`, 'line\nnext\ttab\rreturn\\slash'],
  [String.raw`"\u00e9\u20AC"`, 'é€'],
  [String.raw`"\d+\.\w \u12 \x"`, String.raw`\d+\.\w \u12 \x`],
]

void t.test('strings are read', async (t) => {
  for (const [written, value] of CASES) {
    t.same(readString(`x ${written} y`, 2), { value, end: 2 + written.length, isTerminated: true }, written)
  }
})

void t.test('a string without an end goes to the end of its line', async (t) => {
  t.same(readString('"open\nnext', 0), { value: 'open', end: 5, isTerminated: false })
  t.same(readString('"', 0), { value: '', end: 1, isTerminated: false })
  t.same(readString('"a\\', 0), { value: 'a\\', end: 3, isTerminated: false })
})

void t.test('what is written is read again', async (t) => {
  t.equal(writeString(String.raw`\d+"x"`), String.raw`"\d+\"x\""`)
  t.equal(writeString('ends with \\'), String.raw`"ends with \\"`)
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('\\', '"', 'n', 'u', '\n', '0', 'a')).map((signs) => signs.join('')),
  )
  fc.assert(
    fc.property(text, (value) => {
      const written = writeString(value)
      const read = readString(written, 0)
      return read.value === value && read.isTerminated && read.end === written.length
    }),
    { numRuns: 300 },
  )
})
