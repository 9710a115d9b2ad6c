import t from 'tap'
import { node } from './program.fixture.js'
import { readFilters, references } from './reads.js'

const actionWith = (value: string): string => `DEFINE ACTION A\nON TOPIC "in/+" DO\n    SET "x" WITH ${value}\n`

t.test('filters that cover what an action may read', (t) => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['1', []],
    ['GET TOPIC "a/b"', ['a/b']],
    ['GET TOPIC "a/+/b"', ['a/+/b']],
    ['GET TOPIC "a/b/" + {x} + "/c"', ['a/b/#']],
    ['GET TOPIC "a/+/" + {x}', ['a/+/#']],
    ['GET TOPIC {x}', ['#']],
    ['(GET TOPIC "a") + (GET TOPIC "b") + (GET TOPIC "a")', ['a', 'b']],
    ['{ "k": GET TOPIC "deep" }', ['deep']],
  ]
  for (const [value, expected] of rows) t.strictSame(readFilters(node<'action'>(actionWith(value))), expected, value)
  t.end()
})

t.test('filters of a model: the payload of a sole trigger comes with the message', (t) => {
  const head = 'DEFINE MODEL M COLLAPSED WITH TOPIC "o/+"\n    ADD INT "a" WITH TOPIC "a/{m}" AS TRIGGER\n'
  t.strictSame(readFilters(node<'model'>(head)), [])
  t.strictSame(readFilters(node<'model'>(`${head}    ADD INT "b" WITH TOPIC "b/{m}/c"\n`)), ['a/+', 'b/+/c'])
  t.strictSame(readFilters(node<'model'>(`${head}    ADD OBJECT "o" WITH { "k": TOPIC "k/{m}" }\n`)), ['a/+', 'k/+'])
  t.end()
})

t.test('names that a text refers to', (t) => {
  const lot = `DEFINE ACTION A
ON TOPIC "in" DO
    IF GET ENV "LIMIT" > 1 THEN
        PUBLISH MODEL M TO "o" WITH a = GET SECRET "KEY"
    CALL ACTION B WITH x = 1
    CALL PYTHON "S.f" WITH (1) RETURN AS {r}
    CALL MCP "Tools.look" WITH (q = 1) RETURN AS {r}
    CALL LLM "Model" METHOD "generate" WITH prompt = "p" RETURN AS {r}
    TRIGGER "E" TO Mail WITH 1
`
  t.strictSame(references(node<'action'>(lot)), {
    models: ['M'],
    actions: ['B'],
    pythonTargets: ['S.f'],
    routes: ['Tools', 'Model', 'Mail'],
    environment: ['LIMIT'],
    secrets: ['KEY'],
  })
  const model =
    'DEFINE MODEL C FROM P WITH TOPIC "o"\n    ADD COLLECTION "rows" OF Row\n    STORE IN "Db" WITH TABLE "t"\n'
  const { models, routes } = references(node<'model'>(model))
  t.strictSame({ models, routes }, { models: ['P', 'Row'], routes: ['Db'] })
  t.end()
})
