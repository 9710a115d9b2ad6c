/** Section 3.1 of MQTT 5.0: the fixed part of CONNECT, from protocol name to keep alive and session expiry. */
import { seconds } from '../support/broker.js'
import {
  authPacket,
  connectFlags,
  connectPacket,
  disconnectPacket,
  pingreqPacket,
  publishPacket,
  subscribePacket,
} from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, packet, prefixed } from '../support/wire.js'

const KEPT = { sessionExpiryInterval: 1_000 }

statement('MQTT-3.1.0-1', 'closes a connection that begins with anything but CONNECT', async (_t, broker) => {
  const packets = [
    publishPacket('a', 'x'),
    publishPacket('a', 'x', { qos: 1, packetId: 1 }),
    subscribePacket(1, [['a']]),
    pingreqPacket(),
    disconnectPacket(),
    authPacket(0x18, { authenticationMethod: 'x' }),
    packet(2, 0, [0, 0, 0]),
  ]
  for (const first of packets) {
    const client = await broker.open()
    client.send(first)
    await client.expectClosed()
  }
})

statement('MQTT-3.1.0-2', 'treats a second CONNECT as a protocol error', async (_t, broker) => {
  const client = await broker.connect()
  client.send(connectPacket({ clientId: client.clientId }))
  await client.expectDisconnect(0x82)
})

statement('MQTT-3.1.0-2', 'treats a second CONNECT as a protocol error, whoever it names', async (_t, broker) => {
  const other = await broker.connect()
  const client = await broker.connect()
  client.send(connectPacket({ clientId: other.clientId }))
  await client.expectDisconnect(0x82)
  await other.expectNothing()
})

statement('MQTT-3.1.0-2', 'closes on a second CONNECT right behind the first', async (t, broker) => {
  const other = await broker.connect()
  const client = await broker.open({ decode: false })
  const connect = connectPacket({ clientId: broker.clientIdOf('twice') })
  client.send(connect, connectPacket({ clientId: other.clientId }))
  await client.expectClosed()
  // Before it has admitted the client a broker may close without a word; afterwards it says why.
  t.ok([0, 0x20].includes(client.bytesReceived[0] ?? 0))
  await other.expectNothing()
})

statement('MQTT-3.1.2-1', 'refuses protocol names other than MQTT', async (t, broker) => {
  for (const protocolName of ['', 'mqtt', 'MQTX', 'MQT', 'MQTTT', 'MQTT ', 'MQIsdp', 'HTTP/1.1']) {
    const client = await broker.open({ decode: false })
    client.send(connectPacket({ protocolName, clientId: broker.clientIdOf('name') }))
    await client.expectClosed()
    t.ok(isRefusal(client.bytesReceived), protocolName)
  }
})

statement('MQTT-3.1.2-2', 'refuses protocol versions it does not know', async (t, broker) => {
  for (const protocolLevel of [0, 1, 2, 3, 6, 7, 127, 255]) {
    const client = await broker.open({ decode: false })
    client.send(connectPacket({ protocolLevel, clientId: broker.clientIdOf('level') }))
    await client.expectClosed()
    t.ok(isRefusal(client.bytesReceived), `${protocolLevel}`)
  }
})

/** Nothing, or a CONNACK that refuses in the manner of MQTT 5 or of the versions before it. */
function isRefusal(received: Uint8Array): boolean {
  if (received.length === 0) return true
  return received[0] === 0x20 && received[2] === 0 && (received[1] === 2 ? received[3] === 1 : received[3] === 0x84)
}

statement('MQTT-3.1.2-3', 'refuses CONNECT with the reserved flag', async (_t, broker) => {
  for (const flags of [0x01, 0x03]) {
    const client = await broker.open()
    client.send(connectPacket({ flags, clientId: broker.clientIdOf('reserved') }))
    await client.expectRefused(0x81, 0x82)
  }
})

statement('MQTT-3.1.2-4', 'begins a new session on clean start', async (t, broker) => {
  const topic = broker.topic('old')
  const clientId = broker.clientIdOf('clean')
  const old = await broker.connect({ clientId, properties: KEPT })
  await old.subscribe(topic, { qos: 1 })
  await old.disconnect()
  await broker.publish(topic, 'waiting', { qos: 1 })

  const clean = await broker.connect({ clientId, cleanStart: true, properties: KEPT })
  t.equal(clean.connack?.sessionPresent, false)
  await broker.publish(topic, 'unsubscribed', { qos: 1 })
  await clean.expectNothing()
  await clean.disconnect()

  const again = await broker.connect({ clientId, cleanStart: false })
  t.equal(again.connack?.sessionPresent, true)
  await again.expectNothing()
})

statement('MQTT-3.1.2-5', 'resumes a session with its subscriptions and waiting messages', async (t, broker) => {
  const topic = broker.topic('resumed')
  const clientId = broker.clientIdOf('resumed')
  const first = await broker.connect({ clientId, properties: KEPT })
  await first.subscribe(topic, { qos: 2 })
  await first.disconnect()
  await broker.publish(topic, 'one', { qos: 1 })
  await broker.publish(topic, 'two', { qos: 2 })

  const again = await broker.connect({ clientId, cleanStart: false, properties: KEPT })
  t.equal(again.connack?.sessionPresent, true)
  t.equal((await again.expectMessage('one')).qos, 1)
  t.equal((await again.expectMessage('two')).qos, 2)
  await broker.publish(topic, 'three', { qos: 1 })
  await again.expectMessage('three')
})

