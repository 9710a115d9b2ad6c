/** Section 4 of the language: what a model publishes. */
import t from 'tap'
import type { Effect, LotRuntimeError, ModelInstance } from '../program.js'
import { deploy, message, runBody, TestWorld, told } from './program.fixture.js'

/** Opens one instance of the model and gives it messages `topic payload`. */
function play(
  lot: string,
  name: string,
  captures: readonly string[],
  messages: readonly string[],
  options: { readonly world?: TestWorld; readonly plainOutput?: 'both' | 'json' | 'fields' } = {},
): string[] {
  const world = options.world ?? new TestWorld()
  deploy(world, lot, options.plainOutput)
  const instance = world.model(name)?.open(captures, undefined)
  return feed(world, instance, captures, messages)
}

function feed(
  world: TestWorld,
  instance: ModelInstance | undefined,
  captures: readonly string[],
  messages: readonly string[],
): string[] {
  const effects: Effect[] = []
  for (const line of messages) {
    const blank = line.indexOf(' ')
    instance?.receive(world, message(line.slice(0, blank), line.slice(blank + 1), captures), effects)
  }
  return told(effects)
}

const OVEN = `DEFINE MODEL OvenCycle COLLAPSED WITH TOPIC "clean/oven/+/cycle"
    ADD DOUBLE "temp" WITH TOPIC "raw/oven/+/temp" AS TRIGGER
    ADD STRING "oven" WITH (TOPIC POSITION 3)
    ADD STRING "phase" WITH (IF temp > 180 THEN "bake" ELSE "idle")
    ADD INT "bakes" WITH (IF phase EQUALS "bake" THEN (bakes + 1) ELSE bakes)
    ADD STRING "ts" WITH TIMESTAMP "UTC"
    STORE IN "Historian" WITH TABLE "oven_cycle" WHEN {temp} > 100
`

t.test('the oven of the reference: computed fields, their past, STORE', (t) => {
  const record = '{"temp":200,"oven":"7","phase":"bake","bakes":1,"ts":"2026-03-05 07:08:09"}'
  t.strictSame(
    play(OVEN, 'OvenCycle', ['7'], ['raw/oven/7/temp 20.50', 'raw/oven/8/temp 999', 'raw/oven/7/temp 200']),
    [
      'clean/oven/7/cycle {"temp":20.5,"oven":"7","phase":"idle","bakes":0,"ts":"2026-03-05 07:08:09"}',
      `clean/oven/7/cycle ${record}`,
      `store Historian oven_cycle ${record}`,
    ],
  )
  t.end()
})

t.test('STORE once for each route, and not where the condition is null', (t) => {
  const lot = `DEFINE MODEL M WITH TOPIC "o"
    ADD INT "a" WITH TOPIC "in" AS TRIGGER
    STORE IN "One" WITH TABLE "t" WHEN 4 / a > 1
    STORE IN "Two" WITH TABLE "t"
`
  t.strictSame(play(lot, 'M', [], ['in 0', 'in 2'], { plainOutput: 'fields' }), [
    'o/a 0',
    'store Two t {"a":0}',
    'o/a 2',
    'store One t {"a":2}',
    'store Two t {"a":2}',
  ])
  t.end()
})

t.test('the state of an instance survives as text', (t) => {
  const world = new TestWorld()
  deploy(world, OVEN)
  const model = world.model('OvenCycle')
  const first = model?.open(['7'], undefined)
  feed(world, first, ['7'], ['raw/oven/7/temp 200', 'raw/oven/7/temp 201'])
  const second = model?.open(['7'], first?.save())
  t.match(feed(world, second, ['7'], ['raw/oven/7/temp 202'])[0], /"bakes":3/)
  t.equal(model?.open(['7'], second?.save()).save(), second?.save())
  t.end()
})

