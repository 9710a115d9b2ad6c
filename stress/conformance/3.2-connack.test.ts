/** Section 3.2 of MQTT 5.0: what the broker answers to CONNECT. */
import { seconds } from '../support/broker.js'
import { connectPacket, publishPacket, subscribePacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'

const KEPT = { sessionExpiryInterval: 1_000 }
/** No broker supports this method, so a CONNECT that names it is refused. */
const REFUSED = { authenticationMethod: 'no-such-method' }

statement('MQTT-3.2.0-1', 'sends CONNACK before messages that waited for the session', async (t, broker) => {
  const topic = broker.topic('queue')
  const clientId = broker.clientIdOf('late')
  const first = await broker.connect({ clientId, properties: KEPT })
  await first.subscribe(topic, { qos: 1 })
  await first.disconnect()
  await broker.publishMany(topic, 5, { qos: 1 })
  const again = await broker.connect({ clientId, cleanStart: false, properties: KEPT }) // expects CONNACK as first packet
  t.ok(again.connack?.sessionPresent)
  for (const text of ['1', '2', '3', '4', '5']) await again.expectMessage(text)
})

statement('MQTT-3.2.0-1', 'sends CONNACK first when more packets follow CONNECT at once', async (t, broker) => {
  const topic = broker.topic('burst')
  const client = await broker.open()
  client.send(
    connectPacket({ clientId: broker.clientIdOf('eager') }),
    subscribePacket(1, [[topic]]),
    publishPacket(topic, 'self'),
  )
  t.equal((await client.expectConnack()).reasonCode, 0)
  await client.takePacket('suback')
  await client.expectMessage('self')
})

statement('MQTT-3.2.0-2', 'answers a second CONNECT without a second CONNACK', async (_t, broker) => {
  const client = await broker.connect()
  client.send(connectPacket({ clientId: client.clientId }))
  await client.expectDisconnect(0x82)
})

statement('MQTT-3.2.2-1', 'leaves the reserved bits of the flags 0', async (t, broker) => {
  const clientId = broker.clientIdOf('bits')
  for (const present of [0, 1]) {
    const client = await broker.open({ decode: false })
    client.send(connectPacket({ clientId, cleanStart: false, properties: KEPT }))
    await client.expectBytes(4)
    t.equal(client.bytesReceived[0], 0x20)
    t.equal(client.bytesReceived[2], present)
    await client.drop()
  }
})

statement(['MQTT-3.2.2-2', 'MQTT-3.2.2-3'], 'tells whether there was a session', async (t, broker) => {
  const clientId = broker.clientIdOf('present')
  const expected = [
    [false, false],
    [false, true],
    [true, false],
    [false, true],
    [false, true],
  ] as const
  for (const [cleanStart, sessionPresent] of expected) {
    const client = await broker.connect({ clientId, cleanStart, properties: KEPT })
    t.equal(client.connack?.sessionPresent, sessionPresent)
    t.equal(client.connack?.reasonCode, 0)
    await client.disconnect()
  }
})

statement('MQTT-3.2.2-3', 'says that there is no session once it has expired', async (t, broker) => {
  const clientId = broker.clientIdOf('expired')
  const first = await broker.connect({ clientId, properties: { sessionExpiryInterval: 60 } })
  await first.disconnect()
  await broker.advance(seconds(61))
  const again = await broker.connect({ clientId, cleanStart: false })
  t.equal(again.connack?.sessionPresent, false)
})

statement(['MQTT-3.2.2-6', 'MQTT-3.2.2-7'], 'refuses without session present, then closes', async (t, broker) => {
  const clientId = broker.clientIdOf('kept')
  const first = await broker.connect({ clientId, properties: KEPT })
  await first.disconnect()
  const refused = await broker.open()
  refused.sendConnect({ clientId, cleanStart: false, properties: { ...KEPT, ...REFUSED } })
  const connack = await refused.expectPacket('connack')
  t.ok(connack.reasonCode >= 0x80)
  t.equal(connack.sessionPresent, false)
  await refused.expectClosed()
  const again = await broker.connect({ clientId, cleanStart: false })
  t.ok(again.connack?.sessionPresent, 'a refusal leaves the session alone')
})

statement('MQTT-3.2.2-8', 'uses reason codes of CONNACK alone', async (_t, broker) => {
  // Other codes fail in the decoder of the test client.
  const refusals = [
    [{ properties: REFUSED }, 0x8c, 0x87],
    [{ properties: { receiveMaximum: 0 } }, 0x82],
    [{ will: { topic: 'a/#' } }, 0x82, 0x81, 0x90],
    [{ flags: 0x03 }, 0x81, 0x82],
  ] as const
  for (const [options, ...codes] of refusals) {
    const client = await broker.open()
    client.sendConnect({ clientId: broker.clientIdOf('codes'), ...options })
    await client.expectRefused(...codes)
  }
})

statement(
  'MQTT-3.2.2-15',
  'states its maximum packet size and refuses larger packets',
  { config: { connection: { packetBytesMax: 2_048 } } },
  async (t, broker) => {
    const topic = broker.topic('size')
    const client = await broker.connect()
    t.equal(client.connack?.properties.maximumPacketSize, 2_048)
    await client.subscribe(topic)
    const room = 2_048 - 3 - 2 - topic.length - 1
    client.sendPublish(topic, Buffer.alloc(room))
    t.equal((await client.expectPacket('publish')).payload.length, room)
    client.sendPublish(topic, Buffer.alloc(room + 1))
    await client.expectDisconnect(0x95)
  },
)

statement('MQTT-3.2.2-16', 'assigns identifiers that no session has', async (t, broker) => {
  const clients = await Promise.all(Array.from({ length: 10 }, () => broker.connect({ clientId: '' })))
  const assigned = clients.map((client) => client.connack?.properties.assignedClientIdentifier)
  t.equal(new Set(assigned).size, 10)
  for (const client of clients) await client.expectNothing()
  const named = await broker.connect()
  t.equal(named.connack?.properties.assignedClientIdentifier, undefined)
})

statement('MQTT-3.2.2-17', 'refuses topic aliases above its maximum', async (_t, broker) => {
  const client = await broker.connect()
  const maximum = client.connack?.properties.topicAliasMaximum ?? 0
  if (maximum > 0) await client.publish(broker.topic('a'), 'x', { qos: 1, properties: { topicAlias: maximum } })
  client.sendPublish(broker.topic('a'), 'x', { properties: { topicAlias: maximum + 1 } })
  await client.expectDisconnect(0x94)
})

statement(
  'MQTT-3.2.2-18',
  'refuses every topic alias when it states no maximum',
  { config: { connection: { topicAliasMax: 0 } } },
  async (t, broker) => {
    const client = await broker.connect()
    t.notOk(client.connack?.properties.topicAliasMaximum)
    client.sendPublish(broker.topic('a'), 'x', { properties: { topicAlias: 1 } })
    await client.expectDisconnect(0x94)
  },
)

statement(
  ['MQTT-3.2.2-19', 'MQTT-3.2.2-20'],
  'leaves out reason string and user properties that would not fit',
  async (t, broker) => {
    for (const maximumPacketSize of [5, 6, 8, 12, 20, 40]) {
      const client = await broker.open()
      client.sendConnect({ clientId: broker.clientIdOf('tiny'), properties: { ...REFUSED, maximumPacketSize } })
      const connack = await client.expectRefused(0x8c, 0x87)
      t.ok((connack?.size ?? 0) <= maximumPacketSize)
    }
  },
)

statement('MQTT-3.2.2-22', 'keeps to the keep alive of the client unless it states another', async (t, broker) => {
  const client = await broker.connect({ keepAlive: 20 })
  t.equal(client.connack?.properties.serverKeepAlive, undefined)
  await broker.advance(seconds(29))
  await client.expectNothing() // pings
  await broker.advance(seconds(31))
  await client.expectDisconnect(0x8d)
})

behaviour(
  'keeps to its own keep alive where it states one (§3.2.2.3.14)',
  { config: { connection: { keepAliveSecondsMax: 10 } } },
  async (t, broker) => {
    for (const keepAlive of [0, 11, 60]) {
      const client = await broker.connect({ keepAlive })
      t.equal(client.connack?.properties.serverKeepAlive, 10)
      await broker.advance(seconds(16))
      await client.expectDisconnect(0x8d)
    }
    const modest = await broker.connect({ keepAlive: 9 })
    t.equal(modest.connack?.properties.serverKeepAlive, undefined)
  },
)

behaviour(
  'states the session expiry interval when it grants less (§3.2.2.3.2)',
  { config: { session: { expirySecondsMax: 100 } } },
  async (t, broker) => {
    const clientId = broker.clientIdOf('capped')
    const greedy = await broker.connect({ clientId, properties: { sessionExpiryInterval: 101 } })
    t.equal(greedy.connack?.properties.sessionExpiryInterval, 100)
    await greedy.disconnect()
    await broker.advance(seconds(100.5))
    const again = await broker.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 100 } })
    t.equal(again.connack?.sessionPresent, false)
    t.equal(again.connack?.properties.sessionExpiryInterval, undefined)
  },
)

behaviour('states its limits and nothing that it does not limit', async (t, broker) => {
  const { connack } = await broker.connect()
  const limited = ['maximumQos', 'retainAvailable', 'wildcardSubscriptionAvailable'] as const
  for (const name of limited) t.not(connack?.properties[name], 0)
  t.not(connack?.properties.subscriptionIdentifierAvailable, 0)
  t.not(connack?.properties.sharedSubscriptionAvailable, 0)
})
