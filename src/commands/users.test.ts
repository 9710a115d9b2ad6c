import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { AccessChange, AccessQuestion, CredentialsChange, Decision, Identity } from '../contracts/security.js'
import { verifyPassword } from '../security/passwords.js'
import { startCentre, type TestCentre } from './centre.fixture.js'
import type { Identities } from './identities.js'
import type { User } from './users.js'

const BOB: Identity = { userName: 'bob', clientId: 'c1', address: '192.0.2.7', port: 49152, claims: undefined }
const ROOT: Identity = { ...BOB, userName: 'root' }

/** Threads that only remember what they are told. */
class ToldThreads implements Identities {
  readonly access: AccessChange[] = []
  readonly credentials: CredentialsChange[] = []
  refuse: Error | undefined
  async tell(access: AccessChange, credentials: CredentialsChange): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.access.push(access)
    this.credentials.push(credentials)
    if (this.refuse !== undefined) throw this.refuse
  }
}

const allowed: Decision = { allowed: true, rule: 'R', reason: 'rule R', reads: [] }

function storedUser(test: TestCentre, name: string): User {
  return JSON.parse(test.store.text(`user/${name}`)) as User
}

t.test('users come and go', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send('-addUser bob "secret of bob"'), {
    success: true,
    command: 'AddUser',
    message: 'User bob added successfully!',
    entityType: 'User',
    entityName: 'bob',
  })
  t.match(await send('-addUser bob "another one"'), {
    success: false,
    message: "A user with the name 'bob' already exists",
  })
  t.ok(await verifyPassword(storedUser(test, 'bob').passwordHash ?? '', Buffer.from('secret of bob')))
  t.match(await send('-changeUserPassword bob other-secret'), {
    message: 'Password for user bob changed successfully!',
  })
  t.ok(await verifyPassword(storedUser(test, 'bob').passwordHash ?? '', Buffer.from('other-secret')))
  t.match(await send('--list-users'), {
    data: [
      { name: 'root', groups: [], properties: {}, hasPassword: true, scram: [] },
      { name: 'bob', groups: [], properties: {}, hasPassword: true, scram: [] },
    ],
  })
  t.match(await send('-removeUser bob'), { success: true, message: 'User bob removed successfully!' })
  t.equal((await send('-removeUser bob')).message, "User 'bob' not found.")
  t.equal((await send('-removeUser roof')).message, "User 'roof' not found. Did you mean 'root'?")
  t.equal((await send('-listUsers')).message, '1 user.')
  await send('-addUserToGroup root night')
  t.equal((await send('-listUserGroups root')).message, 'User root is in 1 group.')
  t.notOk(test.store.definitionsByKey.has('user/bob'))
})

t.test('groups and settings', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send('-addUser bob secret-of-bob')
  t.match(await send('-addUserToGroup bob "night shift"'), {
    message: 'User bob added to group night shift successfully!',
  })
  t.match(await send('-addUserToGroup bob "night shift"'), { success: false, message: /already/ })
  t.match(await send('-listUserGroups bob'), { data: { groups: ['night shift'] } })
  t.match(await send('-removeUserFromGroup bob "night shift"'), { success: true })
  t.match(await send('-removeUserFromGroup bob "night shift"'), { success: false, message: /not in group/ })
  t.match(await send('-changeUserSettings bob allowedsystemconfiguration true'), {
    message: 'Setting AllowedSystemConfiguration of user bob changed successfully!',
  })
  t.match(await send('-changeUserSettings bob Site "north wing"'), { success: true })
  t.match(await send('-changeUserSettings bob constructor x'), { success: true })
  t.same(storedUser(test, 'bob').properties, {
    AllowedSystemConfiguration: 'true',
    Site: 'north wing',
    constructor: 'x',
  })
  for (const wrong of ['bob', 'bob Site', 'bob Site a b', 'bob __proto__ x', 'bob 9 x', 'nobody Site x']) {
    t.match(await send(`-changeUserSettings ${wrong}`), { success: false }, wrong)
  }
  for (const wrong of ['', 'bob', 'bob a b', 'nobody a']) {
    t.match(await send(`-addUserToGroup ${wrong}`), { success: false }, wrong)
    t.match(await send(`-removeUserFromGroup ${wrong}`), { success: false }, wrong)
  }
  t.match(await send('-listUserGroups nobody'), { success: false, message: "User 'nobody' not found." })
})

