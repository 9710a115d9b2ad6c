/** §3.3.2 of MQTT 5.0: topic name and properties of PUBLISH. Topic aliases have a file of their own. */

import type { TestBroker } from '../support/broker.js'
import type { ReceivedPublish } from '../support/broker-packets.js'
import type { Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import { type Properties, property } from '../support/properties.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, packet, prefixed, uint16 } from '../support/wire.js'

type Path = (broker: TestBroker, properties: Properties, payload?: string) => Promise<ReceivedPublish>

/** Every way that a message takes from its publisher to a subscriber. */
const PATHS: Readonly<Record<string, Path>> = {
  live: async (broker, properties, payload = 'x') => {
    const bob = await broker.connect()
    await bob.subscribe(broker.topic('way'), { qos: 1 })
    await broker.publish(broker.topic('way'), payload, { qos: 1, properties })
    return bob.expectPacket('publish')
  },
  retained: async (broker, properties, payload = 'x') => {
    await broker.publish(broker.topic('way'), payload, { qos: 1, retain: true, properties })
    const bob = await broker.connect()
    await bob.subscribe(broker.topic('way'), { qos: 1 })
    return bob.expectPacket('publish')
  },
  queued: async (broker, properties, payload = 'x') => {
    const bob = await broker.connect(lasting(broker, 'bob'))
    await bob.subscribe(broker.topic('way'), { qos: 2 })
    await bob.drop()
    await broker.publish(broker.topic('way'), payload, { qos: 2, properties })
    return (await broker.connect(lasting(broker, 'bob'))).expectPacket('publish')
  },
  resent: async (broker, properties, payload = 'x') => {
    const options = { ...lasting(broker, 'bob'), acknowledge: 'by hand' } as const
    const bob = await broker.connect(options)
    await bob.subscribe(broker.topic('way'), { qos: 1 })
    await broker.publish(broker.topic('way'), payload, { qos: 1, properties })
    await bob.expectPacket('publish')
    await bob.drop()
    return (await broker.connect(options)).expectPacket('publish')
  },
  shared: async (broker, properties, payload = 'x') => {
    const bob = await broker.connect()
    await bob.subscribe(`$share/group/${broker.topic('way')}`, { qos: 1 })
    await broker.publish(broker.topic('way'), payload, { qos: 1, properties })
    return bob.expectPacket('publish')
  },
  will: async (broker, properties, payload = 'x') => {
    const bob = await broker.connect()
    await bob.subscribe(broker.topic('way'), { qos: 1 })
    const dying = await broker.connect({ will: { topic: broker.topic('way'), payload, qos: 1, properties } })
    await dying.drop()
    return bob.expectPacket('publish')
  },
}

const BINARY = Buffer.from([0, 1, 0xff, 0xc3, 0x28, 0, 0x80])
/** A name twice, one name with two values, an empty name, an empty value, and text beyond ASCII. */
const USER_PROPERTIES = [
  ['b', '2'],
  ['a', '1'],
  ['b', '2'],
  ['', 'no name'],
  ['b', '1'],
  ['no value', ''],
  ['größe', '水'],
] as const

for (const [path, carry] of Object.entries(PATHS)) {
  for (const indicator of [0, 1]) {
    statement('MQTT-3.3.2-4', `leaves payload format ${indicator} as it was: ${path}`, async (t, broker) => {
      const { properties } = await carry(broker, { payloadFormatIndicator: indicator }, 'tür')
      t.same(properties, { payloadFormatIndicator: indicator })
    })
  }

  statement('MQTT-3.3.2-15', `leaves the response topic as it was: ${path}`, async (t, broker) => {
    const { properties } = await carry(broker, { responseTopic: '$weird//reply/to/水' })
    t.same(properties, { responseTopic: '$weird//reply/to/水' })
  })

  statement('MQTT-3.3.2-16', `leaves correlation data as they were: ${path}`, async (t, broker) => {
    const { properties } = await carry(broker, { correlationData: BINARY })
    t.same(properties, { correlationData: BINARY })
  })

  statement(['MQTT-3.3.2-17', 'MQTT-3.3.2-18'], `keeps user properties and their order: ${path}`, async (t, broker) => {
    const { properties } = await carry(broker, { userProperty: USER_PROPERTIES })
    t.same(properties, { userProperty: USER_PROPERTIES })
  })

  statement('MQTT-3.3.2-20', `leaves the content type as it was: ${path}`, async (t, broker) => {
    const { properties } = await carry(broker, { contentType: 'application/größe; x=1' })
    t.same(properties, { contentType: 'application/größe; x=1' })
  })

  behaviour(`§3.3.2.3 adds no property to a message without: ${path}`, async (t, broker) => {
    t.same((await carry(broker, {})).properties, {})
  })

  behaviour(`§3.3.2.3 all properties together: ${path}`, async (t, broker) => {
    const properties: Properties = {
      userProperty: USER_PROPERTIES.slice(0, 3),
      correlationData: BINARY,
      payloadFormatIndicator: 1,
      responseTopic: 'reply',
      contentType: 'text/plain',
      messageExpiryInterval: 4_000_000_000,
    }
    const received = await carry(broker, properties)
    t.same({ ...received.properties, messageExpiryInterval: 0 }, { ...properties, messageExpiryInterval: 0 })
    const { messageExpiryInterval = 0 } = received.properties
    t.ok(messageExpiryInterval > 3_999_999_900 && messageExpiryInterval <= 4_000_000_000)
  })
}

for (const size of [0, 65_535]) {
  statement('MQTT-3.3.2-16', `keeps correlation data of ${size} bytes`, async (t, broker) => {
    const correlationData = Buffer.alloc(size, 0xa5)
    const { properties } = await PATHS.live!(broker, { correlationData })
    t.ok(correlationData.equals(properties.correlationData ?? Buffer.of(0)))
  })
}

statement(['MQTT-3.3.2-17', 'MQTT-3.3.2-18'], 'keeps a thousand user properties in order', async (t, broker) => {
  const userProperty = Array.from({ length: 1_000 }, (_, index) => [`k${index % 7}`, String(index)] as const)
  t.same((await PATHS.live!(broker, { userProperty })).properties, { userProperty })
})

behaviour('§3.3.2 a client before MQTT 5 gets the message without its properties', async (t, broker) => {
  const topic = broker.topic('way')
  for (const version of [3, 4] as const) {
    const bob = await broker.connect({ version })
    await bob.subscribe(topic, { qos: 1 })
    await broker.publish(topic, 'x', { qos: 1, properties: { contentType: 'text/plain', messageExpiryInterval: 9 } })
    t.same((await bob.expectMessage('x')).properties, {})
  }
})

const CUT_SHORT: Readonly<Record<string, Uint8Array>> = {
  'no variable header': packet(3, 0),
  'half of the length of the topic name': packet(3, 0, [0]),
  'a topic name longer than the packet': packet(3, 0, uint16(9), 'short'),
  'no property length': packet(3, 0, prefixed('topic')),
  'properties longer than the packet': packet(3, 0, prefixed('topic'), [9, 1, 0]),
}
for (const [what, malformedPublish] of Object.entries(CUT_SHORT)) {
  statement('MQTT-3.3.2-1', `refuses a PUBLISH with ${what}`, async (_t, broker) => {
    const client = await broker.connect()
    client.send(malformedPublish)
    await client.expectDisconnect(0x81)
  })
}

statement('MQTT-3.3.2-1', 'refuses an empty topic name that no topic alias replaces', async (_t, broker) => {
  const client = await broker.connect()
  client.sendPublish('', 'x')
  await client.expectDisconnect(0x82)
  const older = await broker.connect({ version: 4 })
  older.sendPublish('', 'x')
  await older.expectClosed()
})

const VERSIONS: readonly Version[] = [4, 5]
for (const version of VERSIONS) {
  statement('MQTT-3.3.2-2', `refuses wildcards in a topic name, protocol level ${version}`, async (_t, broker) => {
    const watcher = await broker.connect()
    await watcher.subscribe(broker.topic('#'))
    for (const rest of ['#', '+', 'a/#', 'a/+/b', 'a#', 'b+', '#/a']) {
      for (const qos of [0, 1]) {
        const client = await broker.connect({ version })
        client.sendPublish(broker.topic(rest), 'x', { qos })
        await client.expectDisconnect(0x81, 0x82, 0x90)
      }
    }
    await watcher.expectNothing()
  })
}

statement('MQTT-3.3.2-3', 'sends the topic name that was published, to those whose filter fits', async (t, broker) => {
  const topic = broker.topic('floor/2/room/é')
  const fitting = ['floor/2/room/é', 'floor/+/room/+', 'floor/#', '+/+/+/+', '#', 'floor/2/room/é/#']
  const unfitting = ['floor/2/room/É', 'floor/2/room', 'floor/+', 'floor/2/room/é/', '+/2/room', '/floor/2/room/é']
  const happy = await Promise.all(fitting.map(() => broker.connect()))
  for (const [index, rest] of fitting.entries()) await happy[index]!.subscribe(broker.topic(rest), { qos: 1 })
  const other = await broker.connect()
  for (const rest of unfitting) await other.subscribe(broker.topic(rest), { qos: 1 })
  await broker.publish(topic, 'warm', { qos: 1 })
  for (const client of happy) t.equal((await client.expectMessage('warm')).topic, topic)
  await other.expectNothing()
})

const INVALID_TEXT = bytes([0x61, 0xc3, 0x28])
for (const [why, text] of Object.entries({ 'not UTF-8': INVALID_TEXT, 'with U+0000': bytes('a\0b') })) {
  statement('MQTT-3.3.2-13', `refuses a response topic ${why}`, async (_t, broker) => {
    const client = await broker.connect()
    client.sendPublish('a', 'x', { properties: property('responseTopic', text) })
    await client.expectDisconnect(0x81)
  })
  statement('MQTT-3.3.2-19', `refuses a content type ${why}`, async (_t, broker) => {
    const client = await broker.connect()
    client.sendPublish('a', 'x', { properties: property('contentType', text) })
    await client.expectDisconnect(0x81)
  })
}

statement('MQTT-3.3.2-14', 'refuses a response topic with wildcards', async (_t, broker) => {
  for (const responseTopic of ['#', '+', 'a/+/b', 'a/#', 'a+']) {
    const client = await broker.connect()
    client.sendPublish(broker.topic('a'), 'x', { properties: { responseTopic } })
    await client.expectDisconnect(0x81, 0x82, 0x90)
  }
})

const ONCE_ONLY: readonly Properties[] = [
  { payloadFormatIndicator: 1 },
  { messageExpiryInterval: 10 },
  { topicAlias: 1 },
  { responseTopic: 'a' },
  { correlationData: BINARY },
  { contentType: 'a' },
]
for (const single of ONCE_ONLY) {
  const [[name, content]] = Object.entries(single) as [[keyof Properties, number | string | Uint8Array]]
  behaviour(`§3.3.2.3 refuses the property ${name} twice`, async (_t, broker) => {
    const client = await broker.connect()
    client.sendPublish('a', 'x', { properties: bytes(property(name, content), property(name, content)) })
    await client.expectDisconnect(0x81, 0x82)
  })
}

behaviour('§3.3.2.3.2 refuses a payload format indicator above 1', async (_t, broker) => {
  const client = await broker.connect()
  client.sendPublish('a', 'x', { properties: { payloadFormatIndicator: 2 } })
  await client.expectDisconnect(0x81, 0x82)
})