t.test('types of fields', (t) => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['DOUBLE', '4.50', '4.5'],
    ['INT', '4.9', '4'],
    ['INT', 'x', '0'],
    ['BOOL', 'True', 'true'],
    ['BOOL', '0', 'false'],
    ['STRING', '4.50', '"4.50"'],
    ['OBJECT', '{"a": 1}', '{"a": 1}'],
    ['ARRAY', '[1, 2]', '[1, 2]'],
    ['OBJECT', 'not json', '"not json"'],
    ['TIMESTAMP', '2026-03-05', '"2026-03-05"'],
    ['', '4.50', '4.50'],
    ['', 'true', 'true'],
    ['', 'open', '"open"'],
  ]
  for (const [type, payload, expected] of rows) {
    const lot = `DEFINE MODEL M COLLAPSED WITH TOPIC "o"\n    ADD ${type} "f" WITH TOPIC "in" AS TRIGGER\n`
    t.strictSame(play(lot, 'M', [], [`in ${payload}`]), [`o {"f":${expected}}`], `${type} ${payload}`)
  }
  t.end()
})

t.test('what is missing is null, and so is what divides by zero', (t) => {
  const lot = `DEFINE MODEL M COLLAPSED WITH TOPIC "o"
    ADD INT "a" WITH TOPIC "a" AS TRIGGER
    ADD DOUBLE "b" WITH TOPIC "b"
    ADD STRING "c" WITH TOPIC "c"
    ADD DOUBLE "q" WITH (a / b)
    ADD DOUBLE "sum" WITH (b + q)
    ADD STRING "bare"
`
  const world = new TestWorld()
  t.strictSame(play(lot, 'M', [], ['a 1', 'b 4', 'a 2'], { world }), [
    'o {"a":1,"b":null,"c":null,"q":null,"sum":0,"bare":null}',
    'o {"a":2,"b":4,"c":null,"q":0.5,"sum":4.5,"bare":null}',
  ])
  world.topics.set('b', '5')
  t.strictSame(play(lot, 'M', [], ['a 1'], { world }), ['o {"a":1,"b":5,"c":null,"q":0.2,"sum":5.2,"bare":null}'])
  t.end()
})

const PLAIN = `DEFINE MODEL P WITH TOPIC "site/+" WITH RETAIN AND QOS1
    ADD INT "n" WITH TOPIC "in/+" AS TRIGGER
    ADD OBJECT "o"
        ADD STRING "k" WITH "v"
        ADD INT "twice" WITH (n * 2)
    ADD ARRAY "l"
        ADD INT "x" WITH 1
        ADD INT "y" WITH (o.twice + 1)
    ADD STRING "none" WITH TOPIC "nowhere"
`

t.test('a plain model publishes JSON, fields, or both', (t) => {
  const json = 'site/a {"n":2,"o":{"k":"v","twice":4},"l":[1,5],"none":null} retain qos1'
  const fields = ['site/a/n 2', 'site/a/o/k v', 'site/a/o/twice 4', 'site/a/l [1,5]', 'site/a/none null'].map(
    (line) => `${line} retain qos1`,
  )
  t.strictSame(play(PLAIN, 'P', ['a'], ['in/a 2']), [json, ...fields])
  t.strictSame(play(PLAIN, 'P', ['a'], ['in/a 2'], { plainOutput: 'json' }), [json])
  t.strictSame(play(PLAIN, 'P', ['a'], ['in/a 2'], { plainOutput: 'fields' }), fields)
  t.end()
})

