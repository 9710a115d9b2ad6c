import t from 'tap'
import { ShardFixture } from './shard.fixture.js'

t.test('QoS 0 goes to all who subscribed, and nobody else', async (t) => {
  const broker = new ShardFixture({ threads: 2 })
  const ann = broker.connect('ann')
  const bob = broker.connect('bob', { thread: 1 })
  const cas = broker.connect('cas', { version: 4 })
  t.same(ann.take(), ['connack'])
  ann.subscribe('a/+')
  bob.subscribe('#')
  cas.subscribe('b')
  for (const client of [ann, bob, cas]) t.same(client.take().slice(-1), [`suback #1 0`])
  ann.publish('a/b', 'hello')
  t.same(ann.take(), ['a/b=hello q0 #0'])
  t.same(bob.take(), ['a/b=hello q0 #0'])
  t.same(cas.take(), [])
})

t.test('the QoS of a delivery is the smaller one [MQTT-3.8.4-8]', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const subscribers = ([0, 1, 2] as const).map((qos) => {
    const client = broker.connect(`subscriber${qos}`)
    client.subscribe('t', { qos })
    client.take()
    return client
  })
  for (const qos of [0, 1, 2] as const) {
    publisher.publish('t', 'x', { qos })
    t.same(
      subscribers.map((client) => client.takeAll()[0]?.slice(4, 6)),
      [0, 1, 2].map((granted) => `q${Math.min(granted, qos)}`),
      `published with ${qos}`,
    )
  }
})

t.test('QoS 1 from the publisher', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  publisher.take()
  publisher.publish('t', 'nobody', { qos: 1, packetId: 7 })
  t.same(publisher.take(), ['puback #7 0x10'])
  const subscriber = broker.connect('subscriber')
  subscriber.subscribe('t')
  subscriber.take()
  publisher.publish('t', 'x', { qos: 1, packetId: 7 })
  publisher.publish('t', 'x', { qos: 1, packetId: 7, dup: true })
  t.same(publisher.take(), ['puback #7', 'puback #7'])
  t.same(subscriber.take(), ['t=x q0 #0', 't=x q0 #0'], 'QoS 1: at least once')
})

t.test('QoS 2 from the publisher: a repeat is answered again and delivered once [MQTT-4.3.3-10]', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher', { expiry: 100 })
  const subscriber = broker.connect('subscriber')
  subscriber.subscribe('t', { qos: 2 })
  for (const client of [publisher, subscriber]) client.take()
  publisher.publish('t', 'x', { qos: 2, packetId: 9 })
  publisher.publish('t', 'x', { qos: 2, packetId: 9, dup: true })
  t.same(publisher.take(), ['pubrec #9', 'pubrec #9'])
  t.same(subscriber.take(), ['t=x q2 #1'])

  publisher.drop()
  const again = broker.connect('publisher', { cleanStart: false, expiry: 100 })
  again.publish('t', 'x', { qos: 2, packetId: 9, dup: true })
  t.same(again.take(), ['connack present', 'pubrec #9'])
  t.same(subscriber.take(), [], 'known from the connection before')
  again.ack('pubrel', 9)
  again.ack('pubrel', 9)
  t.same(again.take(), ['pubcomp #9', 'pubcomp #9 0x92'])
  again.publish('t', 'y', { qos: 2, packetId: 9 })
  t.same(again.take(), ['pubrec #9'])
  t.same(subscriber.take(), ['t=y q2 #2'], 'released: a new message')
})

t.test('the receive maximum of the broker', async (t) => {
  const broker = new ShardFixture({ config: { session: { receiveMaximum: 2 } } })
  const publisher = broker.connect('publisher')
  for (let number = 1; number <= 2; number++) publisher.publish('t', 'x', { qos: 2, packetId: number })
  publisher.publish('t', 'x', { qos: 2, packetId: 2, dup: true })
  publisher.ack('pubrel', 1)
  publisher.publish('t', 'x', { qos: 2, packetId: 3 })
  publisher.publish('t', 'x', { qos: 0 })
  t.ok(publisher.isOpen)
  publisher.publish('t', 'x', { qos: 1, packetId: 4 })
  t.same(publisher.take().slice(-2), ['disconnect 0x93', 'closed'])

  const old = broker.connect('old', { version: 4 })
  for (let number = 1; number <= 10; number++) old.publish('t', 'x', { qos: 2, packetId: number })
  t.ok(old.isOpen, 'MQTT 3.1.1 knows no receive maximum')
})

t.test('messages that were refused leave the receive maximum as it was', async (t) => {
  for (const qos of [1, 2] as const) {
    const broker = new ShardFixture({ config: { session: { receiveMaximum: 3 } } })
    const publisher = broker.connect('publisher')
    publisher.publish('t', 'x', { qos: 2, packetId: 1 })
    for (let turn = 0; turn < 10; turn++) publisher.publish('$SYS/x', 'x', { qos, packetId: 10 + turn })
    for (let packetId = 2; packetId <= 3; packetId++) publisher.publish('t', 'x', { qos: 2, packetId })
    t.ok(publisher.isOpen, `QoS ${qos}: they take no place`)
    publisher.publish('t', 'x', { qos: 1, packetId: 4 })
    t.notOk(publisher.isOpen, `QoS ${qos}: and free none`)
  }
})

