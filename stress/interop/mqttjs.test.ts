/** MQTT.js, the client of most Node.js programs, by every transport and in every version of the protocol. */
import t from 'tap'
import { InteropBroker, TRANSPORTS } from './every-transport.fixture.js'
import { JsClient, VERSIONS } from './mqttjs-client.fixture.js'

const broker = await InteropBroker.start(t)

for (const transport of TRANSPORTS) {
  for (const [protocolVersion, name] of VERSIONS) {
    const way = { transport, protocolVersion }

    t.test(`${transport}, MQTT ${name}: messages of each QoS come once and as they were sent`, async (t) => {
      const topic = `${transport}/${protocolVersion}/flow`
      const { client, messages } = await JsClient.connect(t, broker, way)
      for (const qos of [0, 1, 2] as const) {
        t.match(await client.subscribeAsync(`${topic}/${qos}`, { qos }), [{ qos }])
        await client.publishAsync(`${topic}/${qos}`, `über ${qos}`, { qos })
        t.match(await messages.next(), { topic: `${topic}/${qos}`, text: `über ${qos}`, qos, retain: false })
      }
      await client.unsubscribeAsync(`${topic}/1`)
      await client.publishAsync(`${topic}/1`, 'nobody', { qos: 1 })
      await client.publishAsync(`${topic}/2`, 'last', { qos: 2 })
      t.equal((await messages.next()).text, 'last')
    })

    t.test(`${transport}, MQTT ${name}: retained messages`, async (t) => {
      const topic = `${transport}/${protocolVersion}/retained`
      const { client, messages } = await JsClient.connect(t, broker, way)
      await client.publishAsync(topic, 'kept', { qos: 1, retain: true })
      await client.subscribeAsync(topic, { qos: 2 })
      t.match(await messages.next(), { text: 'kept', qos: 1, retain: true })
      await client.publishAsync(topic, '', { qos: 1, retain: true })
      t.match(await messages.next(), { text: '', retain: false })
      await client.unsubscribeAsync(topic)
      await client.subscribeAsync(topic, { qos: 2 })
      await client.publishAsync(topic, 'live', { qos: 1 })
      t.match(await messages.next(), { text: 'live', retain: false })
    })

    t.test(`${transport}, MQTT ${name}: a will`, async (t) => {
      const topic = `${transport}/${protocolVersion}/will`
      const { client, messages } = await JsClient.connect(t, broker, way)
      await client.subscribeAsync(topic, { qos: 2 })
      for (const retain of [false, true]) {
        const will = { topic, payload: Buffer.from(`gone ${retain}`), qos: 1 as const, retain }
        const mortal = await JsClient.connect(t, broker, { ...way, will })
        mortal.client.stream.destroy()
        t.match(await messages.next(), { text: `gone ${retain}`, qos: 1, retain: false })
      }
      const polite = await JsClient.connect(t, broker, {
        ...way,
        will: { topic, payload: Buffer.from('never'), qos: 1, retain: false },
      })
      await polite.client.endAsync()
      await broker.settled()
      await client.publishAsync(topic, 'after', { qos: 1 })
      t.equal((await messages.next()).text, 'after')
    })
  }
}

for (const [protocolVersion, name] of VERSIONS) {
  t.test(`MQTT ${name}: a session waits with its messages`, async (t) => {
    const topic = `session/${protocolVersion}`
    const options = {
      protocolVersion,
      clean: false,
      clientId: `lasting-${protocolVersion}`,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3_600 } } : {}),
    }
    const before = await JsClient.connect(t, broker, options)
    t.equal(before.connack.sessionPresent, false)
    await before.client.subscribeAsync(topic, { qos: 2 })
    await before.client.endAsync()
    await broker.settled()

    const { client: publisher } = await JsClient.connect(t, broker, { protocolVersion })
    for (let number = 0; number < 50; number++) {
      await publisher.publishAsync(topic, String(number), { qos: number % 2 === 0 ? 1 : 2 })
    }
    const after = await JsClient.connect(t, broker, options)
    if (protocolVersion > 3) t.equal(after.connack.sessionPresent, true) // MQTT 3.1 has no such flag
    const received = await after.messages.take(50)
    for (const qos of [1, 2]) {
      // MQTT.js hands over messages of QoS 2 at PUBREL, so that only those of one QoS come in order
      t.same(
        received.filter((message) => message.qos === qos).map(({ text }) => Number(text)),
        Array.from({ length: 25 }, (_, place) => 2 * place + qos - 1),
        `QoS ${qos}`,
      )
    }
  })

  t.test(`MQTT ${name}: 1,000 publications at a time`, async (t) => {
    for (const qos of [0, 1, 2] as const) {
      const topic = `parallel/${protocolVersion}/${qos}`
      const { client, messages } = await JsClient.connect(t, broker, { protocolVersion })
      await client.subscribeAsync(topic, { qos })
      const publications = Array.from({ length: 1_000 }, (_, number) =>
        client.publishAsync(topic, `${number}`, { qos }),
      )
      const received = await messages.take(1_000)
      await Promise.all(publications)
      t.same(
        received.map(({ text }) => text),
        received.map((_, number) => String(number)),
        `in order at QoS ${qos}`,
      )
    }
  })
}

for (const transport of TRANSPORTS) {
  t.test(`${transport}: 5 MB in one message`, async (t) => {
    const payload = Buffer.alloc(5_000_000, 'the boiler is hot; ')
    const { client, messages } = await JsClient.connect(t, broker, { transport })
    for (const qos of [0, 1, 2] as const) {
      await client.subscribeAsync(`large/${transport}/${qos}`, { qos })
      await client.publishAsync(`large/${transport}/${qos}`, payload, { qos })
      t.ok((await messages.next()).payload.equals(payload), `the same bytes at QoS ${qos}`)
    }
  })
}