t.test('names correlate topics in any order, and inputs tell which instance a message is for', (t) => {
  const lot = `DEFINE MODEL M COLLAPSED WITH TOPIC "m/{machine}/{line}"
    ADD INT "a" WITH TOPIC "a/{line}/{machine}" AS TRIGGER
    ADD INT "b" WITH TOPIC "b/{machine}/{line}"
    ADD INT "c" WITH TOPIC "c/{line}"
    ADD OBJECT "o" WITH { "d": TOPIC "d", "sum": GET TOPIC "e/+" }
`
  const world = new TestWorld()
  world.topics.set('c/L', '3').set('d', '4').set('e/L', '5')
  t.strictSame(play(lot, 'M', ['L', 'M'], ['b/M/L 2', 'a/L/M 1'], { world }), [
    'm/M/L {"a":1,"b":2,"c":3,"o":{"d":4,"sum":5}}',
  ])
  t.strictSame(
    world.model('M')?.inputs.map(({ filter, isTrigger, isShared, order }) => ({ filter, isTrigger, isShared, order })),
    [
      { filter: 'a/+/+', isTrigger: true, isShared: false, order: [0, 1] },
      { filter: 'b/+/+', isTrigger: false, isShared: false, order: [1, 0] },
      { filter: 'c/+', isTrigger: false, isShared: true, order: [] },
      { filter: 'd', isTrigger: false, isShared: true, order: [] },
    ],
  )
  t.end()
})

t.test('a shared trigger fires an instance too', (t) => {
  const lot = `DEFINE MODEL M COLLAPSED WITH TOPIC "m/+"
    ADD INT "a" WITH TOPIC "a/+" AS TRIGGER
    ADD STRING "reset" WITH TOPIC "reset" AS TRIGGER
`
  t.strictSame(play(lot, 'M', ['x'], ['a/x 1', 'reset now']), ['m/x {"a":1,"reset":null}', 'm/x {"a":1,"reset":"now"}'])
  t.end()
})

t.test('inheritance', (t) => {
  const lot = `DEFINE MODEL Base COLLAPSED WITH TOPIC "base"
    ADD STRING "id" WITH "?"
    ADD INT "n" WITH 1
DEFINE MODEL Middle FROM Base
    ADD DOUBLE "v" WITH TOPIC "in" AS TRIGGER
DEFINE MODEL Child FROM Middle WITH TOPIC "child"
    ADD STRING "id" WITH "child"
    ADD INT "more" WITH (n + 1)
`
  t.strictSame(play(lot, 'Child', [], ['in 1.5']), ['child {"id":"child","n":1,"v":1.5,"more":2}'])
  t.strictSame(play(lot, 'Middle', [], ['in 1.5']), [])
  t.end()
})

t.test('PUBLISH MODEL', (t) => {
  const world = new TestWorld()
  deploy(
    world,
    `DEFINE MODEL Report COLLAPSED RETAIN QOS1
    ADD STRING "ts" WITH TIMESTAMP "ISO"
    ADD INT "count"
    ADD OBJECT "metrics"
        ADD DOUBLE "target"
        ADD DOUBLE "share" WITH (count / metrics.target * 100)
    ADD OBJECT "raw"
    ADD STRING "note"
DEFINE MODEL Child FROM Report
    ADD BOOL "ok" WITH true
`,
  )
  const assign = (text: string): string => `PUBLISH MODEL Child TO "report/+" WITH ${text}`
  const run = (text: string): string[] => runBody(assign(text), world, message('in/5', '4', ['5'])).effects
  t.strictSame(run('count = PAYLOAD, metrics.target = "8", raw = "{\\"a\\": 1}", note = 5'), [
    'report/5 {"ts":"2026-03-05T07:08:09.123Z","count":4,"metrics":{"target":8,"share":50},"raw":{"a": 1},"note":"5","ok":true}',
  ])
  t.strictSame(run('ts = "now", count = 1, raw.deep.x = 2, ok = "0", metrics = "{}"'), [
    'report/5 {"ts":"now","count":1,"metrics":{},"raw":{"deep":{"x":2}},"note":null,"ok":false}',
  ])
  t.throws(() => run('none = 1'), { message: 'model "Child" has no field "none"', line: 3 })
  t.end()
})

