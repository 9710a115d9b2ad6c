/** §3.8.1 to §3.8.3 of MQTT 5.0: the SUBSCRIBE packet. */
import { subscribePacket } from '../support/client-packets.js'
import { expectFilterRefused } from '../support/filter-refusal.js'
import { behaviour, statement } from '../support/statement.js'
import { packet, prefixed, uint16, varint } from '../support/wire.js'

const VERSIONS = [3, 4, 5] as const
const QOS = [0, 1, 2] as const

statement('MQTT-3.8.1-1', 'refuses every value of the reserved flags but 2', async (_t, broker) => {
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 2) continue
    const client = await broker.connect()
    client.send(subscribePacket(1, [['a']], { flags }))
    await client.expectDisconnect(0x81)
  }
})

statement('MQTT-3.8.1-1', 'refuses reserved flags before version 5 too', async (_t, broker) => {
  const client = await broker.connect({ version: 4 })
  client.send(subscribePacket(1, [['a']], { flags: 0, version: 4 }))
  await client.expectDisconnect()
})

for (const [what, raw] of Object.entries({
  'a lone continuation byte': [0x61, 0x80],
  'a surrogate': [0xed, 0xa0, 0x80],
  'a sequence cut short': [0x61, 0xe2, 0x82],
})) {
  statement('MQTT-3.8.3-1', `refuses ${what} in a topic filter`, async (_t, broker) => {
    const client = await broker.connect()
    client.send(subscribePacket(1, [['fine'], [raw]]))
    await client.expectDisconnect(0x81, 0x8f)
  })
}

statement('MQTT-3.8.3-1', 'refuses a topic filter that is longer than the packet', async (_t, broker) => {
  const client = await broker.connect()
  client.send(packet(8, 2, uint16(1), varint(0), uint16(9), 'a/b'))
  await client.expectDisconnect(0x81)
})

statement('MQTT-3.8.3-2', 'refuses a SUBSCRIBE without topic filters', async (_t, broker) => {
  const client = await broker.connect()
  client.send(subscribePacket(1, []))
  await client.expectDisconnect(0x82)
})

statement('MQTT-3.8.3-2', 'refuses a SUBSCRIBE without topic filters before version 5 too', async (_t, broker) => {
  const client = await broker.connect({ version: 4 })
  client.send(subscribePacket(1, [], { version: 4 }))
  await client.expectDisconnect()
})

statement('MQTT-3.8.3-2', 'refuses a topic filter without subscription options', async (_t, broker) => {
  const client = await broker.connect()
  client.send(packet(8, 2, uint16(1), varint(0), prefixed('a/b')))
  await client.expectDisconnect(0x81, 0x82)
})

statement('MQTT-3.8.3-2', 'refuses a last topic filter without subscription options', async (_t, broker) => {
  const client = await broker.connect()
  client.send(packet(8, 2, uint16(1), varint(0), prefixed('a/b'), [0], prefixed('c')))
  await client.expectDisconnect(0x81, 0x82)
})

statement('MQTT-3.8.3-3', 'keeps messages of a client from its own subscription with no local', async (_t, broker) => {
  const topic = broker.topic('room')
  const client = await broker.connect()
  await client.subscribe(topic, { qos: 2, noLocal: true })
  for (const qos of QOS) await client.publish(topic, 'own', { qos })
  await broker.publish(topic, 'of another', { qos: 1 })
  await client.expectMessage('of another')
  await client.expectNothing()
})

statement('MQTT-3.8.3-3', 'brings own messages without no local', async (_t, broker) => {
  const topic = broker.topic('room')
  const client = await broker.connect()
  await client.subscribe(topic, { qos: 1 })
  client.sendPublish(topic, 'own')
  await client.expectMessage('own')
})

