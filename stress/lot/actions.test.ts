/** Section 3 of the language: triggers, statements, calls, chains and errors, with a real client. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { type LotUser, retained } from './lot-user.fixture.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

let broker: LotBroker
let user: LotUser

async function deploy(...lines: readonly string[]): Promise<void> {
  await user.succeed(`-addAction ${lines.join('\n')}`)
}

t.setTimeout(300 * SECOND)

t.before(async () => {
  broker = await LotBroker.start(t)
  user = await broker.connect({ clientId: 'engineer' })
})

function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { timeout: 90_000 }, body)
}

test('ON TOPIC with wildcards', async (t) => {
  await deploy(
    'DEFINE ACTION Plus ON TOPIC "w/+/level" DO',
    '    PUBLISH TOPIC "seen/" + TOPIC POSITION 2 WITH PAYLOAD',
  )
  await deploy('DEFINE ACTION Hash', 'ON TOPIC "deep/#"', 'DO', '', '    PUBLISH TOPIC "count/deep" WITH PAYLOAD', '')
  t.equal(await user.answer('w/7/level', '95', 'seen/7'), '95')
  await user.publish('w/7/8/level', 'no match')
  t.equal(await user.answer('deep/a/b/c', 'x', 'count/deep'), 'x')
  t.equal(await user.answer('deep', 'the parent level too', 'count/deep'), 'the parent level too')
})

test('ON CHANGE', async (t) => {
  await deploy(
    'DEFINE ACTION Changed',
    'ON CHANGE "ch/+" DO',
    '    PUBLISH TOPIC "changed/" + TOPIC POSITION 2 WITH PAYLOAD',
  )
  for (const value of ['1', '1', '2', '2', '1', 'end']) await user.publish('ch/a', value)
  await user.publish('ch/b', '1')
  t.same(await user.texts('changed/a', 4), ['1', '2', '1', 'end'])
  t.same(await user.texts('changed/b', 1), ['1'], 'each topic has its own memory')
})

test('ON START, ON EVERY and times of day', async (t) => {
  await deploy('DEFINE ACTION Begin', 'ON START DO', '    PUBLISH TOPIC "begin" WITH "now"')
  t.equal((await user.on('begin')).text, 'now', 'when deployed')
  await deploy('DEFINE ACTION Tick', 'ON EVERY 1 HOUR DO', '    PUBLISH TOPIC "tick" WITH TIMESTAMP "UNIX-MS"')
  await broker.advance(59 * MINUTE)
  await user.caughtUp(() => broker.running.settled())
  t.same(user.onTopic('tick'), [], 'not before a full interval')
  await broker.advance(1 * MINUTE + 5 * SECOND)
  await user.texts('tick', 1)
  await broker.advance(5 * HOUR)
  await user.texts('tick', 2)
  await user.caughtUp(() => broker.running.settled())
  t.equal(user.onTopic('tick').length, 2, 'what was missed is skipped')

  await deploy('DEFINE ACTION Noon', 'ON TIMESTAMP "12:00:00" DO', '    PUBLISH TOPIC "noon" WITH "daily"')
  await deploy('DEFINE ACTION Shift', 'ON EVERY MONDAY AT "06:00" DO', '    PUBLISH TOPIC "shift" WITH "early"')
  await deploy('DEFINE ACTION Week', 'ON EVERY WEEKDAY AT "06:30:15" DO', '    PUBLISH TOPIC "week" WITH "work"')
  for (let hour = 0; hour < 24 * 7; hour++) await broker.advance(HOUR)
  t.equal((await user.texts('noon', 7)).length, 7)
  await user.caughtUp(() => broker.running.settled())
  t.equal(user.onTopic('noon').length, 7)
  t.equal(user.onTopic('shift').length, 1)
  t.equal(user.onTopic('week').length, 5)
})

test('short intervals on the clock of the machine', async () => {
  await deploy('DEFINE ACTION Fast', 'ON EVERY 50 MILLISECONDS DO', '    PUBLISH TOPIC "fast" WITH "x"')
  await user.texts('fast', 3)
  await user.succeed('-removeAction Fast')
})

test('hooks on sessions', async (t) => {
  await deploy(
    'DEFINE ACTION Hello',
    'ON CONNECT DO',
    '    PUBLISH TOPIC "hello" WITH CLIENTID + "," + USER + "," + CLEANSESSION + "," + ENDPOINT',
  )
  await deploy(
    'DEFINE ACTION Bye',
    'ON DISCONNECT DO',
    '    PUBLISH TOPIC "bye" WITH CLIENTID + "," + DISCONNECTREASON',
  )
  await deploy(
    'DEFINE ACTION Listens',
    'ON SUBSCRIBE "plant/#" DO',
    '    PUBLISH TOPIC "listens" WITH CLIENTID + "," + SUBSCRIBETOPIC + "," + SUBSCRIBEQOS',
  )
  await user.succeed('-addUser ada "engines of analysis"')
  const login = { username: 'ada', password: 'engines of analysis' }
  const guest = await broker.connect({ clientId: 'guest', hears: [], ...login })
  const welcome = await user.until(({ topic, text }) => topic === 'hello' && text.startsWith('guest,'))
  t.match(welcome.text, /^guest,ada,true,127\.0\.0\.1:\d+$/)
  await guest.client.subscribeAsync('plant/1', { qos: 1 })
  t.equal((await user.on('listens')).text, 'guest,plant/1,1')
  await guest.client.subscribeAsync('office/1')
  await guest.close()
  const parting = await user.until(({ topic, text }) => topic === 'bye' && text.startsWith('guest,'))
  t.match(parting.text, /^guest,[A-Za-z]+$/)
  t.equal(user.onTopic('listens').length, 1, 'the filter of the trigger holds')
  for (const name of ['Hello', 'Bye', 'Listens']) await user.succeed(`-removeAction ${name}`)
  await user.succeed('-removeUser ada')
})

test('callable actions', async (t) => {
  await deploy(
    'DEFINE ACTION ScaleRaw',
    'INPUT raw AS INT',
    'INPUT span AS DOUBLE',
    'DO',
    '    SET "pct" WITH {raw} / 4095 * 100',
    '    SET "eng" WITH {pct} / 100 * {span}',
    'RETURN',
    '    OUTPUT pct',
    '    OUTPUT eng',
  )
  await deploy(
    'DEFINE ACTION UseScale',
    'ON TOPIC "raw" DO',
    '    CALL ACTION ScaleRaw',
    '        WITH raw = PAYLOAD, span = 200',
    '        RETURN p, e',
    '    PUBLISH TOPIC "scaled" WITH {p} + "/" + {e}',
  )
  t.equal(await user.answer('raw', '4095', 'scaled'), '100/200')
  const run = await user.succeed('-runAction ScaleRaw {"raw": 0, "span": 5}')
  t.equal(run.data.action, 'ScaleRaw')
  const wrong = await user.command(
    '-addAction DEFINE ACTION Bad\nON TOPIC "x" DO\n    CALL ACTION ScaleRaw WITH raw = 1, span = 2 RETURN one\n',
  )
  t.equal(wrong.success, false, 'counts of results differ')
  t.match(wrong.message, /ScaleRaw returns 2 values, 1 expected/)
})

test('statements', async (t) => {
  await deploy(
    'DEFINE ACTION Grade',
    'ON TOPIC "grade" DO',
    '    SET note TO "none"',
    '    IF PAYLOAD >= 90 THEN',
    '        SET "note" WITH "A"',
    '',
    '    ELSE IF PAYLOAD >= 80 THEN',
    '        SET "note" = "B"',
    '    ELSE',
    '        IF PAYLOAD >= 70 THEN',
    '            SET "note" AS "C"',
    '    PUBLISH TOPIC "graded" WITH {note} // the branch is over',
  )
  for (const [payload, note] of [
    ['95', 'A'],
    ['85', 'B'],
    ['75', 'C'],
    ['5', 'none'],
  ] as const) {
    t.equal(await user.answer('grade', payload, 'graded'), note)
  }
  await deploy(
    'DEFINE ACTION Mode',
    'ON TOPIC "mode" DO',
    '    SWITCH PAYLOAD',
    '        CASE "auto" THEN',
    '            PUBLISH TOPIC "mode/is" WITH 1',
    '        CASE 2 THEN',
    '            PUBLISH TOPIC "mode/is" WITH 2',
    '        DEFAULT THEN',
    '            PUBLISH TOPIC "mode/is" WITH "?"',
  )
  t.equal(await user.answer('mode', 'auto', 'mode/is'), '1')
  t.equal(await user.answer('mode', '2.0', 'mode/is'), '2')
  t.equal(await user.answer('mode', 'x', 'mode/is'), '?')
  await deploy(
    'DEFINE ACTION Count',
    'ON TOPIC "count/to" DO',
    '    SET "i" WITH 0',
    '    LOOP',
    '        SET "i" WITH {i} + 1',
    '        PUBLISH TOPIC "count/i" WITH {i}',
    '    UNTIL {i} >= PAYLOAD',
  )
  await user.publish('count/to', '3')
  t.same(await user.texts('count/i', 3), ['1', '2', '3'])
})

test('GET TOPIC, KEEP and what counts as the last value', async (t) => {
  await deploy(
    'DEFINE ACTION Memory',
    'ON TOPIC "mem/+" DO',
    '    PUBLISH TOPIC "mem-old" WITH GET TOPIC "kept/" + TOPIC POSITION 2',
    '    KEEP TOPIC "kept/" + TOPIC POSITION 2 WITH PAYLOAD',
    '    PUBLISH TOPIC "mem-new" WITH (GET TOPIC "kept/" + TOPIC POSITION 2) + "!"',
    '    PUBLISH TOPIC "mem-own" WITH GET TOPIC "mem/+"',
  )
  t.equal(await user.answer('mem/a', 'one', 'mem-own'), 'one')
  t.equal(await user.answer('mem/b', 'other', 'mem-own'), 'other')
  t.equal(await user.answer('mem/a', 'two', 'mem-own'), 'two')
  t.same(user.onTopic('mem-old'), ['', '', 'one'])
  t.same(user.onTopic('mem-new'), ['one!', 'other!', 'two!'])
  t.same(user.onTopic('kept/a'), [], 'KEEP delivers nothing')
  t.equal(await retained(broker, 'kept/a'), 'two', 'but new subscribers get it')

  await user.publish('early', 'retained before', { retain: true })
  await deploy('DEFINE ACTION Early', 'ON TOPIC "ask" DO', '    PUBLISH TOPIC "told" WITH GET TOPIC "early"')
  t.equal(await user.answer('ask', '', 'told'), 'retained before')
  await user.publish('early', 'live')
  t.equal(await user.answer('ask', '', 'told'), 'live')
})

test('captured levels', async (t) => {
  await deploy(
    'DEFINE ACTION Inherit',
    'ON TOPIC "in/+/x/+" DO',
    '    SET "n" WITH (GET TOPIC "total/+/of/+" AS INT) + PAYLOAD',
    '    KEEP TOPIC "total/+/of/+" WITH {n}',
    '    PUBLISH TOPIC "sum/+/+" WITH {n}',
  )
  t.equal(await user.answer('in/a/x/b', '1', 'sum/a/b'), '1')
  t.equal(await user.answer('in/a/x/b', '2', 'sum/a/b'), '3')
  t.equal(await user.answer('in/a/x/c', '5', 'sum/a/c'), '5')
})

test('one message per match, exact bytes, JSON bodies', async (t) => {
  await deploy(
    'DEFINE ACTION Words',
    'ON TOPIC "text" DO',
    '    PUBLISH TOPIC "word" WITH FILTER PAYLOAD USING REGEX "[a-z]+"',
  )
  await user.publish('text', '12 34')
  await user.publish('text', 'one two 3 four')
  t.same(await user.texts('word', 3), ['one', 'two', 'four'], 'no match, no message')

  const bytes = Buffer.from([0, 255, 254, 10, 128])
  await deploy('DEFINE ACTION Exact', 'ON TOPIC "bin" DO', '    PUBLISH TOPIC "bin/copy" WITH PAYLOAD AS BYTES')
  await deploy('DEFINE ACTION Plain', 'ON TOPIC "bin" DO', '    PUBLISH TOPIC "bin/plain" WITH PAYLOAD')
  await user.publish('bin', bytes)
  t.same((await user.on('bin/copy')).payload, bytes)
  t.same((await user.on('bin/plain')).payload, bytes)

  await deploy(
    'DEFINE ACTION TankReport',
    'ON TOPIC "tank/+/level" DO',
    '    SET "tank" WITH TOPIC POSITION 2',
    '    SET "level" WITH PAYLOAD AS DOUBLE',
    '    PUBLISH TOPIC "report/" + {tank} WITH {',
    '        "tank": {tank},',
    '        "level": {level},',
    '        "alarm": IF {level} > 95 THEN true ELSE false,',
    '        "limit": GET TOPIC "tank/" + {tank} + "/limit",',
    '        "gone": GET TOPIC "tank/none"',
    '    }',
  )
  await user.publish('tank/T1/limit', '97.5')
  t.same(JSON.parse(await user.answer('tank/T1/level', '96', 'report/T1')), {
    tank: 'T1',
    level: 96,
    alarm: true,
    limit: 97.5,
    gone: null,
  })
})

test('environment and secrets from actions', async (t) => {
  await deploy(
    'DEFINE ACTION Env',
    'ON TOPIC "env" DO',
    '    PUBLISH TOPIC "env/was" WITH GET ENV "SITE"',
    '    KEEP ENV "SITE" WITH PAYLOAD',
    '    PUBLISH TOPIC "env/is" WITH GET ENV "SITE"',
  )
  t.equal(await user.answer('env', 'Porto', 'env/is'), 'Porto')
  t.equal(await user.answer('env', 'Lisboa', 'env/was'), 'Porto')
  t.match((await user.succeed('-listEnv')).data, [{ name: 'SITE', value: 'Lisboa' }])
  await deploy(
    'DEFINE ACTION NoEnv',
    'ON TOPIC "env/off" DO',
    '    DELETE ENV "SITE"',
    '    PUBLISH TOPIC "env/off/done" WITH "<" + GET ENV "SITE" + ">"',
  )
  t.equal(await user.answer('env/off', '', 'env/off/done'), '<>')
})

test('chains end at their limit, runtime errors are told', async (t) => {
  await deploy('DEFINE ACTION Ping', 'ON TOPIC "ping" DO', '    PUBLISH TOPIC "pong" WITH PAYLOAD + 1')
  await deploy('DEFINE ACTION Pong', 'ON TOPIC "pong" DO', '    PUBLISH TOPIC "ping" WITH PAYLOAD + 1')
  await user.publish('ping', '0')
  const ended = await user.until(
    ({ topic, text }) => /^\$SYS\/Coreflux\/Actions\/P[io]ng\/Error$/.test(topic) && text !== '',
  )
  t.match(JSON.parse(ended.text), { message: /64|chain/i })
  t.ok(user.onTopic('ping').length >= 30 && user.onTopic('ping').length <= 34, `${user.onTopic('ping').length} turns`)
  await user.succeed('-removeAction Ping')

  const topic = '$SYS/Coreflux/Actions/Divide/Error'
  const divide = [
    'DEFINE ACTION Divide',
    '// the divisor comes by MQTT',
    'ON TOPIC "div" DO',
    '    PUBLISH TOPIC "div/begun" WITH "yes"',
    '    PUBLISH TOPIC "div/ed" WITH 1 / PAYLOAD',
  ]
  await deploy(...divide)
  t.equal(await user.answer('div', '4', 'div/ed'), '0.25')
  const error = JSON.parse(await user.answer('div', '0', topic)) as Record<string, unknown>
  t.match(error, {
    action: 'Divide',
    message: /Division by zero/,
    line: 5,
    statement: /div\/ed/,
    traceId: /./,
    timestampUtc: /^\d{4}-/,
  })
  t.ok(await retained(broker, topic))
  t.equal(await user.answer('div', '2', 'div/ed'), '0.5', 'the next run is another run')
  await deploy(...divide)
  t.equal(await retained(broker, topic), undefined, 'cleared by a new deployment')
})

test('what is refused, and what is said instead', async (t) => {
  const refused: readonly (readonly [text: string, says: RegExp])[] = [
    ['DEFINE ACTION B\n    ON TOPIC "a" DO\n        SET "x" WITH 1', /INDENT/],
    ['DEFINE ACTION B\nON TOPIC "a"\n    SET "x" WITH 1', /DO/],
    ['DEFINE ACTION B\nON EVERY 10 DO\n    SET "x" WITH 1', /time unit|SECONDS/],
    ['DEFINE ACTION "B"\nON TOPIC "a" DO\n    SET "x" WITH 1', /STRING/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    PUBLISH TOPIC "t" MESSAGE 1', /WITH.*MESSAGE/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    PUBLISH TOPIC "t" WITH', /value/i],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    SET x 5', /WITH.*TO.*AS/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    PUBLISH TOPIC "t" WITH TOPIC POSITION 0', /1-based/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    IF 1 == 1\n        SET "x" WITH 1', /THEN/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    IF 1 == 1 THEN\n        SET "x" WITH 1\n    END IF', /END/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    publish TOPIC "t" WITH 1', /upper case/i],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    CALL MCP "R" TOOL "t"', /WITH.*TOOL/],
    ['DEFINE ACTION B\nON EVERY 1 HOUR DO\n    PUBLISH TOPIC "t" WITH PAYLOAD', /PAYLOAD/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    PUBLISH TOPIC "t" WITH PAYLOAD AS BYTES AND_THEN TRIM', /Bytes/],
    ['DEFINE ACTION B\nINPUT a AS INT\nDO\n    SET "x" WITH {a}\nRETURN OUTPUT x', /RETURN|line/],
    ['DEFINE ACTION B\nON TOPIC "a" DO\n    WHILE 1 == 1 DO\n        SET "x" WITH 1', /WHILE/],
    ['DEFINE ACTION B\nSET "x" WITH 1', /trigger|ON|DO/],
  ]
  for (const [text, says] of refused) {
    const answer = await user.command(`-addAction ${text}`)
    t.equal(answer.success, false, text)
    t.match(answer.message, /^Parsing error: .* \(\d+,\d+\)/s)
    t.match(answer.message, says)
    t.match(answer.errors?.[0], { line: Number, column: Number, sourceLines: Array, suggestions: Array }, text)
  }
  t.notOk(await retained(broker, '$SYS/Coreflux/Actions/B'))
})

test('calls and topics that cannot be, found when they run', async (t) => {
  await deploy('DEFINE ACTION Again', 'INPUT n AS INT', 'DO', '    CALL ACTION Again WITH n = {n} + 1')
  await deploy('DEFINE ACTION Deep', 'ON TOPIC "deep/call" DO', '    CALL ACTION Again WITH n = 0')
  const deep = await user.answer('deep/call', '', '$SYS/Coreflux/Actions/Deep/Error')
  t.match(JSON.parse(deep), { action: 'Deep', message: /deeper than 32/, line: 3 })
  await deploy('DEFINE ACTION Anywhere', 'ON TOPIC "anywhere" DO', '    PUBLISH TOPIC PAYLOAD WITH 1')
  t.equal(await user.answer('anywhere', 'a/b', 'a/b'), '1')
  const wild = await user.answer('anywhere', 'a/#', '$SYS/Coreflux/Actions/Anywhere/Error')
  t.match(JSON.parse(wild).message, /wildcard/)
  await deploy(
    'DEFINE ACTION Lonely',
    'INPUT n AS INT',
    'INPUT s AS STRING',
    'DO',
    '    SET "o" WITH {n} + "/" + {s}',
    'RETURN',
    '    OUTPUT o',
  )
  const lacking = await user.succeed(
    '-addAction DEFINE ACTION Caller\nON TOPIC "caller" DO\n    CALL ACTION Lonely WITH n = 4 RETURN q\n    PUBLISH TOPIC "called" WITH {q}',
  )
  t.match(JSON.stringify(lacking.warnings), /without s/)
  t.equal(await user.answer('caller', '', 'called'), '4/')
})
