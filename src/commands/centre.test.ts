import t from 'tap'
import { startCentre } from './centre.fixture.js'

const MODEL =
  'DEFINE MODEL Tank COLLAPSED WITH TOPIC "tank/state"\n    ADD DOUBLE "level" WITH TOPIC "tank/level" AS TRIGGER\n'
const ROUTE =
  'DEFINE ROUTE R WITH TYPE POSTGRESQL\n    ADD SQL_CONFIG\n        WITH SERVER "db"\n        WITH DATABASE "plant"\n        WITH USERNAME "u"\n        WITH PASSWORD GET SECRET "P"'
const ACTION = 'DEFINE ACTION Alarm\nON TOPIC "tank/level" DO\n    PUBLISH TOPIC "tank/alarm" WITH PAYLOAD'

t.test('a model is kept, put to work, shown, and then answered', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const answer = await send(`-addModel ${MODEL}`)
  t.match(answer, {
    success: true,
    command: 'AddModel',
    message: "Model 'Tank' added successfully!",
    entityType: 'Model',
    entityName: 'Tank',
    data: {},
    warnings: [],
  })
  t.notOk('requestId' in answer)
  t.notOk('errors' in answer)
  t.equal(test.retained.get('Models/Tank'), MODEL, 'verbatim')
  t.same(test.lot.names(), ['model/Tank'])
  t.same(test.store.keys(), ['model/Tank'])
  const topics = test.published.map(({ topic }) => topic)
  t.ok(topics.indexOf('$SYS/Coreflux/Models/Tank') < topics.lastIndexOf('$SYS/Coreflux/Command/Output'))
  t.match(await send('-listModels -requestId r-1'), { data: [{ name: 'Tank', status: 'active' }], requestId: 'r-1' })
})

t.test('and removed', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${ACTION}`)
  t.match(await send('-removeAction Alarm'), {
    success: true,
    command: 'RemoveAction',
    message: "Action 'Alarm' removed successfully!",
    entityName: 'Alarm',
  })
  t.same(test.lot.names(), [])
  t.same(test.store.keys(), [])
  t.notOk(test.retained.has('Actions/Alarm'))
  t.match(await send('--remove-action Alarm'), { success: false, message: "Action 'Alarm' not found." })
})

t.test('texts that old clients look for', async (t) => {
  const { send } = await startCentre(t)
  t.match(await send(`-addAction ${ACTION}`), { message: "Action 'Alarm' added successfully." })
  t.match(await send(`-addRoute ${ROUTE}`), { message: "Route 'R' added successfully!" })
  for (const [command, text] of [
    ['-removeAllModels', 'removed all models successfully'],
    ['-removeAllActions', 'removed all actions successfully'],
    ['-removeAllRoutes', 'removed all routes successfully'],
    ['-removeAllRules', 'removed all rules successfully'],
    ['-removeAllPythonScripts', 'removed all python scripts successfully'],
  ] as const) {
    t.match(await send(command), { success: true, message: text })
  }
  t.match(await send('-listRoutes'), { message: 'No routes registered.', data: [] })
  t.match(await send('-getPendingStatus'), { message: 'No pending models or actions.', data: [] })
  t.match(await send('-connectionStatus'), { message: 'No active connections found.' })
  t.match(await send('-assetHelp'), { success: false, message: 'Asset commands are not supported' })
})

t.test('an unknown command', async (t) => {
  const { send } = await startCentre(t)
  const answer = await send('-addModle X')
  t.match(answer, { success: false, errors: [{ suggestions: ['-addModel'] }] })
  t.equal(answer.message, 'Unknown command: -addModle (did you mean -addModel?)')
  t.notOk('command' in answer)
  for (const name of ['-mqttPacketTrace', '-checkActionUsage', '-loadFolder', 'hello']) {
    t.match(await send(name), { success: false, message: `Unknown command: ${name}` })
  }
  t.match(await send(' '), { success: false })
})

t.test('what is wrong with a text', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const answer = await send('-addAction DEFINE ACTION Bad\nON TOPIC "a"\n    PUBLISH TOPIC "b" MESSAGE 1')
  t.equal(answer.success, false)
  t.match(answer.message, /^Parsing error: .*\(\d+,\d+\)/)
  t.equal(answer.entityName, 'Bad')
  const [error] = answer.errors!
  t.ok(error!.line! >= 2 && error!.column! >= 1)
  t.ok(error!.sourceLines!.some(({ line, text }) => line === error!.line && text !== ''))
  t.same(test.lot.names(), [])
  t.same(test.store.keys(), [])
  t.notOk(test.retained.has('Actions/Bad'))
})

t.test('a failed replacement leaves the old one in place', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${ACTION}`)
  const before = test.lot.installs.length
  const { success, message } = await send('-addAction DEFINE ACTION Alarm\nON TOPIC')
  t.notOk(success)
  t.match(message, /^Parsing error: .* - Action 'Alarm' stays as it was before$/)
  const quoted = await send('-addAction DEFINE ACTION "Other"\nON TOPIC "a" DO\n    PUBLISH TOPIC "b" WITH 1')
  t.match(quoted.message, /^Parsing error: .*\(1,15\) Suggestions: Other$/)
  t.equal(test.retained.get('Actions/Alarm'), ACTION)
  t.equal(test.lot.installs.length, before)
})

