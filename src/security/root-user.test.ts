import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { controlUrl, readControlFile, removeControlFile, writeControlFile } from './control-file.js'
import { makeControlToken } from './control-token.js'
import { firstRoot } from './root-user.js'

const first = (environment: Record<string, string>, authentication: BrokerConfigInput['authentication'] = {}) =>
  firstRoot({ environment, config: BrokerConfig.parse({ authentication }) })

t.test('the first password of root', async (t) => {
  const folder = t.testdir({ good: 'of the file \n', short: 'x', crlf: 'of the file\r\n' })
  const given = first({ MERLOT_ROOT_PASSWORD: 'from outside' }, { rootPasswordFile: join(folder, 'missing') })
  t.equal(given.password, 'from outside')
  t.notMatch(given.notice.join(), /from outside/, 'who has given it, knows it')
  t.equal(first({ MERLOT_ROOT_PASSWORD: '' }, { rootPasswordFile: join(folder, 'good') }).password, 'of the file ')
  t.equal(first({}, { rootPasswordFile: join(folder, 'crlf') }).password, 'of the file')
  const random = first({})
  t.match(random.password, /^[1-9A-HJ-NP-Za-km-z]{20}$/)
  t.match(random.notice[0], random.password)
  t.not(first({}).password, random.password)
  t.equal(first({}, { passwordBytesMin: 40 }).password.length, 40)
  t.throws(() => first({ MERLOT_ROOT_PASSWORD: 'short' }), { code: 'CONFIG_INVALID', message: /MERLOT_ROOT_PASSWORD/ })
  t.throws(() => first({}, { rootPasswordFile: join(folder, 'short') }), { code: 'CONFIG_INVALID', message: /short/ })
  t.throws(() => first({}, { rootPasswordFile: join(folder, 'missing') }), { code: 'FILE_UNREADABLE' })
})

t.test('control.json', async (t) => {
  const folder = t.testdir({})
  const path = join(folder, 'control.json')
  t.equal(readControlFile(folder), undefined)
  const token = makeControlToken()
  t.match(token, /^[\w-]{43}$/)
  writeFileSync(path, 'of a broker before', { mode: 0o644 })
  await writeControlFile(folder, 'mqtt://127.0.0.1:1883', token)
  t.same(readControlFile(folder), { url: 'mqtt://127.0.0.1:1883', user: 'root', password: token })
  if (process.platform !== 'win32') t.equal(statSync(path).mode & 0o777, 0o600)
  removeControlFile(folder, 'of another start')
  t.ok(readControlFile(folder))
  removeControlFile(folder, token)
  t.equal(readControlFile(folder), undefined)
  for (const damaged of ['', '{}', '[']) {
    writeFileSync(path, damaged)
    t.throws(() => readControlFile(folder), { code: 'FILE_UNREADABLE' })
    removeControlFile(folder, token)
  }
  await t.rejects(writeControlFile(join(folder, 'missing'), 'x', token), { code: 'FOLDER_UNUSABLE' })
})

t.test('where the owner is known to be on this machine', async (t) => {
  const listener = { type: 'tcp', host: '127.0.0.1', port: 1883, path: '' } as const
  for (const [listeners, url] of [
    [[listener], 'mqtt://127.0.0.1:1883'],
    [[{ ...listener, type: 'tls', port: 8883 }, listener], 'mqtt://127.0.0.1:1883'],
    [[{ ...listener, host: '0.0.0.0' }], 'mqtt://127.0.0.1:1883'],
    [[{ ...listener, host: '::' }], 'mqtt://[::1]:1883'],
    [[{ ...listener, host: '::1' }], 'mqtt://[::1]:1883'],
    [[{ ...listener, host: '192.0.2.7' }], undefined],
    [[{ ...listener, type: 'wss', path: '/mqtt', port: 5443 }], 'wss://127.0.0.1:5443/mqtt'],
    [[listener, { ...listener, type: 'unix', host: '', path: '/run/merlot.sock' }], 'unix:/run/merlot.sock'],
    [[], undefined],
  ] as const) {
    t.equal(controlUrl(listeners), url, JSON.stringify(listeners))
  }
})
