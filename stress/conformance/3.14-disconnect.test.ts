/** §3.14 of MQTT 5.0: DISCONNECT. */
import net from 'node:net'
import { connectPacket, disconnectPacket, publishPacket, subscribePacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, packet, uint16, uint32, varint } from '../support/wire.js'

/** Reason codes that a client may end its connection with, beside 0x00. */
const FROM_CLIENTS = [0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]

const FIRST_PACKETS = {
  PUBLISH: publishPacket('a', 'x'),
  SUBSCRIBE: subscribePacket(1, [['a']]),
  PINGREQ: packet(12, 0),
  DISCONNECT: disconnectPacket(),
  'DISCONNECT with a reason': disconnectPacket({ reasonCode: 4 }),
  'packet type 0': packet(0, 0),
  'a remaining length of five bytes': Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01),
}

for (const [what, first] of Object.entries(FIRST_PACKETS)) {
  statement('MQTT-3.14.0-1', `sends no DISCONNECT when the first packet is ${what}`, async (_t, broker) => {
    const client = await broker.open()
    client.send(first)
    await client.expectRefused() // at most a CONNACK with a reason
  })
}

statement('MQTT-3.14.0-1', 'sends no DISCONNECT to a client whose CONNECT it refuses', async (_t, broker) => {
  for (const connect of [
    connectPacket({ protocolLevel: 9 }),
    connectPacket({ clientId: 'x', flags: 0x03 }),
    connectPacket({ clientId: 'x', will: { topic: 'a', qos: 3 } }),
    connectPacket({ clientId: 'x', properties: { authenticationMethod: 'unheard of' } }),
  ]) {
    const client = await broker.open()
    client.send(connect)
    await client.expectRefused()
  }
})

statement('MQTT-3.14.1-1', 'refuses flags in DISCONNECT', async (_t, broker) => {
  for (let flags = 1; flags < 16; flags++) {
    const client = await broker.connect()
    client.send(disconnectPacket({ flags }))
    await client.expectDisconnect(0x81)
  }
})

statement('MQTT-3.14.1-1', 'keeps the will of a client whose DISCONNECT has flags', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  for (const version of [4, 5] as const) {
    const client = await broker.connect({ version, will: { topic, payload: `of ${version}` } })
    client.send(disconnectPacket({ flags: 1 }))
    await client.expectDisconnect(0x81)
    await watcher.expectMessage(`of ${version}`)
  }
})

statement('MQTT-3.14.2-1', 'takes every reason code that clients may send', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  for (const reasonCode of FROM_CLIENTS) {
    const client = await broker.connect({ will: { topic, payload: String(reasonCode) } })
    client.send(disconnectPacket({ reasonCode }))
    await client.expectClosed()
    await watcher.expectMessage(String(reasonCode))
  }
})

statement('MQTT-3.14.2-1', 'refuses reason codes that DISCONNECT does not know', async (_t, broker) => {
  for (const reasonCode of [0x01, 0x02, 0x10, 0x11, 0x18, 0x7f, 0x84, 0x91, 0xa3, 0xff]) {
    const client = await broker.connect()
    client.send(disconnectPacket({ reasonCode }))
    await client.expectDisconnect(0x81, 0x82)
  }
})

statement('MQTT-3.14.2-1', 'uses a reason code of DISCONNECT itself', async (t, broker) => {
  const first = await broker.connect({ clientId: broker.clientIdOf('bob') })
  await broker.connect({ clientId: broker.clientIdOf('bob') })
  t.equal((await first.expectDisconnect(0x8e))?.reasonCode ?? 0x8e, 0x8e)
})

statement('MQTT-3.14.2-2', 'sends no session expiry interval', async (_t, broker) => {
  // The test client refuses the property in what the broker sends.
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(session)
  const second = await broker.connect({ ...session, cleanStart: false })
  await first.expectDisconnect(0x8e)
  second.send(packet(3, 6, 'x'))
  await second.expectDisconnect(0x81)
})

statement(
  ['MQTT-3.14.2-3', 'MQTT-3.14.2-4'],
  'sends no DISCONNECT larger than the client takes',
  async (_t, broker) => {
    const unlimited = await broker.connect()
    const maximumPacketSize = unlimited.connack!.size
    for (const wrong of [
      packet(12, 0, [0]),
      subscribePacket(1, []),
      publishPacket('a', 'x', { properties: { topicAlias: 65_535 } }),
    ]) {
      const client = await broker.connect({ properties: { maximumPacketSize } })
      client.send(wrong)
      await client.expectDisconnect() // larger ones fail the test by themselves
    }
  },
)

statement('MQTT-3.14.4-1', 'sends nothing after DISCONNECT', async (_t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe(topic)
  client.send(
    packet(8, 2, uint16(1), varint(0)),
    publishPacket(topic, 'too late'),
    packet(12, 0),
    subscribePacket(2, [['b']]),
  )
  await client.expectDisconnect(0x82)
})

