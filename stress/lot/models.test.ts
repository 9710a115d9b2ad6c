/** Section 4 of the language: what models publish, where and with which flags, for a real client. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { type LotUser, retained } from './lot-user.fixture.js'

t.setTimeout(300_000)

let broker: LotBroker
let user: LotUser

t.before(async () => {
  broker = await LotBroker.start(t)
  user = await broker.connect()
})

function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { timeout: 90_000 }, body)
}

async function model(...lines: readonly string[]): Promise<void> {
  await user.succeed(`-addModel ${lines.join('\n')}`)
}

/** Publishes, and waits for a JSON object that comes of it. */
async function object(topic: string, payload: string, on: string): Promise<unknown> {
  return JSON.parse(await user.answer(topic, payload, on))
}

test('a collapsed model: types, order, constants, computed fields', async (t) => {
  await model(
    'DEFINE MODEL Press COLLAPSED WITH TOPIC "clean/press"',
    '    ADD DOUBLE "force" WITH TOPIC "raw/press/force" AS TRIGGER',
    '    ADD INT "stroke" WITH TOPIC "raw/press/stroke"',
    '    ADD STRING "site" WITH "Porto"',
    '    ADD BOOL "over" WITH (force > 100)',
    '    ADD STRING "grade" WITH IF force > 100 THEN "bad" ELSE IF force > 50 THEN "fair" ELSE "good"',
    '    ADD "note" WITH TOPIC "raw/press/note"',
    '    ADD INT "hours" WITH (7265 / 3600)',
    '    ADD STRING "ts" WITH TIMESTAMP "UTC"',
    '    ADD STRING "id" WITH (RANDOM UUID)',
  )
  const first = (await object('raw/press/force', '60.5', 'clean/press')) as Record<string, unknown>
  t.match(first, {
    force: 60.5,
    site: 'Porto',
    over: false,
    grade: 'fair',
    hours: 2,
    ts: /^\d{4}-/,
    id: /^[0-9a-f-]{36}$/,
  })
  t.equal(first.stroke, null, 'a number that never came')
  t.same(Object.keys(first), ['force', 'stroke', 'site', 'over', 'grade', 'note', 'hours', 'ts', 'id'])
  await user.publish('raw/press/stroke', '12')
  await user.publish('raw/press/note', 'true')
  t.match(await object('raw/press/force', '120', 'clean/press'), {
    force: 120,
    stroke: 12,
    over: true,
    grade: 'bad',
    note: true,
  })
  t.equal(user.onTopic('clean/press').length, 2, 'only the trigger publishes')
  await object('raw/press/force', '120', 'clean/press')
  t.equal(user.onTopic('clean/press').length, 3, 'an equal value too')
  t.same(user.onTopic('clean/press/force'), [], 'no topics of fields')
})

test('computed fields know their previous values', async (t) => {
  await model(
    'DEFINE MODEL Bakes COLLAPSED WITH TOPIC "clean/oven/+/cycle"',
    '    ADD DOUBLE "temp" WITH TOPIC "raw/oven/+/temp" AS TRIGGER',
    '    ADD STRING "oven" WITH (TOPIC POSITION 3)',
    '    ADD STRING "phase" WITH (IF temp > 180 THEN "bake" ELSE "idle")',
    '    ADD INT "bakes" WITH (IF phase EQUALS "bake" THEN (bakes + 1) ELSE bakes)',
    '    ADD INT "humidity" WITH TOPIC "raw/oven/+/humidity"',
  )
  t.match(await object('raw/oven/1/temp', '200', 'clean/oven/1/cycle'), { oven: '1', phase: 'bake', bakes: 1 })
  await user.publish('raw/oven/1/humidity', '40')
  t.match(await object('raw/oven/1/temp', '201', 'clean/oven/1/cycle'), { bakes: 2, humidity: 40 })
  t.match(await object('raw/oven/2/temp', '200', 'clean/oven/2/cycle'), { oven: '2', bakes: 1, humidity: null })
  t.match(await object('raw/oven/1/temp', '20', 'clean/oven/1/cycle'), { phase: 'idle', bakes: 2 })
})

test('named levels', async (t) => {
  await model(
    'DEFINE MODEL Named COLLAPSED WITH TOPIC "machines/{line}/{machine}/status"',
    '    ADD DOUBLE "temp" WITH TOPIC "sensors/{machine}/of/{line}/temp" AS TRIGGER',
  )
  t.same(await object('sensors/m1/of/l2/temp', '5', 'machines/l2/m1/status'), { temp: 5 })
})

test('a plain model publishes its object and its fields', async (t) => {
  await model(
    'DEFINE MODEL Tank WITH TOPIC "clean/tank"',
    '    ADD DOUBLE "level" WITH TOPIC "raw/tank/level" AS TRIGGER',
    '    ADD STRING "unit" WITH "m"',
    '    ADD OBJECT "limits"',
    '        ADD DOUBLE "high" WITH 95',
    '        ADD STRING "name" WITH "HH"',
  )
  t.same(await object('raw/tank/level', '3.5', 'clean/tank'), {
    level: 3.5,
    unit: 'm',
    limits: { high: 95, name: 'HH' },
  })
  t.equal((await user.on('clean/tank/level')).text, '3.5')
  t.equal((await user.on('clean/tank/unit')).text, 'm', 'bare values')
})

