/** Section 3 of the language: what an action does. */
import t from 'tap'
import type { Effect, LotRuntimeError } from '../program.js'
import { Source } from '../source.js'
import { compileAction } from './action.js'
import { deploy, LIMITS, message, NO_OCCASION, node, runBody, TestWorld, told } from './program.fixture.js'

function effectsOf(lot: string, action: string, world = new TestWorld(), occasion = NO_OCCASION): string[] {
  deploy(world, lot)
  const effects: Effect[] = []
  world.action(action)?.run(world, occasion, effects, [])
  return told(effects)
}

function failureOf(lot: string, action: string, world = new TestWorld(), occasion = NO_OCCASION): LotRuntimeError {
  deploy(world, lot)
  const effects: Effect[] = [{ kind: 'keep', topic: 'earlier', payload: undefined }]
  try {
    world.action(action)?.run(world, occasion, effects, [])
  } catch (error) {
    t.same(told(effects), ['keep earlier (cleared)'], 'effects are as they were')
    return error as LotRuntimeError
  }
  throw new Error('the run did not fail')
}

t.test('PUBLISH and KEEP', (t) => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['PUBLISH TOPIC "a/b" WITH "text"', ['a/b text']],
    ['PUBLISH TOPIC "a/" + TOPIC POSITION 2 WITH PAYLOAD', ['a/07 5']],
    ['PUBLISH TOPIC "a/+/b" WITH 1', ['a/07/b 1']],
    ['SET "n" WITH 3\nPUBLISH TOPIC "1" + {n} WITH 1', ['13 1']],
    ['PUBLISH TOPIC REPLACE "x" WITH TOPIC POSITION 2 IN "a/x/b" WITH 1', ['a/07/b 1']],
    ['PUBLISH TOPIC "a" WITH EMPTY', ['a ']],
    ['PUBLISH TOPIC "a" WITH GET TOPIC "nothing" AS INT', ['a ']],
    ['KEEP TOPIC "a" WITH 5', ['keep a 5']],
    ['KEEP TOPIC "a" WITH EMPTY', ['keep a (cleared)']],
    ['KEEP ENV "LIMIT" WITH 5', ['env LIMIT 5']],
    ['KEEP SECRET "KEY" WITH "k"\nDELETE SECRET "KEY"', ['secret KEY k', 'secret KEY (deleted)']],
    ['DELETE ENV "LIMIT"', ['env LIMIT (deleted)']],
    ['TRIGGER "Alarm" TO Mail WITH PAYLOAD', ['event Mail Alarm 5']],
  ]
  for (const [body, expected] of rows) {
    t.strictSame(runBody(body, new TestWorld(), message('in/07', '5', ['07'])).effects, expected, body)
  }
  t.end()
})

t.test('bytes pass unchanged; empty ones are not published', (t) => {
  const world = new TestWorld()
  deploy(
    world,
    'DEFINE ACTION A\nON TOPIC "in" DO\n    PUBLISH TOPIC "o" WITH PAYLOAD AS BYTES\n    PUBLISH TOPIC "p" WITH PAYLOAD\n',
  )
  const run = (payload: Uint8Array): Effect[] => {
    const effects: Effect[] = []
    world.action('A')?.run(world, { topic: 'in', payload, captures: [] }, effects, [])
    return effects
  }
  const raw = new Uint8Array([0xff, 0x00, 0xfe])
  t.strictSame(
    run(raw).map((effect) => effect.kind === 'publish' && [...effect.payload]),
    [[...raw], [...raw]],
  )
  t.strictSame(told(run(new Uint8Array(0))), ['p '])
  t.end()
})

t.test('GET TOPIC sees what the run wrote, then what fired it, then what is known', (t) => {
  const world = new TestWorld()
  world.topics.set('a', 'known').set('in/1', 'old')
  const body = [
    'PUBLISH TOPIC "o/1" WITH GET TOPIC "a"',
    'KEEP TOPIC "a" WITH "kept"',
    'PUBLISH TOPIC "o/2" WITH GET TOPIC "a"',
    'KEEP TOPIC "a" WITH EMPTY',
    'PUBLISH TOPIC "o/3" WITH GET TOPIC "a"',
    'PUBLISH TOPIC "o/4" WITH GET TOPIC "in/1"',
    'SET "i" WITH 0',
    'LOOP',
    '    SET "i" WITH {i} + 1',
    '    PUBLISH TOPIC "n" WITH (GET TOPIC "n" AS INT) + {i}',
    'UNTIL {i} == 40',
    'PUBLISH TOPIC "o/5" WITH GET TOPIC "n"',
    'KEEP ENV "E" WITH 7',
    'PUBLISH TOPIC "o/6" WITH GET ENV "E"',
  ].join('\n')
  const { effects } = runBody(body, world, message('in/1', 'new', ['1']))
  t.strictSame(
    effects.filter((line) => line.startsWith('o/')),
    ['o/1 known', 'o/2 kept', 'o/3 ', 'o/4 new', 'o/5 820', 'o/6 7'],
  )
  t.end()
})

