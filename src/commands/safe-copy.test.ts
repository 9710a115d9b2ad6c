import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startCentre, type TestCentre } from './centre.fixture.js'

const DENY = 'DEFINE RULE Quiet WITH PRIORITY 200 FOR Publish TO TOPIC "secret/#"\n    DENY'
const VERSION = 'settings/identitiesVersion'

/** With a user, a rule of its own, and without one of the seeds. */
async function withBob(t: Test): Promise<TestCentre> {
  const test = await startCentre(t)
  for (const command of ['-addUser bob secret-of-bob', `-addRule ${DENY}`, '-removeRule AllowPublishTopic']) {
    t.match(await test.send(command), { success: true }, command)
  }
  return test
}

function pathOf({ folder }: TestCentre): string {
  return join(folder, 'identities.json')
}

interface Content {
  readonly version: string
  readonly definitions: readonly [string, string][]
}

function contentOf(test: TestCentre): Content {
  return JSON.parse((JSON.parse(readFileSync(pathOf(test), 'utf8')) as { content: string }).content) as Content
}

/** Starts anew. @returns warnings and errors */
async function restart(test: TestCentre): Promise<readonly string[]> {
  await test.centre.stop()
  test.log.length = 0
  await test.start()
  return test.log
    .filter(({ level }) => level === 'warn' || level === 'error')
    .map(({ level, message, fields }) => `${level}: ${message} ${JSON.stringify(fields)}`)
}

/** What threads are told. */
function inForce({ centre }: TestCentre): { users: string[]; hasDeny: boolean; hasSeed: boolean } {
  const { rules = [], users } = centre.wholeAccess()
  const logins = centre.wholeCredentials().users.map(({ name }) => name)
  return {
    users: users
      .map(({ name }) => name)
      .filter((name) => logins.includes(name))
      .sort(),
    hasDeny: rules.includes(DENY),
    hasSeed: rules.some((text) => text.includes('RULE AllowPublishTopic ')),
  }
}

const ALL = { users: ['bob', 'root'], hasDeny: true, hasSeed: false }

