import t from 'tap'
import { PasswordLogin, type PasswordLoginParts } from './password-login.js'
import { hashPassword, verifyPassword } from './passwords.js'
import { RememberedLogins } from './remembered.js'
import { directoryOf, FakeVerifier, fakeHash, userWith } from './security.fixture.js'

function loginTo(directory: PasswordLoginParts['directory'], more: Partial<PasswordLoginParts> = {}): PasswordLogin {
  const { verify } = new FakeVerifier()
  return new PasswordLogin({ directory, verify, rememberedMax: () => 10_000, atOnce: 2, waitingMax: 10, ...more })
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

t.test('5,000 clients that return are not hashed again', async (t) => {
  const users = Array.from({ length: 5_000 }, (_, i) => userWith(`machine ${i}`, `secret of ${i}`))
  const verifier = new FakeVerifier()
  const login = loginTo(directoryOf(...users), { verify: verifier.verify, waitingMax: 5_000 })
  const all = () => Promise.all(users.map(({ name }, i) => login.check(name, bytes(`secret of ${i}`))))
  t.ok((await all()).every((verdict) => verdict === 'right'))
  t.equal(verifier.calls, 5_000)
  t.equal(verifier.togetherMax, 2, 'no more at once than may be')
  t.ok((await all()).every((verdict) => verdict === 'right'))
  t.equal(verifier.calls, 5_000)
  t.equal(await login.check('machine 1', bytes('secret of 2')), 'wrong')
  t.equal(verifier.calls, 5_001, 'a wrong password is never remembered')
})

t.test('equal logins that come together share one hash', async (t) => {
  const verifier = new FakeVerifier()
  const login = loginTo(directoryOf(userWith('bob', 'right')), { verify: verifier.verify })
  const verdicts = await Promise.all(
    ['right', 'wrong', 'right', 'wrong', 'right'].map((password) => login.check('bob', bytes(password))),
  )
  t.same(verdicts, ['right', 'wrong', 'right', 'wrong', 'right'])
  t.equal(verifier.calls, 2)
})

t.test('unknown users cost what known ones cost', async (t) => {
  const verifier = new FakeVerifier()
  const withoutPassword = { name: 'card', passwordHash: undefined, scram: {} }
  const login = loginTo(directoryOf(userWith('bob', 'right'), withoutPassword), { verify: verifier.verify })
  for (const name of ['bob', 'eve', 'card', 'eve']) t.equal(await login.check(name, bytes('guess')), 'wrong', name)
  t.equal(verifier.calls, 4, 'one hash each')
  const always = loginTo(directoryOf(withoutPassword), { verify: async () => true })
  t.equal(await always.check('eve', bytes('guess')), 'wrong', 'whatever the password of the decoy')
  t.equal(await always.check('card', bytes('guess')), 'wrong')
})

t.test('a password is right no longer than it is one', async (t) => {
  const directory = directoryOf(userWith('bob', 'old'))
  const login = loginTo(directory)
  t.equal(await login.check('bob', bytes('old')), 'right')
  directory.change({ users: [userWith('bob', 'new')], removedUsers: [], isWhole: false })
  t.equal(await login.check('bob', bytes('old')), 'wrong', 'remembered, and changed')
  t.equal(await login.check('bob', bytes('new')), 'right')
  directory.change({ users: [], removedUsers: ['bob'], isWhole: false })
  t.equal(await login.check('bob', bytes('new')), 'wrong', 'remembered, and removed')

  directory.change({ users: [userWith('eve', 'old')], removedUsers: [], isWhole: false })
  const late = login.check('eve', bytes('old'))
  directory.change({ users: [], removedUsers: ['eve'], isWhole: false })
  t.equal(await late, 'wrong', 'removed while it was hashed')
})

t.test('a line that is full turns away', async (t) => {
  const verifier = new FakeVerifier()
  let release = (): void => {}
  verifier.until = new Promise((resolve) => {
    release = resolve
  })
  const login = loginTo(directoryOf(userWith('bob', 'right')), { verify: verifier.verify, atOnce: 1, waitingMax: 2 })
  const waiting = ['1', '2', 'right'].map((password) => login.check('bob', bytes(password)))
  t.equal(await login.check('bob', bytes('3')), 'busy')
  t.equal(await login.check('eve', bytes('3')), 'busy')
  release()
  t.same(await Promise.all(waiting), ['wrong', 'wrong', 'right'])
  t.equal(await login.check('bob', bytes('right')), 'right')
})

t.test('whoever has gone while waiting costs no hash', async (t) => {
  const verifier = new FakeVerifier()
  let release = (): void => {}
  verifier.until = new Promise((resolve) => {
    release = resolve
  })
  const users = directoryOf(userWith('bob', 'right'), userWith('ann', 'right'))
  const login = loginTo(users, { verify: verifier.verify, atOnce: 1, waitingMax: 10 })
  const gone = new Set<string>()
  const check = (user: string, password: string, client: string) =>
    login.check(user, bytes(password), () => !gone.has(client))
  const first = check('bob', 'wrong', 'first')
  const waiting = [
    check('bob', 'right', 'one'),
    check('bob', 'right', 'two'),
    check('ann', 'right', 'three'),
    check('eve', 'guess', 'four'),
  ]
  for (const client of ['first', 'one', 'three', 'four']) gone.add(client)
  release()
  await Promise.all([first, ...waiting])
  t.equal(verifier.calls, 2, 'that which had begun, and that which somebody still waits for')
  t.equal(await waiting[1], 'right')
  t.equal(await check('ann', 'right', 'five'), 'right', 'nothing is remembered of it')
  t.equal(verifier.calls, 3)
})

t.test('a verifier that fails leaves its place to others', async (t) => {
  let fails = true
  const verify = async (): Promise<boolean> => {
    if (fails) throw new Error('no memory')
    return true
  }
  const login = loginTo(directoryOf(userWith('bob', 'right')), { verify, atOnce: 1, waitingMax: 0 })
  await t.rejects(async () => login.check('bob', bytes('right')), { message: 'no memory' })
  fails = false
  t.equal(await login.check('bob', bytes('right')), 'right')
})

t.test('long passwords are not hashed', async (t) => {
  const verifier = new FakeVerifier()
  const login = loginTo(directoryOf(userWith('bob', 'x'.repeat(1_025))), { verify: verifier.verify })
  t.equal(await login.check('bob', bytes('x'.repeat(1_025))), 'wrong')
  t.equal(verifier.calls, 0)
})

t.test('what is remembered has an end', async (t) => {
  const remembered = new RememberedLogins()
  for (const digest of ['a', 'b', 'c']) remembered.add(digest, 3)
  t.ok(remembered.has('a'), 'used now')
  remembered.add('d', 3)
  t.notOk(remembered.has('b'), 'used longest ago')
  t.ok(remembered.has('a'))
  remembered.add('e', 0)
  t.equal(remembered.size, 0)
  const digests = ['ab', 'a', ''].flatMap((user) =>
    ['b', 'ab', ''].map((password) => remembered.digest(user, fakeHash('x'), bytes(password))),
  )
  t.equal(new Set(digests).size, 9, 'no user ends where a password begins')
  t.not(new RememberedLogins().digest('a', 'h', bytes('b')), remembered.digest('a', 'h', bytes('b')), 'own keys')
})

t.test('Argon2id', async (t) => {
  const hash = await hashPassword('secret')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(await hashPassword('secret'), hash)
  t.equal(await verifyPassword(hash, bytes('secret')), true)
  t.equal(await verifyPassword(hash, bytes('Secret')), false)
  t.equal(await verifyPassword(hash, new Uint8Array([0xff, 0x00, 0xc0])), false, 'no UTF-8')
  t.equal(await verifyPassword('$argon2id$damaged', bytes('secret')), false)
})
