import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t from 'tap'
import { checkConfig } from './check.js'
import { BrokerConfig, type BrokerConfigInput } from './schema.js'

const NOW_MS = Date.parse('2030-06-15T00:00:00Z')

function found(input: BrokerConfigInput, nowMs = NOW_MS): readonly string[] {
  return checkConfig(BrokerConfig.parse(input), nowMs).map(({ severity, message }) => `${severity}: ${message}`)
}

async function writeCertificate(folder: string, name: string): Promise<void> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    notBeforeDate: new Date('2030-01-01T00:00:00Z'),
    notAfterDate: new Date('2031-01-01T00:00:00Z'),
  })
  writeFileSync(join(folder, `${name}.pem`), cert)
  writeFileSync(join(folder, `${name}.key`), key)
}

t.test('the defaults are sound', async (t) => {
  t.same(found({ dataDirectory: join(t.testdir({}), 'not', 'yet', 'there') }), [])
})

t.test('listeners that want the same address', async (t) => {
  const dataDirectory = t.testdir({})
  const clash = (...listeners: BrokerConfigInput['listeners'] & object): readonly string[] =>
    found({ dataDirectory, listeners }).filter((line) => line.startsWith('error'))
  t.same(clash({ type: 'tcp', port: 1 }, { type: 'ws', port: 1 }), [
    'error: listeners.0 and listeners.1 both want 127.0.0.1 port 1',
  ])
  t.same(clash({ type: 'tcp', port: 1, host: '0.0.0.0' }, { type: 'ws', port: 1 }).length, 1)
  t.same(clash({ type: 'tcp', port: 1, host: '10.0.0.1' }, { type: 'ws', port: 1 }), [])
  t.same(clash({ type: 'tcp', port: 1, host: '0.0.0.0' }, { type: 'ws', port: 1, host: '::1' }), [])
  t.same(clash({ type: 'tcp', port: 1, host: '::' }, { type: 'ws', port: 1 }).length, 1, ':: takes IPv4 too')
  t.same(clash({ type: 'tcp', port: 0 }, { type: 'tcp', port: 0 }), [])
  t.same(clash({ type: 'unix', path: '/a' }, { type: 'unix', path: '/a' }).length, 1)
  t.same(clash({ type: 'unix', path: '/a' }, { type: 'unix', path: '/b' }), [])
})

t.test('a socket whose path is too long for the system', async (t) => {
  const dataDirectory = t.testdir({})
  const withPath = (path: string) => found({ dataDirectory, listeners: [{ type: 'unix', path }] })
  t.same(withPath(`/${'x'.repeat(102)}`), [])
  t.match(withPath(`/${'ä'.repeat(60)}`), [
    /^error: listeners.0: the path of a Unix socket has at most \d+ bytes, this one 121$/,
  ])
})

t.test('a data folder that is a file', async (t) => {
  const folder = t.testdir({ file: '' })
  t.match(found({ dataDirectory: join(folder, 'file') }), [/^error: cannot use the folder .*file: .* is a file$/])
  t.match(found({ dataDirectory: join(folder, 'file', 'below') }), [/^error: cannot use the folder/])
})

t.test('listening to the network without a password', async (t) => {
  const dataDirectory = t.testdir({})
  t.match(
    found({
      dataDirectory,
      listeners: [
        { type: 'tcp', host: '0.0.0.0' },
        { type: 'ws', host: 'localhost' },
      ],
    }),
    [/^warning: whoever reaches this machine may publish .*: tcp 0.0.0.0 port 1883$/],
  )
})

t.test('certificates are readable, belong together and are valid', async (t) => {
  const folder = t.testdir({ 'bad.pem': 'no certificate' })
  await writeCertificate(folder, 'one')
  await writeCertificate(folder, 'other')
  const withTls = (certFile: string, keyFile: string, caFile?: string, nowMs?: number): readonly string[] => {
    const inFolder = (name: string): string => join(folder, name)
    const tls = { certFile: inFolder(certFile), keyFile: inFolder(keyFile), caFile: caFile && inFolder(caFile) }
    return found({ dataDirectory: folder, listeners: [{ type: 'tls', tls }] }, nowMs)
  }
  t.same(withTls('one.pem', 'one.key', 'other.pem'), [])
  t.match(withTls('none.pem', 'one.key'), [/^error: listeners.0: cannot read .*none.pem: no such file or directory$/])
  t.match(withTls('bad.pem', 'one.key'), [/^error: listeners.0: cannot use the certificate .*bad.pem: /])
  t.match(withTls('one.pem', 'other.key'), [/^error: listeners.0: cannot use the certificate .*one.pem: .*mismatch/])
  t.match(withTls('one.pem', 'one.key', 'bad.pem'), [/^error: .*bad.pem: /])
  const day = 86_400_000
  const end = Date.parse('2031-01-01T00:00:00Z')
  t.match(withTls('one.pem', 'one.key', undefined, end + day), [/^warning: .* is not valid since /])
  t.match(withTls('one.pem', 'one.key', undefined, end - day), [/^warning: .* will not be valid after /])
  t.match(withTls('one.pem', 'one.key', undefined, Date.parse('2029-01-01')), [/^warning: .* is not valid before /])
})