t.test('what cannot be a user or a password', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const long = 'x'.repeat(1_025)
  for (const [command, message] of [
    ['-addUser', /Expected the name/],
    ['-addUser bob', /Expected the name/],
    ['-addUser bob short', /at least 8 bytes/],
    ['-addUser bob two words', /put in quotes/],
    [`-addUser bob ${long}`, /at most 1024 bytes/],
    [`-addUser ${'x'.repeat(256)} secret-of-bob`, /longer than 255 bytes/],
    ['-addUser "" secret-of-bob', /is empty/],
    ['-addUser "a\u0007b" secret-of-bob', /control characters/],
    ['-addUser bob "with\na line"', /control characters/],
    ['-changeUserPassword nobody secret-of-bob', /'nobody' not found/],
    ['-removeUser', /missing/],
    ['-removeUser root', /cannot be removed/],
  ] as const) {
    t.match(await send(command), { success: false, message }, command.slice(0, 40))
  }
  t.match(await send('-addUser + secret-of-plus'), { success: true }, 'a name is never a pattern')
})

t.test('a password is nowhere in clear', async (t) => {
  const test = await startCentre(t, { authentication: { scram: ['SCRAM-SHA-256'], scramIterations: 4_096 } })
  for (const command of ['-addUser bob', '-changeUserPassword bob', '-addUser root', '-addUser', '-addUser bob x']) {
    await test.send(`${command} hunter2-hunter2`)
  }
  test.store.refuse = () => new Error('no room')
  t.match(await test.send('-addUser eve hunter2-hunter2'), { success: false, message: 'no room' })
  const { scram } = storedUser(test, 'bob')
  t.equal(scram['SCRAM-SHA-256']?.iterations, 4_096)
  const kept = [...test.store.definitionsByKey.values()].map((value) => Buffer.from(value).toString())
  t.notMatch(JSON.stringify([test.log, test.outputs(), [...test.retained], kept]), /hunter2/)
  const shown = JSON.parse(test.retained.get('Config/Users')!)
  t.match(shown, [
    { name: 'root', password: '********' },
    { name: 'bob', password: '********', groups: [], properties: {} },
  ])
  t.notMatch(JSON.stringify([test.outputs(), shown]), /argon2|storedKey/)
})

t.test('commands keep their order while passwords are hashed', async (t) => {
  const test = await startCentre(t)
  const replies = await Promise.all(
    ['-addUser bob secret-of-bob', '-addUserToGroup bob shift', '-listUserGroups bob'].map((text) =>
      test.centre.execute(text),
    ),
  )
  t.same(
    replies.map((reply) => reply?.success),
    [true, true, true],
  )
  t.same(replies[2]?.data, { groups: ['shift'] })
})