t.test('the same text again begins anew', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${ACTION}`)
  await send(`-addAction ${ACTION}`)
  t.equal(test.lot.installs.filter((name) => name === 'Alarm').length, 2)
})

t.test('the wrong kind', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const answer = await send(`-addModel ${ACTION}`)
  t.match(answer, { success: false, message: /Expected MODEL, but found ACTION \(1,8\)/ })
  t.match(answer.errors, [{ suggestions: ['-addAction'] }])
  t.same(test.lot.names(), [])
  t.match(await send('-addModel'), { success: false })
  t.match(await send('-addModel hello'), { success: false })
})

t.test('several entities in one text, each by itself', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const good = await send('-addModel DEFINE MODEL A\n    ADD "x" WITH 1\n\nDEFINE MODEL B FROM A\n    ADD "y" WITH 2\n')
  t.match(good, {
    success: true,
    data: [
      { name: 'A', success: true },
      { name: 'B', success: true },
    ],
  })
  t.match(good.message, /'A' added successfully! .*'B' added successfully!/)
  const half = await send(
    '-addModel DEFINE MODEL C\n    ADD "x" WITH 1\nDEFINE MODEL D FROM Missing\n    ADD "y" WITH 2\n',
  )
  t.match(half, {
    success: false,
    data: [
      { name: 'C', success: true },
      { name: 'D', success: false },
    ],
  })
  t.match(half.message, /^Parsing error: .*Missing/)
  t.same(test.lot.names(), ['model/A', 'model/B', 'model/C'])
})

t.test('texts as clients send them', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send(`-addModel Tank ${MODEL}`), { success: true, entityName: 'Tank' })
  t.equal(test.retained.get('Models/Tank'), MODEL)
  const indented = ACTION.split('\n')
    .map((line) => `      ${line}`)
    .join('\r\n')
  t.match(await send(`-addAction\r\n${indented}`), { success: true, entityName: 'Alarm' })
  t.match(test.retained.get('Actions/Alarm'), /^DEFINE ACTION Alarm\r\nON TOPIC/)
  t.match(await send('-addAction DEFINE ACTION Line ON EVERY 10 SECONDS DO PUBLISH TOPIC "a" WITH 1'), {
    success: true,
  })
})

t.test('everything is there again after a start', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addModel ${MODEL}`)
  await send(`-addAction ${ACTION}`)
  await send('-setEnv SITE=north')
  test.lot.installed.clear()
  test.lot.environment.clear()
  test.retained.clear()
  await test.start()
  t.same(test.lot.names(), ['action/Alarm', 'model/Tank'])
  t.equal(test.lot.environment.get('env/SITE'), 'north')
  t.equal(test.retained.get('Models/Tank'), MODEL)
  t.equal(test.retained.get('Actions/Alarm'), ACTION)
})

