import t from 'tap'
import { Counter } from '../contracts/counters.js'
import { LotHostFixture } from './lot-host.fixture.js'

const shared = new LotHostFixture()
t.teardown(() => shared.close())

t.test('topics with the captures of an instance are its own, topics without them are shared', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE MODEL Oven COLLAPSED WITH TOPIC "clean/+"
    ADD DOUBLE "temp" WITH TOPIC "raw/+/temp" AS TRIGGER
    ADD DOUBLE "power" WITH TOPIC "raw/+/power"
    ADD STRING "shift" WITH TOPIC "plant/shift"
`)
  lot.send('plant/shift', 'early')
  await lot.settle() // each shard has an order of its own
  lot.send('raw/a/power', '5')
  lot.send('raw/b/power', '7')
  await lot.settle()
  lot.send('raw/a/temp', '100')
  lot.send('raw/b/temp', '200')
  await lot.settle()
  t.same(lot.texts().sort(), [
    'clean/a={"temp":100,"power":5,"shift":"early"}',
    'clean/b={"temp":200,"power":7,"shift":"early"}',
  ])
})

t.test('a shared trigger reaches every instance that there is', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE MODEL Line COLLAPSED WITH TOPIC "line/+"
    ADD INT "count" WITH TOPIC "raw/+" AS TRIGGER
    ADD STRING "shift" WITH TOPIC "shift" AS TRIGGER
`)
  lot.send('raw/a', '1')
  lot.send('raw/b', '2')
  await lot.settle()
  lot.texts()
  lot.send('shift', 'late')
  await lot.settle()
  t.same(lot.texts().sort(), ['line/a={"count":1,"shift":"late"}', 'line/b={"count":2,"shift":"late"}'])
})

t.test('a shared trigger needs room for all instances that it reaches', async (t) => {
  const lot = new LotHostFixture({ config: { lot: { mailboxBytesMax: 65_536 } } })
  t.teardown(() => lot.close())
  await lot.install(`DEFINE MODEL Line COLLAPSED WITH TOPIC "line/+"
    ADD INT "count" WITH TOPIC "raw/+" AS TRIGGER
    ADD STRING "shift" WITH TOPIC "shift" AS TRIGGER
`)
  for (let n = 0; n < 100; n++) lot.send(`raw/${n}`, '1')
  await lot.settle()
  lot.texts()
  lot.send('shift', 'x'.repeat(1_000), { qos: 1, number: 7 })
  lot.send('shift', 'x'.repeat(1_000))
  await lot.settle()
  t.same(lot.texts(), [])
  t.same(lot.taken, ['7 refused'])
  t.match(lot.host.entityState({ kind: 'model', name: 'Line' }), { dropped: 2 })
  lot.send('shift', 'late', { qos: 1, number: 8 })
  await lot.settle()
  t.equal(lot.texts().length, 100)
  t.equal(lot.taken.at(-1), '8 taken')
})

t.test('a model that is gone goes on for those that inherit from it, and no longer', async (t) => {
  const lot = await shared.reset()
  const remove = (name: string): Promise<void> => lot.host.remove([{ kind: 'model', name }])
  const middle = 'DEFINE MODEL Middle FROM Base\n    ADD INT "b" WITH 2\n'
  const child = `DEFINE MODEL Child FROM Middle COLLAPSED WITH TOPIC "child"
    ADD INT "c" WITH TOPIC "in" AS TRIGGER
`
  await lot.install('DEFINE MODEL Base\n    ADD INT "a" WITH 1\n', middle, child)
  await remove('Base')
  await remove('Middle')
  await lot.install(child)
  lot.send('in', '3')
  await lot.settle()
  t.ok(lot.texts().includes('child={"a":1,"b":2,"c":3}'))
  await remove('Child')
  await t.rejects(lot.install(child))
  await t.rejects(lot.install(middle))
})

t.test('a reception model takes objects apart, also those that an action publishes', async (t) => {
  const lot = await shared.reset()
  await lot.install(
    'DEFINE MODEL Received WITH TOPIC "box/+"\n',
    `DEFINE ACTION Fill
ON TOPIC "fill" DO
    PUBLISH TOPIC "box/1" WITH { "n": 1, "o": { "p": "x" } }
`,
  )
  lot.send('fill', '')
  await lot.settle()
  t.same(lot.texts().sort(), ['box/1/n=1', 'box/1/o/p=x', 'box/1={"n":1,"o":{"p":"x"}}'])
})

t.test('PUBLISH MODEL uses the definition of that moment', async (t) => {
  const lot = await shared.reset()
  const model = 'DEFINE MODEL Point COLLAPSED\n    ADD INT "x" WITH 0\n'
  await lot.install(
    model,
    `DEFINE ACTION Send
ON TOPIC "in" DO
    PUBLISH MODEL Point TO "out" WITH
        x = PAYLOAD
`,
  )
  lot.send('in', '1')
  await lot.settle()
  await lot.install(`${model}    ADD STRING "unit" WITH "mm"\n`)
  lot.send('in', '2')
  await lot.settle()
  t.same(lot.texts(), ['out={"x":1}', 'out={"x":2,"unit":"mm"}'])
})

