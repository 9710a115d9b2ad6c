/** Section 3.1 of MQTT 5.0: the will of a CONNECT. */
import { seconds, type TestBroker } from '../support/broker.js'
import { type ConnectOptions, connectPacket, type WillOptions } from '../support/client-packets.js'
import { property } from '../support/properties.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, prefixed } from '../support/wire.js'

const KEPT = { sessionExpiryInterval: 1_000 }
const LATE = { willDelayInterval: 30 }

/** A client that sees the wills of this test. */
async function watch(broker: TestBroker): Promise<RawClient> {
  const watcher = await broker.connect({ clientId: broker.clientIdOf('watcher') })
  await watcher.subscribe(broker.topic('will/#'), { qos: 2 })
  return watcher
}

/** A client whose will is `gone`. */
function connectMortal(broker: TestBroker, will: Partial<WillOptions> = {}, options: ConnectOptions = {}) {
  const clientId = broker.clientIdOf('mortal')
  return broker.connect({ clientId, will: { topic: broker.topic('will'), payload: 'gone', ...will }, ...options })
}

statement('MQTT-3.1.2-7', 'keeps the will with the session and publishes it without the client', async (t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker)
  await watcher.expectNothing()
  await client.drop()
  const { topic, qos, retain } = await watcher.expectMessage('gone')
  t.same([topic, qos, retain], [broker.topic('will'), 0, false])
})

statement('MQTT-3.1.2-8', 'publishes the will after every end but a normal DISCONNECT', async (_t, broker) => {
  const watcher = await watch(broker)
  const ends: Readonly<Record<string, (client: RawClient) => Promise<unknown>>> = {
    lost: (client) => client.drop(),
    'disconnect with will': (client) => client.disconnect({ reasonCode: 0x04 }),
    'disconnect with an error': (client) => client.disconnect({ reasonCode: 0x80 }),
    'malformed packet': (client) => {
      client.send([0x00, 0x00])
      return client.expectDisconnect(0x81, 0x82)
    },
    'protocol error': (client) => {
      client.send(connectPacket({ clientId: client.clientId }))
      return client.expectDisconnect(0x82)
    },
    takeover: async (client) => (await broker.connect({ clientId: client.clientId })).disconnect(),
  }
  for (const [name, end] of Object.entries(ends)) {
    await end(await connectMortal(broker, { payload: name }))
    await watcher.expectMessage(name)
    await watcher.expectNothing()
  }
  await (await connectMortal(broker)).disconnect()
  await watcher.expectNothing()
})

statement('MQTT-3.1.2-8', 'publishes the will when the keep alive has run out', async (_t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, {}, { keepAlive: 10 })
  await broker.advance(seconds(16))
  await client.expectDisconnect(0x8d)
  await watcher.expectMessage('gone')
})

statement('MQTT-3.1.2-8', 'publishes a delayed will when the delay has passed', async (_t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, { properties: LATE }, { properties: KEPT })
  await client.drop()
  await broker.advance(seconds(29))
  await watcher.expectNothing()
  await broker.advance(seconds(2))
  await watcher.expectMessage('gone')
  await broker.advance(seconds(2_000))
  await watcher.expectNothing()
})

statement('MQTT-3.1.2-8', 'publishes a delayed will when the session ends before', async (_t, broker) => {
  const watcher = await watch(broker)
  const shorter = await connectMortal(broker, { properties: LATE }, { properties: { sessionExpiryInterval: 10 } })
  await shorter.drop()
  await broker.advance(seconds(9))
  await watcher.expectNothing()
  await broker.advance(seconds(2))
  await watcher.expectMessage('gone')
})

statement('MQTT-3.1.2-8', 'does not delay the will of a session that ends with its connection', async (_t, broker) => {
  const watcher = await watch(broker)
  await (await connectMortal(broker, { properties: LATE })).drop()
  await watcher.expectMessage('gone')
})

statement('MQTT-3.1.2-8', 'publishes a delayed will when DISCONNECT ends the session', async (_t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, { properties: LATE }, { properties: KEPT })
  await client.disconnect({ reasonCode: 0x04, properties: { sessionExpiryInterval: 0 } })
  await watcher.expectMessage('gone')
})

