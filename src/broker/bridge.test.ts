/** Bridges of other brokers, which say so in CONNECT: what their subscriptions are. */
import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import type { ClientOptions } from './client.fixture.js'
import { ShardFixture } from './shard.fixture.js'

const BRIDGE: ClientOptions = { version: 4, request: { isBridge: true } }
const LASTING: ClientOptions = { ...BRIDGE, cleanStart: false, expiry: 1_000 }

t.test('a bridge gets RETAIN as published, and not what it has published', async (t) => {
  for (const version of [3, 4] as const) {
    const fixture = new ShardFixture()
    const bridge = fixture.connect('bridge', { ...BRIDGE, version })
    const [plain, other] = [fixture.connect('plain', { version }), fixture.connect('other')]
    for (const client of [bridge, plain]) client.subscribe('#', { qos: 1 })
    for (const client of [bridge, plain]) client.take()
    other.publish('kept', 'x', { qos: 1, retain: true })
    other.publish('live', 'x', { qos: 1 })
    other.publish('kept', '', { retain: true })
    t.same(bridge.take(), ['kept=x q1 #1 retain', 'live=x q1 #2', 'kept= q0 #0 retain'])
    t.same(plain.take(), ['kept=x q1 #1', 'live=x q1 #2', 'kept= q0 #0'])
    for (const qos of [0, 1, 2] as const) bridge.publish('own', 'x', { qos, retain: true })
    t.same(
      bridge.take().filter((text) => text.includes('=')),
      [],
    )
    t.equal(plain.take().length, 3)
  }
})

t.test('overlapping subscriptions of a bridge: none of them sends back', async (t) => {
  const fixture = new ShardFixture()
  const bridge = fixture.connect('bridge', BRIDGE)
  bridge.subscribe(['#', 'a/+'], { qos: 1 })
  bridge.subscribe('a/b', { qos: 0 })
  bridge.take()
  bridge.publish('a/b', 'own')
  t.same(bridge.take(), [])
  fixture.connect('other').publish('a/b', 'x', { retain: true })
  t.same(bridge.take(), ['a/b=x q0 #0 retain'])
})

t.test('a bridge in a shared subscription takes its turn like any other member', async (t) => {
  const fixture = new ShardFixture()
  const bridge = fixture.connect('bridge', BRIDGE)
  bridge.subscribe('$share/group/#', { qos: 1 })
  bridge.take()
  bridge.publish('own', 'x', { retain: true })
  t.same(bridge.take(), ['own=x q0 #0 retain'], 'nobody else is there to take it')
  const [subscription] = fixture.shard().sessions.get('bridge')?.subscriptions.values() ?? []
  t.equal(subscription?.noLocal, false, 'MQTT-3.8.3-4')
})

t.test('options of a bridge are kept, and replace those from before it was one', async (t) => {
  const fixture = new ShardFixture({ engine: new MemoryEngine() })
  const before = fixture.connect('bridge', { ...LASTING, request: {} })
  before.subscribe('#', { qos: 1 })
  before.disconnect()
  const bridge = fixture.connect('bridge', LASTING)
  bridge.subscribe('#', { qos: 1 })
  fixture.flush()
  const restarted = fixture.crash()
  const again = restarted.connect('bridge', LASTING)
  t.match(again.take(), ['connack present'])
  again.publish('own', 'x')
  restarted.connect('other').publish('kept', 'x', { retain: true })
  t.same(again.take(), ['kept=x q0 #0 retain'])
  Object.defineProperty(restarted.shard().storage, 'isFull', { value: true })
  again.subscribe('#', { qos: 1 })
  t.match(again.take(), [/^suback #\d+ 1$/], 'a full disk stops nobody who subscribes as before')
})

t.test('a client that is a bridge no more subscribes as one', async (t) => {
  const fixture = new ShardFixture()
  fixture.connect('bridge', LASTING).subscribe('#')
  const plain = fixture.connect('bridge', { ...LASTING, request: {} })
  plain.subscribe('#')
  plain.take()
  plain.publish('own', 'x', { retain: true })
  t.same(plain.take(), ['own=x q0 #0'])
})

t.test('the state that a bridge tells in $SYS is refused, and the bridge works on', async (t) => {
  const topic = '$SYS/broker/connection/plant/state'
  const will = { topic, payload: '0', qos: 1, retain: true } as const
  for (const version of [3, 4] as const) {
    const fixture = new ShardFixture()
    for (const found of ['connack', 'connack present']) {
      const bridge = fixture.connect('bridge', { ...LASTING, version, will })
      t.same(bridge.take(), [version === 3 ? 'connack' : found])
      bridge.publish(topic, '1', { qos: 1, retain: true, packetId: 1 })
      t.match(bridge.take(), [/^puback #1/], 'or it would send it again and again')
      bridge.subscribe('a')
      t.match(bridge.take(), [/^suback/])
      bridge.drop()
    }
    t.equal(fixture.count('droppedNotAuthorized'), 4, 'twice the message, twice the will')
    t.equal(fixture.count('willsPublished'), 0)
    const told = 'set notifications_local_only or notification_topic where the bridge is configured'
    t.match(fixture.logged, [{ message: new RegExp(`not allowed to publish .*; ${told}`) }])
  }
})
