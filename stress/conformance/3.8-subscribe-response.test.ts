/** §3.8.4 of MQTT 5.0: what a SUBSCRIBE causes. */
import { subscribePacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes } from '../support/wire.js'

const VERSIONS = [3, 4, 5] as const
const QOS = [0, 1, 2] as const

statement('MQTT-3.8.4-1', 'answers SUBSCRIBE with SUBACK in every version', async (t, broker) => {
  for (const version of VERSIONS) {
    const client = await broker.connect({ version })
    client.send(subscribePacket(1, [[broker.topic('a')]], { version }))
    t.same((await client.expectPacket('suback')).reasonCodes, [0])
  }
})

statement('MQTT-3.8.4-1', 'answers each of several SUBSCRIBE packets sent at once, in order', async (t, broker) => {
  const client = await broker.connect()
  const ids = [5, 3, 9, 1]
  client.send(...ids.map((id) => subscribePacket(id, [[broker.topic(`a${id}`)]])))
  const answered: number[] = []
  for (const _ of ids) answered.push((await client.expectPacket('suback')).packetId)
  t.same(answered, ids)
})

statement('MQTT-3.8.4-1', 'answers a subscription that exists already', async (t, broker) => {
  const client = await broker.connect()
  for (const _ of [1, 2]) t.same((await client.subscribe(broker.topic('a'), { qos: 2 })).reasonCodes, [2])
})

statement('MQTT-3.8.4-2', 'repeats the packet identifier in SUBACK', async (t, broker) => {
  const client = await broker.connect()
  for (const id of [1, 255, 256, 0x1234, 65_535]) {
    client.send(subscribePacket(id, [[broker.topic('a')]]))
    t.equal((await client.expectPacket('suback')).packetId, id)
  }
})

statement('MQTT-3.8.4-3', 'replaces a subscription to the same topic filter', async (t, broker) => {
  const topic = broker.topic('a/b')
  const filter = broker.topic('+/b')
  const client = await broker.connect()
  await client.subscribe(filter, { qos: 0 }, { properties: { subscriptionIdentifier: 1 } })
  await client.subscribe(filter, { qos: 2, noLocal: true }, { properties: { subscriptionIdentifier: 2 } })
  await broker.publish(topic, 'once', { qos: 2 })
  const message = await client.expectMessage('once')
  t.equal(message.qos, 2)
  t.same(message.properties.subscriptionIdentifier, [2])
  await client.publish(topic, 'own') // no local is in force now
  await client.expectNothing()
  await client.subscribe(filter)
  await broker.publish(topic, 'plain', { qos: 2 })
  const plain = await client.expectMessage('plain')
  t.equal(plain.qos, 0)
  t.equal(plain.properties.subscriptionIdentifier, undefined)
  await client.unsubscribe(filter)
  await broker.publish(topic, 'gone')
  await client.expectNothing()
})

statement('MQTT-3.8.4-3', 'replaces retain as published', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe(topic, { retainAsPublished: true })
  await broker.publish(topic, '1', { retain: true })
  t.equal((await client.expectMessage('1')).retain, true)
  await client.subscribe(topic, { retainHandling: 2 })
  await broker.publish(topic, '2', { retain: true })
  t.equal((await client.expectMessage('2')).retain, false)
})

statement(
  'MQTT-3.8.4-3',
  'replaces no subscription whose filter differs though it matches alike',
  async (t, broker) => {
    const topic = broker.topic('a')
    const client = await broker.connect()
    await client.subscribe(topic, {}, { properties: { subscriptionIdentifier: 1 } })
    await client.subscribe(broker.topic('+'), {}, { properties: { subscriptionIdentifier: 2 } })
    await client.subscribe(`$share/g/${topic}`, {}, { properties: { subscriptionIdentifier: 3 } })
    await broker.publish(topic, 'x')
    await broker.settle()
    const identifiers = client.messages.flatMap(({ properties }) => properties.subscriptionIdentifier ?? [])
    t.same([...identifiers].sort(), [1, 2, 3])
  },
)

statement('MQTT-3.8.4-3', 'replaces nothing in the session of another client', async (t, broker) => {
  const topic = broker.topic('a')
  const [one, other] = [await broker.connect(), await broker.connect()]
  await one.subscribe(topic, { qos: 1 })
  await other.subscribe(topic, { qos: 0 })
  await broker.publish(topic, 'x', { qos: 1 })
  t.equal((await one.expectMessage('x')).qos, 1)
  t.equal((await other.expectMessage('x')).qos, 0)
})

statement('MQTT-3.8.4-4', 'sends retained messages again with retain handling 0', async (t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'kept', { retain: true, qos: 1 })
  const client = await broker.connect()
  for (const qos of [0, 1, 1]) {
    await client.subscribe(topic, { qos })
    const message = await client.expectMessage('kept')
    t.equal(message.retain, true)
    t.equal(message.qos, qos)
  }
})

statement('MQTT-3.8.4-4', 'loses no message while a subscription is replaced over and over', async (t, broker) => {
  const topic = broker.topic('a')
  const count = 300
  const client = await broker.connect()
  const publisher = await broker.connect()
  await client.subscribe(topic, { qos: 1 })
  for (let number = 1; number <= count; number++) {
    publisher.sendPublish(topic, String(number), { qos: 1 })
    if (number % 3 === 0) client.send(subscribePacket(number, [[topic, { qos: 1 + (number % 2) }]]))
    if (number % 50 === 0) await publisher.ping()
  }
  await broker.settle()
  t.same(
    client.messages.map(({ text }) => Number(text)),
    Array.from({ length: count }, (_, index) => index + 1),
  )
})

