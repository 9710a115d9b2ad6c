import t from 'tap'
import { LotHostFixture } from './lot-host.fixture.js'

const shared = new LotHostFixture()
t.teardown(() => shared.close())

t.test('an action runs for every message on its topic, in order', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE ACTION Double
ON TOPIC "in/+/raw" DO
    SET "n" WITH PAYLOAD AS INT
    PUBLISH TOPIC "out/" + TOPIC POSITION 2 WITH {n} * 2
`)
  t.ok(lot.wanted.has('in/+/raw'))
  for (let n = 1; n <= 5; n++) lot.send('in/a/raw', String(n))
  lot.send('in/b/other', '7')
  await lot.settle()
  t.same(lot.texts(), ['out/a=2', 'out/a=4', 'out/a=6', 'out/a=8', 'out/a=10'])
  t.equal(lot.host.entityState({ kind: 'action', name: 'Double' })?.runs, 5)
})

t.test('a model keeps the state of each instance between batches', async (t) => {
  const lot = await shared.reset()
  await lot.install(`DEFINE MODEL Count COLLAPSED WITH TOPIC "count/+"
    ADD INT "value" WITH TOPIC "raw/+" AS TRIGGER
    ADD INT "seen" WITH (seen + 1)
`)
  for (let n = 1; n <= 3; n++) {
    lot.send('raw/a', String(n))
    lot.send('raw/b', String(n * 10))
    await lot.settle()
  }
  t.same(lot.texts().sort(), [
    'count/a={"value":1,"seen":1}',
    'count/a={"value":2,"seen":2}',
    'count/a={"value":3,"seen":3}',
    'count/b={"value":10,"seen":1}',
    'count/b={"value":20,"seen":2}',
    'count/b={"value":30,"seen":3}',
  ])
})
