import t from 'tap'
import { ShardFixture } from './shard.fixture.js'

t.test('sessions are new, resumed or thrown away', async (t) => {
  const cases: { title: string; first: number; cleanStart: boolean; present: boolean }[] = [
    { title: 'resumed [MQTT-3.1.2-5]', first: 100, cleanStart: false, present: true },
    { title: 'thrown away [MQTT-3.1.2-4]', first: 100, cleanStart: true, present: false },
    { title: 'ended with its connection', first: 0, cleanStart: false, present: false },
  ]
  for (const { title, first, cleanStart, present } of cases) {
    const broker = new ShardFixture()
    const publisher = broker.connect('publisher')
    const client = broker.connect('ann', { expiry: first, cleanStart: false })
    t.same(client.take(), ['connack'], title)
    client.subscribe('t', { qos: 1 })
    client.drop()
    publisher.publish('t', 'meanwhile', { qos: 1 })
    const next = broker.connect('ann', { expiry: 100, cleanStart })
    const expected = present ? ['connack present', 't=meanwhile q1 #1'] : ['connack']
    t.same(next.take(), expected, title)
    publisher.publish('t', 'now')
    t.same(next.take(), present ? ['t=now q0 #0'] : [], title)
    t.equal(broker.count('sessions'), 2)
    t.equal(broker.count('sessionsConnected'), 2)
    t.equal(broker.count('sessionsDisconnected'), 0)
    t.equal(broker.count('subscriptions'), present ? 1 : 0)
  }
})

t.test('takeover closes the old connection [MQTT-3.1.4-3]', async (t) => {
  for (const version of [4, 5] as const) {
    const broker = new ShardFixture({ threads: 2 })
    const publisher = broker.connect('publisher')
    const old = broker.connect('ann', { expiry: 100, version })
    old.subscribe('t', { qos: 1 })
    old.take()
    publisher.publish('t', '1', { qos: 1 })
    t.same(old.take(), ['t=1 q1 #1'])
    const next = broker.connect('ann', { thread: 1, cleanStart: false, expiry: 100, version })
    t.same(old.take(), version === 5 ? ['disconnect 0x8e', 'closed'] : ['closed'])
    t.same(next.take(), ['connack present', 't=1 q1 #1 dup'])
    old.publish('t', 'from the old connection')
    t.same(next.take(), [], 'nothing of the old connection counts any more')
    t.equal(broker.count('sessionsConnected'), 2)
    t.equal(broker.count('sessions'), 2)
  }
})

t.test('takeover of a session that ends with its connection', async (t) => {
  const broker = new ShardFixture()
  const watcher = broker.connect('watcher')
  watcher.subscribe('will')
  watcher.take()
  const old = broker.connect('ann', { will: { topic: 'will', payload: 'ann is gone', delaySeconds: 10 } })
  const next = broker.connect('ann', { cleanStart: false })
  t.same(old.take(), ['connack', 'disconnect 0x8e', 'closed'])
  t.same(next.take(), ['connack'])
  t.same(watcher.take(), ['will=ann is gone q0 #0'], 'the session has ended: its will waits for nothing')
})

t.test(
  'slots are used again only after RELEASED, and a record of an earlier connection meets no stranger',
  async (t) => {
    const broker = new ShardFixture()
    const old = broker.connect('ann', { expiry: 100 })
    const next = broker.connect('ann', { expiry: 100 })
    t.not(next.slot, old.slot)
    const other = broker.connect('bob')
    t.equal(other.slot, old.slot, 'released by now')
    other.subscribe('t')
    next.publish('t', 'x')
    t.same(other.take(), ['connack', 'suback #1 0', 't=x q0 #0'])
  },
)

t.test('too many sessions', async (t) => {
  const broker = new ShardFixture({ config: { session: { sessionsMax: 2 } } })
  const ann = broker.connect('ann', { expiry: 100 })
  broker.connect('bob')
  t.same(broker.connect('cas').take(), ['connack 0x97', 'closed'])
  t.same(broker.connect('cas', { version: 4 }).take(), ['connack 0x03', 'closed'])
  t.same(broker.connect('ann', { cleanStart: false, expiry: 100 }).take(), ['connack present'], 'its session exists')
  t.same(ann.take(), ['connack', 'disconnect 0x8e', 'closed'])
  t.equal(broker.count('sessionsRefused'), 2)
  t.equal(broker.count('sessions'), 2)
  t.match(broker.logged[0], { message: /sessionsMax/ })
})

t.test('the broker bounds what a client asks for', async (t) => {
  const broker = new ShardFixture({ config: { session: { expirySecondsMax: 60, inflightMax: 2 } } })
  const ann = broker.connect('ann', { expiry: 1_000, receiveMaximum: 10 })
  ann.subscribe('t', { qos: 1 })
  ann.take()
  const publisher = broker.connect('publisher')
  for (const text of ['1', '2', '3']) publisher.publish('t', text, { qos: 1 })
  t.same(ann.take(), ['t=1 q1 #1', 't=2 q1 #2'])
  ann.drop()
  broker.advance(59_999)
  t.equal(broker.count('sessions'), 2)
  broker.advance(1)
  t.equal(broker.count('sessions'), 1)
})

t.test('many connections of one session leave nothing behind', async (t) => {
  const broker = new ShardFixture()
  for (let turn = 0; turn < 500; turn++) {
    const will = { topic: 'will', delaySeconds: 1_000_000 }
    broker.connect('ann', { expiry: 4_000_000_000, cleanStart: turn % 5 === 0, will }).drop()
  }
  t.ok(broker.shard().timers.size < 200, `${broker.shard().timers.size} timers`)
  t.equal(broker.count('sessions'), 1)
  t.equal(broker.count('sessionsDisconnected'), 1)
})
