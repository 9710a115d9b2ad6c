/** WebSocket frames that lie about what is in them. */
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import type { TestBroker } from '../support/broker.js'
import { connectPacket, publishPacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'
import { bytes, packet, prefixed, uint16, uint32, varint } from '../support/wire.js'
import { growthDuring, MEBIBYTE } from './memory.js'

/** A WebSocket connection after its handshake, on which frames can be forged. */
async function forge(broker: TestBroker): Promise<net.Socket> {
  const { host, port, path } = broker.listener('ws')
  const socket = net.connect({ host, port, noDelay: true })
  socket.on('error', () => {}) // a reset is one way to be closed
  const head = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
  ]
  const key = `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`
  socket.write([`GET ${path} HTTP/1.1`, `Host: ${host}`, ...head, key, '', ''].join('\r\n'))
  await new Promise<void>((resolve, reject) => {
    socket.once('data', (data) =>
      data.toString('latin1').startsWith('HTTP/1.1 101') ? resolve() : reject(new Error(data.toString('latin1'))),
    )
    socket.once('close', () => reject(new Error('the handshake was refused')))
  })
  return socket
}

function closed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.resume()
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

/** Masked with zeros, as a client must mask. */
const MASK = [0x00, 0x00, 0x00, 0x00]

behaviour('waits for the rest of a packet that is longer than its frame', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect({ listener: broker.listener('tcp') })
  await watcher.subscribe(topic)
  const whole = publishPacket(topic, 'complete')
  const client = await broker.connect({ listener: broker.listener('ws') })
  client.send(whole.subarray(0, whole.length - 3))
  await broker.passTime(0)
  client.send(whole.subarray(whole.length - 3))
  await watcher.expectMessage('complete')
  const cut = await broker.connect({ listener: broker.listener('ws') })
  cut.send(whole.subarray(0, whole.length - 3))
  cut.webSocket!.close()
  await cut.expectClosed()
  await watcher.expectNothing()
})

behaviour('reads no further than the frame that it was given', async (_t, broker) => {
  const watcher = await broker.connect({ listener: broker.listener('tcp') })
  await watcher.subscribe(broker.topic('#'))
  for (const short of [
    bytes([0x10]),
    bytes([0x30, 0x80]),
    bytes([0x30, 0x7f], uint16(40), broker.topic('a')),
    bytes([0x82, 0x20], uint16(1), [0x00], uint16(500)),
  ]) {
    const client = await broker.connect({ listener: broker.listener('ws') })
    client.send(short)
    client.webSocket!.close()
    await client.expectClosed()
  }
  await watcher.expectNothing()
})

behaviour('refuses a frame that announces more than will be taken', async (t, broker) => {
  for (const length of [bytes(uint32(0x7fff_ffff), uint32(0xffff_ffff)), bytes(uint32(0), uint32(0x7fff_ffff))]) {
    const growth = await growthDuring(async () => {
      const socket = await forge(broker)
      socket.write(bytes([0x82, 0xff], length, MASK, Buffer.alloc(100)))
      await closed(socket)
    })
    t.ok(growth < 32 * MEBIBYTE)
  }
})

behaviour('refuses frames that break the WebSocket protocol', async (_t, broker) => {
  const connect = connectPacket({ clientId: broker.clientIdOf('bob') })
  for (const frame of [
    bytes([0x82, connect.length], connect), // not masked
    bytes([0xc2, 0x80 | connect.length], MASK, connect), // compressed, which was not agreed on
    bytes([0x83, 0x80], MASK), // a reserved kind
    bytes([0x80, 0x80 | connect.length], MASK, connect), // goes on with what did not begin
    bytes([0x89, 0xfe], uint16(200), MASK, Buffer.alloc(200)), // a ping that is too long
    bytes([0x88, 0x81], MASK, [0x03]), // a close with half a status
    bytes('GET / HTTP/1.1\r\n\r\n'),
  ]) {
    const socket = await forge(broker)
    socket.write(frame)
    await closed(socket)
  }
})

behaviour('ends a message of endless fragments before it fills memory', async (t, broker) => {
  const fragment = bytes([0x02, 0xff], uint32(0), uint32(65_536), MASK, Buffer.alloc(65_536))
  const next = Buffer.from(fragment)
  next[0] = 0x00
  let sent = 0
  const growth = await growthDuring(async () => {
    const socket = await forge(broker)
    socket.resume()
    for (let chunk = fragment; !socket.closed && sent < 1_024; chunk = next, sent++) {
      await new Promise((resolve) => socket.write(chunk, resolve))
    }
    socket.destroy()
  })
  t.ok(sent < 1_024, 'closed before 64 MiB were taken')
  t.ok(growth < 64 * MEBIBYTE, `grew by ${growth} bytes`)
})

behaviour('holds WebSocket clients to the limit before CONNECT', async (_t, broker) => {
  const client = await broker.open({ listener: broker.listener('ws') })
  client.send(bytes([0x10], varint(100_000_000), prefixed('MQTT')))
  await client.expectRefused(0x95, 0x97)
})

behaviour('survives a wrong packet in the same frame as a right one', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect({ listener: broker.listener('tcp') })
  await watcher.subscribe(topic)
  const client = await broker.connect({ listener: broker.listener('ws') })
  client.send(bytes(publishPacket(topic, 'right'), packet(0, 0), publishPacket(topic, 'never')))
  await client.expectDisconnect(0x81, 0x82)
  await watcher.expectMessage('right')
  await watcher.expectNothing()
})