behaviour('sends retained messages to a new subscription only with retain handling 1', async (_t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'kept', { retain: true })
  const client = await broker.connect()
  await client.subscribe(topic, { retainHandling: 1 })
  await client.expectMessage('kept')
  await client.subscribe(topic, { retainHandling: 1 })
  await client.expectNothing()
  await client.unsubscribe(topic)
  await client.subscribe(topic, { retainHandling: 1 })
  await client.expectMessage('kept')
})

behaviour('sends no retained message with retain handling 2', async (_t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'kept', { retain: true })
  const client = await broker.connect()
  await client.subscribe(topic, { retainHandling: 2 })
  await client.expectNothing()
})

statement('MQTT-3.8.4-5', 'treats several topic filters as several subscriptions', async (t, broker) => {
  const client = await broker.connect()
  const names = ['a', 'b', 'c']
  for (const name of names) await broker.publish(broker.topic(name), `kept ${name}`, { retain: true })
  client.send(subscribePacket(7, [...names.map((name) => [broker.topic(name), { qos: 1 }] as const)]))
  t.same((await client.takePacket('suback', 7)).reasonCodes, [1, 1, 1])
  for (const name of names) await client.expectMessage(`kept ${name}`)
  for (const name of names) await broker.publish(broker.topic(name), name)
  for (const name of names) await client.expectMessage(name)
  await client.expectNothing()
})

statement('MQTT-3.8.4-5', 'lets the last of two equal topic filters in one packet hold', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  const suback = await client.subscribe([
    [topic, { qos: 2 }],
    [topic, { qos: 0 }],
    [topic, { qos: 1 }],
  ])
  t.same(suback.reasonCodes, [2, 0, 1])
  await broker.publish(topic, 'x', { qos: 2 })
  t.equal((await client.expectMessage('x')).qos, 1)
  await client.expectNothing()
})

statement('MQTT-3.8.4-5', 'gives one subscription identifier to every filter of the packet', async (t, broker) => {
  const client = await broker.connect()
  await client.subscribe([[broker.topic('a')], [broker.topic('b')]], {}, { properties: { subscriptionIdentifier: 9 } })
  for (const name of ['a', 'b']) {
    await broker.publish(broker.topic(name), name)
    t.same((await client.expectMessage(name)).properties.subscriptionIdentifier, [9])
  }
})

statement('MQTT-3.8.4-6', 'answers a thousand topic filters one by one in a single SUBACK', async (t, broker) => {
  const client = await broker.connect()
  const filters = Array.from({ length: 1_000 }, (_, index) => [broker.topic(`${index}`), { qos: index % 3 }] as const)
  const { reasonCodes } = await client.subscribe(filters)
  t.same(
    reasonCodes,
    filters.map(([, { qos }]) => qos),
  )
  await client.expectNothing()
})

statement('MQTT-3.8.4-7', 'grants the QoS asked for', async (t, broker) => {
  for (const version of VERSIONS) {
    const client = await broker.connect({ version })
    for (const qos of QOS) t.same((await client.subscribe(broker.topic('a'), { qos })).reasonCodes, [qos])
  }
})

statement(
  'MQTT-3.8.4-7',
  'says which subscriptions failed, and makes the others',
  { config: { session: { subscriptionsMax: 2 } } },
  async (t, broker) => {
    for (const [version, refused] of [
      [5, 0x97],
      [4, 0x80],
    ] as const) {
      const client = await broker.connect({ version })
      const filters = ['a', 'b', 'c'].map((name) => [broker.topic(name), { qos: 1 }] as const)
      client.send(subscribePacket(1, filters, { version }))
      t.same((await client.expectPacket('suback')).reasonCodes, [1, 1, refused])
      for (const name of ['c', 'b', 'a']) await broker.publish(broker.topic(name), name)
      await client.expectMessage('b')
      await client.expectMessage('a')
      await client.expectNothing()
    }
  },
)

for (const published of QOS) {
  for (const granted of QOS) {
    const expected = Math.min(published, granted)
    statement('MQTT-3.8.4-8', `delivers QoS ${published} at granted ${granted} with ${expected}`, async (t, broker) => {
      const topic = broker.topic('a')
      await broker.publish(topic, 'kept', { qos: published, retain: true })
      const client = await broker.connect()
      await client.subscribe(topic, { qos: granted })
      t.equal((await client.expectMessage('kept')).qos, expected)
      await broker.publish(topic, 'live', { qos: published })
      t.equal((await client.expectMessage('live')).qos, expected)
    })
  }
}

statement('MQTT-3.8.4-8', 'delivers once at the highest QoS granted or once for each overlap', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe([
    [topic, { qos: 0 }],
    [broker.topic('#'), { qos: 2 }],
    [broker.topic('+'), { qos: 1 }],
  ])
  await broker.publish(topic, 'x', { qos: 2 })
  await broker.settle()
  const received = client.messages.map(({ qos }) => qos).sort()
  t.ok(received.length === 1 ? received[0] === 2 : received.join() === '0,1,2', `received with QoS ${received}`)
})

behaviour('reads a SUBSCRIBE that arrives byte by byte', async (t, broker) => {
  const client = await broker.connect()
  for (const byte of subscribePacket(77, [[broker.topic('a'), { qos: 1 }]])) client.send(bytes([byte]))
  const suback = await client.expectPacket('suback')
  t.equal(suback.packetId, 77)
})
