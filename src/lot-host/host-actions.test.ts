import t from 'tap'
import { encodeText } from '../base/bytes.js'
import { Counter } from '../contracts/counters.js'
import { LotHostFixture } from './lot-host.fixture.js'

const shared = new LotHostFixture()
t.teardown(() => shared.close())

const ECHO = `DEFINE ACTION Echo
ON TOPIC "in" DO
    PUBLISH TOPIC "out" WITH PAYLOAD
`

t.test('what an action publishes triggers others, and is not sent back', async (t) => {
  const lot = await shared.reset()
  await lot.install(
    ECHO,
    `DEFINE ACTION Next
ON TOPIC "out" DO
    PUBLISH TOPIC "end" WITH PAYLOAD
`,
  )
  lot.send('in', 'x')
  await lot.settle()
  t.same(lot.texts().sort(), ['end=x', 'out=x'])
})

t.test('a chain that does not end is stopped, and its error is on the Error topic', async (t) => {
  const lot = new LotHostFixture({ config: { lot: { chainDepthMax: 10 } } })
  t.teardown(() => lot.close())
  await lot.install(
    `DEFINE ACTION Loop
ON TOPIC "loop" DO
    PUBLISH TOPIC "loop" WITH PAYLOAD AS INT + 1
`,
    `DEFINE ACTION Ask
ON TOPIC "ask" DO
    PUBLISH TOPIC "answer" WITH GET TOPIC "loop"
`,
  )
  lot.send('loop', '0')
  await lot.settle()
  t.match(JSON.parse(lot.last('$SYS/Coreflux/Actions/Loop/Error') ?? '{}'), {
    action: 'Loop',
    message: 'stopped after 10 runs of which each one triggered the next',
  })
  t.same(
    lot.texts(),
    Array.from({ length: 10 }, (_, n) => `loop=${n + 1}`),
  )
  lot.send('ask', '')
  await lot.settle()
  t.same(lot.texts(), ['answer=10'], 'the last value is the one that subscribers got')
})

t.test('a failing run publishes its error, and nothing else; deploying anew clears it', async (t) => {
  const lot = await shared.reset()
  const source = `DEFINE ACTION Divide
ON TOPIC "in" DO
    PUBLISH TOPIC "first" WITH 1
    PUBLISH TOPIC "out" WITH 10 / PAYLOAD
`
  await lot.install(source)
  lot.send('in', '0')
  lot.send('in', '5')
  await lot.settle()
  t.same(lot.texts(), ['first=1', 'out=2'])
  lot.send('in', '0')
  await lot.settle()
  const error = await lot.until(() => lot.last('$SYS/Coreflux/Actions/Divide/Error'))
  t.match(JSON.parse(error), { action: 'Divide', line: 4, statement: 'PUBLISH TOPIC "out" WITH 10 / PAYLOAD' })
  const state = lot.host.entityState({ kind: 'action', name: 'Divide' })
  t.match(state, { runs: 3, failures: 2, waiting: 0, stopped: undefined })
  t.type(state?.lastError, 'string')
  await lot.install(source)
  await lot.settle()
  t.equal(lot.last('$SYS/Coreflux/Actions/Divide/Error'), '')
})

