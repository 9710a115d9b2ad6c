/** MQTT 3.1.1, sections 3.1 and 3.2, by its own numbers: CONNECT and CONNACK. */
import { seconds, type TestBroker } from '../support/broker.js'
import {
  type ConnectOptions,
  connectFlags,
  connectPacket,
  disconnectPacket,
  pingreqPacket,
  publishPacket,
  subscribePacket,
} from '../support/client-packets.js'
import { expectOffence, NOT_UTF8 } from '../support/offence.js'
import { statement311 } from '../support/statement.js'
import { bytes, packet, prefixed, uint16 } from '../support/wire.js'

const version = 4

/** The broker closes the connection without a CONNACK. */
async function expectMisfit(broker: TestBroker, options: ConnectOptions): Promise<void> {
  const client = await broker.open({ version })
  client.send(connectPacket({ version, clientId: broker.clientIdOf('odd'), ...options }))
  await client.expectClosed()
}

statement311('MQTT-3.1.0-1', 'closes a connection that begins with anything but CONNECT', async (_t, broker) => {
  const packets = [publishPacket('a', 'x', { version }), subscribePacket(1, [['a']], { version }), pingreqPacket()]
  for (const first of [...packets, disconnectPacket()]) {
    const client = await broker.open({ version })
    client.send(first)
    await client.expectClosed()
  }
})

statement311('MQTT-3.1.0-2', 'closes on a second CONNECT', async (_t, broker) => {
  await expectOffence(broker, connectPacket({ version, clientId: broker.clientIdOf('second') }))
})

statement311('MQTT-3.1.2-1', 'does not accept another protocol name', async (_t, broker) => {
  for (const protocolName of ['MQIsdp', 'mqtt', 'MQTTs', '']) {
    const client = await broker.open({ version, decode: false })
    client.send(connectPacket({ version, protocolName }))
    await client.expectClosed()
    if (client.bytesReceived.length > 0 && client.bytesReceived[3] === 0) throw new Error(`accepted ${protocolName}`)
  }
})

statement311('MQTT-3.1.2-2', 'answers an unknown protocol level by return code 1', async (_t, broker) => {
  for (const protocolLevel of [0, 1, 2, 3]) {
    const client = await broker.open({ version })
    client.send(connectPacket({ version, protocolLevel }))
    await client.expectConnack(0x01)
    await client.expectClosed()
  }
})

statement311('MQTT-3.1.2-3', 'closes on the reserved connect flag', async (_t, broker) => {
  await expectMisfit(broker, { flags: 0x03 })
})

statement311(['MQTT-3.1.2-4', 'MQTT-3.1.2-5'], 'keeps a session without clean session', async (t, broker) => {
  const topic = broker.topic('kept')
  const clientId = broker.clientIdOf('kept')
  const first = await broker.connect({ version, clientId, cleanStart: false })
  t.equal(first.connack?.sessionPresent, false)
  await first.subscribe(topic, { qos: 2 })
  await first.disconnect()
  await broker.publish(topic, 'one', { qos: 1 })
  await broker.publish(topic, 'two', { qos: 2 })
  await broker.passTime(seconds(100_000))
  const again = await broker.connect({ version, clientId, cleanStart: false })
  await again.expectMessage('one')
  await again.expectMessage('two')
  await broker.publish(topic, 'three')
  await again.expectMessage('three')
})

statement311(
  'MQTT-3.1.2-6',
  'begins a session with clean session and ends it with the connection',
  async (t, broker) => {
    const topic = broker.topic('clean')
    const clientId = broker.clientIdOf('clean')
    for (const cleanStart of [false, true]) {
      const first = await broker.connect({ version, clientId, cleanStart })
      t.equal(first.connack?.sessionPresent, false)
      await first.subscribe(topic, { qos: 1 })
      await first.drop()
      await broker.publish(topic, 'waiting', { qos: 1 })
      const next = await broker.connect({ version, clientId, cleanStart: !cleanStart })
      t.equal(next.connack?.sessionPresent, false)
      await broker.publish(topic, 'unsubscribed', { qos: 1 })
      await next.expectNothing()
      await next.disconnect()
      await (await broker.connect({ version, clientId, cleanStart: true })).disconnect()
    }
  },
)