t.test('threads are told before the answer', async (t) => {
  const threads = new ToldThreads()
  const test = await startCentre(t, {}, { identities: threads })
  threads.access.length = 0
  threads.credentials.length = 0
  await test.send('-addUser bob secret-of-bob')
  t.match(threads.access, [{ rules: undefined, users: [{ name: 'bob' }], removedUsers: [], isWhole: false }])
  t.match(threads.credentials, [{ users: [{ name: 'bob', passwordHash: /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/ }] }])
  t.notOk('passwordHash' in threads.access[0].users[0])
  await test.send('-removeUser bob')
  t.match(threads.access[1], { users: [], removedUsers: ['bob'] })
  t.match(threads.credentials[1], { users: [], removedUsers: ['bob'] })
  await test.send('-addRule DEFINE RULE Quiet WITH PRIORITY 500 FOR Publish TO TOPIC "a/#"\n    DENY')
  const { rules = [] } = threads.access[2]
  t.match(rules[0], /^DEFINE RULE AllowCommandCall /)
  t.ok(rules.some((text) => text.startsWith('DEFINE RULE Quiet')))
  await test.send('-setEnv A=1')
  t.equal(threads.access.length, 3, 'only of users and rules')
  threads.refuse = new Error('it has refused')
  const told = { success: true, warnings: [/did not take it \(it has refused\) and begins anew/] }
  t.match(await test.send('-removeRule Quiet'), told)
  t.match(
    test.log.filter(({ level }) => level === 'error'),
    [{ fields: { reason: 'it has refused' } }],
  )
  t.same((await test.send('-setEnv A=2')).warnings, [], 'what does not concern them')
})

t.test('a thread that begins gets the whole', async (t) => {
  const test = await startCentre(t)
  await test.send('-addUser zoe secret-of-zoe')
  const access = test.centre.wholeAccess()
  t.match(access, {
    isWhole: true,
    users: [{ name: 'root' }, { name: 'zoe', createdAt: /^\d{4}-.*Z$/ }],
    rules: [/AllowCommandCall/],
  })
  const credentials = test.centre.wholeCredentials()
  t.match(credentials, { isWhole: true, users: [{ name: 'root' }, { name: 'zoe' }], decoyKey: /^[\w+/]{43}=$/ })
  await test.start()
  t.same(test.centre.wholeCredentials(), credentials, 'the same after a start, the decoys too')
  t.same(test.centre.firstNotice, [], 'root is made once')
})

t.test('the first start makes root', async (t) => {
  const test = await startCentre(t, {}, { environment: { MERLOT_ROOT_PASSWORD: 'given-from-outside' } })
  t.match(test.centre.firstNotice, [/^the user root was made/])
  t.ok(await verifyPassword(storedUser(test, 'root').passwordHash ?? '', Buffer.from('given-from-outside')))
  t.rejects(startCentre(t, {}, { environment: { MERLOT_ROOT_PASSWORD: 'short' } }), { code: 'CONFIG_INVALID' })
  const told = /^root is there already: MERLOT_ROOT_PASSWORD is for the first start$/
  t.notOk(test.log.some(({ message }) => told.test(message)))
  await test.start()
  t.match(test.log.at(-1), { level: 'info', message: told }, 'a later one says that it has no effect')
})

t.test('who may not, is told so', async (t) => {
  const questions: AccessQuestion[] = []
  let decision: Decision = { ...allowed, allowed: false, rule: undefined }
  const decide = async (question: AccessQuestion): Promise<Decision> => {
    questions.push(question)
    return question.scope === 'CommandCall' ? allowed : decision
  }
  const test = await startCentre(t, {}, { decide })
  t.match(await test.send('--add-user eve secret-of-eve', BOB), {
    success: false,
    command: 'AddUser',
    message:
      /^Permission denied: You are not allowed to execute -addUser; it takes UserManagement, which "merlot user grant" gives$/,
  })
  t.same(questions, [{ identity: BOB, scope: 'UserManagementCreation', topic: undefined }])
  t.notOk(test.store.definitionsByKey.has('user/eve'))
  t.match(await test.send('-listModels', BOB), { success: true }, 'needs nothing more than commands')
  t.match(await test.send('-setEnv A=1', BOB), { success: false, message: /^Permission denied/ })
  decision = { ...allowed, allowed: false }
  t.match(
    await test.send('-listEnv', BOB),
    { message: /^Permission denied: You are not allowed to execute -listEnv$/ },
    'a rule forbids it: being granted more does not help',
  )
  t.match(await test.send('-nonsense', BOB), { message: 'Unknown command: -nonsense' })
  decision = allowed
  t.match(await test.send('-addUser eve secret-of-eve', BOB), { success: true })
  t.same(
    questions.map(({ scope }) => scope),
    ['UserManagementCreation', 'CommandCall', 'SystemConfiguration', 'SystemConfiguration', 'UserManagementCreation'],
  )
})

