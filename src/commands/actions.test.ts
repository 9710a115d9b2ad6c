import t from 'tap'
import { startCentre } from './centre.fixture.js'

const ACTION = 'DEFINE ACTION A\nON TOPIC "a" DO\n    PUBLISH TOPIC "out" WITH PAYLOAD'
const CALLABLE = 'DEFINE ACTION C\nINPUT topic AS STRING\nINPUT n AS INT\nDO\n    PUBLISH TOPIC {topic} WITH {n}'

t.test('running an action', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${ACTION}`)
  await send(`-addAction ${CALLABLE}`)
  t.match(await send('-runAction A'), {
    success: true,
    command: 'RunAction',
    message: "Action 'A' ran successfully.",
    data: { action: 'A', traceId: 'trace-1', status: 'success', published: [{ topic: 'out', payload: '1' }] },
  })
  await send('-runAction A {"topic": "a/1", "payload": {"x": 1}} -requestId 3')
  await send('-runAction C {"topic": "b", "n": 3}')
  t.same(test.lot.runs, [
    ['A', { kind: 'inputs', inputs: {} }],
    ['A', { kind: 'message', topic: 'a/1', payload: '{"x":1}' }],
    ['C', { kind: 'inputs', inputs: { topic: 'b', n: 3 } }],
  ])
  t.match(await send('-runAction A {'), { success: false, message: /not JSON/ })
  t.match(await send('-runAction A [1]'), { success: false, message: /not a JSON object/ })
  t.match(await send('-runAction Missing'), { success: false, message: "Action 'Missing' not found." })
  t.match(await send('-runAction'), { success: false })
})

t.test('a run that fails tells where', async (t) => {
  const test = await startCentre(t)
  await test.send(`-addAction ${ACTION}`)
  test.lot.report = { ...test.lot.report, result: 'error', error: 'Division by zero', line: 3, statement: 'SET x' }
  t.match(await test.send('-runAction A'), {
    success: false,
    message: "Action 'A' failed: Division by zero",
    data: { status: 'error' },
    errors: [{ message: 'Division by zero', line: 3, sourceLines: [{ line: 3, text: 'SET x' }] }],
  })
  test.lot.runAction = async () => {
    throw new Error('the LoT thread stopped')
  }
  t.match(await test.send('-runAction A'), { success: false, message: 'the LoT thread stopped' })
})

t.test('traces', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${ACTION}`)
  const untilMs = test.clock.now() + 300_000
  const expiresUtc = new Date(untilMs).toISOString()
  t.match(await send('-actionTrace A'), { success: true, data: { action: 'A', expiresUtc } })
  t.match(await send('-actionTrace all'), { success: true, data: { action: 'all' } })
  t.same(test.lot.traces, [
    ['A', untilMs],
    [undefined, untilMs],
  ])
  t.match(await send('-actionTrace status'), { data: [{ action: 'A', expiresUtc }, { action: 'all' }] })
  t.match(await send('-actionTrace remove A'), { success: true })
  t.match(await send('-actionTrace remove A'), { success: false })
  t.match(await send('-actionTrace'), { data: [{ action: 'all' }] })
  t.match(await send('-actionTrace off'), { success: true })
  t.same(test.lot.traces.at(-1), [undefined, 0])
  t.match(await send('-actionTrace Missing'), { success: false })
  await send('-actionTrace A')
  test.clock.nowMs += 300_000
  t.same((await send('-actionTrace status')).data, [], 'ends by itself')
})

t.test('diagnostics', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send('-addModel DEFINE MODEL M\n    ADD "untyped" WITH 1')
  const answer = await send('-lotDiagnostic model M')
  t.match(answer, { data: { entity: { type: 'Model', name: 'M' }, runtime: { status: 'active' } } })
  const { static: findings } = answer.data as { static: readonly { severity: string; line: number }[] }
  t.ok(findings.length > 0 && findings.every(({ severity, line }) => severity === 'warning' && line > 0))
  t.match(await send('-lotDiagnostic M'), { success: true })
  t.match(await send('-lotDiagnostic rule AllowConnect'), { data: { runtime: { status: 'stored' } } })
  t.match(await send('-lotDiagnostic action M'), { success: false, message: "Action 'M' not found." })
  t.match(await send('-lotDiagnostic'), { success: false })
})

t.test('last runs of timers are kept, and forgotten with the action', async (t) => {
  const test = await startCentre(t)
  const timer = 'DEFINE ACTION T\nON EVERY 1 DAY DO\n    PUBLISH TOPIC "a" WITH 1'
  await test.send(`-addAction ${timer}`)
  const before = test.store.transactions
  for (let run = 1; run <= 100; run++) test.centre.handle({ kind: 'timerRan', action: 'T', atMs: run })
  test.centre.handle({ kind: 'timerRan', action: 'Gone', atMs: 5 })
  await test.centre.stop()
  t.equal(test.store.transactions, before + 1)
  t.equal(test.store.text('timer/T'), '100')
  t.notOk(test.store.keys().includes('timer/Gone'))
  await test.start()
  t.equal(test.lot.installed.get('action/T')?.lastRunMs, 100)
  await test.send(`-addAction ${timer}`)
  t.equal(test.lot.installed.get('action/T')?.lastRunMs, 100, 'the same text goes on')
  await test.send(`-addAction ${timer.replace('1 DAY', '2 DAYS')}`)
  t.equal(test.lot.installed.get('action/T')?.lastRunMs, undefined, 'another one begins anew')
  test.centre.handle({ kind: 'timerRan', action: 'T', atMs: 7 })
  await test.centre.stop()
  await test.send('-removeAction T')
  t.same(test.store.keys(), [])
})

t.test('what clients write elsewhere', async (t) => {
  const decide = async () => ({ allowed: true, rule: undefined, reason: '', reads: [] })
  const test = await startCentre(t, {}, { decide })
  const identity = { userName: 'ann', clientId: 'hub', address: '192.0.2.1', port: 1, claims: undefined }
  test.centre.handle({ kind: 'write', topic: '$SYS/Coreflux/Config/New', payload: new Uint8Array(), identity })
  test.centre.handle({ kind: 'command', text: '-updateData', identity })
  test.centre.handle({ kind: 'command', text: '-listEnv', identity })
  while (test.outputs().length < 2) await new Promise((resolve) => setImmediate(resolve))
  t.match(
    test.outputs().map((text) => JSON.parse(text)),
    [
      { command: 'SetConfig', success: false },
      { command: 'ListEnv', success: true },
    ],
  )
})
