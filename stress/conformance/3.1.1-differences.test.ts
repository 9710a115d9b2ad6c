/** What MQTT 3.1.1 clients must not see of MQTT 5, and how clients of both meet. */
import { seconds } from '../support/broker.js'
import { publishPacket, subscribePacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'

const version = 4

behaviour('sends no DISCONNECT to a 3.1.1 client that is taken over, silent or at fault', async (_t, broker) => {
  const clientId = broker.clientIdOf('quiet')
  const old = await broker.connect({ version, clientId })
  const young = await broker.connect({ clientId }) // of MQTT 5
  await old.expectClosed()
  const next = await broker.connect({ version, clientId })
  await young.expectDisconnect(0x8e)
  next.send([0xf0, 0x00])
  await next.expectClosed()
})

behaviour('sends no DISCONNECT to a 3.1.1 client when its keep alive runs out', async (_t, broker) => {
  const client = await broker.connect({ version, keepAlive: 5 })
  await broker.advance(seconds(8))
  await client.expectClosed()
})

behaviour('gives 3.1.1 clients acknowledgements without reason codes', async (t, broker) => {
  const client = await broker.connect({ version })
  client.sendPublish(broker.topic('nobody'), 'x', { qos: 1, packetId: 1 })
  t.equal((await client.expectPacket('puback')).size, 4)
  client.sendPublish(broker.topic('nobody'), 'x', { qos: 2, packetId: 2 })
  t.equal((await client.expectPacket('pubrec')).size, 4)
  for (let count = 0; count < 2; count++) {
    client.sendAck('pubrel', 2)
    t.equal((await client.expectPacket('pubcomp')).size, 4)
  }
})

behaviour('passes messages of MQTT 5 to 3.1.1 clients without their properties', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ version })
  await client.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'x', {
    qos: 1,
    properties: { contentType: 'text', userProperty: [['a', 'b']], messageExpiryInterval: 60 },
  })
  t.equal((await client.expectMessage('x')).size, 2 + 2 + topic.length + 2 + 1)
})

behaviour('passes messages of 3.1.1 clients to MQTT 5 clients', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ properties: { topicAliasMaximum: 5 } })
  await client.subscribe(topic, { qos: 2 }, { properties: { subscriptionIdentifier: 7 } })
  const publisher = await broker.connect({ version })
  for (const qos of [0, 1, 2]) {
    await publisher.publish(topic, `${qos}`, { qos })
    const message = await client.expectMessage(`${qos}`)
    t.equal(message.qos, qos)
    t.same(message.properties.subscriptionIdentifier, [7])
  }
})

behaviour(
  'gives retained messages and wills of MQTT 5 to 3.1.1 clients, and the other way round',
  async (t, broker) => {
    for (const [from, to] of [
      [4, 5],
      [5, 4],
    ] as const) {
      const topic = broker.topic(`${from}`)
      const mortal = await broker.connect({ version: from, will: { topic, payload: 'gone', qos: 1, retain: true } })
      await mortal.drop()
      const late = await broker.connect({ version: to })
      await late.subscribe(topic, { qos: 1 })
      t.equal((await late.expectMessage('gone')).retain, true)
    }
  },
)

behaviour('lets messages expire for 3.1.1 clients too', async (_t, broker) => {
  const topic = broker.topic('a')
  const clientId = broker.clientIdOf('late')
  const first = await broker.connect({ version, clientId, cleanStart: false })
  await first.subscribe(topic, { qos: 1 })
  await first.disconnect()
  await broker.publish(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await broker.publish(topic, 'long', { qos: 1, properties: { messageExpiryInterval: 1_000 } })
  await broker.advance(seconds(11))
  const again = await broker.connect({ version, clientId, cleanStart: false })
  await again.expectMessage('long')
  await again.expectNothing()
})

behaviour('resumes a session under another version of the protocol', async (t, broker) => {
  const topic = broker.topic('a')
  const clientId = broker.clientIdOf('changer')
  const first = await broker.connect({ version, clientId, cleanStart: false })
  await first.subscribe(topic, { qos: 1 })
  await first.disconnect()
  await broker.publish(topic, 'one', { qos: 1, properties: { contentType: 'text' } })
  const second = await broker.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 1_000 } })
  t.equal(second.connack?.sessionPresent, true)
  t.equal((await second.expectMessage('one')).properties.contentType, 'text')
  await second.disconnect()
  await broker.publish(topic, 'two', { qos: 1 })
  const third = await broker.connect({ version, clientId, cleanStart: false })
  await third.expectMessage('two')
})

behaviour('returns their own messages to 3.1.1 clients, and clears RETAIN', async (t, broker) => {
  const topic = broker.topic('echo')
  const client = await broker.connect({ version })
  await client.subscribe(topic)
  client.send(publishPacket(topic, 'mine', { version, retain: true }))
  t.equal((await client.expectMessage('mine')).retain, false)
})

behaviour('shares subscriptions among 3.1.1 clients', async (t, broker) => {
  const topic = broker.topic('work')
  const members = [await broker.connect({ version }), await broker.connect({ version }), await broker.connect()]
  for (const member of members) await member.subscribe(`$share/${broker.prefix}/${topic}`, { qos: 1 })
  await broker.publishMany(topic, 30, { qos: 1 })
  await broker.settle()
  const texts = members.flatMap((member) => member.messages.map(({ text }) => Number(text)))
  t.same(
    texts.sort((a, b) => a - b),
    Array.from({ length: 30 }, (_, index) => index + 1),
  )
})

behaviour(
  'allows a 3.1.1 client 65,535 messages without acknowledgement as far as it is configured',
  async (t, broker) => {
    const topic = broker.topic('window')
    const client = await broker.connect({ version, acknowledge: 'by hand' })
    await client.subscribe(topic, { qos: 1 })
    await broker.publishMany(topic, 100, { qos: 1 })
    t.equal(await client.countWithin(0), 100)
  },
)

behaviour('closes on SUBSCRIBE options that only MQTT 5 has', async (_t, broker) => {
  for (const options of [0x04, 0x08, 0x10, 0x20]) {
    const client = await broker.connect({ version })
    client.send(subscribePacket(1, [['a', options]], { version }))
    await client.expectClosed()
  }
})

behaviour('takes CONNECT, SUBSCRIBE and PUBLISH in one segment', async (_t, broker) => {
  const client = await broker.open({ version })
  client.sendConnect({ clientId: broker.clientIdOf('burst') })
  client.send(
    subscribePacket(1, [[broker.topic('a')]], { version }),
    publishPacket(broker.topic('a'), 'self', { version }),
  )
  await client.expectConnack(0)
  await client.takePacket('suback')
  await client.expectMessage('self')
})
