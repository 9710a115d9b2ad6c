import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { makeCertificate, writeFiles } from '../config/certificates.fixture.js'
import { type Arrival, closedReason, type ListenerInput, ListenersFixture } from './listeners.fixture.js'
import { binaryHeader, field, tlsField } from './proxy-header.fixture.js'

const proxyProtocol = { trusted: ['10.0.0.0/8', '127.0.0.0/8'] }
const TEXT = 'PROXY TCP4 192.0.2.7 198.51.100.1 50000 1883\r\n'
const ADDRESSES = [192, 0, 2, 7, 198, 51, 100, 1, 0xc3, 0x50, 0x22, 0xb3]

function listener(more: Partial<ListenerInput> = {}): ListenerInput {
  return { type: 'tcp', proxyProtocol, ...more }
}

t.test('the client is who its proxy says, for limits and for all that follows', async (t) => {
  const listeners = await ListenersFixture.open(t, listener())
  const client = listeners.client(t)
  client.write(`${TEXT}first`)
  const { transport, peer, received } = await listeners.arrival()
  t.equal(received, 'first')
  t.match(peer, { address: '192.0.2.7', port: 50_000, isLocal: false, listener: 'tcp' })
  t.match(transport, { address: '192.0.2.7', port: 50_000 })
  t.same([...listeners.admitted.values()], ['192.0.2.7'])
})

t.test('a header that comes byte by byte', async (t) => {
  const listeners = await ListenersFixture.open(t, listener())
  const client = listeners.client(t).setNoDelay(true)
  for (const byte of binaryHeader(0x21, 0x11, ADDRESSES)) {
    await new Promise((resolve) => client.write(Buffer.of(byte), resolve))
  }
  const arrival = await listeners.arrival()
  t.equal(listeners.admitted.size, 1)
  client.write('hello')
  await arrival.receives('hello')
  t.equal(arrival.received, 'hello')
})

t.test('what a proxy does for itself comes from its own address, and is not of this machine', async (t) => {
  const listeners = await ListenersFixture.open(t, listener())
  for (const header of [binaryHeader(0x20, 0, []), 'PROXY UNKNOWN\r\n']) {
    listeners.client(t).write(header)
    t.match((await listeners.arrival()).peer, { address: '127.0.0.1', isLocal: false })
  }
  listeners.client(t).write('PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n')
  t.match((await listeners.arrival()).peer, { address: '127.0.0.1', port: 1, isLocal: false })
})

t.test('without a header, with a wrong one, or from elsewhere', async (t) => {
  const listeners = await ListenersFixture.open(t, listener())
  for (const bytes of ['\x10\x0c\0\x04MQTT', 'PROXY TCP4 nonsense\r\n', binaryHeader(0x21, 0x12, ADDRESSES)]) {
    const client = listeners.client(t)
    client.write(bytes)
    await closedReason(client)
  }
  t.equal(listeners.admitted.size, 0)
  t.equal(listeners.count('connectionsRefusedProxy'), 3)
  t.match(listeners.linesWith('connection refused')[0], /its PROXY header is not valid: it does not begin with one/)
  const elsewhere = await ListenersFixture.open(t, listener({ proxyProtocol: { trusted: ['10.0.0.1'] } }))
  const client = elsewhere.client(t)
  client.write(TEXT)
  await closedReason(client)
  t.match(elsewhere.linesWith('connection refused'), [/proxyProtocol.trusted does not name its address/])
})

t.test('a header is not looked for where no proxy is expected', async (t) => {
  const listeners = await ListenersFixture.open(t, { type: 'tcp' })
  listeners.client(t).write(TEXT)
  const arrival = await listeners.arrival()
  t.match(arrival.peer, { address: '127.0.0.1', isLocal: true })
  await arrival.receives(TEXT)
})