/** CONNECT flags: will, will QoS 1 and 2, will retain. */
const WILL = 0x04
const QOS_1 = 0x08
const QOS_2 = 0x10
const RETAIN = 0x20
const CLEAN = 0x02

statement('MQTT-3.1.2-9', 'refuses the will flag without each of the fields of a will', async (_t, broker) => {
  const id = prefixed(broker.clientIdOf('odd'))
  const payloads = [id, bytes(id, [0]), bytes(id, [0], prefixed('topic')), bytes(id, prefixed('topic'), prefixed('x'))]
  for (const payload of payloads) await broker.expectRefusal({ flags: CLEAN | WILL, payload }, 0x81, 0x82)
})

statement('MQTT-3.1.2-10', 'forgets the will once it is published', async (_t, broker) => {
  const watcher = await watch(broker)
  await (await connectMortal(broker, {}, { properties: KEPT })).drop()
  await watcher.expectMessage('gone')
  const again = await broker.connect({ clientId: broker.clientIdOf('mortal'), cleanStart: false, properties: KEPT })
  await again.drop()
  await watcher.expectNothing()
})

statement('MQTT-3.1.2-10', 'forgets the will on a normal DISCONNECT, delayed or not', async (_t, broker) => {
  const watcher = await watch(broker)
  for (const properties of [{}, LATE]) {
    for (const options of [{}, { reasonCode: 0 }]) {
      await (await connectMortal(broker, { properties }, { properties: KEPT })).disconnect(options)
      const again = await broker.connect({ clientId: broker.clientIdOf('mortal'), cleanStart: false, properties: KEPT })
      await again.drop()
      await broker.passTime(seconds(2_000))
      await watcher.expectNothing()
    }
  }
})

statement('MQTT-3.1.2-11', 'refuses a will QoS without a will', async (_t, broker) => {
  for (const qos of [QOS_1, QOS_2, QOS_1 | QOS_2]) await broker.expectRefusal({ flags: CLEAN | qos }, 0x81, 0x82)
})

statement('MQTT-3.1.2-12', 'publishes the will with its QoS', async (t, broker) => {
  const watcher = await watch(broker)
  for (const qos of [0, 1, 2]) {
    await (await connectMortal(broker, { qos })).drop()
    t.equal((await watcher.expectMessage('gone')).qos, qos)
  }
})

statement('MQTT-3.1.2-12', 'refuses a will QoS of 3', async (_t, broker) => {
  await broker.expectRefusal({ will: { topic: broker.topic('will'), qos: 3 } }, 0x81, 0x82)
})

statement('MQTT-3.1.2-13', 'refuses will retain without a will', async (_t, broker) => {
  await broker.expectRefusal({ flags: CLEAN | RETAIN }, 0x81, 0x82)
})

statement(['MQTT-3.1.2-14', 'MQTT-3.1.2-15'], 'retains the will exactly when it says so', async (t, broker) => {
  for (const retain of [false, true]) {
    const topic = broker.topic(`will/${retain}`)
    await (await connectMortal(broker, { topic, retain })).drop()
    const late = await broker.connect({ clientId: broker.clientIdOf('late') })
    await late.subscribe(topic)
    if (retain) t.equal((await late.expectMessage('gone')).retain, true)
    await late.expectNothing()
  }
})

statement('MQTT-3.1.3-9', 'sends no will when the session is resumed within the delay', async (t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, { properties: LATE }, { properties: KEPT })
  await client.drop()
  await broker.passTime(seconds(29))
  const again = await broker.connect({ clientId: client.clientId, cleanStart: false, properties: KEPT })
  t.ok(again.connack?.sessionPresent)
  await broker.passTime(seconds(100))
  await watcher.expectNothing()
})

statement('MQTT-3.1.3-9', 'sends neither the old nor the new will of a resumed session', async (_t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, { payload: 'old', properties: LATE }, { properties: KEPT })
  await client.drop()
  const again = await connectMortal(broker, { payload: 'new' }, { cleanStart: false, properties: KEPT })
  await broker.passTime(seconds(100))
  await watcher.expectNothing()
  await again.drop()
  await watcher.expectMessage('new')
  await watcher.expectNothing()
})