statement('MQTT-3.14.4-1', 'sends nothing to the old connection after a takeover', async (_t, broker) => {
  const topic = broker.topic('a')
  const first = await broker.connect({ clientId: broker.clientIdOf('bob') })
  await first.subscribe(topic)
  const second = await broker.connect({ clientId: broker.clientIdOf('bob') })
  await second.subscribe(topic)
  await broker.publishMany(topic, 5)
  for (let number = 1; number <= 5; number++) await second.expectMessage(String(number))
  await first.expectDisconnect(0x8e)
})

statement('MQTT-3.14.4-2', 'closes the connection after DISCONNECT even if the client does not', async (t, broker) => {
  const { host, port } = broker.listener()
  const socket = net.connect({ host, port, allowHalfOpen: true })
  const ended = new Promise<Buffer>((resolve, reject) => {
    const received: Buffer[] = []
    socket.once('error', reject)
    socket.on('data', (chunk) => received.push(chunk))
    socket.once('end', () => resolve(Buffer.concat(received)))
  })
  socket.write(bytes(connectPacket({ clientId: broker.clientIdOf('bob') }), subscribePacket(1, [])))
  t.equal((await ended)[0], 0x20, 'after its CONNACK')
  socket.destroy()
})

statement('MQTT-3.14.4-2', 'ignores what a client sends after its own DISCONNECT', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect()
  client.send(publishPacket(topic, 'before'), disconnectPacket(), publishPacket(topic, 'after'))
  await client.expectClosed()
  await watcher.expectMessage('before')
  await watcher.expectNothing()
})

for (const version of [3, 4, 5] as const) {
  statement('MQTT-3.14.4-3', `drops the will on DISCONNECT, protocol version ${version}`, async (_t, broker) => {
    const topic = broker.topic('will')
    const watcher = await broker.connect()
    await watcher.subscribe(topic)
    const client = await broker.connect({ version, will: { topic, payload: 'never', qos: 1, retain: true } })
    await client.disconnect()
    await watcher.expectNothing()
    const late = await broker.connect()
    await late.subscribe(topic)
    await late.expectNothing()
  })
}

statement('MQTT-3.14.4-3', 'drops the will on DISCONNECT with reason code 0 in the long form', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect({ will: { topic, payload: 'never' } })
  await client.disconnect({ reasonCode: 0, properties: { reasonString: 'going home' } })
  await watcher.expectNothing()
})

statement('MQTT-3.14.4-3', 'drops a will with a delay, for good', async (t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const will = { topic, payload: 'never', properties: { willDelayInterval: 5 } }
  const client = await broker.connect({ will, properties: { sessionExpiryInterval: 60 } })
  await client.disconnect()
  t.equal(await watcher.countWithin(120_000), 0)
})

behaviour(
  'sends the will on DISCONNECT with will message at once, whatever is left of the session',
  async (_t, broker) => {
    const topic = broker.topic('will')
    const watcher = await broker.connect()
    await watcher.subscribe(topic)
    const client = await broker.connect({ will: { topic, payload: 'now' }, properties: { sessionExpiryInterval: 60 } })
    await client.disconnect({ reasonCode: 4 })
    await watcher.expectMessage('now')
  },
)

behaviour('takes a new session expiry interval from DISCONNECT', async (t, broker) => {
  const clientId = broker.clientIdOf('bob')
  const first = await broker.connect({ clientId, properties: { sessionExpiryInterval: 10 } })
  await first.disconnect({ reasonCode: 0, properties: { sessionExpiryInterval: 100 } })
  await broker.advance(50_000)
  const second = await broker.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 10 } })
  t.equal(second.connack!.sessionPresent, true)
  await second.disconnect({ reasonCode: 0, properties: { sessionExpiryInterval: 0 } })
  const third = await broker.connect({ clientId, cleanStart: false })
  t.equal(third.connack!.sessionPresent, false)
})

behaviour('refuses a session expiry interval in DISCONNECT after none in CONNECT', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect({ will: { topic, payload: 'kept' } })
  client.send(disconnectPacket({ reasonCode: 0, properties: { sessionExpiryInterval: 100 } }))
  await client.expectDisconnect(0x82)
  await watcher.expectMessage('kept') // it was no valid DISCONNECT
})

behaviour('takes session expiry interval 0 in DISCONNECT after none in CONNECT', async (_t, broker) => {
  const client = await broker.connect()
  client.send(disconnectPacket({ reasonCode: 0, properties: { sessionExpiryInterval: 0 } }))
  await client.expectClosed()
})

behaviour('refuses properties that DISCONNECT must not have, and those given twice', async (_t, broker) => {
  const twice = Uint8Array.of(0x11, ...uint32(1), 0x11, ...uint32(1))
  for (const properties of [{ topicAlias: 1 }, { receiveMaximum: 1 }, Uint8Array.of(0x7f), twice]) {
    const client = await broker.connect({ properties: { sessionExpiryInterval: 10 } })
    client.send(disconnectPacket({ reasonCode: 0, properties }))
    await client.expectDisconnect(0x81, 0x82)
  }
})

behaviour('refuses a DISCONNECT with a body before version 5', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect({ version: 4, will: { topic, payload: 'kept' } })
  client.send(packet(14, 0, [0]))
  await client.expectClosed()
  await watcher.expectMessage('kept')
})
