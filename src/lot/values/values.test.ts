import fc from 'fast-check'
import t from 'tap'
import { cast } from './casts.js'
import { follow, getJson, parseJsonPath } from './json-path.js'
import { jsonSlice } from './json-slice.js'
import { jsonTextOf } from './json-text.js'
import { numberToText, parseNumber, parseNumberBytes } from './number-text.js'
import { add, compare, equals } from './operators.js'
import { decodeText, encodeText } from './text-bytes.js'
import { timestampFormat } from './timestamp.js'
import { csvFields } from './transforms.js'
import {
  bytesOf,
  isEmpty,
  Json,
  type JsonData,
  MISSING_KEY,
  NO_PREVIOUS,
  OuterText,
  textOf,
  type Value,
} from './value.js'

t.test('what is a number', (t) => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['0', 0],
    ['-0', 0],
    ['+7', 7],
    ['007', 7],
    ['1.50', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    [' 5\r\n', 5],
    ['1e3', 1_000],
    ['1E-2', 0.01],
    ['12345678901234567890', 1.2345678901234567e19],
    ['0.1234567890123456789012345', 0.12345678901234568],
    ['9007199254740993', 9007199254740992],
    ['', undefined],
    [' ', undefined],
    ['.', undefined],
    ['-', undefined],
    ['1.2.3', undefined],
    ['1e', undefined],
    ['e3', undefined],
    ['1e999', undefined],
    ['0x10', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['1,000', undefined],
    ['1 000', undefined],
    ['12a', undefined],
    ['true', undefined],
    ['٣', undefined],
  ]
  for (const [text, expected] of rows) {
    t.equal(parseNumber(text), expected, JSON.stringify(text))
    t.equal(parseNumberBytes(encodeText(text)), expected, `bytes of ${JSON.stringify(text)}`)
  }
  t.end()
})

t.test('numbers become their shortest text, and come back', (t) => {
  for (const value of [
    0,
    -0,
    1,
    -1,
    0.001,
    -0.5,
    21.25,
    0.1 + 0.2,
    1e21,
    1e-7,
    999999999.999,
    123456789012.345,
    5e-324,
  ]) {
    t.equal(numberToText(value), String(value))
  }
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer().map((n) => n / 1_000),
      ),
      (value) => {
        const text = numberToText(value)
        return (
          text === String(value) && parseNumber(text) === value + 0 && parseNumberBytes(encodeText(text)) === value + 0
        )
      },
    ),
  )
  t.equal(numberToText(Number.POSITIVE_INFINITY), '')
  t.end()
})

t.test('text and bytes', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => decodeText(encodeText(text)) === text),
  )
  t.equal(decodeText(new Uint8Array([0x61, 0xff])), 'a\ufffd')
  t.end()
})

t.test('casts of what is no text', (t) => {
  const rows: readonly (readonly [Value, Parameters<typeof cast>[1], Value])[] = [
    [undefined, 'INT', undefined],
    [undefined, 'BOOL', undefined],
    [MISSING_KEY, 'INT', 0],
    [MISSING_KEY, 'DOUBLE', 0],
    [MISSING_KEY, 'BOOL', false],
    [MISSING_KEY, 'STRING', MISSING_KEY],
    [NO_PREVIOUS, 'INT', NO_PREVIOUS],
    [true, 'INT', 1],
    [-0.5, 'INT', 0],
    [1, 'BOOL', true],
    [2, 'BOOL', false],
    [true, 'STRING', 'true'],
    [0, 'TIMESTAMP', '1970-01-01T00:00:00.000Z'],
    [1_772_694_489_123, 'TIMESTAMP', '2026-03-05T07:08:09.123Z'],
    [OuterText.of('2026-03-05 07:08:09'), 'TIMESTAMP', '2026-03-05T07:08:09.000Z'],
    [OuterText.of('2026-03-05T09:08:09+02:00'), 'TIMESTAMP', '2026-03-05T07:08:09.000Z'],
  ]
  for (const [value, type, expected] of rows) t.equal(cast(value, type), expected, `${textOf(value)} AS ${type}`)
  t.end()
})

t.test('operators on what is no text', (t) => {
  const list = Json.ofData([1])
  const sums: readonly (readonly [Value, Value, boolean, string])[] = [
    [undefined, undefined, true, '0'],
    [undefined, undefined, false, ''],
    [undefined, 'a', true, 'a'],
    [undefined, '5', false, '5'],
    [MISSING_KEY, 1, true, 'null1'],
    [NO_PREVIOUS, 1, true, '1'],
    ['', 1, true, '1'],
    [true, 1, true, 'true1'],
    [list, Json.ofData([2, 3]), false, '[1,2,3]'],
    [list, OuterText.of('{"a":2}'), false, '[1,{"a":2}]'],
    [list, 'x', false, '[1,"x"]'],
  ]
  for (const [left, right, isNumeric, expected] of sums) {
    t.equal(textOf(add(left, right, isNumeric)), expected, `${textOf(left)} + ${textOf(right)}`)
  }
  const equal: readonly (readonly [Value, Value, boolean])[] = [
    [MISSING_KEY, undefined, true],
    [MISSING_KEY, '', true],
    [MISSING_KEY, 'null', true],
    [MISSING_KEY, 0, false],
    [undefined, '', true],
    [undefined, 0, false],
    [undefined, false, false],
    ['TRUE', true, true],
    ['1', true, false],
    ['1.0', OuterText.of('1'), true],
    [Json.ofData([1]), '[1]', true],
  ]
  for (const [left, right, expected] of equal) {
    t.equal(equals(left, right), expected, `${textOf(left)} == ${textOf(right)}`)
    t.equal(equals(right, left), expected, 'the other way round')
  }
  t.equal(compare('<', MISSING_KEY, 1), true)
  t.equal(compare('>=', undefined, 'a'), false)
  t.end()
})

