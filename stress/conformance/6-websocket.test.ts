/** Chapter 6 of MQTT 5.0: WebSocket as a transport. */
import net from 'node:net'
import WebSocket from 'ws'
import type { TestBroker } from '../support/broker.js'
import { connectPacket, pingreqPacket, publishPacket, subscribePacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes } from '../support/wire.js'

/** Over TCP, as another client would come. */
async function subscriber(broker: TestBroker, topic: string) {
  const client = await broker.connect({ listener: broker.listener('tcp') })
  await client.subscribe(topic, { qos: 1 })
  return client
}

function urlOf(broker: TestBroker): string {
  const { host, port, path } = broker.listener('ws')
  return `ws://${host}:${port}${path}`
}

/** @returns the subprotocol that the broker chose, or undefined when it refused the connection */
async function subprotocolFor(broker: TestBroker, offered: string[]): Promise<string | undefined> {
  const webSocket = new WebSocket(urlOf(broker), offered)
  return new Promise((resolve) => {
    webSocket.once('open', () => {
      resolve(webSocket.protocol)
      webSocket.terminate()
    })
    webSocket.once('error', () => resolve(undefined))
  })
}

statement('MQTT-6.0.0-1', 'closes a connection that sends a text frame', async (_t, broker) => {
  const client = await broker.open({ listener: broker.listener('ws') })
  client.webSocket!.send('hello')
  await client.expectRefused()
})

statement('MQTT-6.0.0-1', 'closes a connected client that sends a text frame', async (_t, broker) => {
  const client = await broker.connect({ listener: broker.listener('ws') })
  const closed = new Promise((resolve) => client.webSocket!.once('close', resolve))
  client.webSocket!.send(Buffer.from(pingreqPacket()), { binary: false })
  await closed // a DISCONNECT may come before
})

statement('MQTT-6.0.0-1', 'itself sends binary frames', async (t, broker) => {
  const client = await broker.open({ listener: broker.listener('ws') })
  const kinds: boolean[] = []
  client.webSocket!.on('message', (_data, isBinary) => kinds.push(isBinary))
  await client.connect({ clientId: broker.clientIdOf('bob') })
  await client.subscribe(broker.topic('a'))
  await client.publish(broker.topic('a'), 'x', { qos: 1 })
  await client.expectMessage('x')
  t.ok(kinds.length > 0)
  t.ok(kinds.every((isBinary) => isBinary))
})

statement('MQTT-6.0.0-2', 'reads packets that come byte by byte', async (t, broker) => {
  const client = await broker.open({ listener: broker.listener('ws') })
  const stream = bytes(
    connectPacket({ clientId: broker.clientIdOf('bob') }),
    subscribePacket(1, [[broker.topic('a')]]),
    publishPacket(broker.topic('a'), 'x'.repeat(300), { qos: 1, packetId: 2 }),
  )
  for (const byte of stream) client.send([byte])
  await client.expectConnack(0)
  await client.takePacket('suback', 1)
  await client.takePacket('puback', 2)
  t.equal((await client.takePacket('publish')).text.length, 300)
})

statement('MQTT-6.0.0-2', 'reads many packets in one frame', async (t, broker) => {
  const topic = broker.topic('a')
  const other = await subscriber(broker, topic)
  const client = await broker.open({ listener: broker.listener('ws') })
  const publishes = Array.from({ length: 200 }, (_, index) =>
    publishPacket(topic, `${index}`, { qos: 1, packetId: index + 1 }),
  )
  client.send(bytes(connectPacket({ clientId: broker.clientIdOf('bob') }), ...publishes))
  await client.expectConnack(0)
  for (let packetId = 1; packetId <= 200; packetId++) t.equal((await client.expectPacket('puback')).packetId, packetId)
  for (let index = 0; index < 200; index++) await other.expectMessage(`${index}`)
})

