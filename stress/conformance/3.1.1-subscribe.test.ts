/** MQTT 3.1.1, sections 3.8 to 3.14, 4.1, 4.5, 4.7, 4.8, 6 and 7, by its own numbers: subscriptions and sessions. */
import { seconds, type TestBroker } from '../support/broker.js'
import {
  disconnectPacket,
  pingreqPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { expectOffence } from '../support/offence.js'
import { statement311 } from '../support/statement.js'
import { packet, prefixed, uint16 } from '../support/wire.js'

const version = 4

statement311('MQTT-2.3.1-7', 'answers SUBSCRIBE and UNSUBSCRIBE with their identifier', async (t, broker) => {
  const client = await broker.connect({ version })
  for (const packetId of [1, 0x0102, 0xffff]) {
    client.send(subscribePacket(packetId, [['a']], { version }), unsubscribePacket(packetId, ['a'], { version }))
    t.equal((await client.takePacket('suback')).packetId, packetId)
    t.equal((await client.takePacket('unsuback')).packetId, packetId)
  }
})

statement311('MQTT-3.8.1-1', 'closes on SUBSCRIBE with other flags', async (_t, broker) => {
  for (const flags of [0, 1, 3, 6, 10]) await expectOffence(broker, subscribePacket(1, [['a']], { version, flags }))
})

statement311('MQTT-3.8.3-1', 'closes on a topic filter that is not UTF-8', async (_t, broker) => {
  for (const filter of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80]]) {
    await expectOffence(broker, subscribePacket(1, [['a'], [filter]], { version }))
  }
})

statement311('MQTT-3.8.3-3', 'closes on SUBSCRIBE without a topic filter', async (_t, broker) => {
  await expectOffence(broker, subscribePacket(1, [], { version }))
  await expectOffence(broker, packet(8, 2, uint16(1), prefixed('a')))
})

statement311('MQTT-3.8.3-4', 'closes on reserved bits and on QoS 3 in SUBSCRIBE', async (_t, broker) => {
  for (const options of [3, 4, 8, 0x10, 0x81]) {
    await expectOffence(broker, subscribePacket(1, [['a', options]], { version }))
  }
})

statement311(['MQTT-3.8.4-1', 'MQTT-3.8.4-2'], 'answers SUBSCRIBE by SUBACK', async (t, broker) => {
  const client = await broker.connect({ version })
  client.send(subscribePacket(0x1234, [[broker.topic('a'), { qos: 1 }]], { version }))
  const suback = await client.takePacket('suback')
  t.same([suback.packetId, suback.reasonCodes], [0x1234, [1]])
})

statement311('MQTT-3.8.4-3', 'replaces a subscription and repeats its retained messages', async (t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'retained', { qos: 1, retain: true })
  const client = await broker.connect({ version })
  for (const qos of [0, 1, 0]) {
    await client.subscribe(topic, { qos })
    t.equal((await client.expectMessage('retained')).qos, qos)
    await broker.publish(topic, 'live', { qos: 2 })
    t.equal((await client.expectMessage('live')).qos, qos)
    await client.expectNothing()
  }
})

statement311(
  ['MQTT-3.8.4-4', 'MQTT-3.8.4-5', 'MQTT-3.9.3-1'],
  'answers several topic filters by one SUBACK, in their order',
  async (t, broker) => {
    const client = await broker.connect({ version })
    const suback = await client.subscribe([
      [broker.topic('a'), { qos: 2 }],
      [broker.topic('b'), { qos: 0 }],
      [broker.topic('c'), { qos: 1 }],
      [broker.topic('a'), { qos: 1 }],
    ])
    t.same(suback.reasonCodes, [2, 0, 1, 1])
    for (const level of ['a', 'b', 'c']) await broker.publish(broker.topic(level), level, { qos: 2 })
    for (const [level, qos] of [
      ['a', 1],
      ['b', 0],
      ['c', 1],
    ] as const) {
      t.equal((await client.expectMessage(level)).qos, qos)
    }
  },
)

