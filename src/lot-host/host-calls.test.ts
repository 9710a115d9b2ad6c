import type { MessagePort } from 'node:worker_threads'
import t from 'tap'
import { createRingMemory } from '../base/ring.js'
import { CallService } from '../python/call-service.js'
import { LotHostFixture } from './lot-host.fixture.js'

const service = new CallService((request, settle) => {
  if (request.kind !== 'python') settle(true, 'not here')
  else if (request.target === 'Slow.wait') setTimeout(() => settle(false, 'late'), 1_200)
  else settle(false, `${request.target}(${request.arguments})`)
})
const shared = new LotHostFixture({
  // shorter than the slow call, and long enough for a busy machine
  config: { lot: { runMsMax: 1_000 } },
  onRunner: (port: MessagePort) => service.attach({ port, words: undefined }),
})
t.teardown(async () => {
  service.close()
  await shared.close()
})

const SCALE = `DEFINE ACTION Scale
INPUT raw AS INT
INPUT span AS DOUBLE
DO
    SET "pct" WITH {raw} / 4
    PUBLISH TOPIC "scaled" WITH {pct}
    SET "eng" WITH {pct} * {span}
RETURN
    OUTPUT pct
    OUTPUT eng
`

t.test('a callable action is run with inputs, and answers with outputs', async (t) => {
  const lot = await shared.reset()
  await lot.install(SCALE)
  const report = await lot.host.runAction('Scale', { kind: 'inputs', inputs: { raw: 10, span: 2 } })
  t.match(report, {
    action: 'Scale',
    trigger: { topic: null, payload: null, clientId: null },
    published: [{ topic: 'scaled', payload: '2.5' }],
    outputs: { pct: '2.5', eng: '5' },
    result: 'success',
    error: null,
  })
  t.ok(report.timing.durationMs >= 0)
  await lot.settle()
  t.same(lot.texts(), ['scaled=2.5'])
  const short = await lot.host.runAction('Scale', { kind: 'inputs', inputs: { raw: 10 } })
  t.equal(short.warnings?.length, 1)
  const more = await lot.host.runAction('Scale', { kind: 'inputs', inputs: { raw: 10, span: 2, zz: 1 } })
  t.match(more, { result: 'success', warnings: ['action "Scale" has no input zz'] })
  await t.rejects(lot.host.runAction('Nobody', { kind: 'inputs', inputs: {} }), {
    message: 'there is no action "Nobody"',
  })
})

t.test('an action with a trigger is run with a message', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Half
ON TOPIC "in/+" DO
    PUBLISH TOPIC "out/+" WITH 1 / PAYLOAD
`)
  const run = (payload: string) => lot.host.runAction('Half', { kind: 'message', topic: 'in/a', payload })
  t.match(await run('4'), {
    trigger: { topic: 'in/a', payload: '4' },
    published: [{ topic: 'out/a', payload: '0.25' }],
  })
  t.match(await run('0'), {
    result: 'error',
    published: [],
    line: 3,
    statement: 'PUBLISH TOPIC "out/+" WITH 1 / PAYLOAD',
  })
})

t.test('traces go out for each run while they are wanted', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Traced
ON TOPIC "in" DO
    PUBLISH TOPIC "out" WITH PAYLOAD
`)
  lot.send('in', 'untraced')
  await lot.settle()
  lot.host.trace('Traced', lot.clock.now() + 300_000)
  lot.send('in', 'x', { clientId: 'me' })
  await lot.settle()
  const traces = lot.published.filter(({ topic }) => topic === '$SYS/Coreflux/Actions/Traced/Trace')
  t.equal(traces.length, 1)
  t.match(JSON.parse(traces[0].payload), {
    action: 'Traced',
    trigger: { topic: 'in', payload: 'x', clientId: 'me' },
    published: [{ topic: 'out', payload: 'x' }],
    result: 'success',
  })
  lot.clock.advance(300_001)
  lot.send('in', 'y')
  await lot.settle()
  t.equal(lot.published.filter(({ topic }) => topic.endsWith('/Trace')).length, 1)
})

t.test('calls of what is outside are answered, and their time does not count', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Ask
ON TOPIC "in" DO
    CALL PYTHON "Script.add" WITH (PAYLOAD, 2) RETURN AS {sum}
    CALL PYTHON "Slow.wait" WITH () RETURN AS {late}
    PUBLISH TOPIC "out" WITH {sum} + {late}
`)
  lot.send('in', '1')
  await lot.until(() => lot.last('out'))
  t.same(lot.texts(), ['out=Script.add([1,2])late'])
  t.equal(lot.host.entityState({ kind: 'action', name: 'Ask' })?.stopped, undefined)
})

t.test('a shard that was started anew is told everything again', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Echo
ON TOPIC "in" DO
    PUBLISH TOPIC "out" WITH PAYLOAD
`)
  lot.wanted.clear()
  const link = { toLot: createRingMemory(65_536), toShard: createRingMemory(65_536) }
  lot.replaceShard(0, link)
  await lot.host.replaceShard(0, link)
  t.same([...lot.wanted].sort(), [
    '$SYS/Coreflux/Command',
    '$SYS/Coreflux/Config/New',
    '$SYS/Coreflux/Routes/+/Events/+',
    'in',
  ])
})

t.test('a wrong text installs nothing, and what was there goes on', async (t) => {
  const lot = await shared.reset()
  const source = `DEFINE ACTION Echo
ON TOPIC "in" DO
    PUBLISH TOPIC "out" WITH PAYLOAD
`
  await lot.install(source)
  await t.rejects(
    lot.install(source.replace('out', 'other'), 'DEFINE MODEL Child FROM Missing\n    ADD INT "n" WITH 1\n'),
  )
  lot.send('in', 'x')
  await lot.settle()
  t.same(lot.texts(), ['out=x'])
  await lot.install(source.replace('"in"', '"new"'))
  await lot.settle()
  t.notOk(lot.wanted.has('in'))
  lot.send('in', 'x')
  lot.send('new', 'y')
  await lot.settle()
  t.same(lot.texts(), ['out=y'])
})

t.test('children follow their parent, and keep its fields when it is gone', async (t) => {
  const lot = await shared.reset()
  const parent = 'DEFINE MODEL Base COLLAPSED\n    ADD INT "n" WITH TOPIC "raw/+" AS TRIGGER\n'
  await lot.install(
    parent,
    'DEFINE MODEL Child FROM Base WITH TOPIC "out/+"\n    ADD STRING "id" WITH (TOPIC POSITION 2)\n',
  )
  lot.send('raw/a', '1')
  await lot.settle()
  t.same(lot.texts(), ['out/a={"n":1,"id":"a"}'])
  await lot.install(parent.replace('raw/+', 'other/+'))
  t.ok(lot.wanted.has('other/+'))
  lot.send('other/b', '2')
  await lot.settle()
  t.same(lot.texts(), ['out/b={"n":2,"id":"b"}'])
  await lot.host.remove([{ kind: 'model', name: 'Base' }])
  lot.send('other/b', '3')
  await lot.settle()
  t.same(lot.texts(), ['out/b={"n":3,"id":"b"}'])
})
