import { once } from 'node:events'
import { deflateRawSync } from 'node:zlib'
import t, { type Test } from 'tap'
import WebSocket, { type ClientOptions } from 'ws'
import { closedReason, type ListenerInput, ListenersFixture } from './listeners.fixture.js'

function open(t: Test, more: Partial<ListenerInput> = {}): Promise<ListenersFixture> {
  return ListenersFixture.open(t, { type: 'ws', ...more }, { connection: { packetBytesMax: 65_536 } })
}

function webSocket(t: Test, listeners: ListenersFixture, options: ClientOptions = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${listeners.port}/mqtt`, 'mqtt', options)
  socket.on('error', () => {})
  t.teardown(() => socket.terminate())
  return socket
}

/** @returns all that the broker answers until it closes the connection */
async function answerTo(t: Test, listeners: ListenersFixture, target: string, headers: string): Promise<string> {
  const client = listeners.client(t)
  let answer = ''
  client.on('data', (chunk) => {
    answer += chunk
  })
  client.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`)
  await closedReason(client)
  return answer
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const MQTT = 'Sec-WebSocket-Protocol: mqtt\r\n'

t.test('requests that are refused', async (t) => {
  const listeners = await open(t)
  for (const [target, headers, wanted] of [
    ['/mqtt', '', /^HTTP\/1.1 426 .*connect a WebSocket to \/mqtt\n/s],
    ['/', UPGRADE + KEY + MQTT, /^HTTP\/1.1 404 .*MQTT is at \/mqtt$/s],
    ['//', UPGRADE + KEY + MQTT, /^HTTP\/1.1 404 /],
    ['http://[', UPGRADE + KEY + MQTT, /^HTTP\/1.1 404 /],
    ['/mqtt', UPGRADE + KEY, /^HTTP\/1.1 400 .*"mqtt" is required$/s],
    ['/mqtt', UPGRADE + MQTT, /^HTTP\/1.1 400 /],
    ['/mqtt', `${UPGRADE + KEY + MQTT}Origin: https://evil.example\r\n`, /^HTTP\/1.1 403 .*pages of other hosts/s],
  ] as const) {
    t.match(await answerTo(t, listeners, target, headers), wanted, target)
  }
  t.equal(listeners.count('connectionsRefusedOrigin'), 1)
  t.match(listeners.logged.at(-1)?.fields, { origin: 'https://evil.example' })
})

t.test('pages that may connect', async (t) => {
  const listeners = await open(t, { origins: ['https://console.example'] })
  webSocket(t, listeners, { origin: 'https://console.example' })
  const { peer } = await listeners.arrival()
  t.match(peer, { listener: 'ws', address: '127.0.0.1', isLocal: true })
  const refused = webSocket(t, listeners, { origin: 'https://other.example' })
  const [response] = await once(refused, 'unexpected-response').then(([, found]) => [found])
  t.equal(response.statusCode, 403)
})

t.test('who comes by a proxy on this machine is not on this machine', async (t) => {
  const listeners = await open(t)
  webSocket(t, listeners, { headers: { 'X-Forwarded-For': '127.0.0.1' } })
  t.match((await listeners.arrival()).peer, { address: '127.0.0.1', isLocal: false })
  webSocket(t, listeners)
  t.match((await listeners.arrival()).peer, { address: '127.0.0.1', isLocal: true })
})

t.test('messages are compressed where both want it', async (t) => {
  const plain = await open(t)
  const refused = webSocket(t, plain)
  await once(refused, 'open')
  t.equal(refused.extensions, '')
  const listeners = await open(t, { compression: true })
  const client = webSocket(t, listeners)
  const arrival = await listeners.arrival()
  await once(client, 'open')
  t.match(client.extensions, /permessage-deflate/)
  const text = 'hello '.repeat(5_000)
  client.send(Buffer.from(text))
  await arrival.receives(text)
  const written = new Promise<void>((resolve) => arrival.transport.write(Buffer.from(text), resolve))
  const [back] = await once(client, 'message')
  t.equal(back.toString(), text)
  await written
  const simple = webSocket(t, listeners, { perMessageDeflate: false })
  const other = await listeners.arrival()
  await once(simple, 'open')
  simple.send(Buffer.from('hello'))
  await other.receives('hello')
})

t.test('a compressed message ends at the size of a packet', async (t) => {
  const listeners = await open(t, { compression: true })
  const client = webSocket(t, listeners)
  const arrival = await listeners.arrival()
  await once(client, 'open')
  const closed = once(client, 'close')
  // some 100 kB that would become 100 MB, in a frame of our own making
  const bomb = deflateRawSync(Buffer.alloc(100 << 20), { finishFlush: 2 })
  const head = Buffer.from([0xc2, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(bomb.length, 6)
  const { _socket: raw } = client as unknown as { _socket: NodeJS.WritableStream }
  raw.write(Buffer.concat([head, bomb]))
  const [code] = await closed
  t.ok(code === 1009 || code === 1006, 'message too big')
  await arrival.closed()
  t.equal(arrival.received, '')
})

t.test('a message that is larger than a packet may be', async (t) => {
  const listeners = await open(t)
  const client = webSocket(t, listeners)
  const arrival = await listeners.arrival()
  await once(client, 'open')
  client.send(Buffer.alloc(70_000))
  t.equal((await once(client, 'close'))[0], 1009)
  await arrival.closed()
})
