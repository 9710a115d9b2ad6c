import t from 'tap'
import type { ClientOptions, TestClient } from './client.fixture.js'
import { ShardFixture } from './shard.fixture.js'

/** Two shards with a client each: `ann` in the first, `bob` in the second. */
function setUp(bob: ClientOptions = {}): { broker: ShardFixture; ann: TestClient; bob: TestClient } {
  const broker = new ShardFixture({ shards: 2 })
  const clients = { ann: broker.connect('ann'), bob: broker.connect('bob', { shard: 1, ...bob }) }
  clients.ann.take()
  clients.bob.take()
  return { broker, ...clients }
}

t.test('a message reaches subscribers of all shards, and goes only where there are some', async (t) => {
  const broker = new ShardFixture({ shards: 3, threads: 2 })
  const clients = [0, 1, 2].map((shard) => broker.connect(`c${shard}`, { shard, thread: shard % 2 }))
  clients[0].subscribe('t', { qos: 1 })
  clients[2].subscribe('+', { qos: 2 }, 9)
  for (const client of clients) client.take()
  clients[1].publish('t', 'x', { qos: 2, packetId: 5, properties: { contentType: 'json' } })
  t.same(clients[1].take(), ['pubrec #5'])
  t.same(clients[0].take(), ['t=x q1 #1'])
  t.same(clients[2].take(), ['t=x q2 #1'])
  t.match(clients[2].properties, [{ contentType: 'json', subscriptionIdentifiers: [9] }])
  t.equal(broker.shard(0).peers.openQuestions, 0)
  broker.hold(1, 0)
  clients[1].publish('u', 'only c2', { qos: 1, packetId: 6 })
  t.same(clients[1].take(), ['puback #6'], 'the first shard was not asked')
})

t.test('SUBACK waits until all shards know of the subscription', async (t) => {
  const { broker, ann, bob } = setUp()
  broker.hold(1, 0)
  bob.subscribe('t')
  t.same(bob.take(), [], 'the other shard does not know yet')
  broker.release(1, 0)
  t.same(bob.take(), ['suback #1 0'])
  ann.publish('t', 'x')
  t.same(bob.take(), ['t=x q0 #0'])

  const cas = broker.connect('cas', { shard: 1 })
  broker.hold(1, 0)
  cas.subscribe('t')
  t.same(cas.take(), ['connack', 'suback #1 0'], 'known from the first subscriber')
  bob.subscribe('$share/g/t')
  t.same(bob.take(), [])
  broker.release(1, 0)
  t.same(bob.take(), ['suback #2 0'])
})

t.test('a second subscriber waits for the announcement of the first', async (t) => {
  const { broker, bob } = setUp()
  const cas = broker.connect('cas', { shard: 1 })
  cas.take()
  broker.hold(1, 0)
  bob.subscribe('t')
  cas.subscribe('t')
  t.same([...bob.take(), ...cas.take()], [])
  broker.release(1, 0)
  t.same([...bob.take(), ...cas.take()], ['suback #1 0', 'suback #1 0'])
})

t.test('even when the first has unsubscribed and subscribed again meanwhile', async (t) => {
  const { broker, ann, bob } = setUp()
  const cas = broker.connect('cas', { shard: 1 })
  cas.take()
  broker.hold(0, 1)
  bob.subscribe('t') // 1: known to the first shard, whose answer is held
  broker.hold(1, 0)
  bob.unsubscribe('t') // 2: withdrawn
  bob.subscribe('t') // 3: announced anew
  broker.release(0, 1) // the answer to 1
  cas.subscribe('t')
  t.same(cas.take(), [], 'that answer says nothing of 3')
  broker.release(1, 0)
  t.same(cas.take(), ['suback #1 0'])
  ann.publish('t', 'x')
  t.same(cas.take(), ['t=x q0 #0'])
})

t.test('answers keep the order of the requests while one waits for another shard', async (t) => {
  const { broker, bob } = setUp()
  broker.hold(1, 0)
  bob.subscribe('t')
  bob.unsubscribe('t')
  bob.ping()
  t.same(bob.take(), [])
  broker.release(1, 0)
  t.same(bob.take(), ['suback #1 0', 'unsuback #2 0', 'pingresp'])
})

t.test('a SUBACK for a connection that is gone is not sent to the next one', async (t) => {
  const { broker, bob } = setUp({ expiry: 100 })
  broker.hold(1, 0)
  bob.subscribe('t')
  bob.drop()
  const again = broker.connect('bob', { shard: 1, expiry: 100, cleanStart: false })
  broker.release(1, 0)
  t.same(again.take(), ['connack present'])
})

