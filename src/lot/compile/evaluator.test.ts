/** Section 2 of the language: expressions, from text to what is published. */
import t from 'tap'
import { evaluate, message, runBody, TestWorld } from './program.fixture.js'

function table(name: string, rows: readonly (readonly [string, string])[], payload = '10'): void {
  t.test(name, (t) => {
    for (const [expression, expected] of rows) {
      const world = new TestWorld()
      for (const [topic, value] of TOPICS) world.topics.set(topic, value)
      t.equal(evaluate(expression, world, message('in/07', payload, ['07'])), expected, expression)
    }
    t.end()
  })
}

const TOPICS = [
  ['n/ten', '10'],
  ['n/half', '0.5'],
  ['w/on', 'on'],
  ['w/true', 'True'],
  ['w/empty', ''],
  ['x/07/y', 'seven'],
  ['j', '{"a":{"b":[{"id":7},{"id":8.50}],"t":true,"n":null,"s":"x y"}, "o": {"k" : 1}}'],
] as const

table('arithmetic, and + of text', [
  ['PAYLOAD + 1', '11'],
  ['1 + 2 * 3', '7'],
  ['(1 + 2) * 3', '9'],
  ['7 - 2 - 1', '4'],
  ['"5" + "6"', '11'],
  ['"a" + 5', 'a5'],
  ['5 + "a"', '5a'],
  ['"at " + TIMESTAMP "UTC"', 'at 2026-03-05 07:08:09'],
  ['"x" - 3', '-3'],
  ['10 / 4', '2.5'],
  ['10 % 4', '2'],
  ['0.1 + 0.2', '0.30000000000000004'],
  ['4 / 2', '2'],
  ['-PAYLOAD', '-10'],
  ['GET TOPIC "n/ten" AS DOUBLE / GET TOPIC "n/half" AS DOUBLE * 100', '2000'],
  ['(GET TOPIC "no" AS DOUBLE) + (GET TOPIC "nor" AS DOUBLE)', '0'],
  ['(GET TOPIC "no") + "x"', 'x'],
  ['(GET TOPIC "no") + 4', '4'],
  ['true + "x"', 'truex'],
])

table('comparison', [
  ['10 == "10.0"', 'true'],
  ['PAYLOAD == 10', 'true'],
  ['GET TOPIC "w/true" EQUALS TRUE', 'true'],
  ['GET TOPIC "w/on" == "on"', 'true'],
  ['GET TOPIC "w/on" == "ON"', 'false'],
  ['"a" != "b"', 'true'],
  ['"9" < "10"', 'true'],
  ['"b" > "a"', 'true'],
  ['GET TOPIC "no" < 5', 'true'],
  ['GET TOPIC "no" >= 0', 'true'],
  ['GET TOPIC "no" == EMPTY', 'true'],
  ['GET TOPIC "no" AS DOUBLE == EMPTY', 'true'],
  ['GET TOPIC "w/empty" EQUALS EMPTY', 'true'],
  ['GET TOPIC "no" == 0', 'false'],
  ['GET TOPIC "n/ten" IS NULL', 'false'],
  ['GET TOPIC "n/ten" IS NOT NULL', 'true'],
  ['"abc" CONTAINS "b"', 'true'],
  ['"abc" STARTS_WITH "A"', 'false'],
  ['"abc" ENDS_WITH "bc"', 'true'],
  ['1 == 1 AND NOT (2 == 3)', 'true'],
  ['1 == 2 OR 2 == 2', 'true'],
  ['(PAYLOAD AS STRING) > 9.5', 'true'],
])

table('casts', [
  ['"12.9" AS INT', '12'],
  ['"-12.9" AS INT', '-12'],
  ['"abc" AS INT', '0'],
  ['"" AS DOUBLE', '0'],
  ['" 4.50 " AS DOUBLE', '4.5'],
  ['"1e3" AS DOUBLE', '1000'],
  ['"True" AS BOOL', 'true'],
  ['"1" AS BOOL', 'true'],
  ['"yes" AS BOOL', 'false'],
  ['"tRue" AS BOOL', 'false'],
  ['5.0 AS STRING', '5'],
  ['GET TOPIC "no" AS INT', ''],
  ['"2026-03-05" AS TIMESTAMP', '2026-03-05T00:00:00.000Z'],
  ['"nonsense" AS TIMESTAMP', ''],
  ['"[1,2]" AS ARRAY', '[1,2]'],
  ['"[1,2]" AS OBJECT', ''],
  ['"{x" AS OBJECT', ''],
])

