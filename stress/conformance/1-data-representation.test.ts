/** Chapter 1 of MQTT 5.0: how data stands in packets. */
import { connectPacket, publishPacket, subscribePacket } from '../support/client-packets.js'
import { property } from '../support/properties.js'
import { statement } from '../support/statement.js'
import { bytes, packet, prefixed, uint16, varint } from '../support/wire.js'

/** Bytes that are not UTF-8, by what is wrong with them. */
const NOT_UTF8: Readonly<Record<string, readonly number[]>> = {
  'a lone continuation byte': [0x61, 0x80],
  'a sequence cut short': [0x61, 0xc3],
  'an overlong slash': [0xc0, 0xaf],
  'an overlong three-byte form': [0xe0, 0x80, 0x80],
  'the surrogate U+D800': [0xed, 0xa0, 0x80],
  'the surrogate U+DFFF': [0xed, 0xbf, 0xbf],
  'a surrogate pair': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  'a code point above U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a byte that never occurs': [0x61, 0xff],
}

for (const [what, raw] of Object.entries(NOT_UTF8)) {
  statement('MQTT-1.5.4-1', `refuses ${what} in a topic name`, async (_t, broker) => {
    const client = await broker.connect()
    client.sendPublish(bytes('a/', raw), 'x')
    await client.expectDisconnect(0x81, 0x90)
  })
}

statement('MQTT-1.5.4-1', 'refuses a client identifier that is not UTF-8', async (_t, broker) => {
  const client = await broker.open()
  client.send(connectPacket({ clientId: [0x61, 0xed, 0xa0, 0x80] }))
  await client.expectRefused(0x81, 0x85)
})

statement('MQTT-1.5.4-1', 'refuses a topic filter that is not UTF-8', async (_t, broker) => {
  const client = await broker.connect()
  client.send(subscribePacket(1, [[[0x61, 0xc3, 0x28]]]))
  await client.expectDisconnect(0x81, 0x8f)
})

statement('MQTT-1.5.4-1', 'carries every valid length of UTF-8 unchanged', async (t, broker) => {
  const topic = broker.topic('ä/水/🌊/\u{10fffd}/\ue000')
  const client = await broker.connect()
  await client.subscribe(topic)
  await broker.publish(topic, 'wave')
  t.equal((await client.expectMessage('wave')).topic, topic)
})

statement('MQTT-1.5.4-2', 'refuses U+0000 in a topic name', async (_t, broker) => {
  const client = await broker.connect()
  client.sendPublish('a\0b', 'x')
  await client.expectDisconnect(0x81, 0x90)
})

statement('MQTT-1.5.4-2', 'refuses U+0000 in a topic filter', async (_t, broker) => {
  const client = await broker.connect()
  client.send(subscribePacket(1, [['a/\0/b']]))
  await client.expectDisconnect(0x81, 0x8f)
})

statement('MQTT-1.5.4-2', 'refuses U+0000 in a client identifier', async (_t, broker) => {
  const client = await broker.open()
  client.send(connectPacket({ clientId: 'a\0b' }))
  await client.expectRefused(0x81, 0x85)
})

statement('MQTT-1.5.4-3', 'keeps U+FEFF wherever it stands in a topic name', async (t, broker) => {
  const topic = `\ufeff${broker.topic('a\ufeffb')}`
  const client = await broker.connect()
  await client.subscribe(topic)
  await client.subscribe(topic.replaceAll('\ufeff', ''))
  await broker.publish(topic, 'kept')
  t.equal((await client.expectMessage('kept')).topic, topic)
  await client.expectNothing()
})

statement('MQTT-1.5.4-3', 'tells client identifiers apart that differ in U+FEFF only', async (_t, broker) => {
  const plain = await broker.connect({ clientId: `${broker.clientIdOf('bom')}` })
  await broker.connect({ clientId: `\ufeff${broker.clientIdOf('bom')}` })
  await plain.expectNothing()
})

statement('MQTT-1.5.5-1', 'refuses a property length in more bytes than needed', async (_t, broker) => {
  const client = await broker.connect()
  client.send(packet(3, 0, prefixed('a'), varint(0, 2), 'x'))
  await client.expectDisconnect(0x81)
})

statement('MQTT-1.5.5-1', 'refuses a remaining length of five bytes', async (_t, broker) => {
  const client = await broker.connect()
  client.send([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])
  await client.expectDisconnect(0x81)
})

statement('MQTT-1.5.5-1', 'refuses a remaining length of five bytes before CONNECT', async (_t, broker) => {
  const client = await broker.open()
  client.send([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f])
  await client.expectRefused(0x81, 0x95)
})

statement('MQTT-1.5.5-1', 'refuses a subscription identifier in more bytes than needed', async (_t, broker) => {
  const client = await broker.connect()
  const properties = bytes([0x0b], varint(1, 2))
  client.send(packet(8, 2, uint16(1), varint(properties.length), properties, prefixed('a'), [0]))
  await client.expectDisconnect(0x81)
})

statement('MQTT-1.5.5-1', 'itself uses the fewest bytes at each boundary', async (t, broker) => {
  // The decoder of the test client refuses padded integers: it is enough that the packets arrive.
  const topic = broker.topic('sizes')
  const client = await broker.connect()
  await client.subscribe(topic)
  for (const size of [0, 127, 128, 16_383, 16_384, 2_097_152]) {
    const around = Math.max(0, size - topic.length - 3)
    for (const length of [around, around + 1]) {
      await broker.publish(topic, Buffer.alloc(length, 0x2e))
      t.equal((await client.expectPacket('publish')).payload.length, length)
    }
  }
})

statement('MQTT-1.5.7-1', 'refuses a user property whose name is not UTF-8', async (_t, broker) => {
  const client = await broker.connect()
  client.sendPublish('a', 'x', { properties: property('userProperty', [[0xc0, 0x80], 'value']) })
  await client.expectDisconnect(0x81)
})

statement('MQTT-1.5.7-1', 'refuses a user property whose value is not UTF-8', async (_t, broker) => {
  const client = await broker.connect()
  client.sendPublish('a', 'x', { properties: property('userProperty', ['name', [0xed, 0xa0, 0x80]]) })
  await client.expectDisconnect(0x81)
})

statement('MQTT-1.5.7-1', 'refuses a user property with U+0000 in CONNECT', async (_t, broker) => {
  const client = await broker.open()
  client.send(connectPacket({ clientId: 'x', properties: property('userProperty', ['name', 'a\0']) }))
  await client.expectRefused(0x81)
})

statement('MQTT-1.5.7-1', 'refuses a user property that is cut short', async (_t, broker) => {
  const client = await broker.connect()
  client.send(publishPacket('a', 'x', { properties: bytes([0x26], prefixed('name'), uint16(9), 'short') }))
  await client.expectDisconnect(0x81)
})