t.test('the last unsubscriber withdraws the interest', async (t) => {
  const { broker, ann, bob } = setUp()
  bob.subscribe(['t', '$share/g/t'])
  bob.unsubscribe('t', '$share/g/t')
  bob.take()
  broker.hold(0, 1)
  ann.publish('t', 'x', { qos: 1, packetId: 5 })
  t.same(ann.take(), ['puback #5 0x10'], 'nobody was asked')
})

t.test('PUBACK waits for all shards that want the message, and tells what became of it', async (t) => {
  const cases: { title: string; queuedMessagesMax: number; local: boolean; answer: string }[] = [
    { title: 'taken', queuedMessagesMax: 10, local: false, answer: 'puback #5' },
    { title: 'refused by the only one', queuedMessagesMax: 0, local: false, answer: 'puback #5 0x97' },
    { title: 'refused there, taken here', queuedMessagesMax: 0, local: true, answer: 'puback #5' },
  ]
  for (const { title, queuedMessagesMax, local, answer } of cases) {
    const broker = new ShardFixture({ shards: 2, config: { session: { queuedMessagesMax } } })
    const ann = broker.connect('ann')
    if (local) ann.subscribe('t')
    const bob = broker.connect('bob', { shard: 1, expiry: 100 })
    bob.subscribe('t', { qos: 1 })
    bob.drop()
    ann.take()
    broker.hold(1, 0)
    ann.publish('t', 'x', { qos: 1, packetId: 5 })
    t.notOk(
      ann.take().some((text) => text.startsWith('puback')),
      title,
    )
    broker.release(1, 0)
    t.same(ann.take(), [answer], title)
  }
})

t.test('acknowledgements keep the order of the messages [MQTT-4.6.0-2]', async (t) => {
  const { broker, ann, bob } = setUp()
  bob.subscribe('far')
  ann.take()
  broker.hold(1, 0)
  ann.publish('far', 'x', { qos: 1, packetId: 1 })
  ann.publish('near', 'x', { qos: 1, packetId: 2 })
  ann.publish('$SYS/x', 'x', { qos: 1, packetId: 3 })
  ann.publish('far', 'x', { qos: 2, packetId: 4 })
  ann.publish('far', 'x', { qos: 2, packetId: 4, dup: true })
  ann.publish('near', 'x', { qos: 2, packetId: 5 })
  t.same(ann.take(), [])
  broker.release(1, 0)
  t.same(ann.take(), ['puback #1', 'puback #2 0x10', 'puback #3 0x87', 'pubrec #4', 'pubrec #5 0x10'])
  ann.publish('far', 'x', { qos: 2, packetId: 4, dup: true })
  t.same(ann.take(), ['pubrec #4'])
})

t.test('messages that wait for other shards count once for the receive maximum', async (t) => {
  const broker = new ShardFixture({ shards: 2, config: { session: { receiveMaximum: 6 } } })
  const ann = broker.connect('ann')
  const bob = broker.connect('bob', { shard: 1 })
  bob.subscribe('far')
  ann.take()
  broker.hold(1, 0)
  for (let packetId = 1; packetId <= 6; packetId++) {
    ann.publish('far', 'x', { qos: packetId % 3 === 0 ? 1 : 2, packetId })
  }
  t.ok(ann.isOpen, 'within the maximum')
  broker.release(1, 0)
  t.equal(ann.take().length, 6)
  broker.hold(1, 0)
  for (let packetId = 7; packetId <= 8; packetId++) ann.publish('far', 'x', { qos: 2, packetId })
  t.ok(ann.isOpen, 'four wait for PUBREL, two for PUBREC')
  ann.publish('far', 'x', { qos: 1, packetId: 9 })
  t.same(ann.take(), ['disconnect 0x93', 'closed'])
})

t.test('a QoS 2 message that every shard refused frees its identifier', async (t) => {
  const broker = new ShardFixture({ shards: 2, config: { session: { queuedMessagesMax: 0 } } })
  const ann = broker.connect('ann')
  const bob = broker.connect('bob', { shard: 1, expiry: 100 })
  bob.subscribe('t', { qos: 2 })
  bob.drop()
  ann.take()
  for (let turn = 0; turn < 2; turn++) {
    ann.publish('t', 'x', { qos: 2, packetId: 5 })
    t.same(ann.take(), ['pubrec #5 0x97'])
  }
})

