/** Section 2 of the language: each row is an action of its own, driven by a real client. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import type { LotUser } from './lot-user.fixture.js'

interface Row {
  readonly value: string
  readonly given?: string
  readonly gives: string | RegExp
}

function rows(...lines: readonly (readonly [value: string, given: string, gives: string | RegExp])[]): Row[] {
  return lines.map(([value, given, gives]) => ({ value, given, gives }))
}

const CASTS = rows(
  ['PAYLOAD AS INT', '42', '42'],
  ['PAYLOAD AS INT', '-7.9', '-7'],
  ['PAYLOAD AS INT', '7.9', '7'],
  ['PAYLOAD AS INT', 'seven', '0'],
  ['PAYLOAD AS INT', '', '0'],
  ['PAYLOAD AS INT', 'null', '0'],
  ['PAYLOAD AS DOUBLE', '3.50', '3.5'],
  ['PAYLOAD AS FLOAT', '3.25', '3.25'],
  ['PAYLOAD AS DOUBLE', '3,5', '0'],
  ['PAYLOAD AS BOOL', 'True', 'true'],
  ['PAYLOAD AS BOOL', 'TRUE', 'true'],
  ['PAYLOAD AS BOOL', '1', 'true'],
  ['PAYLOAD AS BOOL', '2', 'false'],
  ['PAYLOAD AS BOOL', 'yes', 'false'],
  ['PAYLOAD AS STRING', ' as is ', ' as is '],
  ['PAYLOAD AS ARRAY', '[1, 2]', /^\[1, ?2\]$/],
  ['PAYLOAD AS OBJECT', '{"a": 1}', /^\{"a": ?1\}$/],
)

const OPERATORS = rows(
  ['PAYLOAD + 1', '10', '11'],
  ['PAYLOAD +1', '10', '11'],
  ['PAYLOAD + 0.5', '10', '10.5'],
  ['0.1 + 0.2 + PAYLOAD', '0', /^0\.3/],
  ['"at " + PAYLOAD', '10', 'at 10'],
  ['PAYLOAD + "5"', '10', '15'],
  ['PAYLOAD + " m"', '10', '10 m'],
  ['PAYLOAD - 3', '10', '7'],
  ['PAYLOAD * 3', '1.5', '4.5'],
  ['PAYLOAD / 4', '10', '2.5'],
  ['PAYLOAD % 4', '10', '2'],
  ['PAYLOAD * 2', 'x', '0'],
  ['-PAYLOAD', '4', '-4'],
  ['2 + PAYLOAD * 3', '4', '14'],
  ['(2 + PAYLOAD) * 3', '4', '18'],
  ['10 - 4 - PAYLOAD', '3', '3'],
  ['PAYLOAD AS DOUBLE / 4 * 100', '1', '25'],
)

const COMPARISONS = rows(
  ['PAYLOAD == 10', '10.0', 'true'],
  ['PAYLOAD = 10', '10', 'true'],
  ['PAYLOAD EQUALS TRUE', 'true', 'true'],
  ['PAYLOAD EQUALS TRUE', 'True', 'true'],
  ['PAYLOAD EQUAL "a"', 'a', 'true'],
  ['PAYLOAD IS "a"', 'A', 'false'],
  ['PAYLOAD IS NOT "a"', 'b', 'true'],
  ['PAYLOAD NOT EQUALS 1', '2', 'true'],
  ['PAYLOAD != 1', '1', 'false'],
  ['PAYLOAD <> 1', '2', 'true'],
  ['PAYLOAD < 9', '10', 'false'],
  ['PAYLOAD >= 9', '10', 'true'],
  ['PAYLOAD <= "b"', 'a', 'true'],
  ['PAYLOAD > 50.0', '50.5', 'true'],
  ['PAYLOAD CONTAINS "ell"', 'hello', 'true'],
  ['PAYLOAD CONTAINS "ELL"', 'hello', 'false'],
  ['PAYLOAD STARTS_WITH "he"', 'hello', 'true'],
  ['PAYLOAD ENDS_WITH "lo"', 'hello', 'true'],
  ['PAYLOAD == EMPTY', '', 'true'],
  ['PAYLOAD EQUALS EMPTY', 'x', 'false'],
  ['PAYLOAD IS NULL', '', 'true'],
  ['PAYLOAD > 1 AND PAYLOAD < 5', '3', 'true'],
  ['PAYLOAD < 1 OR PAYLOAD > 5', '3', 'false'],
  ['NOT PAYLOAD == 3', '3', 'false'],
  ['PAYLOAD == 1 OR PAYLOAD == 2 AND PAYLOAD == 3', '1', 'true'],
  ['IF PAYLOAD > 5 THEN "high" ELSE IF PAYLOAD > 2 THEN "mid" ELSE "low"', '3', 'mid'],
  ['GET TOPIC "never/seen" AS DOUBLE == EMPTY', '', 'true'],
  ['GET TOPIC "never/seen" AS DOUBLE + 1', '', '1'],
  ['GET TOPIC "never/seen" IS NULL', '', 'true'],
)

const JSON_PATHS = rows(
  ['GET JSON "a.b.c" IN PAYLOAD', '{"a":{"b":{"c":"deep"}}}', 'deep'],
  ['GET JSON "a" IN PAYLOAD AS DOUBLE', '{"a":2.5}', '2.5'],
  ['GET JSON "a" IN PAYLOAD AS INT', '{"a":2.5}', '2'],
  ['GET JSON "a" IN PAYLOAD AS BOOL', '{"a":true}', 'true'],
  ['GET JSON "none" IN PAYLOAD', '{"a":1}', 'null'],
  ['GET JSON "none" IN PAYLOAD AS INT', '{"a":1}', '0'],
  ['GET JSON "none" IN PAYLOAD AS DOUBLE', '{"a":1}', '0'],
  ['GET JSON "none" IN PAYLOAD AS BOOL', '{"a":1}', 'false'],
  ['GET JSON "none" IN PAYLOAD EQUALS EMPTY', '{"a":1}', 'true'],
  ['GET JSON "none" IN PAYLOAD == ""', '{"a":1}', 'true'],
  ['GET JSON "a" IN PAYLOAD', '{"a":null}', 'null'],
  ['GET JSON "a" IN PAYLOAD', 'no json', 'null'],
  ['GET JSON "a" IN PAYLOAD', '{"a":{"x":[1,2]}}', /^\{"x": ?\[1, ?2\]\}$/],
  ['GET JSON "items.1.id" IN PAYLOAD', '{"items":[{"id":"p"},{"id":"q"}]}', 'q'],
  ['GET JSON "items[0].id" IN PAYLOAD', '{"items":[{"id":"p"},{"id":"q"}]}', 'p'],
  ['(GET JSON "n" IN PAYLOAD AS INT) + 1', '{"n":41}', '42'],
)

const TRANSFORMS = rows(
  ['FILTER PAYLOAD USING REGEX "\\d+"', 'room 12, floor 3', '12'],
  ['FILTER PAYLOAD USING REGEX "(?<=id=)\\w+"', 'x;id=ab7;y', 'ab7'],
  ['PAYLOAD AND_THEN FILTER USING REGEX "[a-z]+" AND_THEN TRIM', '12 abc 3', 'abc'],
  ['REPLACE "-" WITH "_" IN PAYLOAD', 'a-b-c', 'a_b_c'],
  ['REPLACE "X" WITH TOPIC POSITION 1 IN "id X"', '', 'id row'],
  ['PAYLOAD AND_THEN REPLACE "a" WITH "b" AND_THEN TRIM', ' aa ', 'bb'],
  ['REPLACE "." WITH "," IN PAYLOAD', '1.2.3', '1,2,3'],
  ['TRIM PAYLOAD', ' \t x y \n', 'x y'],
  ['PAYLOAD AND_THEN TRIM', '  x ', 'x'],
  ['SPLIT PAYLOAD USING CSV', 'a,"b,c",3', /^\["a", ?"b,c", ?"?3"?\]$/],
  ['SPLIT PAYLOAD USING ";"', 'a;b', /^\["a", ?"b"\]$/],
  ['TOPIC POSITION 1', '', 'row'],
  ['"<" + TOPIC POSITION 9 + ">"', '', '<>'],
  ['"tab\\there \\u00e9 \\d"', '', 'tab\there é \\d'],
  ["'single'", '', 'single'],
)

const MADE = rows(
  ['TIMESTAMP "ISO"', '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/],
  ['TIMESTAMP "UTC"', '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/],
  ['TIMESTAMP "UNIX"', '', /^\d{10}$/],
  ['TIMESTAMP "UNIX-MS"', '', /^\d{13}$/],
  ['TIMESTAMP WITH "yyyy/MM/dd"', '', /^\d{4}\/\d\d\/\d\d$/],
  ['TIMESTAMP "HH:mm zzz"', '', /^\d\d:\d\d \+00:00$/],
  ['TIMESTAMP "dddd MMMM"', '', /^[A-Z][a-z]+day [A-Z][a-z]+$/],
  ['RANDOM UUID', '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ['RANDOM INT BETWEEN 1 AND 6', '', /^[1-6]$/],
  ['RANDOM INT BETWEEN -5 AND -5', '', '-5'],
  ['RANDOM DOUBLE BETWEEN 1 AND 2', '', /^1(\.\d+)?$/],
  ['RANDOM BETWEEN 3 AND 4', '', /^[34]$/],
  ['{ "p": PAYLOAD, "n": 1.5, "s": "x", "l": [1, true], "o": { "c": IF 1 < 2 THEN "y" ELSE "n" } }', 'hé', /^\{.*\}$/],
)

const TABLES = { CASTS, OPERATORS, COMPARISONS, JSON_PATHS, TRANSFORMS, MADE }

async function drive(t: Test, user: LotUser, table: string, rows: readonly Row[]): Promise<void> {
  for (const [number, { value, given = '', gives }] of rows.entries()) {
    const name = `${table}_${number}`
    const deployed = await user.command(
      `-addAction DEFINE ACTION ${name}\nON TOPIC "row/${name}/#" DO\n    PUBLISH TOPIC "out/${name}" WITH ${value}\n`,
    )
    if (!deployed.success) {
      t.fail(`${value} is refused: ${deployed.message}`)
      continue
    }
    const got = await user.answer(`row/${name}`, given, `out/${name}`)
    if (typeof gives === 'string') t.equal(got, gives, `${value} of ${JSON.stringify(given)}`)
    else t.match(got, gives, `${value} of ${JSON.stringify(given)}`)
  }
}

t.test('values', { timeout: 120_000 }, async (t) => {
  const broker = await LotBroker.start(t)
  const user = await broker.connect()
  for (const [table, rows] of Object.entries(TABLES)) await drive(t, user, table, rows)

  const [made] = user.onTopic('out/MADE_12')
  t.same(JSON.parse(made ?? ''), { p: 'hé', n: 1.5, s: 'x', l: [1, true], o: { c: 'y' } }, 'JSON keeps types')
})