t.test('where nobody can be asked, the broker alone commands', async (t) => {
  const test = await startCentre(t)
  t.match(await test.send('-setEnv A=1', BOB), { success: false, message: /^Permission denied/ })
  t.match(await test.send('-setEnv A=1'), { success: true })
  test.centre.handle({ kind: 'command', text: '-setEnv A=2', identity: undefined })
  while (test.outputs().length < 3) await new Promise((resolve) => setImmediate(resolve))
  t.match(JSON.parse(test.outputs()[2]), { success: false, message: /^Permission denied/ }, 'an Action is nobody')
})

t.test('nobody but root changes root', async (t) => {
  const test = await startCentre(t, {}, { decide: async () => allowed })
  for (const command of [
    '-changeUserPassword root taken-over-now',
    '-changeUserSettings root AllowedSystemConfiguration false',
    '-addUserToGroup root x',
    '-removeUserFromGroup root x',
    '-addUser root taken-over-now',
  ]) {
    t.match(await test.send(command, BOB), { success: false, message: 'Only root can change the user root' }, command)
  }
  t.match(await test.send('-changeUserPassword root my-new-password', ROOT), { success: true })
  t.match(await test.send('-removeUser root', ROOT), { success: false, message: 'The user root cannot be removed' })
})

t.test('definitions that were damaged', async (t) => {
  const test = await startCentre(t)
  await test.send('-addUser bob secret-of-bob')
  const good = test.store.text('user/bob')
  const credentialsOfBob = () => test.centre.wholeCredentials().users.findLast(({ name }) => name === 'bob')
  const NOBODY = { name: 'bob', passwordHash: undefined, scram: {}, isUnreadable: true }
  for (const damaged of [
    '',
    '{}',
    'null',
    good.replace('"groups":[]', '"groups":"admin"'),
    good.replace('$argon2id$', 'plain:'),
    good.replace('"properties":{}', '"properties":{"AllowedSystemConfiguration":true}'),
  ]) {
    test.store.definitionsByKey.set('user/bob', Buffer.from(damaged))
    rmSync(join(test.folder, 'identities.json'))
    test.log.length = 0
    await test.start()
    t.strictSame(credentialsOfBob(), NOBODY, damaged.slice(0, 40))
    t.match(
      test.log.filter(({ level }) => level === 'error'),
      [{ fields: { reason: /the user "bob" cannot be read/ } }, { fields: { user: 'bob', remedy: /merlot user add/ } }],
    )
    t.notOk(test.centre.wholeAccess().users.some(({ name }) => name === 'bob'))
  }
  await test.send('-setEnv SITE=north')
  await test.send('-addUser eve secret-of-eve')
  await test.start()
  t.strictSame(credentialsOfBob(), NOBODY, 'also when others were changed meanwhile')
  t.match(await test.send('-addUser bob other-secret'), { success: true }, 'the way to replace it')
  t.match(credentialsOfBob(), { passwordHash: /^.argon2id/, isUnreadable: undefined })
  await test.start()
  t.match(credentialsOfBob(), { passwordHash: /^.argon2id/, isUnreadable: undefined })
  test.store.definitionsByKey.set('user/bob', Buffer.from(good))
  const own = 'DEFINE RULE AllowCommandCall WITH PRIORITY 10 FOR CommandCall\n    ALLOW'
  test.store.definitionsByKey.set('rule/AllowCommandCall', Buffer.from(JSON.stringify({ source: own })))
  await test.start()
  t.notOk(test.centre.wholeAccess().rules?.includes(own), 'nothing stands in for a rule of the broker')
  test.store.definitionsByKey.set('rule/Quiet', Buffer.from('{"source":"DEFINE RULE Quiet WITH'))
  await t.rejects(test.start(), { code: 'RULE_UNREADABLE', message: /the rule Quiet cannot be read/ })
})
