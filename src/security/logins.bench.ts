/** How many logins one thread decides. `node dist/src/security/logins.bench.js` prints logins per second. */
import { pathToFileURL } from 'node:url'
import { CredentialsDirectory } from './directory.js'
import { PasswordLogin } from './password-login.js'
import { hashPassword, verifyPassword } from './passwords.js'

export interface Rate {
  readonly name: string
  readonly perSecond: number
}

const AT_ONCE = 2

/**
 * @param users each with a password of its own, whose hash is computed once at the first login
 * @param returns logins of each of them after that
 */
export async function measure(users: number, returns: number): Promise<Rate[]> {
  const directory = new CredentialsDirectory()
  const passwordHash = await hashPassword('the same for all')
  const password = Buffer.from('the same for all')
  const names = Array.from({ length: users }, (_, i) => `machine ${i}`)
  directory.change({
    users: names.map((name) => ({ name, passwordHash, scram: {} })),
    removedUsers: [],
    isWhole: true,
    decoyKey: '',
  })
  const login = new PasswordLogin({
    directory,
    verify: verifyPassword,
    rememberedMax: () => users,
    atOnce: AT_ONCE,
    waitingMax: users,
  })
  const all = async (): Promise<void> => {
    const verdicts = await Promise.all(names.map((name) => login.check(name, password)))
    if (verdicts.some((verdict) => verdict !== 'right')) throw new Error('a right password was refused')
  }
  return [
    { name: 'first login, hashed', perSecond: await rate(users, all) },
    {
      name: 'login that is remembered',
      perSecond: await rate(users * returns, async () => {
        for (let i = 0; i < returns; i++) await all()
      }),
    },
  ]
}

async function rate(logins: number, work: () => Promise<void>): Promise<number> {
  const before = process.hrtime.bigint()
  await work()
  return (logins * 1e9) / Number(process.hrtime.bigint() - before)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { name, perSecond } of await measure(500, 200)) {
    process.stdout.write(`${name.padEnd(30)} ${Math.round(perSecond).toLocaleString('en-GB')} per second\n`)
  }
}