statement('MQTT-6.0.0-2', 'reads packets cut anywhere across frames', async (_t, broker) => {
  const topic = broker.topic('a')
  const other = await subscriber(broker, topic)
  for (const size of [2, 3, 7, 19]) {
    const client = await broker.open({ listener: broker.listener('ws') })
    const stream = bytes(
      connectPacket({ clientId: broker.clientIdOf(`b${size}`) }),
      publishPacket(topic, `in ${size}`, { qos: 1, packetId: 1 }),
      pingreqPacket(),
    )
    for (let start = 0; start < stream.length; start += size) client.send(stream.subarray(start, start + size))
    await client.expectConnack(0)
    await client.takePacket('puback')
    await client.takePacket('pingresp')
    await other.expectMessage(`in ${size}`)
  }
})

statement('MQTT-6.0.0-2', 'reads a frame that is itself sent in fragments', async (_t, broker) => {
  const client = await broker.connect({ listener: broker.listener('ws') })
  const ping = pingreqPacket()
  client.webSocket!.send(ping.subarray(0, 1), { binary: true, fin: false })
  client.webSocket!.send(new Uint8Array(0), { binary: true, fin: false })
  client.webSocket!.ping('between fragments')
  client.webSocket!.send(bytes(ping.subarray(1), ping), { binary: true, fin: true })
  for (const _ of [1, 2]) await client.expectPacket('pingresp')
})

statement('MQTT-6.0.0-2', 'reads over empty frames', async (_t, broker) => {
  const client = await broker.connect({ listener: broker.listener('ws') })
  client.send(new Uint8Array(0))
  client.send(pingreqPacket().subarray(0, 1))
  client.send(new Uint8Array(0))
  client.send(pingreqPacket().subarray(1))
  await client.expectPacket('pingresp')
})

statement('MQTT-6.0.0-2', 'carries payloads larger than a frame of 64 KiB both ways', async (t, broker) => {
  const payload = Buffer.alloc(300_000, 'merlot ')
  const client = await broker.connect({ listener: broker.listener('ws') })
  await client.subscribe(broker.topic('a'), { qos: 1 })
  await client.publish(broker.topic('a'), payload, { qos: 1 })
  t.ok(payload.equals((await client.expectPacket('publish')).payload))
})

statement('MQTT-6.0.0-4', 'selects the subprotocol mqtt', async (t, broker) => {
  t.equal(await subprotocolFor(broker, ['mqtt']), 'mqtt')
  t.equal(await subprotocolFor(broker, ['chat', 'mqtt', 'soap']), 'mqtt')
})

statement('MQTT-6.0.0-4', 'selects nothing else', async (t, broker) => {
  for (const offered of [['chat'], ['MQTT'], ['mqttx']]) t.equal(await subprotocolFor(broker, offered), undefined)
})

behaviour('refuses another path and a request that is no upgrade', async (t, broker) => {
  const { host, port } = broker.listener('ws')
  const elsewhere = new WebSocket(`ws://${host}:${port}/elsewhere`, ['mqtt'])
  await new Promise((resolve) => elsewhere.once('error', resolve))
  const status = await new Promise<string>((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write('GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n'))
    socket.once('error', reject)
    socket.once('data', (data) => {
      resolve(data.toString('latin1', 9, 12))
      socket.destroy()
    })
  })
  t.match(status, /^4\d\d$/)
})

behaviour('passes messages between WebSocket and TCP', async (_t, broker) => {
  const topic = broker.topic('a')
  const other = await subscriber(broker, topic)
  const client = await broker.connect({ listener: broker.listener('ws') })
  await client.subscribe(topic, { qos: 2 })
  await client.publish(topic, 'from WebSocket', { qos: 2 })
  await other.expectMessage('from WebSocket')
  await client.expectMessage('from WebSocket')
  await other.publish(topic, 'from TCP', { qos: 1 })
  await client.expectMessage('from TCP')
})

behaviour('publishes the will when a WebSocket is closed or lost without DISCONNECT', async (_t, broker) => {
  const topic = broker.topic('will')
  const other = await subscriber(broker, topic)
  const closing = await broker.connect({ listener: broker.listener('ws'), will: { topic, payload: 'closed' } })
  closing.webSocket!.close()
  await other.expectMessage('closed')
  const lost = await broker.connect({ listener: broker.listener('ws'), will: { topic, payload: 'lost' } })
  lost.destroy()
  await other.expectMessage('lost')
})
