import t from 'tap'
import { CloseCause } from '../contracts/records.js'
import type { ClientOptions, TestClient } from './client.fixture.js'
import { ShardFixture } from './shard.fixture.js'

const WILL = { topic: 'will/ann', payload: 'gone', qos: 1, retain: true } as const

function setUp(options: ClientOptions = {}): { broker: ShardFixture; watcher: TestClient; ann: TestClient } {
  const broker = new ShardFixture()
  const watcher = broker.connect('watcher')
  watcher.subscribe(['will/#', '$SYS/#'], { qos: 2, retainAsPublished: true })
  watcher.take()
  return { broker, watcher, ann: broker.connect('ann', { will: WILL, ...options }) }
}

t.test('how a connection ends decides [MQTT-3.1.2-8], [MQTT-3.14.4-3]', async (t) => {
  const cases: { title: string; version?: 4 | 5; published: boolean; end: (ann: TestClient) => void }[] = [
    { title: 'lost', published: true, end: (ann) => ann.drop() },
    { title: 'closed for a violation', version: 4, published: true, end: (ann) => ann.drop(CloseCause.VIOLATION) },
    { title: 'DISCONNECT', published: false, end: (ann) => ann.disconnect() },
    { title: 'DISCONNECT of MQTT 3.1.1', version: 4, published: false, end: (ann) => ann.disconnect() },
    { title: 'DISCONNECT with will message', published: true, end: (ann) => ann.disconnect(0x04) },
    { title: 'DISCONNECT with an error', published: true, end: (ann) => ann.disconnect(0x80) },
    { title: 'DISCONNECT half sent', published: true, end: (ann) => ann.drop(CloseCause.NETWORK) },
  ]
  for (const { title, version, published, end } of cases) {
    const { broker, watcher, ann } = setUp({ version })
    end(ann)
    t.same(watcher.take(), published ? ['will/ann=gone q1 #1 retain'] : [], title)
    t.equal(broker.count('willsPublished'), published ? 1 : 0, title)
    t.equal(broker.shard().retained.messages, published ? 1 : 0, title)
  }
})

t.test('a delay: published when it has passed, not if the client comes back [MQTT-3.1.3-9]', async (t) => {
  const options = { will: { ...WILL, delaySeconds: 30 }, expiry: 100 }
  const { broker, watcher, ann } = setUp(options)
  ann.drop()
  broker.advance(29_999)
  t.same(watcher.take(), [])
  const again = broker.connect('ann', { ...options, cleanStart: false })
  broker.advance(100_000)
  t.same(watcher.take(), [])
  again.drop()
  broker.advance(30_000)
  t.same(watcher.take(), ['will/ann=gone q1 #1 retain'])
  broker.advance(1_000_000)
  t.same(watcher.take(), [], 'once')
})

t.test('the end of the session publishes a will whatever its delay', async (t) => {
  const options = { will: { ...WILL, delaySeconds: 300 }, expiry: 100 }
  const expired = setUp(options)
  expired.ann.drop()
  expired.broker.advance(99_999)
  t.same(expired.watcher.take(), [])
  expired.broker.advance(1)
  t.same(expired.watcher.take(), ['will/ann=gone q1 #1 retain'], 'expired')

  const replaced = setUp(options)
  replaced.ann.drop()
  replaced.broker.connect('ann', { cleanStart: true })
  t.same(replaced.watcher.take(), ['will/ann=gone q1 #1 retain'], 'clean start')

  const short = setUp({ ...options, expiry: 0 })
  short.ann.drop()
  t.same(short.watcher.take(), ['will/ann=gone q1 #1 retain'], 'ended with its connection')
})

t.test('takeover: the will of the old connection', async (t) => {
  const now = setUp({ expiry: 100 })
  now.broker.connect('ann', { cleanStart: false, expiry: 100 })
  t.same(now.watcher.take(), ['will/ann=gone q1 #1 retain'], 'without a delay it is published')
  const delayed = setUp({ expiry: 100, will: { ...WILL, delaySeconds: 5 } })
  delayed.broker.connect('ann', { cleanStart: false, expiry: 100 })
  delayed.broker.advance(10_000)
  t.same(delayed.watcher.take(), [], 'with one it is not')
})

t.test('properties travel with the will; its expiry begins when it is published', async (t) => {
  const properties = {
    contentType: 'json',
    expirySeconds: 20,
    userProperties: [['z', '1'] as const, ['a', '2'] as const],
  }
  const { broker, watcher, ann } = setUp({ will: { ...WILL, delaySeconds: 50, properties }, expiry: 100 })
  ann.drop()
  broker.advance(50_000)
  t.match(watcher.properties.at(-1), properties)
  broker.advance(15_000)
  const late = broker.connect('late')
  late.subscribe('will/ann')
  t.equal(late.properties.at(-1)?.expirySeconds, 5, 'what is left of it')
  broker.advance(5_000)
  late.subscribe('will/ann')
  t.equal(late.take().filter((text) => text.startsWith('will')).length, 1, 'expired')
})

t.test('a will may not speak as the broker', async (t) => {
  const { broker, watcher, ann } = setUp({ will: { ...WILL, topic: '$SYS/broker/uptime' } })
  ann.drop()
  t.same(watcher.take(), [])
  t.equal(broker.count('droppedNotAuthorized'), 1)
})

t.test('no room to retain it: it is published all the same', async (t) => {
  const broker = new ShardFixture({ config: { retained: { messagesMax: 0 } } })
  const watcher = broker.connect('watcher')
  watcher.subscribe('will/#')
  watcher.take()
  broker.connect('ann', { will: WILL }).drop()
  t.same(watcher.take(), ['will/ann=gone q0 #0'])
  t.equal(broker.shard().retained.messages, 0)
  t.equal(broker.count('droppedRetainedFull'), 1)
})