t.test('what can not be read is reported and passed over', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addModel ${MODEL}`)
  test.store.definitionsByKey.set('action/Broken', Buffer.from('{"source":"DEFINE"}'))
  test.store.definitionsByKey.set('action/NoJson', Buffer.from('x'))
  test.store.definitionsByKey.set('gadget/X', Buffer.from('x'))
  await test.start()
  const reasons = test.log.filter(({ level }) => level === 'error').map(({ fields }) => String(fields.reason))
  for (const key of ['action/Broken', 'action/NoJson', 'gadget/X'])
    t.ok(
      reasons.some((reason) => reason.includes(key)),
      key,
    )
  t.ok(test.store.definitionsByKey.has('action/Broken'), 'it stays')
  t.same(test.lot.names(), ['model/Tank'])
})

t.test('a thousand entities at once', async (t) => {
  const test = await startCentre(t)
  const began = performance.now()
  const answers = []
  for (let i = 0; i < 1_000; i++)
    answers.push(test.centre.execute(`-addAction ${ACTION.replace('Alarm', `Alarm${i}`)} -requestId ${i}`))
  const replies = await Promise.all(answers)
  const ms = performance.now() - began
  t.ok(replies.every((reply) => reply?.success))
  t.equal(test.lot.installed.size, 1_000)
  t.ok(test.store.transactions < 20, `${test.store.transactions} transactions`)
  t.ok(ms < 10_000, `${ms} ms`)
  t.same(
    test.outputs().map((text) => (JSON.parse(text) as { requestId: string }).requestId),
    replies.map((_, i) => String(i)),
  )
})

t.test('no room in the store', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${ACTION}`)
  test.store.refuse = (changes) =>
    changes.some(({ value }) => value !== undefined) ? new Error('the store has no room') : undefined
  const together = [
    test.centre.execute(`-addModel ${MODEL}`),
    test.centre.execute('-removeAction Alarm'),
    test.centre.execute('-setEnv A=1'),
  ]
  t.match(await Promise.all(together), [
    { success: false, message: 'the store has no room' },
    { success: true },
    { success: false, message: 'the store has no room' },
  ])
  t.same(test.lot.names(), [])
  t.same(test.retainedBelow('Models/'), [])
  t.match(await send('-listEnv'), { data: [] })
})

t.test('plain text for old clients', async (t) => {
  const test = await startCentre(t, { commands: { plainTextOutput: true } })
  await test.centre.execute(`-addModel ${MODEL}`)
  t.same(test.outputs(), ["Model 'Tank' added successfully!"])
})

t.test('shards and the LoT thread that begin anew get everything', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addModel ${MODEL}`)
  await send(`-addAction ${ACTION}`)
  await send('-actionTrace Alarm')
  test.retained.clear()
  test.lot.installed.clear()
  test.lot.traces.length = 0
  await test.centre.forget()
  t.equal(test.retained.get('Models/Tank'), MODEL)
  t.ok(test.retained.has('Version'))
  await test.centre.reinstall()
  t.same(test.lot.names(), ['action/Alarm', 'model/Tank'])
  t.match(test.lot.traces, [['Alarm', test.clock.now() + 300_000]])
})

t.test('a huge body holds nobody up', async (t) => {
  const { send } = await startCentre(t)
  for (const filler of [' ', '\n', '\t', '"', '{', '(', '-', 'x ', '\r', '/*', "'", '=']) {
    for (const command of [
      '-addModel',
      '-addAction DEFINE ACTION A\n',
      '-addPanel',
      '-addPython',
      '-setEnv',
      '-runAction',
      '-removeModel',
    ]) {
      const began = performance.now()
      const { success } = await send(`${command} x${filler.repeat(100_000)}x`)
      t.equal(success, command === '-setEnv' && filler === '=')
      const ms = performance.now() - began
      t.ok(ms < 4_000, `${command} ${JSON.stringify(filler)}: ${Math.round(ms)} ms`)
    }
  }
})
