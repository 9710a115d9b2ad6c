import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { makeCertificate, type TestCertificate, writeFiles } from '../config/certificates.fixture.js'
import { createTicketSecret, renewTicketSecret } from '../contracts/ticket-keys.js'
import { Arrival, closedReason, type ListenerInput, ListenersFixture } from './listeners.fixture.js'

const folder = t.testdir({})
const authority = await makeCertificate('CN=authority', { isAuthority: true })
const localhost = writeFiles(folder, 'localhost', await makeCertificate('CN=localhost', { issuer: authority }))
const boiler = await makeCertificate('CN=boiler-7', { issuer: authority })
const { certFile: caFile } = writeFiles(folder, 'authority', authority)

function tlsListener(tls: object = {}, more: Partial<ListenerInput> = {}): ListenerInput {
  return { type: 'tls', ...more, tls: { ...localhost, ...tls } }
}

function shows({ pem, key }: TestCertificate) {
  return { cert: pem, key }
}

t.test('versions and ciphers', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener())
  const outcome = async (options: object) => {
    const arrival = await listeners.tlsOutcome(t, options)
    return typeof arrival === 'string' ? 'refused' : arrival.peer.tls
  }
  t.match(await outcome({}), { version: 'TLSv1.3', serverName: 'localhost', isResumed: false })
  t.match(await outcome({ maxVersion: 'TLSv1.2' }), { version: 'TLSv1.2', cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }
  for (const options of [old, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }]) {
    t.equal(await outcome(options), 'refused', JSON.stringify(options))
  }
  t.equal(listeners.count('connectionsRefusedHandshake'), 2)
  const newest = await ListenersFixture.open(t, tlsListener({ minVersion: 'TLSv1.3' }))
  t.type(await newest.tlsOutcome(t, { maxVersion: 'TLSv1.2' }), 'string')
})

t.test('a client cannot negotiate again', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener())
  const client = listeners.tlsClient(t, { maxVersion: 'TLSv1.2' })
  await new Promise((resolve) => client.once('secureConnect', resolve))
  client.renegotiate({}, () => t.fail('it can'))
  const problem = await new Promise((resolve) => client.once('error', resolve))
  t.match(problem, { code: 'ERR_SSL_NO_RENEGOTIATION' })
})

t.test('a client that does not speak TLS', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener())
  for (const first of [Buffer.from('100e00044d5154540502003c0000016100', 'hex'), 'GET / HTTP/1.1\r\n\r\n']) {
    const client = listeners.client(t)
    client.write(first)
    await closedReason(client)
  }
  const lines = listeners.linesWith('TLS handshake failed')
  t.match(lines, [/\(the client does not speak TLS\)$/, /\(the client does not speak TLS\)$/])
})

t.test('protocols that a client asks for', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener())
  t.type(await listeners.tlsOutcome(t, { ALPNProtocols: ['x', 'mqtt'] }), Arrival)
  t.type(await listeners.tlsOutcome(t, {}), Arrival)
  t.type(await listeners.tlsOutcome(t, { ALPNProtocols: ['h2', 'x-mqtt'] }), 'string')
  t.match(listeners.linesWith('TLS handshake failed'), [/no application protocol/])
})

t.test('a session goes on at any thread, until tickets want other keys', async (t) => {
  const secret = createTicketSecret()
  const [one, other] = [
    await ListenersFixture.open(t, tlsListener({}, { host: '127.0.0.1' }), {}, secret),
    await ListenersFixture.open(t, tlsListener({}, { host: '127.0.0.1' }), {}, secret),
  ]
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await sessionOf(t, one, { maxVersion })
    for (const listeners of [one, other]) {
      t.match(
        await listeners.tlsOutcome(t, { maxVersion, session }),
        { peer: { tls: { isResumed: true } } },
        maxVersion,
      )
    }
    renewTicketSecret(secret)
    other.listeners.tick()
    t.match(await other.tlsOutcome(t, { maxVersion, session }), { peer: { tls: { isResumed: false } } }, maxVersion)
    one.listeners.tick()
  }
})

t.test('a session of a listener without certificates does not go on at one that requires them', async (t) => {
  const secret = createTicketSecret()
  const ask = (clientCertificate: string) => tlsListener({ caFile, clientCertificate })
  const easy = await ListenersFixture.open(t, ask('optional'), {}, secret)
  const strict = await ListenersFixture.open(t, ask('required'), {}, secret)
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await sessionOf(t, easy, { maxVersion })
    t.match(await easy.tlsOutcome(t, { maxVersion, session }), { peer: { tls: { isResumed: true } } })
    t.type(await strict.tlsOutcome(t, { maxVersion, session }), 'string', maxVersion)
  }
})

