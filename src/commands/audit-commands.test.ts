import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { login, startTrail, type TestTrail } from '../audit/trail.fixture.js'
import type { AccessQuestion, Decision, Identity } from '../contracts/security.js'
import { type Envelope, TestCentre } from './centre.fixture.js'

const DAY = '2025-06-15'
const DAY_MS = 86_400_000

async function onlyTheAuditor({ identity }: AccessQuestion): Promise<Decision> {
  return { allowed: identity.userName === 'auditor', rule: undefined, reason: '', reads: [] }
}

async function start(t: Test, encrypt = false): Promise<{ test: TestCentre; audit: TestTrail }> {
  const audit = await startTrail(t, { encrypt })
  // one folder a test: the trail has a part of it
  const data = join(audit.folder, 'data')
  mkdirSync(data)
  const test = new TestCentre(data, {}, { audit: audit.trail, clock: audit.clock, decide: onlyTheAuditor })
  await test.start()
  return { test, audit }
}

/** Sends a command as somebody who may, because answers about the trail go to nobody but the sender. */
function ask(test: TestCentre, command: string): Promise<Envelope> {
  return test.send(command, { userName: 'auditor', clientId: 'console', address: '', port: 0, claims: undefined })
}

function rows({ data }: Envelope): readonly Record<string, unknown>[] {
  return data as readonly Record<string, unknown>[]
}

t.test('-auditStatus', async (t) => {
  const { test, audit } = await start(t)
  await audit.logIn('ann')
  t.match(await ask(test, '-auditStatus'), {
    success: true,
    command: 'AuditStatus',
    data: {
      enabled: true,
      path: audit.folder,
      lastEntryUtc: `${DAY}T15:06:40.000Z`,
      encrypted: false,
      records: 3,
      hash: /^[0-9a-f]{64}$/,
      lost: 0,
      problem: null,
    },
  })
})

t.test('commands are recorded, and found by -auditQuery', async (t) => {
  const { test, audit } = await start(t)
  const sender: Identity = { userName: 'ann', clientId: 'hub', address: '192.0.2.7', port: 1, claims: undefined }
  await test.centre.execute('-setSecret PASS=hunter2', sender)
  await test.send('-setEnv A=1')
  await test.send('-setEnv nonsense')
  const answer = await ask(test, '-auditQuery')
  t.match(answer, { success: true, message: '4 records.', warnings: [] })
  t.match(rows(answer), [
    { command: 'start', kind: 'broker' },
    { command: 'SetSecret PASS', kind: 'denial', user: 'ann', clientId: 'hub', address: '192.0.2.7:1', success: false },
    { command: 'SetEnv A', timestampUtc: `${DAY}T15:06:40.000Z`, user: '', success: true },
    { command: 'SetEnv', success: false, seq: 5 },
  ])
  t.notMatch(JSON.stringify(answer) + audit.lines().join(), /hunter2/)
})

t.test('-auditQuery looks at one day, and for a text', async (t) => {
  const { test, audit } = await start(t)
  await audit.logIn('ann', 'bob')
  audit.clock.nowMs += DAY_MS
  await audit.logIn('cid')
  const names = async (rest: string): Promise<unknown[]> =>
    rows(await ask(test, `-auditQuery ${rest}`)).map(({ user }) => user)
  t.same(await names(DAY), ['', 'ann', 'bob'])
  t.same(await names(`${DAY}|BOB`), ['bob'])
  t.same(await names(`${DAY} | 192.0.2`), ['ann', 'bob'])
  t.same(await names('2025-06-16|login'), ['cid'])
  t.same(await names('2024-01-01'), [])
  for (const wrong of ['yesterday', '2025-6-1', '2025-13-45', '../..']) {
    t.match(await ask(test, `-auditQuery ${wrong}`), { success: false, message: /YYYY-MM-DD/ }, wrong)
  }
})