t.test('failures at any rate are told a few times a second, with their number', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Fail
ON TOPIC "in" DO
    PUBLISH TOPIC "out" WITH 1 / 0
`)
  for (let i = 0; i < 5_000; i++) lot.write('in', 'x')
  lot.flush()
  await lot.settle()
  const told = (): number => lot.published.filter(({ payload }) => payload.includes('"action"')).length
  t.ok(told() <= 12, `${told()} messages`)
  await lot.until(() => (lot.last('$SYS/Coreflux/Actions/Fail/Error') ?? '').includes('"count"'))
})

t.test('GET TOPIC finds what was published, kept and retained', async (t) => {
  const lot = new LotHostFixture({ retained: [{ topic: 'limit/b', payload: Buffer.from('7'), retain: true }] })
  t.teardown(() => lot.close())
  await lot.install(
    `DEFINE ACTION Read
ON TOPIC "ask/+" DO
    PUBLISH TOPIC "answer/+" WITH GET TOPIC "limit/" + TOPIC POSITION 2
`,
    `DEFINE ACTION Keep
ON TOPIC "keep" DO
    KEEP TOPIC "limit/c" WITH PAYLOAD
`,
  )
  t.ok(lot.wanted.has('limit/#'))
  lot.send('limit/a', '5')
  lot.send('keep', '9')
  await lot.settle()
  for (const name of ['a', 'b', 'c', 'd']) lot.send(`ask/${name}`, '')
  await lot.settle()
  t.same(lot.texts().sort(), ['answer/a=5', 'answer/b=7', 'answer/c=9', 'answer/d=', 'limit/c=9 kept'])
  t.equal(Buffer.from(lot.host.lastValue('limit/c') ?? []).toString(), '9')
})

t.test('runs of one batch see what earlier ones have written', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Count
ON TOPIC "tick" DO
    KEEP TOPIC "count" WITH GET TOPIC "count" + 1
    KEEP ENV "LAST" WITH GET TOPIC "count"
    PUBLISH TOPIC "seen" WITH GET ENV "LAST"
`)
  for (let i = 0; i < 100; i++) lot.write('tick', '')
  lot.flush()
  await lot.settle()
  t.equal(lot.published.filter(({ topic }) => topic === 'seen').at(-1)?.payload, '100')
  const changes = lot.events.flatMap((event) => (event.kind === 'environment' ? event.changes : []))
  t.same(changes.at(-1), { secret: false, name: 'LAST', value: '100' })
  lot.send('tick', '')
  await lot.settle()
  t.equal(lot.last('seen'), '101')
})

