/** Section 3.1.4 of MQTT 5.0: what the broker does with a CONNECT. */
import { type ConnectOptions, connectPacket, publishPacket } from '../support/client-packets.js'
import { statement } from '../support/statement.js'
import { packet } from '../support/wire.js'

const KEPT = { sessionExpiryInterval: 1_000 }

statement('MQTT-3.1.4-1', 'refuses CONNECT that is cut short anywhere', async (_t, broker) => {
  const whole = connectPacket({
    clientId: broker.clientIdOf('cut'),
    userName: 'user',
    password: 'secret',
    will: { topic: 'will', payload: 'gone', properties: { willDelayInterval: 5 } },
    properties: { ...KEPT, userProperty: [['a', 'b']] },
  })
  const body = whole.subarray(2)
  const clients = []
  for (let length = 0; length < body.length; length++) {
    const client = await broker.open()
    client.send(packet(1, 0, body.subarray(0, length)))
    clients.push(client)
  }
  for (const client of clients) await client.expectRefused(0x81, 0x82, 0x84)
})

statement('MQTT-3.1.4-1', 'refuses CONNECT with bytes behind its last field', async (_t, broker) => {
  const options = { clientId: broker.clientIdOf('extra') }
  const client = await broker.open()
  client.send(packet(1, 0, connectPacket(options).subarray(2), [0]))
  await client.expectRefused(0x81, 0x82)
})

statement('MQTT-3.1.4-2', 'refuses an authentication method that it does not have', async (_t, broker) => {
  const client = await broker.open()
  const properties = { authenticationMethod: 'no-such-method', authenticationData: Buffer.of(1, 2, 3) }
  client.sendConnect({ clientId: broker.clientIdOf('method'), properties })
  await client.expectRefused(0x8c, 0x87)
})

statement('MQTT-3.1.4-3', 'ends the old connection when the client connects again', async (t, broker) => {
  const clientId = broker.clientIdOf('taken')
  let old = await broker.connect({ clientId, properties: KEPT })
  for (const cleanStart of [false, true, false]) {
    const young = await broker.connect({ clientId, cleanStart, properties: KEPT })
    await old.expectDisconnect(0x8e)
    t.equal(young.connack?.sessionPresent, !cleanStart)
    await young.expectNothing()
    old = young
  }
})

statement('MQTT-3.1.4-3', 'takes over from a connection whose client reads nothing', async (t, broker) => {
  const topic = broker.topic('stuck')
  const clientId = broker.clientIdOf('stuck')
  const old = await broker.connect({ clientId, properties: KEPT })
  await old.subscribe(topic)
  old.pause()
  const publisher = await broker.connect()
  for (let count = 0; count < 20; count++) await publisher.publish(topic, Buffer.alloc(500_000))
  const young = await broker.connect({ clientId, cleanStart: false, properties: KEPT })
  t.equal(young.connack?.sessionPresent, true)
  await young.ping()
})

statement('MQTT-3.1.4-4', 'applies clean start in a takeover too', async (_t, broker) => {
  const topic = broker.topic('shared')
  const clientId = broker.clientIdOf('cleaner')
  const first = await broker.connect({ clientId, properties: KEPT })
  await first.subscribe(topic, { qos: 1 })
  const second = await broker.connect({ clientId, cleanStart: false, properties: KEPT })
  await broker.publish(topic, 'kept', { qos: 1 })
  await second.expectMessage('kept')
  const third = await broker.connect({ clientId, cleanStart: true, properties: KEPT })
  await broker.publish(topic, 'unsubscribed', { qos: 1 })
  await third.expectNothing()
})

statement('MQTT-3.1.4-5', 'answers a valid CONNECT by CONNACK with success', async (t, broker) => {
  const client = await broker.open()
  client.sendConnect({ clientId: broker.clientIdOf('welcome') })
  t.equal((await client.expectPacket('connack')).reasonCode, 0)
})

statement('MQTT-3.1.4-6', 'processes nothing that follows a CONNECT it refuses', async (_t, broker) => {
  const topic = broker.topic('smuggled')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const refusals: readonly ConnectOptions[] = [
    { properties: { authenticationMethod: 'no-such-method' } },
    { properties: { receiveMaximum: 0 } },
    { flags: 0x03 },
  ]
  for (const options of refusals) {
    const client = await broker.open()
    const connect = connectPacket({ clientId: broker.clientIdOf('refused'), ...options })
    client.send(connect, publishPacket(topic, 'smuggled', { retain: true }))
    await client.expectRefused()
  }
  await watcher.expectNothing()
  await watcher.subscribe(topic)
  await watcher.expectNothing()
})