t.test('a header that does not come', async (t) => {
  const listeners = await ListenersFixture.open(t, listener())
  const client = listeners.client(t)
  client.write('PROXY')
  await new Promise((resolve) => client.once('connect', resolve))
  const other = listeners.client(t)
  other.write(TEXT)
  const arrival = await listeners.arrival()
  listeners.nowMs += 2_999
  listeners.listeners.tick()
  listeners.nowMs += 1
  listeners.listeners.tick()
  t.equal(await closedReason(client), 'closed')
  t.match(listeners.linesWith('without a PROXY header'), [/closed 1 connections/])
  other.write('goes on')
  await arrival.receives('goes on')
})

t.test('before TLS', async (t) => {
  const files = writeFiles(t.testdir({}), 'localhost', await makeCertificate('CN=localhost'))
  const listeners = await ListenersFixture.open(t, listener({ type: 'tls', tls: files }))
  const header = binaryHeader(0x21, 0x11, ADDRESSES, tlsField(7, 0, field(0x22, 'root')))
  const carrier = listeners.client(t)
  carrier.write(header)
  const client = connectTls({ socket: carrier, rejectUnauthorized: false })
  client.on('error', () => {})
  client.write('hello')
  const arrival = await listeners.arrival()
  await arrival.receives('hello')
  t.match(arrival.peer, { address: '192.0.2.7', tls: { version: 'TLSv1.3' } })
  t.equal(arrival.peer.certificate, undefined, 'what a proxy says of certificates does not count where TLS ends here')
})

t.test('before TLS, in one piece with the beginning of the handshake', async (t) => {
  const files = writeFiles(t.testdir({}), 'localhost', await makeCertificate('CN=localhost'))
  const listeners = await ListenersFixture.open(t, listener({ type: 'tls', tls: files }))
  const socket = listeners.client(t)
  let before: Buffer | string = TEXT
  const carrier = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => {
      socket.write(Buffer.concat([Buffer.from(before), chunk]), done)
      before = ''
    },
  })
  socket.on('data', (chunk) => carrier.push(chunk))
  const client = connectTls({ socket: carrier, rejectUnauthorized: false })
  client.on('error', () => {})
  client.write('hello')
  const arrival = await listeners.arrival()
  await arrival.receives('hello')
  t.equal(arrival.peer.address, '192.0.2.7')
})

t.test('before HTTP', async (t) => {
  const listeners = await ListenersFixture.open(t, listener({ type: 'ws' }))
  const client = listeners.client(t)
  client.write(`${TEXT}GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`)
  client.write('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n')
  client.write('Sec-WebSocket-Protocol: mqtt\r\n\r\n')
  const { transport, peer } = await listeners.arrival()
  t.match(peer, { address: '192.0.2.7', listener: 'ws' })
  t.match(transport, { address: '192.0.2.7', port: 50_000 })
})

t.test('certificates that the proxy has seen', async (t) => {
  const listeners = await ListenersFixture.open(t, listener({ certificateUser: 'commonName' }))
  const outcome = (tls: Buffer): Promise<Arrival | string> => {
    const client = listeners.client(t)
    client.write(binaryHeader(0x21, 0x11, ADDRESSES, field(0x02, 'plant.example'), tls))
    return Promise.race([listeners.arrival(), closedReason(client)])
  }
  t.match(await outcome(tlsField(7, 0, field(0x21, 'TLSv1.3'), field(0x22, 'boiler-7'))), {
    peer: {
      tls: { version: 'TLSv1.3', serverName: 'plant.example' },
      certificate: { commonName: 'boiler-7', subjectAltNames: [], authorized: true },
    },
  })
  const without = await outcome(tlsField(1, 0, field(0x22, 'boiler-7')))
  t.equal((without as Arrival).peer.certificate, undefined, 'none was shown')
  t.type(await outcome(tlsField(3, 1, field(0x22, 'boiler-7'))), 'string', 'one that does not hold')
  t.match(listeners.linesWith('connection refused'), [/the proxy says that its certificate does not hold/])
})