statement311('MQTT-3.1.2-7', 'keeps retained messages when the session ends', async (_t, broker) => {
  const topic = broker.topic('retained')
  const client = await broker.connect({ version })
  await client.publish(topic, 'still here', { qos: 1, retain: true })
  await client.disconnect()
  await (await broker.connect({ version, clientId: client.clientId })).disconnect()
  const late = await broker.connect({ version })
  await late.subscribe(topic)
  await late.expectMessage('still here')
})

statement311(
  ['MQTT-3.1.2-8', 'MQTT-3.1.2-10'],
  'publishes the will unless DISCONNECT comes before',
  async (_t, broker) => {
    const watcher = await broker.connect({ version })
    await watcher.subscribe(broker.topic('will'))
    const clientId = broker.clientIdOf('mortal')
    const will = { topic: broker.topic('will'), payload: 'gone' }
    await (await broker.connect({ version, clientId, will, cleanStart: false })).drop()
    await watcher.expectMessage('gone')
    await (await broker.connect({ version, clientId, cleanStart: false })).drop()
    await watcher.expectNothing()
    await (await broker.connect({ version, clientId, will, cleanStart: false })).disconnect()
    await (await broker.connect({ version, clientId, cleanStart: false })).drop()
    await watcher.expectNothing()
    const offender = await broker.connect({ version, clientId, will })
    offender.send([0xf0, 0x00])
    await offender.expectClosed()
    await watcher.expectMessage('gone')
  },
)

statement311('MQTT-3.1.2-9', 'closes when the flag of a will has no will', async (_t, broker) => {
  const id = prefixed(broker.clientIdOf('odd'))
  for (const payload of [id, bytes(id, prefixed('topic'))]) await expectMisfit(broker, { flags: 0x06, payload })
})

statement311('MQTT-3.1.2-11', 'closes when there is a will without its flag', async (_t, broker) => {
  await expectMisfit(broker, { flags: 0x02, payload: bytes(prefixed('odd'), prefixed('topic'), prefixed('x')) })
})

statement311('MQTT-3.1.2-12', 'publishes nothing for a client without a will', async (_t, broker) => {
  const watcher = await broker.connect({ version })
  await watcher.subscribe('#')
  await broker.settle()
  watcher.drain() // what earlier tests retained
  await (await broker.connect({ version })).drop()
  await watcher.expectNothing()
})

statement311('MQTT-3.1.2-13', 'closes on a will QoS without a will', async (_t, broker) => {
  for (const flags of [0x0a, 0x12, 0x1a]) await expectMisfit(broker, { flags })
})

statement311('MQTT-3.1.2-14', 'publishes wills of QoS 0, 1 and 2, and refuses 3', async (t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic, { qos: 2 })
  for (const qos of [0, 1, 2]) {
    await (await broker.connect({ version, will: { topic, payload: 'gone', qos } })).drop()
    t.equal((await watcher.expectMessage('gone')).qos, qos)
  }
  await expectMisfit(broker, { will: { topic, qos: 3 } })
})

statement311('MQTT-3.1.2-15', 'closes on will retain without a will', async (_t, broker) => {
  await expectMisfit(broker, { flags: 0x22 })
})

statement311(['MQTT-3.1.2-16', 'MQTT-3.1.2-17'], 'retains the will exactly when it says so', async (t, broker) => {
  for (const retain of [false, true]) {
    const topic = broker.topic(`will/${retain}`)
    await (await broker.connect({ version, will: { topic, payload: 'gone', retain } })).drop()
    const late = await broker.connect({ version })
    await late.subscribe(topic)
    if (retain) t.equal((await late.expectMessage('gone')).retain, true)
    await late.expectNothing()
  }
})

const USER = connectFlags({ userName: 'user' })
const USER_AND_PASSWORD = connectFlags({ userName: 'user', password: 'secret' })

statement311('MQTT-3.1.2-18', 'closes on a user name that no flag announces', async (_t, broker) => {
  await expectMisfit(broker, { payload: bytes(prefixed('odd'), prefixed('user')) })
})

statement311('MQTT-3.1.2-19', 'closes on the flag of a user name without one', async (_t, broker) => {
  await expectMisfit(broker, { flags: USER, payload: prefixed('odd') })
})