t.test('what is empty', (t) => {
  for (const value of [undefined, '', MISSING_KEY, NO_PREVIOUS, OuterText.of(''), new Uint8Array(0)])
    t.ok(isEmpty(value))
  for (const value of [0, false, ' ', OuterText.of('0'), Json.ofData({})]) t.notOk(isEmpty(value))
  t.end()
})

t.test('a payload in JSON', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['1.50', '1.50'],
    ['-0.5e3', '-0.5e3'],
    ['True', 'true'],
    ['007', '"007"'],
    ['+5', '"+5"'],
    ['', '""'],
    ['{"a":1}', '"{\\"a\\":1}"'],
    ['null', '"null"'],
  ]
  for (const [payload, expected] of rows) t.equal(jsonTextOf(OuterText.of(payload)), expected, payload)
  t.equal(jsonTextOf(MISSING_KEY), 'null')
  t.equal(jsonTextOf(Number.NaN), 'null')
  t.equal(jsonTextOf(new Uint8Array([0x61])), '"a"')
  const raw = new Uint8Array([1, 255])
  t.equal(bytesOf(new OuterText(raw)), raw)
  t.end()
})

t.test('paths', (t) => {
  t.strictSame(parseJsonPath('a.b[0].c'), ['a', 'b', '0', 'c'])
  t.strictSame(parseJsonPath('items.0.id'), ['items', '0', 'id'])
  const source = OuterText.of('{"a":[{"b":1}],"constructor":{"x":2}}')
  t.equal(getJson(source, ['a', '0', 'b']), 1)
  t.equal(getJson(source, ['a', 'length']), MISSING_KEY)
  t.equal(getJson(source, ['toString']), MISSING_KEY)
  t.equal(getJson(source, ['constructor', 'x']), 2)
  t.equal(getJson(undefined, ['a']), MISSING_KEY)
  t.equal(getJson('[', ['a']), MISSING_KEY)
  t.end()
})

t.test('the slice of a text that a path leads to is the JSON there', (t) => {
  t.equal(jsonSlice('{ "a" : [ 1.0 , { "b" : "}\\"]" } ] , "a\\u0062" : {} }', ['a', '1']), '{ "b" : "}\\"]" }')
  t.equal(jsonSlice('{"a":1,"a":[2 ]}', ['a']), '[2 ]')
  t.equal(jsonSlice('{"ab":1,"a\\u0062":3}', ['ab']), '3')
  const spaced = fc
    .tuple(fc.json(), fc.nat({ max: 2 }))
    .map(([text, indent]) => JSON.stringify(JSON.parse(text), null, indent))
  fc.assert(
    fc.property(spaced, (text) => {
      const visit = (data: JsonData, path: readonly string[]): boolean => {
        const slice = jsonSlice(text, path)
        if (JSON.stringify(JSON.parse(slice ?? 'none')) !== JSON.stringify(follow(JSON.parse(text), path))) return false
        if (typeof data !== 'object' || data === null) return true
        return Object.entries(data).every(([key, value]) => visit(value, [...path, key]))
      }
      return visit(JSON.parse(text) as JsonData, [])
    }),
  )
  t.end()
})

t.test('formats of TIMESTAMP', (t) => {
  const afternoon = Date.UTC(2026, 2, 5, 15, 4, 9, 7)
  const rows: readonly (readonly [string, string])[] = [
    ['ISO', '2026-03-05T15:04:09.007Z'],
    ['UTC', '2026-03-05 15:04:09'],
    ['UNIX', '1772723049'],
    ['UNIX-MS', '1772723049007'],
    ['yyyy-MM-ddTHH:mm:ss.fffzzz', '2026-03-05T15:04:09.007+00:00'],
    ['dddd, d MMMM yy', 'Thursday, 5 March 26'],
    ['ddd MMM', 'Thu Mar'],
    ['hh:mm tt', '03:04 PM'],
    ['HH', '15'],
    ["HH 'o''clock'", '15 oclock'],
    ['\\H:H', 'H:15'],
    ['HOUR', ''],
    ["HH 'open", ''],
    ['', ''],
  ]
  for (const [format, expected] of rows) t.equal(timestampFormat(format)(afternoon), expected, format)
  t.equal(timestampFormat('hh tt')(Date.UTC(2026, 0, 1)), '12 AM')
  t.end()
})

t.test('CSV', (t) => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['a,b,c', ['a', 'b', 'c']],
    ['', ['']],
    [',', ['', '']],
    ['"a,b","c""d"', ['a,b', 'c"d']],
    ['a,b\r\n', ['a', 'b']],
    ['a\r\nb', ['a', 'b']],
    ['"open', ['open']],
    [' a , b ', [' a ', ' b ']],
  ]
  for (const [text, expected] of rows) t.strictSame(csvFields(text), expected, JSON.stringify(text))
  t.end()
})
