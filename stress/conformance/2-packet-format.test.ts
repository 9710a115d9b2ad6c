/** Chapter 2 of MQTT 5.0: fixed header, packet identifier, properties. */
import {
  ackPacket,
  authPacket,
  connectPacket,
  disconnectPacket,
  pingreqPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { property } from '../support/properties.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, packet, patched, prefixed, uint16, uint32 } from '../support/wire.js'

const WRONG_FLAGS: Readonly<Record<string, readonly Uint8Array[]>> = {
  PUBACK: [1, 2, 8].map((flags) => ackPacket('puback', 1, { flags })),
  PUBREC: [1, 2].map((flags) => ackPacket('pubrec', 1, { flags })),
  PUBREL: [0, 1, 3, 10].map((flags) => ackPacket('pubrel', 1, { flags })),
  PUBCOMP: [1, 2].map((flags) => ackPacket('pubcomp', 1, { flags })),
  SUBSCRIBE: [0, 1, 3, 10].map((flags) => subscribePacket(1, [['a']], { flags })),
  UNSUBSCRIBE: [0, 1, 3].map((flags) => unsubscribePacket(1, ['a'], { flags })),
  PINGREQ: [1, 2, 15].map((flags) => pingreqPacket(flags)),
  DISCONNECT: [1, 2].map((flags) => disconnectPacket({ flags })),
  AUTH: [1, 2].map((flags) => authPacket(0x18, { authenticationMethod: 'x' }, flags)),
}

for (const [name, packets] of Object.entries(WRONG_FLAGS)) {
  statement('MQTT-2.1.3-1', `refuses ${name} with other flags than the reserved ones`, async (_t, broker) => {
    for (const wrong of packets) {
      const client = await broker.connect()
      client.send(wrong)
      await client.expectDisconnect(0x81)
    }
  })
}

statement('MQTT-2.1.3-1', 'refuses CONNECT with flags', async (_t, broker) => {
  for (const flags of [1, 2, 4, 8]) {
    const client = await broker.open()
    const connect = connectPacket({ clientId: broker.clientIdOf('flags') })
    client.send(patched(connect, 0, 0x10 | flags))
    await client.expectRefused(0x81)
  }
})

for (const type of [0, 2, 9, 11, 13]) {
  behaviour(`refuses packet type ${type}, which no client sends`, async (_t, broker) => {
    const client = await broker.connect()
    client.send(packet(type, 0, uint16(1), [0, 0]))
    await client.expectDisconnect(0x81, 0x82)
  })
}

statement('MQTT-2.2.1-2', 'finds no packet identifier in QoS 0, and sends none', async (t, broker) => {
  const topic = broker.topic('plain')
  for (const version of [4, 5] as const) {
    const client = await broker.connect({ version })
    await client.subscribe(topic, { qos: 2 })
    client.sendPublish(topic, [0, 7, 0, 8])
    const publish = await client.expectPacket('publish')
    t.same([...publish.payload], [0, 7, 0, 8])
    t.equal(publish.qos, 0)
    await client.disconnect()
  }
})

statement('MQTT-2.2.1-3', 'refuses packet identifier 0 in SUBSCRIBE, UNSUBSCRIBE and PUBLISH', async (_t, broker) => {
  const packets = [
    subscribePacket(0, [['a']]),
    unsubscribePacket(0, ['a']),
    publishPacket('a', 'x', { qos: 1, packetId: 0 }),
    publishPacket('a', 'x', { qos: 2, packetId: 0 }),
  ]
  for (const wrong of packets) {
    const client = await broker.connect()
    client.send(wrong)
    await client.expectDisconnect(0x81, 0x82)
  }
})

statement(
  'MQTT-2.2.1-4',
  'gives every message that waits for its acknowledgement another identifier',
  async (t, broker) => {
    const topic = broker.topic('unanswered')
    const client = await broker.connect({ acknowledge: 'by hand' })
    await client.subscribe(topic, { qos: 2 })
    for (const qos of [1, 2, 1, 2, 2, 1, 1, 2]) await broker.publish(topic, 'x', { qos })
    t.equal(await client.countWithin(0), 8)
    const used = client.messages.map(({ packetId }) => packetId)
    t.equal(new Set(used).size, 8)
    t.notOk(used.includes(0))
  },
)

statement('MQTT-2.2.1-4', 'leaves out 0 and identifiers in use when the numbers start again', async (t, broker) => {
  const topic = broker.topic('around')
  const client = await broker.connect({ acknowledge: 'by hand' })
  await client.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'kept', { qos: 1 })
  const kept = await client.expectMessage('kept')
  const publisher = await broker.connect()
  const batch = 250
  let acknowledged = 1
  while (acknowledged < 66_000) {
    const ids = Array.from({ length: batch }, (_, index) => index + 1)
    publisher.send(...ids.map((packetId) => publishPacket(topic, '', { qos: 1, packetId })))
    await publisher.takePacket('puback', batch)
    publisher.drain()
    const goal = acknowledged + batch
    while (acknowledged < goal) {
      await client.takePacket('publish')
      const news = client.messages.slice(acknowledged)
      client.send(...news.map(({ packetId }) => ackPacket('puback', packetId)))
      for (const { packetId } of news) if (packetId === 0 || packetId === kept.packetId) t.fail(`used ${packetId}`)
      acknowledged += news.length
      client.drain()
    }
  }
  t.ok(client.messages.length >= 66_000)
})