t.test(
  'PUBLISH MODEL is left to rules where that is configured, and what a model publishes by itself is not',
  async (t) => {
    const lot = new LotHostFixture({ config: { rules: { governModelPublishes: true }, lot: { chainDepthMax: 3 } } })
    t.teardown(() => lot.close())
    await lot.install(
      'DEFINE MODEL Point COLLAPSED\n    ADD INT "x" WITH 0\n',
      'DEFINE MODEL Sum COLLAPSED WITH TOPIC "sum"\n    ADD INT "n" WITH TOPIC "in" AS TRIGGER\n',
      `DEFINE ACTION Send
ON TOPIC "in" DO
    PUBLISH MODEL Point TO "out" WITH
        x = PAYLOAD
    PUBLISH TOPIC "plain" WITH PAYLOAD
`,
      `DEFINE ACTION Next
ON TOPIC "out" DO
    PUBLISH TOPIC "next" WITH PAYLOAD
`,
    )
    lot.send('in', '1')
    await lot.settle()
    const sent = lot.published.filter(({ topic }) => !topic.startsWith('$SYS'))
    const [out] = sent.filter(({ isGoverned }) => isGoverned)
    t.match(out, { topic: 'out', payload: '{"x":1}', depth: 1 })
    t.same(sent.map(({ topic }) => topic).sort(), ['out', 'plain', 'sum'], 'nobody has it before rules have been asked')
    lot.texts()
    lot.send('out', out.payload, { depth: 1 })
    await lot.settle()
    t.same(lot.texts(), ['next={"x":1}'])
    lot.send('out', out.payload, { depth: 3 })
    await lot.settle()
    t.same(lot.texts(), [], 'the chain is as long as it may be')
  },
)

t.test('what goes to a route that is not running is told', async (t) => {
  const lot = await shared.reset()
  await lot.install(
    `DEFINE MODEL Stored COLLAPSED WITH TOPIC "stored"
    ADD INT "n" WITH TOPIC "in" AS TRIGGER
    STORE IN "Db" WITH TABLE "t"
`,
    `DEFINE ACTION Fire
ON TOPIC "in" DO
    TRIGGER "Event" TO Route WITH PAYLOAD
`,
  )
  lot.send('in', '5')
  await lot.settle()
  t.ok(lot.texts().includes('stored={"n":5}'), 'the model publishes all the same')
  const errorOf = (kind: 'action' | 'model', name: string): string | undefined =>
    lot.host.entityState({ kind, name })?.lastError
  t.equal(errorOf('model', 'Stored'), 'route "Db" is not running: what it was given is lost')
  t.equal(errorOf('action', 'Fire'), 'route "Route" is not running: what it was given is lost')
})

t.test('what is deployed anew while it runs goes on with what waits for it', async (t) => {
  const lot = await shared.reset()
  const source = (text: string): string => `DEFINE ACTION Busy
ON TOPIC "in" DO
    PUBLISH TOPIC "out" WITH PAYLOAD + "${text}"
`
  await lot.install(source('a'))
  for (let n = 0; n < 3_000; n++) lot.write('in', `${n}`)
  lot.flush()
  await lot.until(() => lot.published.length > 0)
  await lot.install(source('b'))
  await lot.settle()
  const texts = lot.texts()
  t.equal(texts.length, 3_000)
  t.same(
    texts.map((text) => Number.parseInt(text.slice(4), 10)),
    Array.from({ length: 3_000 }, (_, n) => n),
  )
  const before = lot.counters[Counter.lotDropped]
  for (let n = 0; n < 3_000; n++) lot.write('in', `${n}`)
  lot.flush()
  await lot.until(() => lot.published.length > 0)
  await lot.install(source('c').replace('"in"', '"other"'))
  await lot.settle()
  const { dropped = 0 } = lot.host.entityState({ kind: 'action', name: 'Busy' }) ?? {}
  t.equal(lot.texts().length + dropped, 3_000)
  t.equal(lot.counters[Counter.lotDropped] - before, dropped)
  lot.send('other', 'x')
  await lot.settle()
  t.same(lot.texts(), ['out=xc'])
  await lot.host.remove([{ kind: 'action', name: 'Busy' }])
  t.equal(lot.host.entityState({ kind: 'action', name: 'Busy' }), undefined)
  lot.send('other', 'x')
  await lot.settle()
  t.same(lot.texts(), [])
})

t.test('KEEP is not exposed and all values are known where it is configured so', async (t) => {
  const lot = new LotHostFixture({ config: { keep: { exposeAsRetained: false }, lot: { lastValues: 'all' } } })
  t.teardown(() => lot.close())
  await lot.install(`DEFINE ACTION Keep
ON TOPIC "in" DO
    KEEP TOPIC "kept" WITH PAYLOAD
`)
  t.ok(lot.wanted.has('#'))
  lot.send('in', 'x')
  lot.send('elsewhere', 'y')
  await lot.settle()
  t.same(lot.texts(), [])
  t.equal(Buffer.from(lot.host.lastValue('kept') ?? []).toString(), 'x')
  t.equal(Buffer.from(lot.host.lastValue('elsewhere') ?? []).toString(), 'y')
})
