/** Sections 10 and 11: the command channel and the retained topics, as tools and old clients use them. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { COMMAND, type Envelope, type LotUser, OUTPUT, retained } from './lot-user.fixture.js'

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

const ECHO = 'DEFINE ACTION Echo\nON TOPIC "echo" DO\n    PUBLISH TOPIC "echo/back" WITH PAYLOAD'

test('envelopes', async (t) => {
  const added = await user.command(`-addAction ${ECHO}`)
  t.match(added, {
    success: true,
    command: 'AddAction',
    entityType: 'Action',
    entityName: 'Echo',
    message: /^Action 'Echo' added successfully[.!]$/,
  })
  t.ok('data' in added)
  const shouted = await user.command('-LISTACTIONS').catch(() => undefined)
  t.ok(shouted === undefined || 'message' in shouted)
  const rules = await user.command('--list-rules')
  t.match(rules, { success: true, command: 'ListRules', data: Array })
  t.match(await user.command('-LISTRULES'), { success: true, command: 'ListRules' }, 'in any case')
  const unknown = await user.command('-noSuchThing 1')
  t.match(unknown, { success: false, message: 'Unknown command: -noSuchThing' })
  t.notOk('command' in unknown)
  for (const command of ['-mqttPacketTrace', '-checkActionUsage', '-loadFolder']) {
    t.match((await user.command(command)).message, /^Unknown command: -/)
  }
  t.match(await user.command('-l'), { success: false, message: 'Asset commands are not supported' })
  t.match(await user.command('-listRoutes'), { success: true, message: 'No routes registered.', data: [] })
  t.match(await user.command('-listProjects'), { success: true, message: 'No projects found.', data: [] })
  t.match(await user.command('-getPendingStatus'), { message: 'No pending models or actions.', data: [] })
  t.match(await user.command('-removeAction Nobody'), { success: false, message: /'Nobody' not found/ })
})

test('request identifiers', async (t) => {
  const from = user.heard.length
  await user.publish(COMMAND, '-listRules')
  await user.publish(COMMAND, '-listRules -REQUESTID some.thing:1  \n')
  await user.publish(COMMAND, `-addAction ${ECHO}\n\n -requestId after-a-body`)
  const answers = (await user.texts(OUTPUT, 3, from)).map((text) => JSON.parse(text) as Envelope)
  t.same(
    answers.map(({ requestId }) => requestId),
    [undefined, 'some.thing:1', 'after-a-body'],
  )
  t.ok(answers.every(({ success }) => success))
  t.equal(await user.answer('echo', 'works', 'echo/back'), 'works')
})

test('a command at QoS 0, 1 and 2; strange commands', async (t) => {
  for (const qos of [0, 1, 2] as const) {
    const from = user.heard.length
    await user.client.publishAsync(COMMAND, '-listRules', { qos })
    t.match(JSON.parse((await user.on(OUTPUT, from)).text), { success: true })
  }
  for (const text of [
    '',
    ' ',
    '-',
    '--',
    '{"a":1}',
    '-addAction',
    '-removeAction',
    '-runAction',
    '-setEnv',
    '-setEnv x',
    '\u0000',
    '-addAction \uFFFF',
  ]) {
    const from = user.heard.length
    await user.publish(COMMAND, text)
    const answer = JSON.parse((await user.on(OUTPUT, from)).text) as Envelope
    t.match(answer, { success: false, message: /./ }, JSON.stringify(text))
  }
  const from = user.heard.length
  await user.publish(COMMAND, Buffer.from([0xff, 0xfe, 0x00]))
  t.match(JSON.parse((await user.on(OUTPUT, from)).text), { success: false })
})

test('snapshots are the text as it was sent', async (t) => {
  const text = [
    '// before the definition',
    'DEFINE ACTION Verbatim',
    'ON TOPIC "v" DO   // trailing blanks   ',
    '',
    '    PUBLISH TOPIC "v/back" WITH "°C — ok"',
    '',
  ].join('\r\n')
  await user.succeed(`-addAction ${text}`)
  t.equal((await retained(broker, '$SYS/Coreflux/Actions/Verbatim'))?.trim(), text.trim())
  t.equal(await user.answer('v', '', 'v/back'), '°C — ok')
  const from = user.heard.length
  await user.succeed('-removeAction Verbatim')
  t.equal((await user.on('$SYS/Coreflux/Actions/Verbatim', from)).text, '', 'empty when removed')
  t.equal(await retained(broker, '$SYS/Coreflux/Actions/Verbatim'), undefined)
})

test('the snapshot is there before the answer', async (t) => {
  const from = user.heard.length
  await user.succeed('-addModel DEFINE MODEL Early COLLAPSED\n    ADD STRING "a"')
  const topics = user.heard.slice(from).map(({ topic }) => topic)
  t.ok(topics.indexOf('$SYS/Coreflux/Models/Early') >= 0)
  t.ok(topics.indexOf('$SYS/Coreflux/Models/Early') < topics.indexOf(OUTPUT), topics.join())
})

test('forms of definitions', async (t) => {
  await user.succeed(
    '-addModel Named DEFINE MODEL Named COLLAPSED WITH TOPIC "named"\n    ADD STRING "a" WITH TOPIC "raw/named" AS TRIGGER',
  )
  t.equal(await user.answer('raw/named', 'x', 'named'), '{"a":"x"}')
  await user.succeed('-addAction DEFINE ACTION OneLine ON TOPIC "line" DO PUBLISH TOPIC "line/back" WITH PAYLOAD')
  t.equal(await user.answer('line', '1', 'line/back'), '1')
  await user.succeed('-addAction DEFINE ACTION Timer ON EVERY 10 SECONDS DO PUBLISH TOPIC "timer" WITH "t"')
  await user.succeed(
    '-addAction\n    DEFINE ACTION Indented\n    ON TOPIC "ind" DO\n        PUBLISH TOPIC "ind/back" WITH PAYLOAD',
  )
  t.equal(await user.answer('ind', '1', 'ind/back'), '1')
  const several = await user.succeed(
    `-addAction ${ECHO}\n\n// the second\nDEFINE ACTION Other\nON TOPIC "other" DO\n    PUBLISH TOPIC "other/back" WITH 1`,
  )
  t.equal(several.data.length ?? 0, 2, 'each is reported')
  t.match(JSON.stringify(several.data), /Echo.*Other/)
  t.equal(await user.answer('other', '', 'other/back'), '1')
  await user.succeed(
    '-addAction DEFINE ACTION Cmd\nDO\n    PUBLISH TOPIC "sluice/cmd" WITH "open"\nDESCRIPTION "Opens the sluice gate"',
  )
  t.equal(await retained(broker, '$SYS/Coreflux/Actions/Cmd/Description'), 'Opens the sluice gate')
  await user.succeed('-removeAction Cmd')
  t.equal(await retained(broker, '$SYS/Coreflux/Actions/Cmd/Description'), undefined)
})

test('an editor of the first generation', async (t) => {
  const removed = await user.plainCommand('-removeAction VsCode')
  t.ok(removed.includes('VsCode') && /success|not found|does not exist/i.test(removed))
  const added = await user.plainCommand(
    '-addAction DEFINE ACTION VsCode\nON TOPIC "vs" DO\n    PUBLISH TOPIC "vs/b" WITH 1',
  )
  t.ok(added.includes('VsCode') && /success/i.test(added))
  t.notMatch(added, /Parsing error/)
  const failed = await user.plainCommand(
    '-addAction DEFINE ACTION VsCode\nON TOPIC 5 DO\n    PUBLISH TOPIC "vs/b" WITH 1',
  )
  const [, message, line, column] = /Parsing error: (.+?) \((\d+),(\d+)\)/.exec(
    (JSON.parse(failed) as Envelope).message,
  )!
  t.match(message, /STRING/)
  t.same([Number(line), Number(column)], [2, 10])
  t.match(JSON.parse(failed), {
    errors: [{ line: 2, column: 10, sourceLines: [{ line: 1 }, { line: 2, text: 'ON TOPIC 5 DO' }] }],
  })
  t.equal(await user.answer('vs', '', 'vs/b'), '1', 'the old one still runs')
  t.match(await retained(broker, '$SYS/Coreflux/Actions/VsCode'), /ON TOPIC "vs"/)
  for (const [command, words] of [
    ['-removeAllModels', /removed all models successfully/i],
    ['-removeAllActions', /removed all actions successfully/i],
    ['-removeAllRoutes', /removed all routes successfully/i],
    ['-removeAllRules', /removed all rules successfully/i],
    ['-removeAllPythonScripts', /removed all python scripts successfully/i],
  ] as const) {
    t.match(await user.plainCommand(command), words)
  }
  t.equal(await retained(broker, '$SYS/Coreflux/Actions/VsCode'), undefined)
})

test('-runAction and -actionTrace', async (t) => {
  await user.succeed(
    '-addAction DEFINE ACTION Add\nINPUT a AS INT\nINPUT b AS INT\nDO\n    SET "sum" WITH {a} + {b}\n    PUBLISH TOPIC "add/sum" WITH {sum}\nRETURN\n    OUTPUT sum',
  )
  const run = await user.succeed('-runAction Add {"a": 2, "b": 40}')
  t.match(run.data, {
    action: 'Add',
    traceId: /./,
    status: /success/i,
    published: [{ topic: 'add/sum', payload: '42' }],
  })
  t.equal((await user.on('add/sum')).text, '42')
  await user.succeed(
    '-addAction DEFINE ACTION Sim\nON TOPIC "sim/+" DO\n    PUBLISH TOPIC "simulated/" + TOPIC POSITION 2 WITH PAYLOAD',
  )
  const simulated = await user.succeed('-runAction Sim {"topic": "sim/7", "payload": "p"}')
  t.match(simulated.data.published, [{ topic: 'simulated/7', payload: 'p' }])
  t.match(await user.command('-runAction Nobody'), { success: false, message: /'Nobody' not found/ })
  t.match(await user.command('-runAction Add {"a": '), { success: false })

  const armed = await user.succeed('-actionTrace Sim')
  t.equal(armed.data.action, 'Sim')
  t.ok(Math.abs(Date.parse(armed.data.expiresUtc as string) - Date.now() - 300_000) < 60_000)
  const from = user.heard.length
  await user.publish('sim/1', 'one')
  const trace = JSON.parse((await user.on('$SYS/Coreflux/Actions/Sim/Trace', from)).text)
  t.match(trace, {
    action: 'Sim',
    traceId: /./,
    trigger: { topic: 'sim/1', payload: 'one', clientId: user.client.options.clientId },
    timing: { startUtc: /Z$/, endUtc: /Z$/, durationMs: Number },
    published: [{ topic: 'simulated/1', payload: 'one' }],
    result: 'success',
    error: null,
  })
  t.equal(await retained(broker, '$SYS/Coreflux/Actions/Sim/Trace'), undefined)
  await user.succeed('-actionTrace status')
  await user.succeed('-actionTrace remove Sim')
  const later = user.heard.length
  await user.answer('sim/2', 'two', 'simulated/2')
  await user.caughtUp(() => broker.running.settled())
  t.same(user.onTopic('$SYS/Coreflux/Actions/Sim/Trace', later), [])
  await user.succeed('-actionTrace off')
})

test('-lotDiagnostic and -listEntities', async (t) => {
  await user.succeed(`-addAction ${ECHO}`)
  const healthy = await user.succeed('-lotDiagnostic action Echo')
  t.match(healthy.data, { static: Array, runtime: Object })
  t.match(JSON.stringify(healthy.data.entity), /Echo/)
  await user.succeed('-lotDiagnostic action=Echo').catch(() => undefined)
  t.match(await user.command('-lotDiagnostic action Nobody'), { success: false })
  await user.succeed('-addModel DEFINE MODEL Silent COLLAPSED WITH TOPIC "silent"\n    ADD STRING "a" WITH TOPIC "b"')
  t.ok((await user.succeed('-lotDiagnostic model Silent')).data.static.length > 0, 'a model without a trigger')
  t.match(JSON.stringify((await user.succeed('-listEntities')).data), /"Echo".*"adhoc"/)
})

test('environment and secrets', async (t) => {
  const SECRET = 'hunter2-top-secret-value'
  await user.succeed('-setEnv LINE="L 4 = x"')
  t.match((await user.succeed('-listEnv')).data, [{ name: 'LINE', value: 'L 4 = x' }])
  await user.succeed('-removeEnv LINE')
  t.same((await user.succeed('-listEnv')).data, [])
  t.equal((await user.command('-removeEnv LINE')).success, false)

  const from = user.heard.length
  await user.succeed(`-setSecret DB_PASSWORD=${SECRET}`)
  t.match(JSON.stringify((await user.succeed('-listSecrets')).data), /DB_PASSWORD/)
  await user.succeed(
    '-addAction DEFINE ACTION UseSecret\nON TOPIC "use" DO\n    SET "s" WITH GET SECRET "DB_PASSWORD"\n    IF {s} STARTS_WITH "hunt" THEN\n        PUBLISH TOPIC "use/ok" WITH "yes"\n    SET "x" WITH 1 / PAYLOAD',
  )
  await user.succeed('-actionTrace UseSecret')
  t.equal(await user.answer('use', '1', 'use/ok'), 'yes')
  await user.publish('use', '0')
  await user.until(({ topic, text }) => topic === '$SYS/Coreflux/Actions/UseSecret/Error' && text !== '')
  await user.succeed('-runAction UseSecret {"topic":"use","payload":"1"}')
  await user.succeed('-lotDiagnostic action UseSecret')
  await user.succeed('-setSecret DB_PASSWORD=hunter2-other')
  await user.succeed(
    '-addAction DEFINE ACTION Hand\nON TOPIC "hand" DO\n    PUBLISH TOPIC "handed" WITH "Bearer " + GET SECRET "DB_PASSWORD"',
  )
  await user.succeed('-actionTrace Hand')
  t.equal(await user.answer('hand', '', 'handed'), `Bearer hunter2-other`, 'who publishes it wants it')
  await user.on('$SYS/Coreflux/Actions/Hand/Trace')
  await user.command('-runAction Hand {"topic":"hand","payload":""}')
  await user.command(`-setSecret =${SECRET}`)
  await user.command(`-setSecret ${SECRET}`)
  await user.succeed('-removeSecret DB_PASSWORD')
  await user.caughtUp(() => broker.running.settled())
  const spoken = user.heard.slice(from).filter(({ topic, text }) => topic !== 'handed' && text.includes('hunter2'))
  t.same(
    spoken.map(({ topic, text }) => `${topic} ${text}`),
    [],
    'no message shows it',
  )
  t.notOk(
    user.heard.some(({ topic, text }) => topic === COMMAND && text.includes(SECRET)),
    'commands are not handed on',
  )
  t.notMatch(JSON.stringify(broker.logged), /hunter2/, 'no line of the log shows it')
})

test('what the topic map promises', async (t) => {
  t.match(JSON.parse((await retained(broker, '$SYS/Coreflux/Version')) ?? '{}'), { version: /./ })
  t.type(JSON.parse((await retained(broker, '$SYS/Coreflux/Entities/ownership')) ?? '0'), 'object')
  t.match(JSON.parse((await retained(broker, '$SYS/Coreflux/Projects/active')) ?? '{}'), { status: 'unloaded' })
  t.same(JSON.parse((await retained(broker, '$SYS/Coreflux/Projects/list')) ?? '0'), [])
  t.same(JSON.parse((await retained(broker, '$SYS/Coreflux/Python/Scripts')) ?? '0'), [])
  for (const topic of [
    '$SYS/Coreflux/Actions/Fake',
    '$SYS/Coreflux/Command/Output',
    '$SYS/Coreflux/Entities/ownership',
  ]) {
    await user.publish(topic, 'FORGED', { retain: true }).catch(() => {})
  }
  await user.caughtUp(() => broker.running.settled())
  t.notOk(
    user.heard.some(({ text }) => text === 'FORGED'),
    'clients cannot write there',
  )
  t.notOk(
    user.heard.some(({ topic }) => topic === COMMAND),
    'commands have no hearers',
  )
})

test('-updateData answers nothing', async (t) => {
  const from = user.heard.length
  await user.publish(COMMAND, '-updateData')
  await user.succeed('-listRules')
  t.equal(user.onTopic(OUTPUT, from).length, 1)
})
