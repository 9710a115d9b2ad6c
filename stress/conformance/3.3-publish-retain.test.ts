/** §3.3.1.3 of MQTT 5.0: retained messages, retain handling and retain as published. */
import { lasting } from '../support/lasting.js'
import { behaviour, statement, statement311 } from '../support/statement.js'

for (const qos of [0, 1, 2]) {
  statement('MQTT-3.3.1-5', `keeps a QoS ${qos} message for later subscribers`, async (t, broker) => {
    const topic = broker.topic('level')
    await broker.publish(topic, 'high', { qos, retain: true, properties: { userProperty: [['unit', 'm']] } })
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 2 })
    const { retain, properties } = await bob.expectMessage('high')
    t.equal(retain, true)
    t.same(properties.userProperty, [['unit', 'm']])
    await bob.expectNothing()
  })
}

statement('MQTT-3.3.1-5', 'replaces a retained message, whoever published it', async (t, broker) => {
  const topic = broker.topic('level')
  const [alice, carol] = [await broker.connect(), await broker.connect({ version: 4 })]
  await alice.publish(topic, 'first', { qos: 1, retain: true })
  await carol.publish(topic, 'second', { qos: 0, retain: true })
  await alice.publish(topic, 'third', { qos: 2, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('#'), { qos: 2 })
  t.match(await bob.expectMessage('third'), { retain: true, topic })
  await bob.expectNothing()
})

statement('MQTT-3.3.1-5', 'keeps one message a topic', async (t, broker) => {
  const topics = ['a', 'a/b', 'a/b/c', 'a/', '/a', 'A'].map((rest) => broker.topic(rest))
  for (const topic of topics) await broker.publish(topic, topic, { qos: 1, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('#'), { qos: 1 })
  const received: string[] = []
  for (const _ of topics) received.push((await bob.expectPacket('publish')).topic)
  t.same(received.sort(), [...topics].sort())
  await bob.expectNothing()
})

statement('MQTT-3.3.1-5', 'keeps the message after its publisher has gone', async (_t, broker) => {
  const topic = broker.topic('level')
  const alice = await broker.connect()
  await alice.publish(topic, 'high', { qos: 1, retain: true })
  await alice.disconnect()
  const bob = await broker.connect()
  await bob.subscribe(topic)
  await bob.expectMessage('high')
})

statement('MQTT-3.3.1-6', 'removes the retained message and still forwards the empty one', async (t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  await broker.publish(`${topic}/other`, 'stays', { qos: 1, retain: true })
  const present = await broker.connect()
  await present.subscribe(topic, { qos: 1 })
  await present.expectMessage('high')
  await broker.publish(topic, '', { qos: 1, retain: true })
  t.equal((await present.expectMessage('')).retain, false, 'to a subscriber of before')
  const future = await broker.connect()
  await future.subscribe(`${topic}/#`, { qos: 1 })
  await future.expectMessage('stays')
  await future.expectNothing()
})

statement('MQTT-3.3.1-6', 'retains again after a removal', async (_t, broker) => {
  const topic = broker.topic('level')
  for (const text of ['one', '', 'two']) await broker.publish(topic, text, { qos: 0, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(topic)
  await bob.expectMessage('two')
  await bob.expectNothing()
})

statement('MQTT-3.3.1-7', 'never stores an empty message', async (_t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, '', { qos: 1, retain: true, properties: { contentType: 'empty' } })
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 1 })
  await bob.expectNothing()
})

for (const [what, payload] of Object.entries({ 'a message': 'low', 'an empty message': '' })) {
  statement('MQTT-3.3.1-8', `keeps the retained message when ${what} comes without RETAIN`, async (_t, broker) => {
    const topic = broker.topic('level')
    await broker.publish(topic, 'high', { qos: 1, retain: true })
    await broker.publish(topic, payload, { qos: 1 })
    const bob = await broker.connect()
    await bob.subscribe(topic)
    await bob.expectMessage('high')
    await bob.expectNothing()
  })
}

statement('MQTT-3.3.1-8', 'does not keep a message without RETAIN', async (_t, broker) => {
  const topic = broker.topic('level')
  for (const qos of [0, 1, 2]) await broker.publish(topic, 'high', { qos })
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2 })
  await bob.expectNothing()
})

statement('MQTT-3.3.1-9', 'sends retained messages at every subscription with retain handling 0', async (t, broker) => {
  await broker.publish(broker.topic('a'), '1', { qos: 1, retain: true })
  await broker.publish(broker.topic('b/c'), '2', { qos: 1, retain: true })
  const bob = await broker.connect()
  for (const round of ['first', 'again']) {
    await bob.subscribe(broker.topic('#'), { qos: 1, retainHandling: 0 })
    const texts = [(await bob.expectPacket('publish')).text, (await bob.expectPacket('publish')).text]
    t.same(texts.sort(), ['1', '2'], round)
  }
  await bob.expectNothing()
})