t.test('an answer has the last thousand', async (t) => {
  const { test, audit } = await start(t)
  audit.trail.take(
    Array.from({ length: 1_500 }, (_, number) => ({ ...login(`user ${number}`), timeMs: audit.clock.nowMs, count: 1 })),
  )
  const answer = await ask(test, '-auditQuery')
  t.match(answer, { message: '1501 records, of which these are the last 1000.' })
  t.match([rows(answer)[0], rows(answer)[999]], [{ user: 'user 500' }, { user: 'user 1499' }])
  t.equal(rows(answer).length, 1_000)
})

t.test('answers go to their sender alone', async (t) => {
  const { test } = await start(t)
  for (const command of [
    '-auditStatus',
    '-auditQuery',
    '-auditQuery nonsense',
    '-decryptAudit',
    '-decryptAudit |a.jsonl',
  ]) {
    await ask(test, command)
    t.strictSame(test.published.at(-1)?.recipient, { clientId: 'console', userName: 'auditor' }, command)
    const before = test.outputs().length
    t.ok(await test.centre.execute(command), 'whoever calls it gets the answer')
    t.equal(test.outputs().length, before, 'what the broker itself asks is published to nobody')
  }
  await ask(test, '-listUsers')
  t.equal(test.published.at(-1)?.recipient, undefined, 'other answers go to all who read them')
})

t.test('-decryptAudit', async (t) => {
  const { test, audit } = await start(t, true)
  await audit.logIn('ann')
  t.match(rows(await ask(test, '-decryptAudit')), [{ what: 'start' }, { user: 'ann', time: `${DAY}T15:06:40.000Z` }])
  const path = join(test.folder, 'exports', 'all.jsonl')
  t.match(await ask(test, '-decryptAudit |all.jsonl'), { success: true, data: { path } })
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  t.match(JSON.parse(lines[1]!), { seq: 3, time: `${DAY}T15:06:40.000Z`, kind: 'login', user: 'ann', count: 1 })
  if (process.platform !== 'win32') t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(await ask(test, `-decryptAudit 2024-01-01|${path.replace('all', 'none')}`), {
    success: true,
    data: { count: 0 },
  })
})

t.test('an export goes nowhere else, and overwrites nothing', async (t) => {
  const { test } = await start(t)
  const exports = join(test.folder, 'exports')
  for (const path of ['../a', '/tmp/a', 'a/../../b', 'a/b', '.', '..', `${test.folder}/a`, 'a/../b/c']) {
    const answer = await ask(test, `-decryptAudit ${DAY}|${path}`)
    t.match(answer, { success: false, message: /give the name of a file alone/ }, path)
  }
  t.notOk(existsSync(exports))
  t.match(await ask(test, '-decryptAudit |a.jsonl'), { success: true })
  const before = readFileSync(join(exports, 'a.jsonl'), 'utf8')
  t.match(await ask(test, '-decryptAudit |a.jsonl'), { success: false, message: /file already exists/ })
  t.equal(readFileSync(join(exports, 'a.jsonl'), 'utf8'), before)
  if (process.platform === 'win32') return
  const target = join(test.folder, 'target')
  symlinkSync(target, join(exports, 'link'))
  t.match(await ask(test, '-decryptAudit |link'), { success: false })
  t.notOk(existsSync(target))
})

t.test('one reader at a time', async (t) => {
  const { test } = await start(t)
  const both = await Promise.all([test.centre.execute('-auditQuery'), test.centre.execute('-auditQuery')])
  t.same(both.map((reply) => reply?.success).sort(), [false, true])
  t.match(await ask(test, '-auditQuery'), { success: true })
})

t.test('a trail that is disabled', async (t) => {
  const test = new TestCentre(t.testdir({}), {}, { decide: onlyTheAuditor })
  await test.start()
  t.match(await ask(test, '-auditStatus'), { success: true, data: { enabled: false, path: null } })
  t.match(await ask(test, '-auditQuery'), { success: false, message: /audit.enabled/ })
  t.match(await ask(test, '-decryptAudit'), { success: false, message: /audit.enabled/ })
})
