import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate, revocationList, type TestCertificate, writeFiles } from '../config/certificates.fixture.js'
import { Arrival, type ListenerInput, ListenersFixture } from './listeners.fixture.js'
import { CLIENT_OF_ITS_AUTHORITY, PASSPHRASE, SERVER_PFX } from './pkcs12.fixture.js'

const folder = t.testdir({})
const authority = await makeCertificate('CN=authority', { isAuthority: true })
const localhost = writeFiles(folder, 'localhost', await makeCertificate('CN=localhost', { issuer: authority }))
const { certFile: caFile } = writeFiles(folder, 'authority', authority)
const boiler = await makeCertificate('CN=boiler-7+O=Plant, OU=x\\, CN\\=root', {
  issuer: authority,
  altNames: [
    { type: 'dns', value: 'boiler-7.example' },
    { type: 'ip', value: '192.0.2.7' },
    { type: 'url', value: 'urn:boiler:7,x' },
    { type: 'email', value: 'seven@example.org' },
  ],
})
const revoked = await makeCertificate('CN=revoked', { issuer: authority })
const stranger = await makeCertificate('CN=stranger')

function shows({ pem, key }: Pick<TestCertificate, 'pem' | 'key'>) {
  return { cert: pem, key }
}

function tlsListener(tls: object): ListenerInput {
  return { type: 'tls', tls: { ...localhost, caFile, ...tls } }
}

t.test('required', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({ clientCertificate: 'required' }))
  t.match(await listeners.tlsOutcome(t, shows(boiler)), {
    peer: {
      certificate: {
        commonName: 'boiler-7',
        subjectAltNames: ['boiler-7.example', 'urn:boiler:7,x', 'seven@example.org'],
        fingerprint: /^[0-9a-f]{64}$/,
        authorized: true,
      },
    },
  })
  t.type(await listeners.tlsOutcome(t), 'string')
  t.type(await listeners.tlsOutcome(t, shows(stranger)), 'string')
  t.match(listeners.linesWith('TLS handshake failed'), [
    /did not return a certificate/,
    /certificate does not hold: depth/,
  ])
  for (const { message, fields } of listeners.logged) {
    if (message.startsWith('TLS handshake failed')) t.match(fields, { address: '127.0.0.1' }, message)
  }
})

t.test('optional: none will do, a wrong one will not', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({ clientCertificate: 'optional' }))
  t.match(await listeners.tlsOutcome(t, shows(boiler)), { peer: { certificate: { commonName: 'boiler-7' } } })
  const nobody = await listeners.tlsOutcome(t)
  t.type(nobody, Arrival)
  t.equal((nobody as Arrival).peer.certificate, undefined)
  t.type(await listeners.tlsOutcome(t, shows(stranger)), 'string')
  t.match(listeners.linesWith('connection refused'), [/its certificate does not hold: /])
  t.equal(listeners.count('connectionsRefusedHandshake'), 1)
})

t.test('not asked for: one that is shown is not looked at', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({}))
  const arrival = await listeners.tlsOutcome(t, shows(stranger))
  t.equal((arrival as Arrival).peer.certificate, undefined)
})

t.test('revoked certificates, also of sessions that would go on', async (t) => {
  const crlFile = join(folder, 'revoked.crl')
  writeFileSync(crlFile, await revocationList(authority, []))
  const listeners = await ListenersFixture.open(t, tlsListener({ clientCertificate: 'required', crlFile }))
  const client = listeners.tlsClient(t, shows(revoked))
  const session = await new Promise<Buffer>((resolve) => {
    client.once('session', resolve)
    client.resume()
  })
  t.match(await listeners.arrival(), { peer: { certificate: { commonName: 'revoked' } } })
  writeFileSync(crlFile, await revocationList(authority, [revoked]))
  t.match(listeners.listeners.reloadTls(), [{ ok: true }])
  t.type(await listeners.tlsOutcome(t, { ...shows(revoked), session }), 'string')
  t.type(await listeners.tlsOutcome(t, shows(revoked)), 'string')
  t.type(await listeners.tlsOutcome(t, shows(boiler)), Arrival)
  t.match(listeners.linesWith('does not hold'), [/revoked/, /revoked/])
})

