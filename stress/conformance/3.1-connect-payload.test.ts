/** Section 3.1 of MQTT 5.0: client identifier, user name and password. */
import { connectPacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, uint16 } from '../support/wire.js'

const KEPT = { sessionExpiryInterval: 1_000 }

statement('MQTT-3.1.3-1', 'reads the fields of the payload in their order', async (t, broker) => {
  const topic = broker.topic('order')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const clientId = broker.clientIdOf('order')
  const will = { topic, payload: 'gone', properties: { contentType: 'text' } }
  const user = await broker.addUser('user')
  const client = await broker.connect({ clientId, will, ...user, properties: KEPT })
  await client.drop()
  t.equal((await watcher.expectMessage('gone')).properties.contentType, 'text')
  t.equal((await broker.connect({ clientId, cleanStart: false, ...user })).connack?.sessionPresent, true)
})

statement('MQTT-3.1.3-2', 'keeps a session for each client identifier', async (t, broker) => {
  const names = ['id', 'ID', 'id1'].map((name) => broker.clientIdOf(name))
  for (const clientId of names) {
    const client = await broker.connect({ clientId, properties: KEPT })
    await client.subscribe(broker.topic(clientId), { qos: 1 })
    await client.disconnect()
  }
  for (const clientId of names) await broker.publish(broker.topic(clientId), clientId, { qos: 1 })
  for (const clientId of names) {
    const client = await broker.connect({ clientId, cleanStart: false })
    t.equal(client.connack?.sessionPresent, true)
    await client.expectMessage(clientId)
    await client.expectNothing()
  }
})

statement('MQTT-3.1.3-3', 'refuses CONNECT without a client identifier', async (_t, broker) => {
  await broker.expectRefusal({ payload: bytes('') }, 0x81, 0x82)
  await broker.expectRefusal({ payload: bytes([0]) }, 0x81, 0x82)
  await broker.expectRefusal({ payload: bytes(uint16(3), 'ab') }, 0x81, 0x82)
})

statement('MQTT-3.1.3-4', 'refuses a client identifier that is not UTF-8', async (_t, broker) => {
  for (const clientId of [[0xff], [0x61, 0x80], [0xed, 0xa0, 0x80], [0x61, 0x00]]) {
    const client = await broker.open()
    client.send(connectPacket({ clientId }))
    await client.expectRefused(0x81, 0x85)
  }
})

statement('MQTT-3.1.3-5', 'accepts identifiers of 1 to 23 letters and digits', async (_t, broker) => {
  const characters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
  for (let length = 1; length <= 23; length++) await broker.connect({ clientId: characters.slice(0, length) })
  for (let start = 0; start < characters.length; start += 20) {
    await broker.connect({ clientId: characters.slice(start, start + 23) })
  }
})

behaviour('accepts longer identifiers and other characters', async (t, broker) => {
  for (const name of ['x'.repeat(200), 'a/b', 'a+b', '#', '$SYS', 'ö 水', "'; --"]) {
    const clientId = `${broker.prefix}${name}`
    const first = await broker.connect({ clientId, properties: KEPT })
    await first.disconnect()
    t.ok((await broker.connect({ clientId, cleanStart: false })).connack?.sessionPresent, name)
  }
})

statement('MQTT-3.1.3-6', 'assigns an identifier to a client that has none', async (t, broker) => {
  const clients = [await broker.connect({ clientId: '' }), await broker.connect({ clientId: '' })]
  const [one, two] = clients.map((client) => client.connack?.properties.assignedClientIdentifier)
  t.ok(one)
  t.not(one, two)
  for (const client of clients) await client.expectNothing()
})

statement('MQTT-3.1.3-7', 'treats the assigned identifier as if the client had sent it', async (t, broker) => {
  for (const cleanStart of [true, false]) {
    const first = await broker.connect({ clientId: '', cleanStart, properties: KEPT })
    t.equal(first.connack?.sessionPresent, false)
    const clientId = first.connack?.properties.assignedClientIdentifier ?? ''
    await first.disconnect()
    const again = await broker.connect({ clientId, cleanStart: false })
    t.equal(again.connack?.sessionPresent, true)
    t.equal(again.connack?.properties.assignedClientIdentifier, undefined)
  }
})

statement(
  'MQTT-3.1.3-8',
  'refuses a client identifier beyond its limit',
  { config: { session: { clientIdBytesMax: 30 } } },
  async (_t, broker) => {
    await broker.connect({ clientId: 'x'.repeat(30) })
    const client = await broker.open()
    client.sendConnect({ clientId: 'x'.repeat(31) })
    await client.expectConnack(0x85)
    await client.expectClosed()
  },
)

statement('MQTT-3.1.3-12', 'refuses a user name that is not UTF-8', async (_t, broker) => {
  for (const userName of [[0xff], [0xc0, 0x80], [0x61, 0x00], [0xed, 0xbf, 0xbf]]) {
    const client = await broker.open()
    client.send(connectPacket({ clientId: broker.clientIdOf('user'), userName }))
    await client.expectRefused(0x81, 0x86)
  }
})

behaviour('takes any bytes for a password, if not for the right one (§3.1.3.6)', async (_t, broker) => {
  const { userName } = await broker.addUser('user of bytes')
  const options = { userName, password: [0xff, 0x00, 0xc0] }
  if (broker.strict) await broker.expectRefusal(options, 0x86)
  else await broker.connect(options)
})