t.test('what was published on an earlier connection is not acknowledged on a later one', async (t) => {
  const { broker, bob } = setUp()
  bob.subscribe('t')
  const ann = broker.connect('ann', { expiry: 100 })
  broker.hold(1, 0)
  ann.publish('t', 'old', { qos: 1, packetId: 7 })
  ann.drop()
  const again = broker.connect('ann', { expiry: 100, cleanStart: false })
  again.take()
  broker.hold(0, 1)
  broker.release(1, 0) // the answer for the old message
  t.same(again.take(), [])
  again.publish('t', 'new', { qos: 1, packetId: 7 })
  t.same(again.take(), [], 'nobody has taken the new one yet')
  broker.release(0, 1)
  t.same(again.take(), ['puback #7'])
  t.same(bob.take().slice(1), ['t=old q0 #0', 't=new q0 #0'])
})

t.test('a QoS 2 message of an earlier connection is answered on the later one, where it was sent again', async (t) => {
  const { broker, bob } = setUp()
  bob.subscribe('t')
  const ann = broker.connect('ann', { expiry: 100 })
  broker.hold(1, 0)
  ann.publish('t', 'x', { qos: 2, packetId: 7 })
  ann.drop()
  const again = broker.connect('ann', { expiry: 100, cleanStart: false })
  again.take()
  again.publish('t', 'x', { qos: 2, packetId: 7, dup: true })
  broker.release(1, 0)
  t.same(again.take(), ['pubrec #7'])
  t.same(bob.take().slice(1), ['t=x q0 #0'], 'delivered once')
  again.ack('pubrel', 7)
  t.same(again.take(), ['pubcomp #7'])
})

t.test('retained messages are the same in all shards', async (t) => {
  const { broker, ann, bob } = setUp()
  ann.publish('r/1', 'one', { qos: 1, retain: true, properties: { expirySeconds: 100 } })
  bob.publish('r/2', 'two', { qos: 1, retain: true })
  bob.publish('r/3', 'three', { retain: true })
  ann.publish('r/3', '', { retain: true })
  for (const client of [ann, bob]) {
    client.take()
    client.subscribe('r/#')
    t.same(client.take().slice(1).sort(), ['r/1=one q0 #0 retain', 'r/2=two q0 #0 retain'])
  }
  broker.advance(100_000)
  t.same(
    [0, 1].map((index) => broker.shard(index).retained.messages),
    [1, 1],
  )
})

t.test('retained messages that cross end the same in both shards', async (t) => {
  const { broker, ann, bob } = setUp()
  broker.hold(0, 1)
  broker.hold(1, 0)
  ann.publish('r', 'from ann', { retain: true })
  bob.publish('r', 'from bob', { retain: true })
  broker.release(0, 1)
  broker.release(1, 0)
  const seen = [ann, bob].map((client) => {
    client.take()
    client.subscribe('r')
    return client.take().pop()
  })
  t.equal(seen[0], seen[1])
})

t.test('a shard that was started anew gets the retained messages back', async (t) => {
  const broker = new ShardFixture({ shards: 3 })
  const ann = broker.connect('ann')
  for (let number = 0; number < 500; number++) ann.publish(`r/${number}`, 'x'.repeat(number), { retain: true })
  ann.publish('r/cleared', 'x', { retain: true })
  ann.publish('r/cleared', '', { retain: true })
  ann.publish('$own/r', 'kept', { retain: true, qos: 1, properties: { expirySeconds: 100 } })
  broker.advance(40_000)
  for (const index of [1, 0]) {
    broker.replaceShard(index)
    t.equal(broker.shard(index).retained.messages, 500, `shard ${index}`) // one has no payload
    const bob = broker.connect(`bob${index}`, { shard: index })
    bob.subscribe('$own/#', { qos: 1 })
    t.match(bob.take().join(), '$own/r=kept q1 #1 retain')
    t.equal(bob.properties[0].expirySeconds, 60)
  }
})

t.test('a publish is acknowledged when all shards have it retained', async (t) => {
  const { broker, ann } = setUp()
  broker.hold(1, 0)
  ann.publish('r', 'x', { qos: 1, retain: true, packetId: 3 })
  t.same(ann.take(), [])
  broker.release(1, 0)
  t.same(ann.take(), ['puback #3 0x10'])
})