t.test('clients may not publish to $SYS', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const subscriber = broker.connect('subscriber')
  subscriber.subscribe(['$SYS/#', '$SYSTEM'])
  for (const client of [publisher, subscriber]) client.take()
  publisher.publish('$SYS/broker/uptime', 'forged')
  publisher.publish('$SYS/broker/uptime', 'forged', { qos: 1, packetId: 1, retain: true })
  publisher.publish('$SYS/broker/uptime', 'forged', { qos: 2, packetId: 2 })
  t.same(publisher.take(), ['puback #1 0x87', 'pubrec #2 0x87'])
  publisher.publish('$SYSTEM', 'other', { qos: 2, packetId: 2 })
  t.same(publisher.take(), ['pubrec #2'], 'the refused identifier was free again')
  t.same(subscriber.take(), ['$SYSTEM=other q0 #0'])
  t.equal(broker.count('droppedNotAuthorized'), 3)
})

t.test('an MQTT 3.1.1 client whose QoS 2 message was refused can end its handshake', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher', { version: 4 })
  publisher.take()
  publisher.publish('$SYS/x', 'forged', { qos: 2, packetId: 5 })
  publisher.publish('$SYS/x', 'forged', { qos: 2, packetId: 5, dup: true })
  publisher.ack('pubrel', 5)
  t.same(
    publisher.take().map((text) => text.split(' 0x')[0]),
    ['pubrec #5', 'pubrec #5', 'pubcomp #5'],
  )
  t.equal(broker.count('droppedNotAuthorized'), 1, 'counted once')
})

t.test('no local [MQTT-3.8.3-3], also where subscriptions overlap', async (t) => {
  const broker = new ShardFixture()
  const ann = broker.connect('ann')
  const bob = broker.connect('bob')
  ann.subscribe('a/#', { noLocal: true, qos: 2 }, 1)
  ann.take()
  ann.publish('a/b', 'own')
  t.same(ann.take(), [])
  bob.publish('a/b', 'other', { qos: 1 })
  t.same(ann.takeAll(), ['a/b=other q1 #1'])
  ann.subscribe('a/b', { qos: 1 }, 2)
  ann.take()
  ann.publish('a/b', 'own', { qos: 2 })
  t.same(
    ann.takeAll().filter((text) => text.startsWith('a/b')),
    ['a/b=own q1 #2'],
    'by the other subscription, with its QoS',
  )
  t.same(ann.properties.at(-1)?.subscriptionIdentifiers, [2])
  bob.publish('a/b', 'other', { qos: 2 })
  t.match(ann.takeAll()[0], /^a\/b=other q2/)
  t.same([...(ann.properties.at(-1)?.subscriptionIdentifiers ?? [])].sort(), [1, 2])
})

t.test('subscription identifiers, each with its receiver [MQTT-3.3.4-3]', async (t) => {
  const broker = new ShardFixture({ threads: 2 })
  const clients = [1, 2, 3].map((number) => {
    const client = broker.connect(`c${number}`, { thread: number % 2 })
    client.subscribe('t', { qos: 1 }, number === 3 ? undefined : number * 1_000)
    client.take()
    return client
  })
  const properties = { contentType: 'json', userProperties: [['b', '1'] as const, ['a', '2'] as const] }
  broker.connect('publisher').publish('t', 'x', { qos: 1, properties })
  for (const client of clients) t.same(client.take(), ['t=x q1 #1'])
  t.same(
    clients.map((client) => client.properties[0].subscriptionIdentifiers),
    [[1_000], [2_000], []],
  )
  for (const client of clients) t.match(client.properties[0], properties)
})

t.test('retain as published', async (t) => {
  const broker = new ShardFixture()
  const [keeps, not] = [broker.connect('keeps'), broker.connect('not')]
  keeps.subscribe('t', { retainAsPublished: true })
  not.subscribe('t')
  for (const client of [keeps, not]) client.take()
  broker.connect('publisher').publish('t', 'x', { retain: true })
  t.same(keeps.take(), ['t=x q0 #0 retain'])
  t.same(not.take(), ['t=x q0 #0'])
})

t.test('large and empty payloads, and one message after another in a record', async (t) => {
  const broker = new ShardFixture()
  const [publisher, subscriber] = [broker.connect('publisher'), broker.connect('subscriber')]
  subscriber.subscribe('t')
  subscriber.take()
  const payloads = ['', 'x', 'y'.repeat(3_000), 'z'.repeat(40_000), 'ü'.repeat(150_000), 'end']
  for (const payload of payloads) publisher.writePublish('t', payload)
  broker.settle()
  t.same(
    subscriber.take().map((text) => text === `t=${payloads.shift()} q0 #0`),
    [true, true, true, true, true, true],
  )
})

t.test('a packet that breaks the protocol closes its connection only', async (t) => {
  const broker = new ShardFixture()
  const [good, bad] = [broker.connect('good'), broker.connect('bad', { expiry: 10 })]
  good.subscribe('t')
  for (const client of [good, bad]) client.take()
  bad.control(8, Uint8Array.of(0x82, 2, 0, 1)) // a SUBSCRIBE without filters
  t.match(bad.take(), [/^disconnect 0x8[12]$/, 'closed'])
  good.publish('t', 'x')
  t.same(good.take(), ['t=x q0 #0'])
  t.equal(broker.count('protocolErrors'), 1)
  t.match(broker.logged, [{ level: 'warn', fields: { clientId: 'bad' } }])
  t.same(broker.connect('bad', { cleanStart: false, expiry: 10 }).take(), ['connack present'])
})