statement311('MQTT-3.1.2-20', 'closes on a password that no flag announces', async (_t, broker) => {
  await expectMisfit(broker, { flags: USER, payload: bytes(prefixed('odd'), prefixed('user'), prefixed('secret')) })
})

statement311('MQTT-3.1.2-21', 'closes on the flag of a password without one', async (_t, broker) => {
  await expectMisfit(broker, { flags: USER_AND_PASSWORD, payload: bytes(prefixed('odd'), prefixed('user')) })
})

statement311('MQTT-3.1.2-22', 'closes on a password without a user name', async (_t, broker) => {
  await expectMisfit(broker, { password: 'secret' })
})

statement311('MQTT-3.1.2-24', 'closes after one and a half times the keep alive', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  const client = await broker.connect({ version, keepAlive: 10, will: { topic, payload: 'silent' } })
  await broker.advance(seconds(14))
  await client.ping()
  await broker.advanceOnly(seconds(14))
  await client.ping()
  await broker.advanceOnly(seconds(16))
  await client.expectClosed()
  await watcher.expectMessage('silent')
})

statement311('MQTT-3.1.3-1', 'reads the fields of the payload in their order', async (_t, broker) => {
  const topic = broker.topic('order')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  const user = await broker.addUser('user')
  await (await broker.connect({ version, will: { topic, payload: 'gone' }, ...user })).drop()
  await watcher.expectMessage('gone')
})

statement311('MQTT-3.1.3-2', 'keeps a session for each client identifier', async (t, broker) => {
  const ids = ['id', 'ID'].map((name) => broker.clientIdOf(name))
  for (const clientId of ids) {
    const client = await broker.connect({ version, clientId, cleanStart: false })
    t.equal(client.connack?.sessionPresent, false)
    await client.subscribe(broker.topic(clientId), { qos: 1 })
    await client.disconnect()
  }
  for (const clientId of ids) await broker.publish(broker.topic(clientId), clientId, { qos: 1 })
  for (const clientId of ids) {
    const client = await broker.connect({ version, clientId, cleanStart: false })
    await client.expectMessage(clientId)
    await client.expectNothing()
  }
})

statement311('MQTT-3.1.3-3', 'closes on CONNECT without a client identifier', async (_t, broker) => {
  for (const payload of [bytes(''), bytes([0]), bytes(uint16(3), 'ab')]) await expectMisfit(broker, { payload })
})

statement311('MQTT-3.1.3-4', 'closes on a client identifier that is not UTF-8', async (_t, broker) => {
  for (const clientId of NOT_UTF8) await expectMisfit(broker, { clientId })
})

statement311('MQTT-3.1.3-5', 'accepts identifiers of 1 to 23 letters and digits', async (_t, broker) => {
  const characters = 'zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA9876543210'
  for (let length = 1; length <= 23; length++) await broker.connect({ version, clientId: characters.slice(-length) })
  for (let start = 0; start < characters.length; start += 20) {
    await broker.connect({ version, clientId: characters.slice(start, start + 23) })
  }
})

statement311('MQTT-3.1.3-6', 'takes clients without identifier for different clients', async (t, broker) => {
  const clients = [await broker.connect({ version, clientId: '' }), await broker.connect({ version, clientId: '' })]
  for (const client of clients) {
    t.equal(client.connack?.sessionPresent, false)
    await client.expectNothing()
  }
})

statement311('MQTT-3.1.3-8', 'answers an empty identifier without clean session by code 2', async (_t, broker) => {
  const client = await broker.open({ version })
  client.sendConnect({ clientId: '', cleanStart: false })
  await client.expectConnack(0x02)
  await client.expectClosed()
})

statement311(
  'MQTT-3.1.3-9',
  'answers an identifier beyond its limit by code 2',
  { config: { session: { clientIdBytesMax: 30 } } },
  async (_t, broker) => {
    const client = await broker.open({ version })
    client.sendConnect({ clientId: 'x'.repeat(31) })
    await client.expectConnack(0x02)
    await client.expectClosed()
  },
)

statement311('MQTT-3.1.3-10', 'closes on a will topic that is not UTF-8', async (_t, broker) => {
  for (const topic of NOT_UTF8) await expectMisfit(broker, { will: { topic } })
})