t.test('a file of revocation lists of several authorities', async (t) => {
  const second = await makeCertificate('CN=second authority', { isAuthority: true })
  const pump = await makeCertificate('CN=pump-1', { issuer: second })
  const gone = await makeCertificate('CN=gone', { issuer: second })
  const [both, crlFile] = [join(folder, 'both.pem'), join(folder, 'both.crl')]
  writeFileSync(both, authority.pem + second.pem)
  writeFileSync(crlFile, (await revocationList(authority, [revoked])) + (await revocationList(second, [gone])))
  const tls = { clientCertificate: 'required', caFile: both, crlFile } as const
  const listeners = await ListenersFixture.open(t, tlsListener(tls))
  for (const welcome of [boiler, pump]) t.type(await listeners.tlsOutcome(t, shows(welcome)), Arrival)
  for (const refused of [revoked, gone]) t.type(await listeners.tlsOutcome(t, shows(refused)), 'string')
})

t.test('large certificates and chains', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({ clientCertificate: 'required' }))
  const altNames = Array.from(
    { length: 400 },
    (_, index) => ({ type: 'dns', value: `${'x'.repeat(50)}.${index}` }) as const,
  )
  const large = await makeCertificate('CN=large', { issuer: authority, altNames })
  t.type(await listeners.tlsOutcome(t, shows(large)), 'string')
  t.match(listeners.linesWith('connection refused'), [/its certificate has \d+ bytes, more than 16384/])
  const chain = boiler.pem + large.pem.repeat(6)
  t.type(await listeners.tlsOutcome(t, { cert: chain, key: boiler.key }), 'string')
  t.match(listeners.linesWith('TLS handshake failed'), [/excessive message size/])
  t.type(await listeners.tlsOutcome(t, shows(boiler)), Arrival)
})

t.test('names with control characters', async (t) => {
  const listeners = await ListenersFixture.open(t, tlsListener({ clientCertificate: 'required' }))
  const forged = await makeCertificate('CN=boiler\\0A7', { issuer: authority })
  t.type(await listeners.tlsOutcome(t, shows(forged)), 'string')
  t.match(listeners.linesWith('connection refused'), [/its certificate has a name with control characters/])
})

t.test('an authority in a PKCS#12 file is none for clients', async (t) => {
  const pfxFile = join(folder, 'server.pfx')
  writeFileSync(pfxFile, SERVER_PFX)
  const tls = { pfxFile, passphrase: PASSPHRASE, caFile, clientCertificate: 'required' } as const
  const listeners = await ListenersFixture.open(t, { type: 'tls', tls })
  const between = await makeCertificate('CN=between', { issuer: authority, isAuthority: true })
  const { pem, key } = await makeCertificate('CN=pump-1', { issuer: between })
  const pump = { cert: pem + between.pem, key }
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [certificate, wanted] of [
      [shows(boiler), Arrival],
      [pump, Arrival],
      [shows(CLIENT_OF_ITS_AUTHORITY), 'string'],
    ] as const) {
      const client = listeners.tlsClient(t, { ...certificate, maxVersion })
      const closed = new Promise((resolve) => client.once('close', resolve))
      const kept = new Promise<Buffer>((resolve) => client.once('session', resolve))
      client.resume()
      await (wanted === Arrival ? listeners.arrival() : closed)
      const session = await Promise.race([kept, closed.then(() => undefined), nextTurns()])
      t.type(await listeners.tlsOutcome(t, { ...certificate, maxVersion, session }), wanted, maxVersion)
    }
  }
  t.equal(listeners.linesWith('caFile does not name its authority').length, 4)
})

/** Enough of them for what is on its way within this process. */
async function nextTurns(): Promise<undefined> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  return undefined
}