t.test('ON CHANGE runs for the first payload of a topic, and then for others', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Changed
ON CHANGE "in/+" DO
    PUBLISH TOPIC "out/+" WITH PAYLOAD
`)
  for (const payload of ['1', '1', '2', '2', '1']) {
    lot.send('in/a', payload)
    lot.send('in/b', '5')
  }
  await lot.settle()
  t.same(lot.texts().sort(), ['out/a=1', 'out/a=1', 'out/a=2', 'out/b=5'])
})

t.test('session hooks are asked for while an action has them, and carry the session words', async (t) => {
  const lot = await shared.reset()
  await lot.install(
    `DEFINE ACTION Hello
ON CONNECT DO
    PUBLISH TOPIC "seen" WITH CLIENTID + "/" + USER + "/" + ENDPOINT + "/" + CLEANSESSION
`,
    `DEFINE ACTION Subscribed
ON SUBSCRIBE "plant/#" DO
    PUBLISH TOPIC "subscribed" WITH CLIENTID + ":" + SUBSCRIBETOPIC
`,
  )
  await lot.settle()
  t.equal(lot.hooks, 1 | 4)
  const identity = { clientId: 'c1', user: 'u1', endpoint: '127.0.0.1:5' }
  lot.session({ hook: 'connect', ...identity, cleanSession: true })
  lot.session({ hook: 'disconnect', ...identity, reason: 'NormalDisconnection' })
  lot.session({ hook: 'subscribe', ...identity, filter: 'plant/a', qos: 1 })
  lot.session({ hook: 'subscribe', ...identity, filter: 'other', qos: 1 })
  await lot.settle()
  t.same(lot.texts().sort(), ['seen=c1/u1/127.0.0.1:5/true', 'subscribed=c1:plant/a'])
  await lot.host.remove([{ kind: 'action', name: 'Hello' }])
  await lot.settle()
  t.equal(lot.hooks, 4)
})

t.test('timers run when they are due, START at deployment; one run waits at most', async (t) => {
  const lot = await shared.reset()
  await lot.install(
    `DEFINE ACTION Tick
ON EVERY 1 HOUR DO
    PUBLISH TOPIC "tick" WITH "now"
`,
    `DEFINE ACTION Begin
ON START DO
    PUBLISH TOPIC "begin" WITH 1
`,
  )
  await lot.settle()
  t.same(lot.texts(), ['begin=1'])
  lot.host.tick()
  await lot.settle()
  t.same(lot.texts(), [])
  lot.clock.advance(3_600_000)
  lot.host.tick()
  lot.clock.advance(10 * 3_600_000)
  lot.host.tick()
  await lot.settle()
  t.ok(['tick=now', 'tick=now tick=now'].includes(lot.texts().join(' ')))
  t.equal(lot.events.filter(({ kind }) => kind === 'timerRan').length, 2)
  t.type(lot.host.entityState({ kind: 'action', name: 'Tick' })?.nextRunUtc, 'string')
})

t.test('commands and writes below $SYS/Coreflux go to the main thread', async (t) => {
  const lot = await shared.reset()
  await lot.settle()
  t.ok(lot.wanted.has('$SYS/Coreflux/Command'))
  const claims = { groups: ['leads'], publish: ['a/#'], subscribe: [], expiresAtMs: 1 }
  const identity = { userName: 'ann', clientId: 'me', address: '192.0.2.1', port: 1, claims }
  lot.send('$SYS/Coreflux/Command', '-listModels', { clientId: 'me', identity })
  lot.send('$SYS/Coreflux/Routes/R/Events/E', 'x', { clientId: 'me', identity })
  lot.send('$SYS/Coreflux/Command', '-listEnv')
  await lot.settle()
  const write = { kind: 'write', topic: '$SYS/Coreflux/Routes/R/Events/E', payload: encodeText('x'), identity }
  t.same(lot.events, [
    { kind: 'command', text: '-listModels', identity },
    write,
    { kind: 'command', text: '-listEnv', identity: undefined },
  ])
})

t.test('messages with an answer are answered when they wait here, later while the mailbox is full', async (t) => {
  const lot = new LotHostFixture({ config: { lot: { mailboxMessagesMax: 5 } } })
  t.teardown(() => lot.close())
  await lot.install(ECHO)
  lot.write('nobody', 'x', { qos: 1, number: 100 })
  for (let n = 1; n <= 20; n++) lot.write('in', String(n), { qos: 1, number: n })
  for (let n = 1; n <= 20; n++) lot.write('in', `lost ${n}`)
  lot.flush()
  await lot.settle()
  t.equal(lot.texts().filter((text) => !text.includes('lost')).length, 20)
  t.equal(lot.taken[0], '100 taken')
  t.same(lot.taken.sort(), [...Array.from({ length: 20 }, (_, n) => `${n + 1} taken`), '100 taken'].sort())
  t.ok((lot.host.entityState({ kind: 'action', name: 'Echo' })?.dropped ?? 0) >= 15)
})

t.test('runs that nobody publishes have no room in a full mailbox, too', async (t) => {
  const lot = new LotHostFixture({ config: { lot: { mailboxMessagesMax: 5 } } })
  t.teardown(() => lot.close())
  await lot.install(`DEFINE ACTION Hourly
ON EVERY 1 HOUR DO
    PUBLISH TOPIC "hourly" WITH 1
`)
  const asked = Array.from({ length: 6 }, () => lot.host.runAction('Hourly', { kind: 'inputs', inputs: {} }))
  t.match(await asked[5], { result: 'error', error: 'too much waits for action Hourly' })
  lot.clock.advance(3_600_000)
  lot.host.tick()
  await Promise.all(asked)
  await lot.settle()
  t.equal(lot.texts().length, 5)
  t.match(lot.host.entityState({ kind: 'action', name: 'Hourly' }), { runs: 5, dropped: 1 })
  t.equal(lot.counters[Counter.lotDropped], 1)
})

t.test('what would not fit into all mailboxes together is refused', async (t) => {
  const lot = new LotHostFixture({ config: { lot: { mailboxBytesMax: 65_536 } } })
  t.teardown(() => lot.close())
  await lot.install(ECHO)
  const payload = new Uint8Array(20_000).fill(65)
  for (let n = 1; n <= 10; n++) lot.write('in', payload, { qos: 1, number: n })
  lot.flush()
  await lot.settle()
  t.equal(lot.taken.length, 10)
  t.ok(lot.taken.filter((text) => text.endsWith('refused')).length >= 5)
  lot.send('in', 'x', { qos: 1, number: 11 })
  await lot.settle()
  t.equal(lot.taken.at(-1), '11 taken')
})

t.test('timers run by themselves, and long intervals go on from the last run before a restart', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Often
ON EVERY 20 MILLISECONDS DO
    PUBLISH TOPIC "often" WITH 1
`)
  await lot.until(() => lot.published.filter(({ topic }) => topic === 'often').length >= 3)
  const source = `DEFINE ACTION Hourly
ON EVERY 1 HOUR DO
    PUBLISH TOPIC "hourly" WITH 1
`
  const lastRunMs = lot.clock.now() - 1_800_000
  await lot.host.install([{ kind: 'action', name: 'Hourly', source, lastRunMs }])
  const next = lot.host.entityState({ kind: 'action', name: 'Hourly' })?.nextRunUtc
  t.equal(next, new Date(lastRunMs + 3_600_000).toISOString())
  await lot.host.remove([{ kind: 'action', name: 'Hourly' }])
})