statement311('MQTT-3.1.3-11', 'closes on a user name that is not UTF-8', async (_t, broker) => {
  for (const userName of NOT_UTF8) await expectMisfit(broker, { userName })
})

statement311(
  'MQTT-3.1.4-1',
  'closes without CONNACK on a CONNECT that is cut short or too long',
  async (_t, broker) => {
    const options = { version, clientId: broker.clientIdOf('cut'), userName: 'user', will: { topic: 'a' } } as const
    const body = connectPacket(options).subarray(2)
    const offences = Array.from({ length: body.length }, (_, length) => packet(1, 0, body.subarray(0, length)))
    for (const offence of [...offences, packet(1, 0, body, [0])]) {
      const client = await broker.open({ version })
      client.send(offence)
      await client.expectClosed()
    }
  },
)

statement311('MQTT-3.1.4-2', 'ends the old connection when the client connects again', async (t, broker) => {
  const clientId = broker.clientIdOf('taken')
  const old = await broker.connect({ version, clientId, cleanStart: false })
  const young = await broker.connect({ version, clientId, cleanStart: false })
  await old.expectClosed()
  t.equal(young.connack?.sessionPresent, true)
  await young.expectNothing()
})

statement311('MQTT-3.1.4-3', 'applies clean session', async (t, broker) => {
  const clientId = broker.clientIdOf('apply')
  await (await broker.connect({ version, clientId, cleanStart: false })).disconnect()
  const clean = await broker.connect({ version, clientId, cleanStart: true })
  t.equal(clean.connack?.sessionPresent, false)
  await clean.disconnect()
  t.equal((await broker.connect({ version, clientId, cleanStart: false })).connack?.sessionPresent, false)
})

statement311('MQTT-3.1.4-4', 'answers a valid CONNECT by return code 0', async (t, broker) => {
  const client = await broker.open({ version })
  client.sendConnect({ clientId: broker.clientIdOf('welcome') })
  const connack = await client.expectConnack(0)
  t.equal(connack.size, 4)
})

statement311('MQTT-3.1.4-5', 'processes nothing that follows a CONNECT it refuses', async (_t, broker) => {
  const topic = broker.topic('smuggled')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  for (const options of [{ cleanStart: false }, { protocolLevel: 2 }, { flags: 0x03 }]) {
    const client = await broker.open({ version })
    client.send(connectPacket({ version, ...options }), publishPacket(topic, 'smuggled', { version }))
    await client.expectRefused()
  }
  await watcher.expectNothing()
})

statement311('MQTT-3.2.0-1', 'sends CONNACK before anything else', async (_t, broker) => {
  const topic = broker.topic('queue')
  const clientId = broker.clientIdOf('late')
  const first = await broker.connect({ version, clientId, cleanStart: false })
  await first.subscribe(topic, { qos: 1 })
  await first.disconnect()
  await broker.publishMany(topic, 3, { qos: 1 })
  const again = await broker.open({ version })
  again.sendConnect({ clientId, cleanStart: false })
  await again.expectPacket('connack')
  for (const text of ['1', '2', '3']) await again.expectMessage(text)
})

statement311(
  ['MQTT-3.2.2-1', 'MQTT-3.2.2-2', 'MQTT-3.2.2-3'],
  'tells whether there was a session',
  async (t, broker) => {
    const clientId = broker.clientIdOf('present')
    const expected = [
      [false, false],
      [false, true],
      [true, false],
      [false, false],
      [false, true],
    ] as const
    for (const [cleanStart, sessionPresent] of expected) {
      const client = await broker.connect({ version, clientId, cleanStart })
      t.equal(client.connack?.sessionPresent, sessionPresent)
      await client.disconnect()
    }
  },
)

statement311(['MQTT-3.2.2-4', 'MQTT-3.2.2-5'], 'refuses without session present, then closes', async (t, broker) => {
  const client = await broker.open({ version })
  client.sendConnect({ clientId: '', cleanStart: false })
  const connack = await client.expectConnack()
  t.not(connack.reasonCode, 0)
  t.equal(connack.sessionPresent, false)
  await client.expectClosed()
})
