/** Section 3.1 of MQTT 5.0: what the properties of CONNECT promise and demand. */
import { connectPacket } from '../support/client-packets.js'
import { property } from '../support/properties.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes } from '../support/wire.js'

statement('MQTT-3.1.2-24', 'sends no packet above the maximum packet size of the client', async (t, broker) => {
  const topic = broker.topic('narrow')
  for (const qos of [0, 1, 2]) {
    const overhead = 2 + 2 + topic.length + (qos > 0 ? 2 : 0) + 1
    const client = await broker.connect({ properties: { maximumPacketSize: 60 } })
    await client.subscribe(topic, { qos })
    await broker.publish(topic, 'a'.repeat(60 - overhead), { qos })
    t.equal((await client.expectPacket('publish')).size, 60)
    await broker.publish(topic, 'b'.repeat(61 - overhead), { qos })
    await client.expectNothing()
    await client.disconnect()
  }
})

statement('MQTT-3.1.2-25', 'goes on as if it had sent what is too large', async (t, broker) => {
  const topic = broker.topic('skipped')
  const wide = await broker.connect()
  const narrow = await broker.connect({ properties: { maximumPacketSize: 60, receiveMaximum: 1 } })
  for (const client of [wide, narrow]) await client.subscribe(topic, { qos: 2 })
  const large = 'x'.repeat(100)
  for (const [text, qos] of [
    ['1', 1],
    [large, 1],
    [large, 2],
    [large, 0],
    ['2', 2],
    [large, 1],
    ['3', 1],
  ] as const) {
    t.equal(await broker.publish(topic, text, { qos }), 0, 'the publisher is told success')
  }
  for (const text of ['1', '2', '3']) await narrow.expectMessage(text)
  await narrow.expectNothing()
  t.equal(await wide.countWithin(0), 7)
})

statement('MQTT-3.1.2-26', 'uses no topic alias above the maximum of the client', async (t, broker) => {
  const client = await broker.connect({ properties: { topicAliasMaximum: 2 } })
  await client.subscribe(broker.topic('#'))
  for (let round = 0; round < 4; round++) {
    for (const level of ['a', 'b', 'c', 'd']) await broker.publish(broker.topic(level), level)
  }
  t.equal(await client.countWithin(0), 16) // the test client fails on an alias of 3, and on one never introduced
  for (const { topic, text } of client.messages) t.equal(topic, broker.topic(text))
})

statement('MQTT-3.1.2-27', 'uses no topic alias when the client allows none', async (t, broker) => {
  for (const properties of [{}, { topicAliasMaximum: 0 }]) {
    const client = await broker.connect({ properties })
    await client.subscribe(broker.topic('a'))
    await broker.publishMany(broker.topic('a'), 5)
    t.equal(await client.countWithin(0), 5)
    for (const message of client.messages) t.equal(message.properties.topicAlias, undefined)
    await client.disconnect()
  }
})

statement(
  'MQTT-3.1.2-28',
  'tells response information only to those who ask',
  { config: { responseInformation: 'answers/' } },
  async (t, broker) => {
    for (const properties of [{}, { requestResponseInformation: 0 }]) {
      const client = await broker.connect({ properties })
      t.equal(client.connack?.properties.responseInformation, undefined)
    }
    const asking = await broker.connect({ properties: { requestResponseInformation: 1 } })
    t.match(asking.connack?.properties.responseInformation, /^answers\//)
  },
)

statement('MQTT-3.1.2-29', 'gives no reasons to a client that declined them', async (t, broker) => {
  const topic = broker.topic('quiet')
  const client = await broker.connect({ properties: { requestProblemInformation: 0 } })
  // Each answer reports a problem; the test client fails when one carries a reason string or user properties.
  client.sendPublish(topic, 'nobody listens', { qos: 1 })
  await client.expectPacket('puback')
  client.sendPublish(topic, 'nobody listens', { qos: 2, packetId: 9 })
  await client.expectPacket('pubrec')
  client.sendAck('pubrel', 9)
  await client.expectPacket('pubcomp')
  client.sendAck('pubrel', 4_711)
  await client.expectPacket('pubcomp')
  await client.unsubscribe(topic)
  await client.subscribe(topic, { qos: 1 })
  const message = { userProperty: [['a', 'b']] as const }
  await broker.publish(topic, 'x', { properties: message })
  t.same((await client.expectMessage('x')).properties, message)
})

/** Properties that CONNECT must not have, or not with this value. */
const WRONG_PROPERTIES: readonly (readonly [what: string, properties: Uint8Array])[] = [
  ['a receive maximum of 0', property('receiveMaximum', 0)],
  ['a maximum packet size of 0', property('maximumPacketSize', 0)],
  ['a request for response information of 2', property('requestResponseInformation', 2)],
  ['a request for problem information of 2', property('requestProblemInformation', 2)],
  ['authentication data without a method', property('authenticationData', [1])],
  ['a session expiry twice', bytes(property('sessionExpiryInterval', 1), property('sessionExpiryInterval', 1))],
  ['a receive maximum twice', bytes(property('receiveMaximum', 1), property('receiveMaximum', 2))],
  ['the property of another packet', property('topicAlias', 1)],
  ['a property that the broker alone sends', property('assignedClientIdentifier', 'x')],
  ['a will property', property('willDelayInterval', 1)],
  ['an unknown property', bytes([0x7e, 0])],
]
for (const [what, properties] of WRONG_PROPERTIES) {
  statement('MQTT-3.1.4-1', `refuses CONNECT with ${what}`, async (_t, broker) => {
    const client = await broker.open()
    client.send(connectPacket({ clientId: broker.clientIdOf('wrong'), properties }))
    await client.expectRefused(0x81, 0x82)
  })
}

behaviour('accepts all properties of CONNECT at once (§3.1.2.11)', async (_t, broker) => {
  await broker.connect({
    properties: {
      sessionExpiryInterval: 0xffff_ffff,
      receiveMaximum: 65_535,
      maximumPacketSize: 0xffff_ffff,
      topicAliasMaximum: 65_535,
      requestResponseInformation: 1,
      requestProblemInformation: 1,
      userProperty: [
        ['a', 'b'],
        ['a', 'b'],
        ['', ''],
      ],
    },
  })
})
