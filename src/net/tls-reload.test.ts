import { copyFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCertificate, writeFiles } from '../config/certificates.fixture.js'
import { Arrival, ListenersFixture } from './listeners.fixture.js'

/** Longer than between two looks at the files. */
const WHILE_MS = 2_001

async function setUp(t: Test) {
  const folder = t.testdir({})
  const put = async (file: string, name: string) => writeFiles(folder, file, await makeCertificate(`CN=${name}`))
  const files = await put('server', 'first')
  const other = await put('other', 'second')
  const listeners = await ListenersFixture.open(t, { type: 'tls', tls: files })
  const look = (): void => {
    listeners.nowMs += WHILE_MS
    listeners.listeners.tick()
  }
  const nameOfServer = async (): Promise<unknown> => {
    const client = listeners.tlsClient(t)
    await listeners.arrival()
    return client.getPeerCertificate().subject.CN
  }
  look()
  return { folder, files, other, put, listeners, look, nameOfServer }
}

t.test('files that change hold for connections from then on', async (t) => {
  const { files, other, listeners, look, nameOfServer } = await setUp(t)
  t.equal(await nameOfServer(), 'first')
  const client = listeners.tlsClient(t)
  const arrival = await listeners.arrival()
  renameSync(other.certFile, files.certFile)
  renameSync(other.keyFile, files.keyFile)
  look()
  t.equal(await nameOfServer(), 'first', 'it could be half of a change')
  look()
  t.equal(await nameOfServer(), 'second')
  client.write('still here')
  await arrival.receives('still here')
  t.equal(listeners.linesWith('certificates read again').length, 1)
  look()
  look()
  t.equal(listeners.linesWith('certificates read again').length, 1)
})

t.test('what cannot be used leaves what there was, says so once, and is tried again when it changes', async (t) => {
  const { files, other, listeners, look, nameOfServer } = await setUp(t)
  copyFileSync(other.certFile, files.certFile)
  for (let looks = 0; looks < 5; looks++) look()
  t.match(listeners.linesWith('certificates stay as they were'), [
    /cannot use the certificate .*server.pem: .*do not belong together/,
  ])
  t.equal(await nameOfServer(), 'first')
  copyFileSync(other.keyFile, files.keyFile)
  look()
  look()
  t.equal(await nameOfServer(), 'second')
  writeFileSync(files.certFile, '')
  look()
  look()
  t.match(listeners.linesWith('stay as they were')[1], /server.pem/)
  t.equal(await nameOfServer(), 'second')
})

t.test('when it is told to, and what it answers', async (t) => {
  const { folder, files, other, listeners, nameOfServer, put } = await setUp(t)
  copyFileSync(other.certFile, files.certFile)
  copyFileSync(other.keyFile, files.keyFile)
  t.same(listeners.listeners.reloadTls(), [{ listener: 'tls 127.0.0.1:0', ok: true }])
  t.equal(await nameOfServer(), 'second')
  renameSync(files.keyFile, join(folder, 'gone'))
  t.match(listeners.listeners.reloadTls(), [{ ok: false, problem: /cannot read .*server.key: no such file/ }])
  t.equal(await nameOfServer(), 'second')
  await put('server', 'third')
  t.match(listeners.listeners.reloadTls(), [{ ok: true }])
  t.equal(await nameOfServer(), 'third')
  const plain = await ListenersFixture.open(t, { type: 'tcp' })
  t.same(plain.listeners.reloadTls(), [])
})

t.test('authorities that are lost or half written do not open it', async (t) => {
  const { folder, files } = await setUp(t)
  const authority = await makeCertificate('CN=authority', { isAuthority: true })
  const { certFile: caFile } = writeFiles(folder, 'authority', authority)
  const tls = { ...files, caFile, clientCertificate: 'required' } as const
  const listeners = await ListenersFixture.open(t, { type: 'tls', tls })
  const boiler = await makeCertificate('CN=boiler-7', { issuer: authority })
  const half = authority.pem.slice(0, -40)
  for (const content of ['', 'nothing', half, authority.pem + half]) {
    writeFileSync(caFile, content)
    t.match(listeners.listeners.reloadTls(), [{ ok: false }])
    t.type(await listeners.tlsOutcome(t), 'string')
    t.type(await listeners.tlsOutcome(t, { cert: boiler.pem, key: boiler.key }), Arrival)
  }
})

t.test('a new name of the server', async (t) => {
  const { folder, files, put } = await setUp(t)
  const named = await put('named', 'name-1')
  const names = [{ serverName: 'plant.example', ...named }]
  const listeners = await ListenersFixture.open(t, { type: 'tls', tls: { ...files, names } })
  const shown = async (): Promise<unknown> => {
    const client = listeners.tlsClient(t, { servername: 'plant.example' })
    await listeners.arrival()
    return client.getPeerCertificate().subject.CN
  }
  t.equal(await shown(), 'name-1')
  writeFiles(folder, 'named', await makeCertificate('CN=name-2'))
  t.match(listeners.listeners.reloadTls(), [{ ok: true }])
  t.equal(await shown(), 'name-2')
})