t.test('the copy is as the store when a change is answered', async (t) => {
  const test = await withBob(t)
  const isSame = (message: string): void => {
    const { version, definitions } = contentOf(test)
    t.equal(version, test.store.text(VERSION), message)
    for (const [key, text] of definitions) t.equal(text, test.store.text(key), `${message}: ${key}`)
    const kept = [...test.store.definitionsByKey.keys()].filter((key) => /^(user|rule)\//.test(key))
    t.same(
      definitions.map(([key]) => key).filter((key) => !key.startsWith('settings/')),
      kept.sort(),
    )
  }
  isSame('a rule was removed')
  if (process.platform !== 'win32') t.equal(statSync(pathOf(test)).mode & 0o777, 0o600)
  t.notMatch(readFileSync(pathOf(test), 'utf8'), /AllowCommandCall/, 'what comes with the broker is not kept')
  await test.send('-addUserToGroup bob night')
  isSame('a group')
  t.match(test.store.text('user/bob'), /night/)
  await test.send('-removeUser bob')
  isSame('a user was removed')
  const before = statSync(pathOf(test)).mtimeMs
  const { version } = contentOf(test)
  t.match(version, /^\d+\.[0-9a-f]{16}$/)
  await test.send('-setEnv SITE=north')
  t.equal(test.store.text(VERSION), version, 'what is none of users and rules is no new version')
  t.equal(statSync(pathOf(test)).mtimeMs, before)
  t.same(await restart(test), [])
  t.equal(statSync(pathOf(test)).mtimeMs, before, 'nothing to write at a start')
})

t.test('a copy of the same version that says something else is made anew', async (t) => {
  const test = await withBob(t)
  const text = test.store.text('rule/Quiet')?.replace('secret/#', 'silent/#') ?? ''
  test.store.definitionsByKey.set('rule/Quiet', Buffer.from(text))
  t.same(await restart(test), [])
  t.same(
    contentOf(test).definitions.find(([key]) => key === 'rule/Quiet'),
    ['rule/Quiet', text],
  )
})

t.test('version and change are one transaction', async (t) => {
  const test = await withBob(t)
  const [version, { version: copied }] = [test.store.text(VERSION), contentOf(test)]
  const together: string[][] = []
  test.store.refuse = (changes) => {
    together.push(changes.map(({ key }) => key))
    return new Error('no room')
  }
  t.match(await test.send('-addUser ann secret-of-ann'), { success: false })
  t.same(together, [['user/ann', VERSION]])
  t.equal(test.store.text(VERSION), version)
  t.equal(contentOf(test).version, copied)
})

t.test('a store that was moved aside', async (t) => {
  const test = await withBob(t)
  test.store.definitionsByKey.clear()
  const log = await restart(test)
  t.same(inForce(test), ALL)
  t.equal(log.length, 1)
  t.match(log[0], /^warn: the store knows no users and rules.*"users":2,"rules":3,"remedy":"to begin without them/)
  t.same(test.centre.firstNotice, [], 'root has its password of before')
  t.equal(contentOf(test).version, test.store.text(VERSION))
  t.match(contentOf(test).version, /^6\./)
  rmSync(pathOf(test))
  t.same(await restart(test), [], 'the store has them again')
  t.same(inForce(test).users, ['bob', 'root'])
  t.equal(contentOf(test).version, test.store.text(VERSION), 'a copy that was deleted is made anew')
})

t.test('single definitions that are lost', async (t) => {
  const test = await withBob(t)
  for (const key of ['rule/Quiet', 'user/bob', 'settings/rulesSeeded', VERSION]) {
    test.store.definitionsByKey.delete(key)
  }
  const log = await restart(test)
  t.match(inForce(test), { hasDeny: true, hasSeed: false })
  t.same(inForce(test).users, ['bob', 'root'])
  t.same(
    log.map((line) => /^error: lost from the store.*"name":"([^"]+)"/.exec(line)?.[1]),
    ['bob', 'Quiet', 'settings/rulesSeeded'],
  )
  t.same(await restart(test), [])
})

t.test('definitions that cannot be read', async (t) => {
  const test = await withBob(t)
  test.store.definitionsByKey.set('rule/Quiet', Buffer.from('{"source":"DEFINE RULE Quiet WITH'))
  test.store.definitionsByKey.set('user/bob', Buffer.from('{}'))
  const log = await restart(test)
  t.match(inForce(test), { hasDeny: true, hasSeed: false })
  t.same(inForce(test).users, ['bob', 'root'])
  t.equal(log.filter((line) => /passed over.*(Quiet|bob)/.test(line)).length, 2)
  t.equal(log.filter((line) => /brought back.*"name":"(Quiet|bob)"/.test(line)).length, 2)
  t.same(await restart(test), [], 'the store has them again')

  test.store.definitionsByKey.set('rule/Quiet', Buffer.from('{"source":"DEFINE RULE Quiet WITH'))
  rmSync(pathOf(test))
  await t.rejects(restart(test), { code: 'RULE_UNREADABLE' })
})

t.test('another store, or another state of it: the store is right', async (t) => {
  const test = await withBob(t)
  const old = new Map(test.store.definitionsByKey)
  const copy = readFileSync(pathOf(test))
  await test.send('-removeRule Quiet')
  await test.send('-removeUser bob')
  const now = contentOf(test).version

  writeFileSync(pathOf(test), copy)
  t.same(await restart(test), [], 'a crash between store and copy')
  t.match(inForce(test), { users: ['root'], hasDeny: false })
  t.equal(contentOf(test).version, now, 'made anew')

  await test.send('-addUser carl secret-of-carl')
  test.store.definitionsByKey.clear()
  for (const [key, value] of old) test.store.definitionsByKey.set(key, value)
  t.match(await restart(test), [/^warn: the copy of users and rules is newer.*"names":"carl"/], 'a backup came back')
  t.same(inForce(test).users, ['bob', 'root'])
  t.ok(inForce(test).hasDeny)

  const [number] = contentOf(test).version.split('.')
  test.store.definitionsByKey.set(VERSION, Buffer.from(`${number}.0123456789abcdef`))
  test.store.definitionsByKey.delete('user/bob')
  await restart(test)
  t.same(inForce(test).users, ['root'], 'a store of somewhere else with as many changes')
})

t.test('a copy that was changed plants nothing', async (t) => {
  const planted = (test: TestCentre): string => {
    const content = JSON.stringify({ ...contentOf(test), definitions: [['user/eve', test.store.text('user/bob')]] })
    return JSON.stringify({ ...JSON.parse(readFileSync(pathOf(test), 'utf8')), content })
  }
  for (const damage of [planted, () => '', () => '{}', () => 'null', () => '{"mac":"00","content":"{}"}']) {
    const test = await withBob(t)
    writeFileSync(pathOf(test), damage(test))
    const text = readFileSync(pathOf(test), 'utf8')
    t.match(await restart(test), [/^error: the copy of users and rules was damaged.*identities\.json\.damaged/], text)
    t.equal(readFileSync(`${pathOf(test)}.damaged`, 'utf8'), text)
    t.same(inForce(test).users, ['bob', 'root'])
    t.equal(contentOf(test).version, test.store.text(VERSION))

    writeFileSync(pathOf(test), text)
    const kept = new Map(test.store.definitionsByKey)
    test.store.definitionsByKey.clear()
    for (const _ of [1, 2]) await t.rejects(restart(test), { code: 'IDENTITIES_UNREADABLE' }, 'and no store either')
    t.equal(readFileSync(pathOf(test), 'utf8'), text, 'it stays where it is')
    rmSync(pathOf(test))
    for (const [key, value] of kept) test.store.definitionsByKey.set(key, value)
  }
})

t.test('without the key', { skip: process.platform === 'win32' }, async (t) => {
  const test = await withBob(t)
  const copy = readFileSync(pathOf(test), 'utf8')
  chmodSync(join(test.folder, 'secret.key'), 0o644)
  const log = await restart(test)
  t.ok(log.some((line) => /^warn: users and rules are not copied.*others may read the key/.test(line)))
  t.match(await test.send('-removeUser bob'), { success: true })
  t.equal(readFileSync(pathOf(test), 'utf8'), copy)
  chmodSync(join(test.folder, 'secret.key'), 0o600)
  t.same(await restart(test), [])
  t.same(inForce(test).users, ['root'], 'who was removed meanwhile does not come back')
  t.equal(contentOf(test).version, test.store.text(VERSION))

  test.store.definitionsByKey.clear()
  chmodSync(join(test.folder, 'secret.key'), 0o644)
  await t.rejects(restart(test), { code: 'IDENTITIES_UNREADABLE', message: /others may read the key/ })
})

t.test('a copy that cannot be written', async (t) => {
  const test = await withBob(t)
  const { version } = contentOf(test)
  mkdirSync(join(test.folder, 'identities.json.new', 'in the way'), { recursive: true })
  test.log.length = 0
  t.match(await test.send('-addUser ann secret-of-ann'), { success: true })
  t.match(
    test.log.filter(({ level }) => level === 'warn'),
    [{ message: /could not be copied/ }],
  )
  t.equal(contentOf(test).version, version, 'it is as it was')
  rmSync(join(test.folder, 'identities.json.new'), { recursive: true })
  await test.send('-setEnv SITE=north')
  t.equal(contentOf(test).version, test.store.text(VERSION), 'made up for with the next change of anything')
})

t.test('a broker that keeps nothing on disk makes no copy', async (t) => {
  const test = await startCentre(t, {}, { store: undefined })
  t.notOk(existsSync(pathOf(test)))
})