t.test('the expiry of a message goes along, also that of a will', async (t) => {
  const { broker, ann } = setUp()
  const offline = broker.connect('offline', { shard: 1, expiry: 1_000 })
  offline.subscribe(['t', 'will'], { qos: 1 })
  offline.drop()
  const properties = { expirySeconds: 50 }
  ann.publish('t', 'x', { qos: 1, properties })
  broker.connect('dying', { will: { topic: 'will', payload: 'gone', qos: 1, retain: true, properties } }).drop()
  broker.advance(20_000)
  const late = broker.connect('late', { shard: 1 })
  late.subscribe('will')
  t.equal(late.properties[0].expirySeconds, 30, 'retained')
  const again = broker.connect('offline', { shard: 1, cleanStart: false, expiry: 1_000 })
  t.same(
    again.properties.map(({ expirySeconds }) => expirySeconds),
    [30, 30],
    'queued',
  )
  again.drop()
  broker.advance(30_000)
  t.equal(broker.shard(0).retained.messages, 0)
  t.equal(broker.shard(1).retained.messages, 0)
})

t.test('a shard that was started anew knows what others want, and they know nothing of its past', async (t) => {
  const { broker, ann, bob } = setUp()
  ann.subscribe(['from/ann', '$share/g/shared'])
  bob.subscribe(['from/bob', '$share/g/shared'])
  broker.connect('cas').subscribe('from/+')
  broker.replaceShard(1)
  t.notOk(bob.isOpen)
  ann.take()
  const again = broker.connect('bob', { shard: 1 })
  t.same(again.take(), ['connack'])
  again.publish('from/ann', 'x', { qos: 1, packetId: 1 })
  t.same(again.take(), ['puback #1'])
  t.same(ann.take(), ['from/ann=x q0 #0'])
  ann.publish('from/bob', 'x', { qos: 1, packetId: 2 })
  t.same(ann.take(), ['puback #2'], 'cas took it')
  for (let turn = 0; turn < 4; turn++) again.publish('shared', String(turn))
  t.equal(ann.take().length, 4, 'the only member that is left')
  again.subscribe('from/bob')
  t.same(again.take(), ['suback #1 0'])
  ann.publish('from/bob', 'x')
  t.same(again.take(), ['from/bob=x q0 #0'])
})

t.test('nothing waits for a shard that died', async (t) => {
  const { broker, ann, bob } = setUp()
  bob.subscribe('far')
  broker.hold(0, 1)
  ann.publish('far', 'x', { qos: 1, packetId: 1 })
  ann.publish('near', 'x', { qos: 1, packetId: 2 })
  ann.subscribe('own')
  t.same(ann.take(), [])
  broker.release(0, 1)
  ann.take()
  broker.hold(1, 0)
  ann.publish('far', 'x', { qos: 1, packetId: 3 })
  ann.publish('near', 'x', { qos: 1, packetId: 4 })
  ann.subscribe('own/too')
  t.same(ann.take(), [])
  broker.replaceShard(1)
  t.same(ann.take(), ['puback #3 0x10', 'puback #4 0x10', 'suback #2 0'])
  broker.release(1, 0)
  t.same(
    [0, 1].map((index) => broker.shard(index).peers.openQuestions),
    [0, 0],
  )
})

t.test('filters that come back are found, however many were swept while a shard was replaced', async (t) => {
  const { broker, ann, bob } = setUp()
  const many = (name: string): string[] => Array.from({ length: 1_100 }, (_, number) => `${name}/${number}`)
  // `kept` has nobody when the second shard dies, and so many others lose their only audience then that they are swept
  ann.subscribe('kept')
  ann.unsubscribe('kept')
  bob.subscribe(many('bob'))
  broker.replaceShard(1)
  ann.subscribe('kept')
  ann.subscribe(many('ann'))
  ann.unsubscribe(...many('ann')) // sweeps again
  ann.take()
  broker.connect('publisher').publish('kept', 'x')
  t.same(ann.take(), ['kept=x q0 #0'])
})

t.test('large messages cross, and rings that are full lose nothing', async (t) => {
  const { broker, ann, bob } = setUp()
  bob.subscribe('t', { qos: 1 })
  bob.take()
  broker.hold(0, 1)
  const payloads = ['x'.repeat(100_000), ...Array.from({ length: 300 }, (_, number) => `${number}`.padEnd(1_000, '.'))]
  for (const payload of payloads) ann.publish('t', payload, { qos: 1 })
  t.ok(broker.shard(0).peers.rings[1]?.isCongested)
  broker.release(0, 1)
  const got = bob.takeAll().map((text) => text.split(' ')[0].slice(2))
  t.same(got.length, payloads.length)
  t.ok(got.every((payload, place) => payload === payloads[place]))
  t.notOk(broker.shard(0).peers.rings[1]?.isCongested)
})