t.test('the effects of earlier runs are not those of this one', (t) => {
  const world = new TestWorld()
  world.topics.set('a', 'known')
  deploy(
    world,
    'DEFINE ACTION A\nON START DO\n    KEEP TOPIC "b" WITH 1\n    PUBLISH TOPIC "o" WITH (GET TOPIC "a") + (GET TOPIC "b")\n',
  )
  const effects: Effect[] = [{ kind: 'keep', topic: 'a', payload: undefined }]
  world.action('A')?.run(world, NO_OCCASION, effects, [])
  t.strictSame(told(effects).slice(1), ['keep b 1', 'o known1'])
  t.end()
})

t.test('IF, SWITCH and LOOP', (t) => {
  const grade =
    'IF PAYLOAD > 10 THEN\n    SET "g" WITH "high"\nELSE IF PAYLOAD > 5 THEN\n    SET "g" WITH "middle"\nELSE\n    SET "g" WITH "low"\nPUBLISH TOPIC "g" WITH {g}'
  for (const [payload, expected] of [
    ['11', 'g high'],
    ['6', 'g middle'],
    ['5', 'g low'],
    ['x', 'g high'],
  ]) {
    t.strictSame(runBody(grade, new TestWorld(), message('in/1', payload)).effects, [expected], payload)
  }
  const turn =
    'SWITCH PAYLOAD\n    CASE "on" THEN\n        PUBLISH TOPIC "s" WITH 1\n    CASE 2 THEN\n        PUBLISH TOPIC "s" WITH 2\n    DEFAULT THEN\n        PUBLISH TOPIC "s" WITH 0'
  for (const [payload, expected] of [
    ['on', 's 1'],
    ['2.0', 's 2'],
    ['ON', 's 0'],
  ]) {
    t.strictSame(runBody(turn, new TestWorld(), message('in/1', payload)).effects, [expected], payload)
  }
  t.end()
})

t.test('loops share their time, those of called actions included', (t) => {
  const loop = '    SET "i" WITH 0\n    LOOP\n        SET "i" WITH {i} + 1\n    UNTIL {i} == 3\n'
  const world = new TestWorld()
  const limits = { ...LIMITS, loopMsMax: -1 }
  const lot = `DEFINE ACTION A\nON START DO\n${loop}`
  const action = compileAction(node<'action'>(lot), new Source('test', lot), limits)
  t.throws(() => action.run(world, NO_OCCASION, [], []), { message: /loops ran longer/, line: 4 })
  const called = 'DEFINE ACTION B\nINPUT n AS INT\nDO\n    LOOP\n        SET "i" WITH 1\n    UNTIL {n} == 0\n'
  deploy(world, called)
  const caller =
    'DEFINE ACTION C\nON START DO\n    LOOP\n        CALL ACTION B WITH n = 0\n        CALL ACTION B WITH n = 1\n    UNTIL true\n'
  const outer = compileAction(node<'action'>(caller), new Source('test', caller), limits)
  t.throws(() => outer.run(world, NO_OCCASION, [], []), { message: /in action "B", line 4: loops ran longer/, line: 5 })
  t.end()
})

t.test('a variable that was never set is empty, and a warning', (t) => {
  t.strictSame(runBody('PUBLISH TOPIC "o" WITH "<" + {nothing} + ">"'), {
    effects: ['o <>'],
    warnings: ['variable {nothing} is read before it is set'],
  })
  t.end()
})

t.test('a failing run says where, and has no effects', (t) => {
  const head = 'DEFINE ACTION A\nON TOPIC "in" DO\n    PUBLISH TOPIC "o" WITH 1\n'
  const rows: readonly (readonly [string, string, number])[] = [
    ['    SET "x" WITH 1 / (PAYLOAD AS INT)', 'Division by zero', 4],
    ['    LOOP\n        SET "x" WITH 1\n    UNTIL {x} == 2', 'the loop did not end within 1000 rounds', 4],
    ['    PUBLISH TOPIC "a/+" WITH 1', 'the trigger has no level for a + of the topic "a/+"', 4],
    ['    SET "t" WITH "a/#"\n    PUBLISH TOPIC {t} WITH 1', 'the topic "a/#" has a wildcard', 5],
    [
      '    SET "t" WITH "$SYS/Coreflux/Command"\n    PUBLISH TOPIC {t} WITH "-removeAllActions"',
      'the topic "$SYS/Coreflux/Command" is the broker\'s own',
      5,
    ],
    ['    PUBLISH TOPIC GET TOPIC "none" WITH 1', 'the topic is empty', 4],
    ['    CALL ACTION Nobody', 'there is no action "Nobody"', 4],
    ['    PUBLISH MODEL Nothing TO "t" WITH a = 1', 'there is no model "Nothing"', 4],
  ]
  for (const [body, expected, line] of rows) {
    const failure = failureOf(`${head}${body}\n`, 'A')
    t.match(failure, { name: 'LotRuntimeError', message: expected, line }, body)
  }
  const statement = failureOf(`${head}    SET "x" WITH 5 % 0\n`, 'A').statement
  t.equal(statement, 'SET "x" WITH 5 % 0')
  t.end()
})