statement('MQTT-2.2.1-5', 'acknowledges with the identifier of the PUBLISH', async (t, broker) => {
  const client = await broker.connect()
  for (const packetId of [1, 0x1234, 0xff00, 0xffff]) {
    client.sendPublish(broker.topic('a'), 'x', { qos: 1, packetId })
    t.equal((await client.expectPacket('puback')).packetId, packetId)
    client.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    t.equal((await client.expectPacket('pubrec')).packetId, packetId)
    client.sendAck('pubrel', packetId)
    t.equal((await client.expectPacket('pubcomp')).packetId, packetId)
  }
})

statement('MQTT-2.2.1-5', 'answers PUBREC by PUBREL with the same identifier', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ acknowledge: 'by hand' })
  await client.subscribe(topic, { qos: 2 })
  await broker.publishMany(topic, 2, { qos: 2 })
  const ids = [(await client.expectMessage('1')).packetId, (await client.expectMessage('2')).packetId]
  for (const packetId of [...ids].reverse()) {
    client.sendAck('pubrec', packetId)
    t.equal((await client.expectPacket('pubrel')).packetId, packetId)
  }
})

statement('MQTT-2.2.1-6', 'answers SUBSCRIBE and UNSUBSCRIBE with their identifier', async (t, broker) => {
  const client = await broker.connect()
  for (const packetId of [1, 0x1234, 0xffff]) {
    client.send(subscribePacket(packetId, [[broker.topic('a')]]), unsubscribePacket(packetId, [broker.topic('a')]))
    t.equal((await client.takePacket('suback')).packetId, packetId)
    t.equal((await client.takePacket('unsuback')).packetId, packetId)
  }
})

statement('MQTT-2.2.2-1', 'refuses packets that leave out the property length', async (_t, broker) => {
  const packets = [
    packet(3, 0, prefixed('a')),
    packet(3, 2, prefixed('a'), uint16(1)),
    packet(8, 2, uint16(1)),
    packet(10, 2, uint16(1)),
  ]
  for (const wrong of packets) {
    const client = await broker.connect()
    client.send(wrong)
    await client.expectDisconnect(0x81, 0x82)
  }
  const client = await broker.open()
  client.send(packet(1, 0, prefixed('MQTT'), [5, 2], uint16(0)))
  await client.expectRefused(0x81)
})

statement('MQTT-2.2.2-1', 'sends a property length of zero where it has no properties', async (t, broker) => {
  const topic = broker.topic('bare')
  const client = await broker.connect()
  await client.subscribe(topic)
  await broker.publish(topic, 'x')
  const publish = await client.expectMessage('x') // decoded with a property length: without one it would not fit
  t.same(publish.properties, {})
  t.equal(publish.size, 2 + 2 + topic.length + 1 + 1)
})

behaviour('accepts acknowledgements and DISCONNECT with and without reason code and properties', async (_t, broker) => {
  const topic = broker.topic('forms')
  const client = await broker.connect({ acknowledge: 'by hand' })
  await client.subscribe(topic, { qos: 1 })
  for (const options of [{}, { reasonCode: 0 }, { properties: {} }, { properties: { reasonString: 'thanks' } }]) {
    await broker.publish(topic, 'x', { qos: 1 })
    await client.expectMessage('x')
    client.acknowledgeOldest(options)
  }
  await client.expectNothing()
  client.send(disconnectPacket({ reasonCode: 0, properties: {} }))
  await client.expectClosed()
})

/** Properties that make a PUBLISH wrong, with the reason codes that say so. */
const WRONG_PROPERTIES: readonly (readonly [what: string, properties: Uint8Array, ...codes: readonly number[]])[] = [
  ['an identifier that does not exist', bytes([0x7f, 1]), 0x81],
  ['an identifier of two bytes', bytes([0x81, 0x01, 1]), 0x81],
  ['the property of another packet', property('sessionExpiryInterval', 1), 0x81, 0x82],
  ['a property twice', bytes(property('contentType', 'a'), property('contentType', 'b')), 0x82],
  ['a payload format indicator of 2', property('payloadFormatIndicator', 2), 0x81, 0x82],
  ['a number cut short', bytes([0x02], uint16(1)), 0x81],
  ['a text longer than the block', bytes([0x03], uint16(40), 'short'), 0x81],
  ['an identifier without value', bytes([0x01]), 0x81],
]
for (const [what, properties, ...codes] of WRONG_PROPERTIES) {
  behaviour(`refuses a property block with ${what} (§2.2.2.2)`, async (_t, broker) => {
    const client = await broker.connect()
    client.sendPublish('a', 'x', { properties })
    await client.expectDisconnect(...codes)
  })
}

behaviour('refuses a property length that exceeds the packet', async (_t, broker) => {
  const client = await broker.connect()
  client.send(packet(3, 0, prefixed('a'), [30], [0x02], uint32(1)))
  await client.expectDisconnect(0x81)
})