table('JSON', [
  ['GET JSON "a.b.0.id" IN GET TOPIC "j"', '7'],
  ['GET JSON "a.b[1].id" IN GET TOPIC "j"', '8.5'],
  ['GET JSON "a.t" IN GET TOPIC "j"', 'true'],
  ['GET JSON "a.s" IN GET TOPIC "j"', 'x y'],
  ['GET JSON "a.n" IN GET TOPIC "j"', 'null'],
  ['GET JSON "a.none" IN GET TOPIC "j"', 'null'],
  ['(GET JSON "a.none" IN GET TOPIC "j") AS INT', '0'],
  ['(GET JSON "a.none" IN GET TOPIC "j") AS BOOL', 'false'],
  ['(GET JSON "a.none" IN GET TOPIC "j") AS STRING', 'null'],
  ['(GET JSON "a.none" IN GET TOPIC "j") EQUALS EMPTY', 'true'],
  ['(GET JSON "a.none" IN GET TOPIC "j") == ""', 'true'],
  ['GET JSON "o" IN GET TOPIC "j"', '{"k" : 1}'],
  ['GET JSON "a" IN "not json"', 'null'],
  ['GET JSON "a.none" IN GET TOPIC "j" AS DOUBLE', '0'],
  [
    '{"t": "x", "n": 1.50, "b": true, "e": EMPTY, "o": {"l": [1, "2"]}}',
    '{"t":"x","n":1.5,"b":true,"e":null,"o":{"l":[1,"2"]}}',
  ],
  [
    '{"topic": GET TOPIC "n/ten", "word": GET TOPIC "w/on", "truth": GET TOPIC "w/true"}',
    '{"topic":10,"word":"on","truth":true}',
  ],
  ['{"p": PAYLOAD, "q": PAYLOAD AS STRING}', '{"p":10,"q":"10"}'],
  ['{"q": "say \\"hi\\""}', '{"q":"say \\"hi\\""}'],
  ['{"c": IF PAYLOAD > 9 THEN "high" ELSE "low"}', '{"c":"high"}'],
])

table('sources', [
  ['TOPIC POSITION 1', 'in'],
  ['TOPIC POSITION 2', '07'],
  ['TOPIC POSITION 3', ''],
  ['GET TOPIC "x/+/y"', 'seven'],
  ['GET TOPIC "x/" + TOPIC POSITION 2 + "/y"', 'seven'],
  ['GET TOPIC "x/+/+"', ''],
  ['GET TOPIC "in/07"', '10'],
  ['TIMESTAMP "ISO"', '2026-03-05T07:08:09.123Z'],
  ['TIMESTAMP "UNIX"', '1772694489'],
  ['TIMESTAMP "UNIX-MS"', '1772694489123'],
  ['TIMESTAMP WITH "dd/MM/yyyy HH:mm"', '05/03/2026 07:08'],
  ['RANDOM UUID', '00000000-0000-4000-8000-000000000000'],
  ['RANDOM INT BETWEEN 1 AND 6', '4'],
  ['RANDOM DOUBLE BETWEEN 1 AND 2', '1.5'],
  ['RANDOM BETWEEN 1 AND 6', '4'],
])

table(
  'transforms',
  [
    ['TRIM PAYLOAD', 'id=42; id=43'],
    ['FILTER PAYLOAD USING REGEX "(?<=id=)\\d+"', '42 | 43'],
    ['FILTER PAYLOAD USING REGEX "zz"', ''],
    ['"<" + (FILTER PAYLOAD USING REGEX "\\d+") + ">"', '<42>'],
    ['REPLACE "id" WITH TOPIC POSITION 2 IN PAYLOAD', ' 07=42; 07=43 '],
    ['PAYLOAD AND_THEN TRIM AND_THEN REPLACE "id" WITH "n"', 'n=42; n=43'],
    ['PAYLOAD AND_THEN REPLACE "id" WITH RESULT', '  id=42; id=43 =42;  id=42; id=43 =43 '],
    ['SPLIT "a,\\"b,c\\",d" USING CSV', '["a","b,c","d"]'],
    ['SPLIT "a;b" USING ";"', '["a","b"]'],
  ],
  ' id=42; id=43 ',
)

t.test('a filter that finds nothing publishes nothing, and sets empty', (t) => {
  t.strictSame(runBody('PUBLISH TOPIC "out" WITH FILTER "abc" USING REGEX "z"').effects, [])
  const body = 'SET "v" WITH FILTER "abc" USING REGEX "z"\nIF {v} == EMPTY THEN\n    PUBLISH TOPIC "out" WITH "none"'
  t.strictSame(runBody(body).effects, ['out none'])
  t.end()
})

t.test('an expression that JavaScript cannot do is refused when the text is compiled', (t) => {
  t.throws(() => evaluate('FILTER "a" USING REGEX "(?>a)"'), { name: 'LotCompileError', line: 3 })
  t.throws(() => evaluate('FILTER "a" USING REGEX "("'), { name: 'LotCompileError' })
  t.end()
})