statement311('MQTT-3.8.4-6', 'delivers with the lower of published and granted QoS', async (t, broker) => {
  const client = await broker.connect({ version })
  for (const granted of [0, 1, 2]) {
    for (const published of [0, 1, 2]) {
      const topic = broker.topic(`${granted}${published}`)
      await client.subscribe(topic, { qos: granted })
      await broker.publish(topic, 'x', { qos: published })
      t.equal((await client.expectMessage('x')).qos, Math.min(granted, published))
    }
  }
})

statement311(
  'MQTT-3.9.3-2',
  'refuses a subscription by return code 0x80',
  { config: { session: { subscriptionsMax: 2 } } },
  async (t, broker) => {
    const client = await broker.connect({ version })
    client.send(subscribePacket(1, [['a', { qos: 1 }], ['b'], ['c'], ['d', { qos: 2 }]], { version }))
    t.same((await client.takePacket('suback')).reasonCodes, [1, 0, 0x80, 0x80])
    await client.unsubscribe('b')
    t.same((await client.subscribe('c')).reasonCodes, [0])
  },
)

statement311('MQTT-3.10.1-1', 'closes on UNSUBSCRIBE with other flags', async (_t, broker) => {
  for (const flags of [0, 1, 3, 10]) await expectOffence(broker, unsubscribePacket(1, ['a'], { version, flags }))
})

statement311('MQTT-3.10.3-1', 'closes on UNSUBSCRIBE with a filter that is not UTF-8', async (_t, broker) => {
  await expectOffence(broker, unsubscribePacket(1, ['a', [0x61, 0xff]], { version }))
})

statement311('MQTT-3.10.3-2', 'closes on UNSUBSCRIBE without a topic filter', async (_t, broker) => {
  await expectOffence(broker, unsubscribePacket(1, [], { version }))
})

statement311(
  ['MQTT-3.10.4-1', 'MQTT-3.10.4-2'],
  'removes subscriptions that are equal to the letter',
  async (_t, broker) => {
    const client = await broker.connect({ version })
    await client.subscribe(broker.topic('+'))
    for (const other of ['#', 'a', '+/', 'A']) await client.unsubscribe(broker.topic(other))
    await broker.publish(broker.topic('a'), 'still')
    await client.expectMessage('still')
    await client.unsubscribe(broker.topic('+'))
    await broker.publish(broker.topic('a'), 'no more')
    await client.expectNothing()
  },
)

statement311('MQTT-3.10.4-3', 'completes the delivery of messages that it began to send', async (t, broker) => {
  const topic = broker.topic('a')
  const options = { version, clientId: broker.clientIdOf('leaver'), cleanStart: false, acknowledge: 'by hand' } as const
  const client = await broker.connect(options)
  await client.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'one', { qos: 1 })
  await broker.publish(topic, 'two', { qos: 2 })
  const two = (await client.expectMessage('one')) && (await client.expectMessage('two'))
  await client.unsubscribe(topic)
  client.sendAck('pubrec', two.packetId)
  t.equal((await client.expectPacket('pubrel')).packetId, two.packetId)
  await client.drop()
  const again = await broker.connect(options)
  await again.takePacket('pubrel', two.packetId)
  await again.expectMessage('one')
})

statement311(
  ['MQTT-3.10.4-4', 'MQTT-3.10.4-5'],
  'answers UNSUBSCRIBE even when there is nothing to remove',
  async (t, broker) => {
    const client = await broker.connect({ version })
    client.send(unsubscribePacket(0x4321, [broker.topic('never')], { version }))
    const unsuback = await client.takePacket('unsuback')
    t.same([unsuback.packetId, unsuback.size], [0x4321, 4])
  },
)

statement311('MQTT-3.10.4-6', 'answers several topic filters by one UNSUBACK', async (_t, broker) => {
  const client = await broker.connect({ version })
  const topics = ['a', 'b', 'c'].map((level) => broker.topic(level))
  await client.subscribe(topics.map((topic) => [topic] as const))
  await client.unsubscribe(...topics)
  for (const topic of topics) await broker.publish(topic, 'x')
  await client.expectNothing()
})

statement311('MQTT-3.12.4-1', 'answers PINGREQ by PINGRESP', async (_t, broker) => {
  const client = await broker.connect({ version })
  for (let count = 0; count < 3; count++) client.send(pingreqPacket())
  for (let count = 0; count < 3; count++) await client.expectPacket('pingresp')
})