const SCALE = [
  'DEFINE ACTION Scale',
  'INPUT raw AS INT',
  'INPUT span AS DOUBLE',
  'DO',
  '    SET "part" WITH {raw} / 100',
  '    SET "scaled" WITH {part} * {span}',
  'RETURN',
  '    OUTPUT part',
  '    OUTPUT scaled',
  '',
].join('\n')

t.test('CALL ACTION', (t) => {
  const caller =
    'DEFINE ACTION A\nON TOPIC "in/+" DO\n    CALL ACTION Scale WITH raw = "50.9", span = 3 RETURN p, s\n    PUBLISH TOPIC "o" WITH {p} + ":" + {s}\n'
  t.strictSame(effectsOf(SCALE + caller, 'A'), ['o 0.5:1.5'])
  const world = new TestWorld()
  deploy(world, SCALE)
  const warnings: string[] = []
  t.strictSame(world.action('Scale')?.invoke(world, { raw: 50 }, [], warnings), { part: '0.5', scaled: '0' })
  t.strictSame(warnings, ['action "Scale" is called without span'])
  const failing =
    'DEFINE ACTION B\nINPUT n AS INT\nDO\n    SET "x" WITH 1 / {n}\nDEFINE ACTION C\nINPUT n AS INT\nDO\n    CALL ACTION B WITH n = {n}\nDEFINE ACTION D\nON TOPIC "in" DO\n    PUBLISH TOPIC "before" WITH 1\n    CALL ACTION C WITH n = 0\n'
  t.match(failureOf(failing, 'D'), { line: 12, message: 'in action "B", line 4: Division by zero' })
  const endless = 'DEFINE ACTION R\nINPUT n AS INT\nDO\n    CALL ACTION R WITH n = {n} + 1\n'
  const deep = new TestWorld()
  deploy(deep, endless)
  t.throws(() => deep.action('R')?.invoke(deep, { n: 0 }, [], []), { message: /nested deeper than 32/ })
  t.end()
})

t.test('calls outside', (t) => {
  const world = new TestWorld()
  world.answer = (call) => (call.kind === 'python' ? '{"sum": 3}' : 'text "here"')
  const body = [
    'CALL PYTHON "Math.add" WITH (1, "two", PAYLOAD, {"a": [1]}) RETURN AS {r}',
    'PUBLISH TOPIC "o" WITH {"r": {r}, "sum": {r.sum}}',
    'CALL MCP "Tools.look" WITH (name = "x", count = 2) RETURN AS {m}',
    'PUBLISH TOPIC "p" WITH {"m": {m}}',
    'CALL LLM "Model" METHOD "generate" WITH prompt = "why" RETURN AS {l}',
  ].join('\n')
  t.strictSame(runBody(body, world, message('in/1', 'pay')).effects, [
    'o {"r":{"sum": 3},"sum":3}',
    'p {"m":"text \\"here\\""}',
  ])
  t.strictSame(world.calls, [
    { kind: 'python', target: 'Math.add', arguments: '[1,"two","pay",{"a":[1]}]' },
    { kind: 'mcp', target: 'Tools.look', arguments: '{"name":"x","count":2}' },
    { kind: 'llm', route: 'Model', method: 'generate', arguments: '{"prompt":"why"}' },
  ])
  world.answer = () => {
    throw new Error('Math.add: division by zero')
  }
  t.throws(() => runBody('CALL PYTHON "Math.add" WITH ()', world), { message: 'Math.add: division by zero', line: 3 })
  t.end()
})

t.test('session words', (t) => {
  const world = new TestWorld()
  deploy(
    world,
    'DEFINE ACTION S\nON CONNECT DO\n    PUBLISH TOPIC "c/" + CLIENTID WITH USER + "@" + ENDPOINT + DISCONNECTREASON\n',
  )
  const effects: Effect[] = []
  const session = { CLIENTID: 'pump', USER: 'root', ENDPOINT: '127.0.0.1:5' }
  world.action('S')?.run(world, { ...NO_OCCASION, session }, effects, [])
  t.strictSame(told(effects), ['c/pump root@127.0.0.1:5'])
  t.end()
})