statement('MQTT-3.1.2-5', 'resumes the handshakes of a session', async (t, broker) => {
  const topic = broker.topic('handshake')
  const clientId = broker.clientIdOf('handshake')
  const first = await broker.connect({ clientId, properties: KEPT, acknowledge: 'by hand' })
  await first.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'one', { qos: 1 })
  const one = await first.expectMessage('one')
  first.sendPublish(broker.topic('out'), 'x', { qos: 2, packetId: 77 })
  await first.takePacket('pubrec', 77)
  await first.drop()

  const again = await broker.connect({ clientId, cleanStart: false, properties: KEPT, acknowledge: 'by hand' })
  const repeated = await again.expectMessage('one')
  t.equal(repeated.packetId, one.packetId)
  t.equal(repeated.dup, true)
  again.sendAck('pubrel', 77)
  t.equal((await again.takePacket('pubcomp', 77)).reasonCode, 0)
})

statement('MQTT-3.1.2-6', 'creates a session where there is none to resume', async (t, broker) => {
  const topic = broker.topic('fresh')
  const clientId = broker.clientIdOf('fresh')
  const client = await broker.connect({ clientId, cleanStart: false, properties: KEPT })
  t.equal(client.connack?.sessionPresent, false)
  await client.subscribe(topic)
  await broker.publish(topic, 'x')
  await client.expectMessage('x')
  await client.disconnect()
  t.equal((await broker.connect({ clientId, cleanStart: false })).connack?.sessionPresent, true)
})

/** Payloads of CONNECT that do not fit its flags. The will is that of `connectFlags({ will })`. */
const withoutUserName = { userName: 'user' } as const
const withoutPassword = { userName: 'user', password: 'secret' } as const

statement('MQTT-3.1.2-16', 'refuses a user name that no flag announces', async (_t, broker) => {
  await broker.expectRefusal({ payload: bytes(prefixed(broker.clientIdOf('u')), prefixed('user')) }, 0x81, 0x82)
})

statement('MQTT-3.1.2-17', 'refuses the flag of a user name without a user name', async (_t, broker) => {
  const flags = connectFlags(withoutUserName)
  await broker.expectRefusal({ flags, payload: prefixed(broker.clientIdOf('u')) }, 0x81, 0x82)
})

statement('MQTT-3.1.2-18', 'refuses a password that no flag announces', async (_t, broker) => {
  const payload = bytes(prefixed(broker.clientIdOf('p')), prefixed('user'), prefixed('secret'))
  await broker.expectRefusal({ flags: connectFlags(withoutUserName), payload }, 0x81, 0x82)
})

statement('MQTT-3.1.2-19', 'refuses the flag of a password without a password', async (_t, broker) => {
  const payload = bytes(prefixed(broker.clientIdOf('p')), prefixed('user'))
  await broker.expectRefusal({ flags: connectFlags(withoutPassword), payload }, 0x81, 0x82)
})

behaviour('reads user name and password in each combination (§3.1.2.9)', async (_t, broker) => {
  const { userName, password } = await broker.addUser('user')
  for (const options of [
    { userName, password },
    { userName: '', password: '' },
  ])
    await broker.connect(options)
  for (const half of [{ userName }, { password }]) {
    if (broker.strict) await broker.expectRefusal(half, 0x86)
    else await broker.connect(half)
  }
})

statement('MQTT-3.1.2-22', 'closes after one and a half times the keep alive without packets', async (_t, broker) => {
  const client = await broker.connect({ keepAlive: 10 })
  for (let count = 0; count < 3; count++) {
    await client.ping()
    await broker.advanceOnly(seconds(14))
  }
  await client.ping()
  await broker.advanceOnly(seconds(15.1))
  await client.expectDisconnect(0x8d)
})

statement('MQTT-3.1.2-22', 'counts every packet as a sign of life', async (_t, broker) => {
  const topic = broker.topic('alive')
  const client = await broker.connect({ keepAlive: 10 })
  const signs = [
    async () => void (await client.subscribe(topic)),
    async () => void (await client.publish(topic, 'x', { qos: 1 })),
    async () => void (await client.publish(topic, 'x', { qos: 2 })),
    async () => void (await client.unsubscribe(topic)),
  ]
  for (const sign of signs) {
    await broker.advanceOnly(seconds(12))
    await sign()
  }
  await broker.advanceOnly(seconds(15.1))
  await client.takePacket('disconnect')
})

statement('MQTT-3.1.2-22', 'never closes for silence with a keep alive of 0', async (_t, broker) => {
  const client = await broker.connect({ keepAlive: 0 })
  await broker.advanceOnly(seconds(100_000))
  await client.expectNothing()
})

statement(
  'MQTT-3.1.2-23',
  'keeps a session for its expiry interval, and no session of interval 0',
  async (t, broker) => {
    const kept = broker.clientIdOf('kept')
    const gone = broker.clientIdOf('gone')
    for (const drop of [true, false]) {
      for (const [clientId, properties] of [
        [kept, { sessionExpiryInterval: 100 }],
        [gone, {}],
      ] as const) {
        const client = await broker.connect({ clientId, properties })
        await (drop ? client.drop() : client.disconnect())
      }
      await broker.passTime(seconds(99))
      for (const [clientId, present] of [
        [kept, true],
        [gone, false],
      ] as const) {
        const client = await broker.connect({ clientId, cleanStart: false })
        t.equal(client.connack?.sessionPresent, present)
        await client.disconnect()
      }
    }
  },
)
