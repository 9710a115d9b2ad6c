/** What MQTT.js does beyond the plain exchange: properties, topic aliases, connecting again. */
import t from 'tap'
import { InteropBroker } from './every-transport.fixture.js'
import { JsClient, VERSIONS } from './mqttjs-client.fixture.js'

t.test('properties of MQTT 5 arrive as they were sent', async (t) => {
  const broker = await InteropBroker.start(t)
  const { client, messages, connack } = await JsClient.connect(t, broker, {
    clientId: '',
    properties: { requestResponseInformation: true, receiveMaximum: 10, userProperties: { from: 'test' } },
  })
  t.match(connack.properties, { assignedClientIdentifier: /./, topicAliasMaximum: 64 })
  await client.subscribeAsync('orders/+', { qos: 2, properties: { subscriptionIdentifier: 268_435_455 } })
  const properties = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 3_600,
    responseTopic: 'answers/7',
    correlationData: Buffer.from([0, 255, 1]),
    userProperties: { plant: ['A', 'B'], größe: 'ö' },
    contentType: 'application/json',
  }
  for (const qos of [0, 1, 2] as const) {
    await client.publishAsync('orders/7', '{}', { qos, properties })
    const { properties: received } = await messages.next()
    t.same(
      { ...received, userProperties: { ...received.userProperties } },
      { ...properties, subscriptionIdentifier: 268_435_455 },
    )
  }
})

t.test('topic aliases both ways, more topics than aliases', async (t) => {
  const broker = await InteropBroker.start(t, { connection: { topicAliasMax: 10, topicAliasOutboundMax: 10 } })
  for (const options of [{ autoAssignTopicAlias: true }, { autoUseTopicAlias: true }]) {
    const { client: publisher, connack } = await JsClient.connect(t, broker, options)
    t.equal(connack.properties?.topicAliasMaximum, 10)
    const { client, messages } = await JsClient.connect(t, broker, { properties: { topicAliasMaximum: 5 } })
    await client.subscribeAsync('alias/#', { qos: 1 })
    const aliases = { sent: 0, withoutTopic: 0, received: 0 }
    publisher.on('packetsend', (packet) => {
      if (packet.cmd !== 'publish' || packet.properties?.topicAlias === undefined) return
      aliases.sent += 1
      if (packet.topic === '') aliases.withoutTopic += 1
    })
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'publish' && packet.properties?.topicAlias !== undefined) aliases.received += 1
    })
    const topics = Array.from({ length: 200 }, (_, number) => `alias/${(number * number) % 23}`)
    const isByHand = 'autoUseTopicAlias' in options
    for (const [number, topic] of topics.entries()) {
      const alias = number < 10 && isByHand ? { topicAlias: number + 1 } : {}
      await publisher.publishAsync(topic, String(number), { qos: 1, properties: alias })
    }
    t.same(
      (await messages.take(200)).map(({ topic, text }) => [topic, text]),
      topics.map((topic, number) => [topic, String(number)]),
      JSON.stringify(options),
    )
    t.ok(aliases.sent > 0, 'the client made use of aliases')
    t.ok(aliases.withoutTopic > 0, 'and left topics out')
    t.ok(aliases.received > 100, 'the broker made use of aliases')
  }
})

for (const [protocolVersion, name] of VERSIONS) {
  t.test(`MQTT ${name}: comes back by itself when the broker was restarted`, async (t) => {
    const broker = await InteropBroker.start(t)
    const options = { protocolVersion, reconnectPeriod: 20 }
    const messages = JsClient.begin(t, broker, { ...options, manualConnect: true })
    const { client } = messages
    t.equal(client.connected, false)
    client.connect()
    await messages.connected()
    await client.subscribeAsync('restart/#', { qos: 2 })
    await client.publishAsync('restart/a', 'before', { qos: 2 })
    t.equal((await messages.next()).text, 'before')

    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    await broker.stop()
    await closed
    // the client sends them before it subscribes again, to a broker that remembers nothing: hence retained
    const publications = ([0, 1, 2] as const).map((qos) =>
      client.publishAsync(`restart/${qos}`, 'while it was away', { qos, retain: true }),
    )
    const reconnected = messages.connected()
    await broker.startAgain()
    await reconnected
    await Promise.all(publications)
    t.same(
      (await messages.take(3)).map(({ topic, text }) => `${topic} ${text}`).sort(),
      [0, 1, 2].map((qos) => `restart/${qos} while it was away`),
    )

    await client.unsubscribeAsync('restart/#') // it would subscribe again by itself, and get what is retained
    await client.endAsync()
    const again = messages.connected()
    client.reconnect()
    await again
    await client.subscribeAsync('again', { qos: 2 })
    await client.publishAsync('again', 'after', { qos: 1 })
    t.equal((await messages.next()).text, 'after')
  })
}