statement('MQTT-3.8.3-3', 'decides no local for each subscription on its own', async (t, broker) => {
  const topic = broker.topic('room')
  const client = await broker.connect()
  await client.subscribe(topic, { noLocal: true }, { properties: { subscriptionIdentifier: 1 } })
  await client.subscribe(broker.topic('+'), {}, { properties: { subscriptionIdentifier: 2 } })
  client.sendPublish(topic, 'own')
  t.same((await client.expectMessage('own')).properties.subscriptionIdentifier, [2])
  await client.expectNothing()
})

statement('MQTT-3.8.3-3', 'keeps own messages from the session on its next connection too', async (_t, broker) => {
  const topic = broker.topic('room')
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 1_000 } }
  const first = await broker.connect(session)
  await first.subscribe(topic, { qos: 1, noLocal: true })
  await first.disconnect()
  const second = await broker.connect({ ...session, cleanStart: false })
  await second.publish(topic, 'own', { qos: 1 })
  await second.expectNothing()
})

statement('MQTT-3.8.3-4', 'refuses no local on a shared subscription', async (_t, broker) => {
  const client = await broker.connect()
  client.send(subscribePacket(1, [[`$share/g/${broker.topic('a')}`, { noLocal: true }]]))
  await client.expectDisconnect(0x82)
})

statement('MQTT-3.8.3-4', 'refuses no local on a shared subscription behind others', async (_t, broker) => {
  const client = await broker.connect()
  client.send(
    subscribePacket(1, [
      [broker.topic('a'), { noLocal: true }],
      ['$share/g/a', { qos: 1, noLocal: true }],
    ]),
  )
  await client.expectDisconnect(0x82)
})

statement('MQTT-3.8.3-5', 'refuses either reserved bit of the subscription options', async (_t, broker) => {
  for (const options of [0x40, 0x80, 0xc0]) {
    const client = await broker.connect()
    client.send(subscribePacket(1, [['a', options]]))
    await client.expectDisconnect(0x81)
  }
})

statement('MQTT-3.8.3-5', 'refuses a reserved bit in the last of several options', async (_t, broker) => {
  const client = await broker.connect()
  client.send(
    subscribePacket(1, [
      ['a', 0],
      ['b', 1],
      ['c', 0x81],
    ]),
  )
  await client.expectDisconnect(0x81)
})

statement('MQTT-3.8.3-5', 'refuses the options of version 5 before version 5', async (_t, broker) => {
  for (const options of [0x04, 0x08, 0x10, 0x20, 0x40, 0x80]) {
    const client = await broker.connect({ version: 4 })
    client.send(subscribePacket(1, [['a', options]], { version: 4 }))
    await client.expectDisconnect()
  }
})

behaviour('refuses QoS 3 in subscription options', async (_t, broker) => {
  for (const version of VERSIONS) {
    const client = await broker.connect({ version })
    client.send(subscribePacket(1, [['a', 3]], { version }))
    await client.expectDisconnect(0x81, 0x82)
  }
})

behaviour('refuses retain handling 3', async (_t, broker) => {
  const client = await broker.connect()
  client.send(subscribePacket(1, [['a', 0x30]]))
  await client.expectDisconnect(0x81, 0x82)
})

behaviour('refuses subscription identifier 0 and one given twice', async (_t, broker) => {
  for (const properties of [
    [0x0b, 0x00],
    [0x0b, 0x01, 0x0b, 0x02],
  ]) {
    const client = await broker.connect()
    client.send(subscribePacket(1, [['a']], { properties: Buffer.from(properties) }))
    await client.expectDisconnect(0x82)
  }
})

behaviour('takes the largest subscription identifier', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe(topic, {}, { properties: { subscriptionIdentifier: 268_435_455 } })
  client.sendPublish(topic, 'x')
  t.same((await client.expectMessage('x')).properties.subscriptionIdentifier, [268_435_455])
})

behaviour('refuses an empty shared subscription name and one with a wildcard', async (_t, broker) => {
  for (const filter of ['$share//a', '$share/+/a', '$share/g#/a', '$share/g', '$share/g/']) {
    await expectFilterRefused(broker, filter)
  }
})
