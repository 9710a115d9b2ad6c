import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t from 'tap'
import { makeCertificate, revocationList, writeFiles } from './certificates.fixture.js'
import { checkConfig } from './check.js'
import { isLocal } from './listener.js'
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
  writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 })
}

t.test('the defaults are sound', async (t) => {
  t.same(found({ dataDirectory: join(t.testdir({}), 'not', 'yet', 'there') }), [])
})

t.test(
  'by default nothing is open to the network, and nobody is more than an anonymous client of this machine',
  async (t) => {
    const { listeners } = BrokerConfig.parse({})
    t.ok(listeners.every(isLocal))
    for (const { anonymous, anonymousUser } of listeners) t.same([anonymous, anonymousUser], ['local', undefined])
  },
)

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

t.test('a folder of wheels that is not there, or none', async (t) => {
  const dataDirectory = t.testdir({ file: '', wheels: {} })
  const withFolder = (name: string) => found({ dataDirectory, python: { wheelsFolder: join(dataDirectory, name) } })
  t.same(withFolder('wheels'), [])
  t.match(withFolder('nowhere'), [
    /^warning: python.wheelsFolder: .*nowhere cannot be read: no such file or directory$/,
  ])
  t.match(withFolder('file'), [/^warning: python.wheelsFolder: .*file is no folder$/])
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

t.test('what listeners let in or show', async (t) => {
  const dataDirectory = t.testdir({})
  const of = (...listeners: BrokerConfigInput['listeners'] & object): readonly string[] =>
    found({ dataDirectory, listeners })
  const trusted = ['10.0.0.1']
  t.match(of({ type: 'tcp', host: '0.0.0.0' }, { type: 'ws', host: 'localhost' }), [
    /^warning: passwords and messages cross the network .*: tcp 0.0.0.0 port 1883$/,
  ])
  t.match(of({ type: 'tcp', host: '::', anonymous: 'allow' }, { type: 'ws', anonymous: 'allow' }), [
    /^warning: whoever reaches this machine is admitted without a user name: tcp :: port 1883$/,
    /^warning: passwords/,
  ])
  t.match(of({ type: 'tcp', anonymousUser: 'root' }), [/^warning: every program on this machine is root .*: tcp 127/])
  t.match(of({ type: 'ws', origins: ['*'] }), [/^warning: every web page .*: ws 127/])
  t.same(of({ type: 'tcp', proxyProtocol: { trusted } }), [])
  t.match(of({ type: 'tcp', anonymous: 'allow', proxyProtocol: { trusted } }), [/^warning: whoever reaches/])
  t.match(of({ type: 'tcp', host: '10.1.1.1', proxyProtocol: { trusted } }), [/^warning: passwords/])
  t.match(of({ type: 'tcp', proxyProtocol: { trusted: ['::/0'] } }), [/^warning: everybody may claim to be a proxy/])
})

t.test('weak settings of users, tokens, bans and audit', async (t) => {
  const folder = t.testdir({
    short: 'x'.repeat(31),
    good: `${'x'.repeat(32)}\n`,
    'keys.json': '{"keys":[]}',
    bad: '{}',
    started: { store: {} },
  })
  const secretFile = join(folder, 'good')
  chmodSync(secretFile, 0o600)
  const of = (input: BrokerConfigInput): readonly string[] => found({ dataDirectory: folder, ...input })
  const jwt = (jwt: NonNullable<BrokerConfigInput['authentication']>['jwt']) => of({ authentication: { jwt } })
  t.match(of({ compat: 'v1', authentication: { wellKnownRootPassword: true } }), [/can be root with a password that/])
  t.match(of({ authentication: { wellKnownRootPassword: true } }), [/has no effect without compat: v1/])
  t.match(of({ authentication: { passwordBytesMin: 4 } }), [/passwords of 4 bytes can be guessed/])
  const missing = { authentication: { rootPasswordFile: join(folder, 'none') } }
  t.match(of(missing), [/^warning: authentication.rootPasswordFile: cannot read .*none: no such file/])
  t.same(found({ dataDirectory: join(folder, 'started'), ...missing }), [], 'only the first start reads it')
  t.match(of({ limits: { ban: { failuresMax: 0 } } }), [/passwords may be tried without end/])
  t.match(of({ audit: { enabled: false } }), [/nobody can tell later/])
  t.match(of({ session: { takeoverByOthers: true } }), [/gets the session of another/])
  t.match(of({ rules: { recheckOpenSubscriptions: false } }), [/gets messages that rules forbid/])
  t.same(jwt({ secretFile, algorithms: ['HS256'] }), [])
  t.match(jwt({ secretFile: join(folder, 'short'), algorithms: ['HS256'] }), [
    /^error: .*short has 31 bytes, less than 32/,
    /short holds a secret and can be read by every user/,
  ])
  t.match(jwt({ secretFile: join(folder, 'none'), algorithms: ['HS256'] }), [/^error: cannot read .*none/])
  t.same(jwt({ jwksFile: join(folder, 'keys.json') }), [])
  t.match(jwt({ jwksFile: join(folder, 'bad') }), [/^error: .*bad is no JSON Web Key Set/])
  t.match(jwt({ jwksUrl: 'http://id.example.org:8080/keys' }), [/between here and id.example.org:8080 can make tokens/])
  t.same(jwt({ jwksUrl: 'http://[::1]/keys' }), [])
  t.same(jwt({ jwksUrl: 'https://id.example.org/keys' }), [])
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
  t.match(withTls('one.pem', 'other.key'), [
    /^error: listeners.0: cannot use the certificate .*one.pem: .*other.key do not belong together/,
  ])
  t.match(withTls('one.pem', 'one.key', 'bad.pem'), [/^error: .*bad.pem: /])
  const day = 86_400_000
  const end = Date.parse('2031-01-01T00:00:00Z')
  t.match(withTls('one.pem', 'one.key', undefined, end + day), [/^warning: .* is not valid since /])
  t.match(withTls('one.pem', 'one.key', undefined, end - day), [/^warning: .* will not be valid after /])
  t.match(withTls('one.pem', 'one.key', undefined, Date.parse('2029-01-01')), [/^warning: .* is not valid before /])
  writeFileSync(join(folder, 'half.pem'), readFileSync(join(folder, 'one.pem'), 'utf8').repeat(2).slice(0, -20))
  t.match(withTls('half.pem', 'one.key'), [/^error: .*half.pem: /])
  t.match(withTls('one.pem', 'one.key', 'half.pem'), [/^error: .*half.pem: its end is missing/])
})

t.test('revocation lists and OCSP responses whose time is nearly up', async (t) => {
  const HOUR_MS = 3_600_000
  const folder = t.testdir({ 'none.crl': '' })
  const [one, other] = [
    await makeCertificate('CN=one', { isAuthority: true }),
    await makeCertificate('CN=other', { isAuthority: true }),
  ]
  const files = writeFiles(folder, 'good', await makeCertificate('CN=good', { issuer: one }))
  const caFile = writeFiles(folder, 'one', one).certFile
  const crlFile = join(folder, 'lists.crl')
  const lists = (await revocationList(one, [], 24)) + (await revocationList(other, [], 2_000))
  writeFileSync(crlFile, lists)
  const startMs = Date.now()
  const of = (tls: object, hours: number): readonly string[] => {
    const listener = { type: 'tls' as const, tls: { ...files, caFile, clientCertificate: 'required' as const, ...tls } }
    return found({ dataDirectory: folder, listeners: [listener] }, startMs + hours * HOUR_MS)
  }
  t.same(of({ crlFile }, 19), [], 'for a short one not days before')
  t.match(of({ crlFile }, 20), [/^warning: listeners.0: a revocation list in .*lists.crl will not be valid after /])
  t.match(of({ crlFile }, 25), [/^warning: .* is not valid since .*: clients of its authority are refused/])
  t.match(of({ crlFile }, -1), [/is not valid before/, /is not valid before/])
  t.match(of({ crlFile: join(folder, 'none.crl') }, 0), [
    /^error: .*none.crl: there is no revocation list in PEM in it/,
  ])
  writeFileSync(crlFile, lists.slice(0, -20))
  t.match(of({ crlFile }, 0), [/^error: .*lists.crl: its end is missing/])
  const ocspFile = join(folder, 'answer.der')
  writeFileSync(ocspFile, ocspResponse(startMs, startMs + 10 * HOUR_MS))
  t.same(of({ ocspFile }, 7), [])
  t.match(of({ ocspFile }, 9), [/^warning: listeners.0: the OCSP response .*answer.der will not be valid after /])
  t.match(of({ ocspFile }, 11), [/the OCSP response .* is not valid since .*: clients that ask for it/])
})

/** As far as its dates are looked at. */
function ocspResponse(fromMs: number, untilMs: number): Buffer {
  const der = (tag: number, ...content: readonly Buffer[]): Buffer => {
    const bytes = Buffer.concat(content)
    return Buffer.concat([Buffer.of(tag, bytes.length), bytes])
  }
  const time = (ms: number): Buffer => {
    const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
    return der(0x18, Buffer.from(text))
  }
  const single = der(0x30, der(0x30), der(0x80), time(fromMs), der(0xa0, time(untilMs)))
  const basic = der(0x30, der(0x30, der(0xa1), time(fromMs), der(0x30, single)))
  return der(0x30, Buffer.of(0x0a, 1, 0), der(0xa0, der(0x30, der(0x06), der(0x04, basic))))
}

t.test('certificates that are weak, for another name, or with a key for everybody', async (t) => {
  const folder = t.testdir({})
  const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1_024, publicExponent: Uint8Array.of(1, 0, 1) }
  const altNames = [{ type: 'dns', value: 'localhost' }] as const
  const issuer = await makeCertificate('CN=authority', { algorithm: { ...rsa, hash: 'SHA-1' }, isAuthority: true })
  const forgeable = await makeCertificate('CN=forgeable', { issuer, algorithm: { ...rsa, hash: 'SHA-1' } })
  const weak = await makeCertificate('CN=weak', { algorithm: { ...rsa, hash: 'SHA-256' }, altNames })
  const good = writeFiles(folder, 'good', await makeCertificate('CN=good', { altNames }))
  const of = (tls: object): readonly string[] =>
    found({ dataDirectory: folder, listeners: [{ type: 'tls', tls: { ...good, ...tls } }] }, Date.now())
  t.same(of({ names: [{ serverName: 'localhost', ...good }] }), [])
  t.match(of(writeFiles(folder, 'weak', weak)), [/weak.pem has a key of RSA with 1024 bits/])
  t.match(of(writeFiles(folder, 'forgeable', forgeable)), [/^error: .*forgeable.pem: it is signed with a hash that/])
  t.match(of({ names: [{ serverName: '*.example.org', ...good }] }), [/good.pem is not for the name \*\.example\.org/])
  chmodSync(good.keyFile, 0o604)
  t.match(of({}), [/^warning: .*good.key holds a secret and can be read by every user of this machine$/])
  chmodSync(good.keyFile, 0o660)
  t.match(of({}), [/good.key holds a secret and can be changed by other users/])
})