t.test('PUBLISH MODEL uses the current definition', (t) => {
  const world = new TestWorld()
  deploy(
    world,
    'DEFINE MODEL M COLLAPSED\n    ADD INT "a"\nDEFINE ACTION A\nON TOPIC "in" DO\n    PUBLISH MODEL M TO "o" WITH a = 1\n',
  )
  const run = (): string[] => {
    const effects: Effect[] = []
    world.action('A')?.run(world, message('in', ''), effects, [])
    return told(effects)
  }
  t.strictSame(run(), ['o {"a":1}'])
  deploy(world, 'DEFINE MODEL M COLLAPSED\n    ADD STRING "a"\n    ADD INT "b" WITH 2\n')
  t.strictSame(run(), ['o {"a":"1","b":2}'])
  t.end()
})

t.test('reception', (t) => {
  const lot = 'DEFINE MODEL R WITH TOPIC "shop/+"\n'
  const payload = '{"name":"Peppers","price":21,"tags":["a","b"],"size":{"w":1,"h":null},"a+b":true}'
  t.strictSame(play(lot, 'R', ['7'], [`shop/7 ${payload}`, 'shop/7 [1]', 'shop/7 text']), [
    'shop/7/name Peppers',
    'shop/7/price 21',
    'shop/7/tags ["a","b"]',
    'shop/7/size/w 1',
    'shop/7/size/h null',
    'shop/7/a_b true',
  ])
  t.end()
})

t.test('FETCH fills what has no source', (t) => {
  const world = new TestWorld()
  world.answer = () => '[{"name":"pump","site":5},{"name":"fan"}]'
  const lot = `DEFINE MODEL F COLLAPSED WITH TOPIC "o"
    ADD STRING "id" WITH TOPIC "in" AS TRIGGER
    ADD STRING "name"
    ADD COLLECTION "all" OF Row
    FETCH FROM "Db" WITH TABLE "devices" WHEN id EQUALS {id} LIMIT 2
`
  t.strictSame(play(lot, 'F', [], ['in 7'], { world }), [
    'o {"id":"7","name":"pump","all":[{"name":"pump","site":5},{"name":"fan"}]}',
  ])
  t.strictSame(world.calls, [
    { kind: 'fetch', route: 'Db', table: 'devices', limit: 2, where: { field: 'id', operator: '==', value: '7' } },
  ])
  t.end()
})

t.test('what cannot be compiled, and where a failure is', (t) => {
  const refused = (lot: string): void => {
    t.throws(() => deploy(new TestWorld(), lot), { name: 'LotCompileError' }, lot)
  }
  refused('DEFINE MODEL M COLLAPSED WITH TOPIC "o/+/+"\n    ADD INT "a" WITH TOPIC "a/+" AS TRIGGER\n')
  refused('DEFINE MODEL M COLLAPSED WITH TOPIC "o"\n    ADD INT "a" WITH (nowhere + 1)\n')
  refused('DEFINE MODEL M FROM Nobody\n    ADD INT "a" WITH 1\n')
  const world = new TestWorld()
  world.answer = () => {
    throw new Error('no answer')
  }
  const lot =
    'DEFINE MODEL M COLLAPSED WITH TOPIC "o"\n    ADD INT "n" WITH TOPIC "in" AS TRIGGER\n    ADD INT "m" WITH (m + 1)\n    ADD STRING "g" WITH (GET MODEL "X" FROM "Db" WHERE id EQUALS 1)\n'
  deploy(world, lot)
  const instance = world.model('M')?.open([], undefined)
  const effects: Effect[] = []
  for (let i = 0; i < 2; i++) {
    t.throws(() => instance?.receive(world, message('in', '1'), effects), {
      line: 4,
      message: 'no answer',
    } as LotRuntimeError)
  }
  t.strictSame(effects, [])
  world.answer = () => ''
  instance?.receive(world, message('in', '1'), effects)
  t.match(told(effects)[0], /"m":1/, 'a failed evaluation is no part of the past')
  world.answer = () => {
    throw new Error('no answer')
  }
  t.throws(() => instance?.receive(world, message('in', '1'), effects))
  world.answer = () => ''
  instance?.receive(world, message('in', '1'), effects)
  t.match(told(effects)[1], /"m":2/, 'nor is one after others that went well')
  t.end()
})
