import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SecretBox } from '../base/secret-box.js'
import { openSecretKey } from '../base/secret-key.js'
import { startCentre } from './centre.fixture.js'

const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'

t.test('environment values', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send('-setEnv SITE=north wing'), { success: true, command: 'SetEnv' })
  t.equal(test.lot.environment.get('env/SITE'), 'north wing')
  t.match(await send('-listEnv'), { data: [{ name: 'SITE', value: 'north wing' }] })
  t.match(await send('-removeEnv SITE'), { success: true })
  t.match(await send('-removeEnv SITE'), { success: false, message: "Environment value 'SITE' not found." })
  t.notOk(test.lot.environment.has('env/SITE'))
  for (const wrong of ['SITE', '=x', 'a b=c', '9=x']) t.match(await send(`-setEnv ${wrong}`), { success: false }, wrong)
})

t.test('a secret is nowhere in clear', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send('-setSecret PASS=hunter2 -requestId q'), { success: true, requestId: 'q' })
  t.equal(test.lot.environment.get('secret/PASS'), 'hunter2')
  t.match(await send('-listSecrets'), { message: /^1 secret\.$/, data: ['PASS'] })
  t.match(await send('-setSecret =hunter2'), { success: false })
  test.store.refuse = () => new Error('no room')
  t.match(await send('-setSecret OTHER=hunter2'), { success: false, message: 'no room' })
  const seen = JSON.stringify([test.log, test.outputs(), [...test.retained], test.store.text('secret/PASS')])
  t.notMatch(seen, /hunter2/)
  t.ok(test.store.definitionsByKey.get('secret/PASS')!.length > 28)
})

t.test('and there again after a start', async (t) => {
  const test = await startCentre(t)
  await test.send('-setSecret PASS=hunter2')
  test.lot.environment.clear()
  await test.start()
  t.equal(test.lot.environment.get('secret/PASS'), 'hunter2')
})

t.test('what an action sets is kept, and not sent back to it', async (t) => {
  const test = await startCentre(t)
  test.centre.handle({
    kind: 'environment',
    changes: [
      { secret: false, name: 'COUNT', value: '7' },
      { secret: true, name: 'TOKEN', value: 'abc' },
    ],
  })
  await test.centre.stop()
  t.same(test.store.keys(), ['env/COUNT', 'secret/TOKEN'])
  t.equal(test.lot.environment.size, 0)
  test.centre.handle({ kind: 'environment', changes: [{ secret: true, name: 'TOKEN', value: undefined }] })
  await test.centre.stop()
  t.same(test.store.keys(), ['env/COUNT'])
})

t.test('the key file', { skip: process.platform === 'win32' }, async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'secret.key')
  t.type(openSecretKey({ given: undefined, file }), Buffer)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const text = readFileSync(file, 'utf8')
  t.match(text, /^[0-9a-f]{64}\n$/)
  t.type(openSecretKey({ given: undefined, file }), Buffer)
  t.equal(readFileSync(file, 'utf8'), text, 'is made once')
  chmodSync(file, 0o640)
  t.match(openSecretKey({ given: undefined, file }), /others may read the key of secrets/)
  writeFileSync(file, 'nonsense')
  chmodSync(file, 0o600)
  t.match(openSecretKey({ given: undefined, file }), /does not hold a key/)
  mkdirSync(join(folder, 'folder'))
  t.match(openSecretKey({ given: undefined, file: join(folder, 'missing', 'x') }), /cannot make the key/)
  t.match(openSecretKey({ given: 'short', file }), /MERLOT_SECRET_KEY is not 32 bytes/)
  t.notMatch(openSecretKey({ given: 'short', file }), /short/)
})

t.test(
  'a key that others can read: secrets are refused, the rest goes on',
  { skip: process.platform === 'win32' },
  async (t) => {
    const test = await startCentre(t)
    await test.send('-setSecret PASS=hunter2')
    const file = join(test.folder, 'secret.key')
    chmodSync(file, 0o644)
    test.lot.environment.clear()
    await test.start()
    t.notOk(test.lot.environment.has('secret/PASS'))
    t.match(await test.send('-setSecret OTHER=x'), { success: false, message: /others may read/ })
    t.match(await test.send('-setEnv A=1'), { success: true })
    t.ok(test.store.definitionsByKey.has('secret/PASS'), 'what is there stays')
    chmodSync(file, 0o600)
    await test.start()
    t.equal(test.lot.environment.get('secret/PASS'), 'hunter2')
  },
)

t.test('a key of the environment needs no file', async (t) => {
  const test = await startCentre(t, {}, { environment: { MERLOT_SECRET_KEY: KEY } })
  t.match(await test.send('-setSecret A=1'), { success: true })
  t.notOk(existsSync(join(test.folder, 'secret.key')))
})

t.test('nothing is kept, no key is made', async (t) => {
  const test = await startCentre(t, {}, { store: undefined })
  t.match(await test.send('-setSecret A=1'), { success: true })
  t.equal(test.lot.environment.get('secret/A'), '1')
  t.notOk(existsSync(join(test.folder, 'secret.key')))
})

t.test('sealed texts belong to their names, and to one key', async (t) => {
  const box = new SecretBox(Buffer.from(KEY, 'hex'))
  const other = new SecretBox(Buffer.from(KEY.replaceAll('0', '1'), 'hex'))
  const sealed = box.seal('A', 'täxt')
  t.equal(box.open('A', sealed), 'täxt')
  t.not(Buffer.compare(sealed, box.seal('A', 'täxt')), 0, 'twice the same is not the same')
  t.throws(() => box.open('B', sealed))
  t.throws(() => other.open('A', sealed))
  t.throws(() => box.open('A', sealed.subarray(0, 20)))
  sealed[sealed.length - 1]! ^= 1
  t.throws(() => box.open('A', sealed))
})