t.test('certificates by server name', async (t) => {
  const named = async (serverName: string) => {
    const certificate = await makeCertificate(`CN=${serverName}`, { issuer: authority })
    return { serverName, ...writeFiles(folder, serverName.replace('*', 'any'), certificate) }
  }
  const names = [await named('one.example'), await named('*.example')]
  const listeners = await ListenersFixture.open(t, tlsListener({ names, caFile, clientCertificate: 'optional' }))
  for (const [servername, wanted] of [
    ['one.example', 'one.example'],
    ['ONE.example', 'one.example'],
    ['two.example', '*.example'],
    ['a.two.example', 'localhost'],
    ['elsewhere', 'localhost'],
    ['', 'localhost'],
  ]) {
    const client = listeners.tlsClient(t, { servername, ...shows(boiler) })
    const { peer } = await listeners.arrival()
    t.equal(client.getPeerCertificate().subject.CN, wanted, servername)
    t.equal(peer.certificate?.commonName, 'boiler-7', 'its authorities hold for all names')
  }
  const stranger = await makeCertificate('CN=stranger')
  t.type(await listeners.tlsOutcome(t, { servername: 'one.example', ...shows(stranger) }), 'string')
})

t.test('an answer of the authority for clients that ask', async (t) => {
  const ocsp = Buffer.from('300a0a0100a0053003020101', 'hex')
  const ocspFile = join(t.testdir({ 'ocsp.der': ocsp }), 'ocsp.der')
  const listeners = await ListenersFixture.open(t, tlsListener({ ocspFile }))
  const answer = (requestOCSP: boolean) =>
    new Promise((resolve) => {
      const client = listeners.tlsClient(t, { requestOCSP })
      client.on('OCSPResponse', resolve)
      client.on('secureConnect', () => resolve('none'))
    })
  t.same(await answer(true), ocsp)
  t.equal(await answer(false), 'none')
  const silent = await ListenersFixture.open(t, tlsListener())
  t.type(await silent.tlsOutcome(t, { requestOCSP: true }), Arrival)
})

t.test('handshakes under way are limited, and end with their connection', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({ handshakesMax: 2 }))
  const slow = [listeners.client(t), listeners.client(t)]
  for (const client of slow) await new Promise((resolve) => client.once('connect', resolve))
  t.equal(await closedReason(listeners.client(t)), 'closed')
  t.same(listeners.linesWith('handshakesMax').length, 1)
  const { connectSeconds } = listeners.config.connection
  t.equal(listeners.limits.closeLate(listeners.nowMs + connectSeconds * 1_000 - 1), 0)
  t.equal(listeners.limits.closeLate(listeners.nowMs + connectSeconds * 1_000), 2, 'the time runs from the beginning')
  await Promise.all(slow.map(closedReason))
  t.type(await listeners.tlsOutcome(t), Arrival)
})

t.test('handshakes of all connection threads count together', async (t) => {
  const memory = createSharedCountsMemory(2, 10)
  const listener = tlsListener({ handshakesMax: 2 })
  const open = (thread: number) =>
    ListenersFixture.open(t, listener, {}, createTicketSecret(), new SharedCounts(memory, thread))
  const [one, other] = [await open(0), await open(1)]
  const slow = [one.client(t), other.client(t)]
  for (const client of slow) await new Promise((resolve) => client.once('connect', resolve))
  for (const each of [one, other]) t.equal(await closedReason(each.client(t)), 'closed')
  one.limits.closeLate(Number.POSITIVE_INFINITY)
  await closedReason(slow[0])
  for (const each of [other, one, other]) t.type(await each.tlsOutcome(t), Arrival, 'each leaves room when it is done')
})

t.test('bytes that are no handshake, and a client that leaves in the middle of one', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener())
  const client = listeners.client(t)
  client.write('GET / HTTP/1.1\r\n\r\n')
  await closedReason(client)
  t.match(listeners.linesWith('TLS handshake failed'), [/http request/])
  const leaving = listeners.client(t)
  leaving.write(Buffer.from('160301', 'hex'))
  leaving.destroy()
  t.type(await listeners.tlsOutcome(t), Arrival)
})

t.test('a secure WebSocket speaks HTTP only', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({}, { type: 'wss' }))
  const client = connectTls({ port: listeners.port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
  t.teardown(() => client.destroy())
  await new Promise((resolve) => client.once('secureConnect', resolve))
  t.equal(client.alpnProtocol, 'http/1.1')
})

/** @returns what a client keeps to go on with the session */
async function sessionOf(t: Test, listeners: ListenersFixture, options: object): Promise<Buffer> {
  const client = listeners.tlsClient(t, options)
  const session = new Promise<Buffer>((resolve) => client.once('session', resolve))
  client.resume()
  await listeners.arrival()
  const kept = await session
  client.destroy()
  return kept
}