statement('MQTT-3.1.3-9', 'sends no delayed will when the connection is taken over', async (_t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, { properties: LATE }, { properties: KEPT })
  await broker.connect({ clientId: client.clientId, cleanStart: false, properties: KEPT })
  await client.expectDisconnect(0x8e)
  await broker.passTime(seconds(100))
  await watcher.expectNothing()
})

behaviour('sends a delayed will when a clean start ends the session (§3.1.4)', async (_t, broker) => {
  const watcher = await watch(broker)
  const client = await connectMortal(broker, { properties: LATE }, { properties: KEPT })
  await broker.connect({ clientId: client.clientId, cleanStart: true, properties: KEPT })
  await client.expectDisconnect(0x8e)
  await watcher.expectMessage('gone')
})

statement('MQTT-3.1.3-10', 'keeps the order of user properties in the will', async (t, broker) => {
  const watcher = await watch(broker)
  const userProperty = [
    ['b', '1'],
    ['a', '2'],
    ['b', '1'],
    ['', 'ö'],
  ] as const
  await (await connectMortal(broker, { properties: { userProperty } })).drop()
  t.same((await watcher.expectMessage('gone')).properties.userProperty, userProperty)
})

behaviour('publishes the will with all its properties but the delay (§3.1.3.2)', async (t, broker) => {
  const watcher = await watch(broker)
  const carried = {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 'answers',
    correlationData: Buffer.of(0, 1, 2),
    userProperty: [['a', 'b']],
  } as const
  await (await connectMortal(broker, { properties: { ...carried, willDelayInterval: 0 } })).drop()
  const { properties } = await watcher.expectMessage('gone')
  t.same(
    { ...properties, correlationData: [...(properties.correlationData ?? [])] },
    { ...carried, correlationData: [0, 1, 2] },
  )
})

behaviour('counts the expiry of a will from its publication (§3.1.3.2.4)', async (t, broker) => {
  const watcher = await watch(broker)
  const properties = { ...LATE, messageExpiryInterval: 60 }
  await (await connectMortal(broker, { properties }, { properties: KEPT })).drop()
  await broker.advance(seconds(31))
  t.equal((await watcher.expectMessage('gone')).properties.messageExpiryInterval, 60)
})

behaviour('publishes a will with an empty payload (§3.1.3.4)', async (_t, broker) => {
  const watcher = await watch(broker)
  await (await connectMortal(broker, { payload: '' })).drop()
  await watcher.expectMessage('')
})

statement('MQTT-3.1.3-11', 'refuses a will topic that is not UTF-8, or no topic name', async (_t, broker) => {
  for (const topic of [[0xff], [0xed, 0xa0, 0x80], [0x61, 0x00], '', 'a/+', '#', 'a/#/b']) {
    const client = await broker.open()
    client.send(connectPacket({ clientId: broker.clientIdOf('topic'), will: { topic } }))
    await client.expectRefused(0x81, 0x82, 0x90)
  }
})

/** Will properties that make a CONNECT wrong. */
const WRONG_PROPERTIES: readonly (readonly [what: string, properties: Uint8Array])[] = [
  ['a delay twice', bytes(property('willDelayInterval', 1), property('willDelayInterval', 1))],
  ['a payload format indicator of 2', property('payloadFormatIndicator', 2)],
  ['a topic alias', property('topicAlias', 1)],
  ['a subscription identifier', property('subscriptionIdentifier', 1)],
  ['a session expiry interval', property('sessionExpiryInterval', 1)],
  ['a response topic with a wildcard', property('responseTopic', 'a/+')],
  ['a content type that is not UTF-8', property('contentType', [0xff])],
  ['an unknown property', bytes([0x7e, 0])],
]
for (const [what, properties] of WRONG_PROPERTIES) {
  behaviour(`refuses a will with ${what}`, async (_t, broker) => {
    const client = await broker.open()
    client.send(connectPacket({ clientId: broker.clientIdOf('wrong'), will: { topic: 'a', properties } }))
    await client.expectRefused(0x81, 0x82, 0x90)
  })
}