statement311('MQTT-3.14.1-1', 'closes on DISCONNECT with flags, and publishes the will', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  const client = await broker.connect({ version, will: { topic, payload: 'gone' } })
  client.send(disconnectPacket({ flags: 1 }))
  await client.expectClosed()
  await watcher.expectMessage('gone')
})

statement311('MQTT-3.14.4-3', 'discards the will on DISCONNECT', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  await (await broker.connect({ version, will: { topic, payload: 'gone' } })).disconnect()
  await watcher.expectNothing()
})

statement311(
  ['MQTT-4.1.0-1', 'MQTT-4.1.0-2'],
  'keeps the session as long as it is connected, and longer',
  async (t, broker) => {
    const topic = broker.topic('a')
    const clientId = broker.clientIdOf('long')
    const client = await broker.connect({ version, clientId, cleanStart: false })
    await client.subscribe(topic, { qos: 1 })
    await broker.passTime(seconds(100_000))
    await broker.publish(topic, 'connected', { qos: 1 })
    await client.expectMessage('connected')
    await client.drop()
    await broker.passTime(seconds(100_000))
    await broker.publish(topic, 'away', { qos: 1 })
    const again = await broker.connect({ version, clientId, cleanStart: false })
    t.equal(again.connack?.sessionPresent, true)
    await again.expectMessage('away')
  },
)

statement311('MQTT-4.5.0-1', 'adds a message to every session with a matching subscription', async (_t, broker) => {
  const topic = broker.topic('a/b')
  const clients = []
  for (const filter of [topic, broker.topic('a/+'), broker.topic('#')]) {
    const client = await broker.connect({ version, cleanStart: false })
    await client.subscribe(filter, { qos: 1 })
    clients.push(client)
  }
  await clients[2]!.drop()
  await broker.publish(topic, 'x', { qos: 1 })
  await clients[0]!.expectMessage('x')
  await clients[1]!.expectMessage('x')
  const again = await broker.connect({ version, clientId: clients[2]!.clientId, cleanStart: false })
  await again.expectMessage('x')
})

statement311('MQTT-4.7.1-1', 'refuses wildcards in a topic name', async (_t, broker) => {
  await expectOffence(broker, publishPacket('a/+', 'x', { version }))
  await expectOffence(broker, publishPacket('#', 'x', { version }))
})

/** The broker does not grant this filter: it closes the connection or answers 0x80. */
async function expectNoSubscription(broker: TestBroker, filter: string): Promise<void> {
  const client = await broker.connect({ version })
  client.send(subscribePacket(1, [[filter]], { version }))
  await client.expectNoGrant()
}

statement311('MQTT-4.7.1-2', 'takes # alone or as the last level', async (_t, broker) => {
  for (const filter of ['a/#/b', 'a#', '#a', '##', 'a/b#', '#/']) await expectNoSubscription(broker, filter)
  const client = await broker.connect({ version })
  await client.subscribe(broker.topic('a/#'))
  for (const level of ['a', 'a/', 'a/b', 'a/b/c']) {
    await broker.publish(broker.topic(level), level)
    await client.expectMessage(level)
  }
  for (const level of ['ab', 'b/a', 'A']) await broker.publish(broker.topic(level), level)
  await client.expectNothing()
})

statement311('MQTT-4.7.1-3', 'takes + for exactly one level', async (_t, broker) => {
  for (const filter of ['a+', '+a', 'a/b+/c', '++', '+#']) await expectNoSubscription(broker, filter)
  const client = await broker.connect({ version })
  await client.subscribe(broker.topic('+/b/+'))
  for (const level of ['a/b/c', '/b/', 'ö/b/x y']) {
    await broker.publish(broker.topic(level), level)
    await client.expectMessage(level)
  }
  for (const level of ['a/b', 'a/b/c/d', 'a/c/c', 'b/c']) await broker.publish(broker.topic(level), level)
  await client.expectNothing()
})

statement311(
  'MQTT-4.7.2-1',
  'keeps topics that begin with $ from filters that begin with a wildcard',
  async (_t, broker) => {
    const dollar = `$${broker.prefix}/a`
    const client = await broker.connect({ version, ...broker.owner })
    await client.subscribe('#')
    await client.subscribe('+/a')
    const informed = await broker.connect({ version, ...broker.owner })
    await informed.subscribe(`$${broker.prefix}/+`)
    await broker.settle()
    client.drain() // what earlier tests retained
    const publisher = await broker.connect({ version, ...broker.owner })
    publisher.sendPublish(dollar, 'x') // a broker may also refuse it; then it reaches nobody
    await client.expectNothing()
  },
)