statement311('MQTT-3.8.4-3', 'sends retained messages again when a subscription is repeated', async (t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  const bob = await broker.connect({ version: 4 })
  for (const qos of [0, 1]) {
    await bob.subscribe(topic, { qos })
    t.match(await bob.expectMessage('high'), { retain: true, qos })
  }
})

statement('MQTT-3.3.1-10', 'sends retained messages once with retain handling 1', async (_t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 0, retainHandling: 1 })
  await bob.expectMessage('high')
  await bob.subscribe(topic, { qos: 0, retainHandling: 1 })
  await bob.subscribe(topic, { qos: 1, retainHandling: 1, noLocal: true })
  await bob.expectNothing()
  await bob.unsubscribe(topic)
  await bob.subscribe(topic, { qos: 1, retainHandling: 1 })
  await bob.expectMessage('high')
})

statement('MQTT-3.3.1-10', 'looks at the very filter, not at what it matches', async (_t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(topic, { retainHandling: 1 })
  await bob.expectMessage('high')
  await bob.subscribe(broker.topic('#'), { retainHandling: 1 })
  await bob.expectMessage('high')
  await bob.expectNothing()
})

statement('MQTT-3.3.1-10', 'remembers in the session whether the subscription existed', async (_t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { retainHandling: 1 })
  await bob.expectMessage('high')
  await bob.drop()
  const resumed = await broker.connect(lasting(broker, 'bob'))
  await resumed.subscribe(topic, { retainHandling: 1 })
  await resumed.expectNothing()
  await resumed.drop()
  const fresh = await broker.connect({ ...lasting(broker, 'bob'), cleanStart: true })
  await fresh.subscribe(topic, { retainHandling: 1 })
  await fresh.expectMessage('high')
})

statement('MQTT-3.3.1-11', 'sends no retained messages with retain handling 2', async (_t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 1, retainHandling: 2 })
  await bob.subscribe(broker.topic('#'), { qos: 1, retainHandling: 2 })
  await bob.expectNothing()
  await bob.unsubscribe(broker.topic('#'))
  await broker.publish(topic, 'low', { qos: 1 })
  await bob.expectMessage('low')
})

statement('MQTT-3.3.1-12', 'clears RETAIN unless retain as published is set', async (t, broker) => {
  const topic = broker.topic('level')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2, retainAsPublished: false })
  for (const qos of [0, 1, 2]) {
    await broker.publish(topic, 'high', { qos, retain: true })
    t.match(await bob.expectMessage('high'), { qos, retain: false })
  }
})

statement('MQTT-3.3.1-12', 'clears RETAIN for a session that was offline', async (t, broker) => {
  const topic = broker.topic('level')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  const again = await broker.connect(lasting(broker, 'bob'))
  t.equal((await again.expectMessage('high')).retain, false)
})

statement311('MQTT-3.3.1-9', 'clears RETAIN for an established subscription', async (t, broker) => {
  const topic = broker.topic('level')
  const bob = await broker.connect({ version: 4 })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  t.equal((await bob.expectMessage('high')).retain, false)
})

statement('MQTT-3.3.1-13', 'leaves RETAIN as it was with retain as published', async (t, broker) => {
  const topic = broker.topic('level')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2, retainAsPublished: true })
  for (const qos of [0, 1, 2]) {
    for (const retain of [true, false]) {
      await broker.publish(topic, 'high', { qos, retain })
      t.match(await bob.expectMessage('high'), { qos, retain })
    }
  }
  await broker.publish(topic, '', { qos: 1, retain: true })
  t.equal((await bob.expectMessage('')).retain, true, 'an empty message too')
})

statement('MQTT-3.3.1-13', 'leaves RETAIN as it was for a session that was offline', async (t, broker) => {
  const topic = broker.topic('level')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1, retainAsPublished: true })
  await bob.drop()
  await broker.publish(topic, 'high', { qos: 1, retain: true })
  await broker.publish(topic, 'low', { qos: 1, retain: false })
  const again = await broker.connect(lasting(broker, 'bob'))
  t.equal((await again.expectMessage('high')).retain, true)
  t.equal((await again.expectMessage('low')).retain, false)
})

statement(['MQTT-3.3.1-12', 'MQTT-3.3.1-13'], 'decides on RETAIN for each subscriber', async (t, broker) => {
  const topic = broker.topic('level')
  const [plain, asPublished] = [await broker.connect(), await broker.connect()]
  await plain.subscribe(topic)
  await asPublished.subscribe(topic, { retainAsPublished: true })
  await broker.publish(topic, 'high', { retain: true })
  t.equal((await plain.expectMessage('high')).retain, false)
  t.equal((await asPublished.expectMessage('high')).retain, true)
})

behaviour('§3.3.1.3 a retained message sent for a new subscription has RETAIN set', async (t, broker) => {
  const topic = broker.topic('level')
  await broker.publish(topic, 'high', { qos: 2, retain: true })
  for (const retainAsPublished of [false, true]) {
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 1, retainAsPublished })
    t.match(await bob.expectMessage('high'), { retain: true, qos: 1, dup: false })
  }
})