test('inheritance', async (t) => {
  await model('DEFINE MODEL Base COLLAPSED', '    ADD STRING "plant" WITH "P1"', '    ADD STRING "unit" WITH "kg"')
  await model(
    'DEFINE MODEL Child FROM Base WITH TOPIC "clean/child"',
    '    ADD DOUBLE "weight" WITH TOPIC "raw/child" AS TRIGGER',
    '    ADD STRING "unit" WITH "t"',
  )
  await model('DEFINE MODEL Grandchild FROM Child', '    ADD STRING "operator"')
  const got = (await object('raw/child', '8', 'clean/child')) as object
  t.same(got, { plant: 'P1', unit: 't', weight: 8 })
  t.equal(Object.keys(got)[0], 'plant', 'fields of the parent first')
  await model('DEFINE MODEL Base COLLAPSED', '    ADD STRING "plant" WITH "P2"', '    ADD STRING "unit" WITH "kg"')
  t.match(
    await object('raw/child', '9', 'clean/child'),
    { plant: 'P2', weight: 9 },
    'a change of the parent is one of the child',
  )
  t.equal(
    (await user.command('-addModel DEFINE MODEL Orphan FROM Nobody WITH TOPIC "x"\n    ADD STRING "a"')).success,
    false,
  )
})

test('PUBLISH MODEL', async (t) => {
  await model(
    'DEFINE MODEL Alarm COLLAPSED',
    '    ADD STRING "ts" WITH TIMESTAMP "UTC"',
    '    ADD STRING "text"',
    '    ADD INT "level"',
    '    ADD BOOL "open"',
    '    ADD OBJECT "detail"',
    '    ADD STRING "nobody"',
  )
  await user.succeed(
    [
      '-addAction DEFINE ACTION Raise',
      'ON TOPIC "raise/+" DO',
      '    PUBLISH MODEL Alarm TO "alarm/+" WITH',
      '        text = "over " + PAYLOAD,',
      '        level = PAYLOAD',
      '        open = PAYLOAD > 5',
      '        detail = "{\\"a\\":1}"',
    ].join('\n'),
  )
  t.match(await object('raise/x', '7', 'alarm/x'), {
    ts: /^\d{4}-/,
    text: 'over 7',
    level: 7,
    open: true,
    detail: { a: 1 },
    nobody: null,
  })
  t.equal(await retained(broker, 'alarm/x'), undefined)
  await user.succeed(
    '-addAction DEFINE ACTION OneLine\nON TOPIC "one" DO\n    PUBLISH MODEL Alarm TO "one/line" WITH ts = "now", text = "a", level = 1',
  )
  t.match(await object('one', '', 'one/line'), { ts: 'now', text: 'a', level: 1 })
  const unknown = await user.command(
    '-addAction DEFINE ACTION Un\nON TOPIC "u" DO\n    PUBLISH MODEL Alarm TO "u/a" WITH levl = 1',
  )
  t.equal(unknown.success, false)
  t.match(unknown.message, /levl/)
  t.match(unknown.errors?.[0]?.suggestions?.join(), /level/)

  await user.succeed(
    '-addAction DEFINE ACTION Later\nON TOPIC "later" DO\n    PUBLISH MODEL Future TO "later/is" WITH a = 1',
  )
  t.match((await user.succeed('-getPendingStatus')).data, [{ name: 'Later', waitingFor: [/Future/] }])
  await model('DEFINE MODEL Future COLLAPSED', '    ADD INT "a"')
  t.same((await user.succeed('-getPendingStatus')).data, [])
  t.same(await object('later', '', 'later/is'), { a: 1 })
})

test('retain, QoS, clause orders', async (t) => {
  for (const [number, clauses] of ['RETAIN QOS1', 'WITH RETAIN AND QOS1', 'KEEP QOS1', 'QOS1 RETAIN'].entries()) {
    await model(
      `DEFINE MODEL Flags${number} COLLAPSED ${clauses} WITH TOPIC "flags/${number}"`,
      '    ADD INT "n" WITH TOPIC "raw/flags" AS TRIGGER',
    ).catch((error: Error) => t.fail(error.message))
  }
  await user.publish('raw/flags', '1')
  for (let number = 0; number < 4; number++) {
    t.equal((await user.on(`flags/${number}`)).qos, 1)
    t.equal(await retained(broker, `flags/${number}`), '{"n":1}')
  }
})

test('reception', async (t) => {
  await model('DEFINE MODEL Receive WITH TOPIC "field/+"')
  await user.publish('field/east', '{"crop":"Peppers","n":21,"soil":{"ph":6.5,"parts":[1,2]}}')
  for (const [topic, text] of [
    ['crop', 'Peppers'],
    ['n', '21'],
    ['soil/ph', '6.5'],
  ] as const) {
    t.equal((await user.on(`field/east/${topic}`)).text, text)
  }
  t.same(JSON.parse((await user.on('field/east/soil/parts')).text), [1, 2])
  await user.publish('field/west', 'no JSON')
  await user.caughtUp(() => broker.running.settled())
  t.notOk(user.heard.some(({ topic }) => topic.startsWith('field/west/')))
})

test('several triggers, division by zero, removal', async (t) => {
  await model(
    'DEFINE MODEL Two COLLAPSED WITH TOPIC "two"',
    '    ADD DOUBLE "a" WITH TOPIC "raw/a" AS TRIGGER',
    '    ADD DOUBLE "b" WITH TOPIC "raw/b" AS TRIGGER',
    '    ADD DOUBLE "q" WITH (a / b)',
  )
  await user.publish('raw/a', '6')
  await user.texts('two', 1)
  t.same(await object('raw/b', '3', 'two').then(() => JSON.parse(user.onTopic('two').at(-1)!)), { a: 6, b: 3, q: 2 })
  t.match(await object('raw/b', '0', 'two'), { q: null }, 'division by zero')
  await user.succeed('-removeModel Two')
  await user.publish('raw/a', '1')
  await user.caughtUp(() => broker.running.settled())
  t.equal(user.onTopic('two').length, 3)
})