statement311('MQTT-4.7.3-1', 'refuses empty topic names and filters', async (_t, broker) => {
  await expectOffence(broker, publishPacket('', 'x', { version }))
  await expectNoSubscription(broker, '')
})

statement311('MQTT-4.7.3-2', 'closes on U+0000 in topic names and filters', async (_t, broker) => {
  await expectOffence(broker, publishPacket('a/\0', 'x', { version }))
  await expectOffence(broker, subscribePacket(1, [['\0/#']], { version }))
})

statement311('MQTT-4.7.3-3', 'carries topic names of 65,535 bytes', async (t, broker) => {
  const topic = broker.topic('x').padEnd(65_535, 'y')
  const client = await broker.connect({ version })
  await client.subscribe(topic)
  await broker.publish(topic, 'long')
  t.equal((await client.expectMessage('long')).topic.length, 65_535)
})

statement311('MQTT-4.7.3-4', 'compares topic names by character, without normalizing', async (_t, broker) => {
  const client = await broker.connect({ version })
  await client.subscribe(broker.topic('Caf\u00e9/a b'))
  for (const other of [
    'cafe\u0301/a b',
    'Cafe\u0301/a b',
    'caf\u00e9/a b',
    'Caf\u00e9/a  b',
    '/Caf\u00e9/a b',
    'Caf\u00e9//a b',
  ]) {
    await broker.publish(broker.topic(other), 'other')
  }
  await client.expectNothing()
  await broker.publish(broker.topic('Caf\u00e9/a b'), 'same')
  await client.expectMessage('same')
})

statement311(
  'MQTT-4.8.0-1',
  'closes on protocol violations, and only the connection that committed them',
  async (_t, broker) => {
    const innocent = await broker.connect({ version })
    const offences = [
      packet(2, 0, [0, 0]),
      packet(9, 0, uint16(1), [0]),
      packet(11, 0, uint16(1)),
      packet(12, 0, [0]),
      packet(4, 0, [0]),
      packet(4, 0, uint16(1), [0]),
      packet(14, 0, [0]),
      packet(3, 2, prefixed('a'), [0]),
      Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01),
    ]
    for (const offence of offences) await expectOffence(broker, offence)
    await innocent.expectNothing()
  },
)

statement311('MQTT-7.1.1-1', 'speaks over TCP', async (t, broker) => {
  t.equal(broker.listener('tcp').type, 'tcp')
  await (await broker.connect({ version })).ping()
})

const WEB_SOCKET = {
  config: {
    listeners: [
      { type: 'ws' as const, port: 0 },
      { type: 'tcp' as const, port: 0 },
    ],
  },
}

statement311('MQTT-6.0.0-1', 'closes on a text frame', WEB_SOCKET, async (_t, broker) => {
  const client = await broker.connect({ version, listener: broker.listener('ws') })
  client.webSocket?.send('text', { binary: false })
  await client.expectClosed()
})

statement311('MQTT-6.0.0-2', 'reads packets across frames, and several from one', WEB_SOCKET, async (_t, broker) => {
  const client = await broker.connect({ version, listener: broker.listener('ws') })
  const packets = Buffer.concat([
    subscribePacket(1, [['a']], { version }),
    publishPacket('a', 'one', { version }),
    publishPacket('a', 'two', { version }),
  ])
  for (const byte of packets) client.webSocket?.send(Buffer.of(byte))
  await client.takePacket('suback')
  await client.expectMessage('one')
  await client.expectMessage('two')
  client.send(packets)
  await client.takePacket('suback')
  await client.expectMessage('one')
  await client.expectMessage('two')
})

statement311('MQTT-6.0.0-4', 'selects the subprotocol mqtt', WEB_SOCKET, async (t, broker) => {
  const listener = broker.listener('ws')
  const client = await broker.connect({ version, listener, subprotocols: ['mqttv3.1', 'mqtt'] })
  t.equal(client.webSocket?.protocol, 'mqtt')
})
