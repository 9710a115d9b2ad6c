/** §4.12 of MQTT 5.0: enhanced authentication, as a broker without a mechanism shows it. */
import { authPacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { packet } from '../support/wire.js'

statement('MQTT-4.12.0-1', 'refuses an authentication method that it does not know', async (t, broker) => {
  for (const authenticationMethod of ['unheard of', 'SCRAM-SHA-256', '', 'ä/水']) {
    const client = await broker.open()
    client.sendConnect({ clientId: broker.clientIdOf('bob'), properties: { authenticationMethod } })
    const connack = await client.expectRefused(0x8c, 0x87)
    t.equal(connack?.properties.authenticationMethod, undefined)
  }
})

statement('MQTT-4.12.0-4', 'closes after refusing, and leaves no session behind', async (t, broker) => {
  const clientId = broker.clientIdOf('bob')
  const client = await broker.open()
  const authentication = { authenticationMethod: 'unheard of', authenticationData: Buffer.from('secret') }
  client.sendConnect({ clientId, properties: { ...authentication, sessionExpiryInterval: 100 } })
  client.send(authPacket(0x18, { authenticationMethod: 'unheard of' }))
  await client.expectRefused(0x8c, 0x87)
  const plain = await broker.connect({ clientId, cleanStart: false })
  t.equal(plain.connack!.sessionPresent, false)
})

statement('MQTT-4.12.0-4', 'takes no session over by a CONNECT that it refuses', async (_t, broker) => {
  const clientId = broker.clientIdOf('bob')
  const connected = await broker.connect({ clientId })
  const client = await broker.open()
  client.sendConnect({ clientId, properties: { authenticationMethod: 'unheard of' } })
  await client.expectRefused(0x8c, 0x87)
  await connected.expectNothing()
})

statement('MQTT-4.12.0-6', 'sends neither AUTH nor a method to a client that named none', async (t, broker) => {
  const client = await broker.connect(await broker.addUser('bob'))
  t.equal(client.connack!.properties.authenticationMethod, undefined)
  t.equal(client.connack!.properties.authenticationData, undefined)
  await client.expectNothing()
})

statement('MQTT-4.12.0-7', 'refuses AUTH from a client that named no method', async (_t, broker) => {
  const method = { authenticationMethod: 'unheard of' }
  for (const auth of [authPacket(0x19, method), authPacket(0x18, method), authPacket(0x00, method), packet(15, 0)]) {
    const client = await broker.connect()
    client.send(auth)
    await client.expectDisconnect(0x82)
  }
})

statement('MQTT-4.12.0-7', 'publishes the will of a client that it closes for AUTH', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect({ will: { topic, payload: 'gone' } })
  client.send(authPacket(0x19, { authenticationMethod: 'x' }))
  await client.expectDisconnect(0x82)
  await watcher.expectMessage('gone')
})

behaviour('refuses authentication data without a method', async (_t, broker) => {
  const client = await broker.open()
  client.sendConnect({ clientId: broker.clientIdOf('bob'), properties: { authenticationData: Buffer.from('x') } })
  await client.expectRefused(0x82)
})
