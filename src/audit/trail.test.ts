import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { KEY, login, startTrail, TestTrail } from './trail.fixture.js'
import { TrailQueue } from './trail-queue.js'

const MAIN = fileURLToPath(import.meta.url)

t.test('records are written in order, and only their owner may read them', async (t) => {
  const test = await startTrail(t)
  await test.logIn('ann', 'bob')
  test.trail.record({
    ...login('bob'),
    kind: 'denial',
    what: 'publish a/b',
    success: false,
    detail: 'no rule allows it',
  })
  await test.trail.close()
  t.same(await test.story(), ['start', 'connect ann', 'connect bob', 'publish a/b bob', 'stop'])
  t.match((await test.query({ kind: 'denial' }))[0], {
    seq: 5,
    timeMs: test.clock.nowMs,
    user: 'bob',
    clientId: 'c1',
    address: '192.0.2.7:49152',
    success: false,
    detail: 'no rule allows it',
  })
  t.same(test.files(), ['audit-000001-2025-06-15.jsonl'])
  if (process.platform !== 'win32') {
    for (const name of readdirSync(test.folder)) t.equal(statSync(join(test.folder, name)).mode & 0o777, 0o600, name)
  }
  test.trail.record(login('late'))
  await test.trail.flush()
  t.equal((await test.query()).length, 5, 'nothing behind the stop')
})

t.test('a folder is made for its owner alone', { skip: process.platform === 'win32' }, async (t) => {
  const folder = join(t.testdir({}), 'deep', 'audit')
  const test = await startTrail(t, { folder })
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(test.trail.status().path, folder)
})

t.test('control and direction characters are written out', async (t) => {
  const test = await startTrail(t)
  const user = 'a\n"\u009b\u2028\u202e\u200b\ud800é'
  await test.logIn(user)
  const line = test.lines()[2]!
  t.match(line, String.raw`"user":"a\n\"\u009b\u2028\u202e\u200b\ud800é"`)
  t.match(await test.query({ user }), [{ user }])
})

t.test('a second start goes on with the same file and chain', async (t) => {
  const test = await startTrail(t)
  await test.logIn('ann')
  await test.trail.close()
  await test.start()
  await test.logIn('bob')
  t.same(await test.story(), ['start', 'connect ann', 'stop', 'start', 'connect bob'])
  t.equal(test.files().length, 1)
  t.match(await test.verify(), { records: 6, breaks: [], notes: [] })
  t.same(test.errors(), [])
})

t.test('a new file begins each day, and when one is full', async (t) => {
  const test = await startTrail(t, { fileBytesMax: 65_536 })
  test.clock.nowMs += 86_400_000
  for (let number = 0; number < 400; number++) test.trail.record(login(`user ${number}`))
  await test.trail.flush()
  const files = test.files()
  t.same(files, ['audit-000001-2025-06-15.jsonl', 'audit-000002-2025-06-16.jsonl', 'audit-000003-2025-06-16.jsonl'])
  t.ok(statSync(test.path(files[1])).size < 66_000)
  const hash = (line: string): string => (JSON.parse(line) as { hash: string }).hash
  t.match(JSON.parse(test.lines(files[1])[0]!), { file: 2, previous: hash(test.lines(files[0]).at(-1)!) })
  t.match(await test.verify(), { records: 404, breaks: [] })
})

t.test('all files together are bounded: the oldest ones go, and that is recorded and logged', async (t) => {
  const bytesMax = 1_048_576
  const test = await startTrail(t, { bytesMax })
  const detail = 'x'.repeat(230)
  for (let round = 0; round < 40; round++) {
    for (let number = 0; number < 100; number++) test.trail.record(login(`user ${round} ${number}`, { detail }))
    await test.trail.flush()
    const sizes = test.files().map((name) => statSync(test.path(name)).size)
    t.ok(sizes.reduce((sum, size) => sum + size) <= bytesMax + 65_536)
  }
  t.ok(test.files().length >= 3, 'most of it stays')
  t.match((await test.query({ contains: 'bytesMax' })).at(-1), {
    what: 'audit trail',
    success: true,
    detail: '1 files were removed: all together had more than bytesMax',
  })
  t.ok(test.log.some(({ level, message }) => level === 'warn' && message.includes('bytesMax')))
  t.match(await test.verify(), { breaks: [] })
  await test.trail.close()
  await test.start()
  t.same(test.errors(), [])
})

t.test('files that are too old are removed, and that is recorded', async (t) => {
  const test = await startTrail(t, { keepDays: 2 })
  for (let day = 0; day < 5; day++) {
    await test.logIn(`day ${day}`)
    test.clock.nowMs += 86_400_000
  }
  const days = test.files().map((name) => name.slice(-8, -6))
  t.same(days, ['16', '17', '18', '19'], 'what is not older than two days, and the file before')
  t.equal((await test.query({ contains: 'were removed' })).length, 1)
  t.match(await test.verify(), { breaks: [] })
  rmSync(test.path(test.files()[0]))
  t.match(await test.verify(), { breaks: ['files 2 to 2 are missing, in front of audit-000003-2025-06-17.jsonl'] })
})

t.test('encrypted records', async (t) => {
  const test = await startTrail(t, { encrypt: true })
  await test.logIn('ann')
  t.notMatch(test.lines().join(''), /ann|login|connect|192\.0\.2/)
  t.match(await test.query({ user: 'ann' }), [{ kind: 'login', user: 'ann', what: 'connect', count: 1 }])
  t.match(await test.verify({ keys: undefined }), { records: 3, breaks: [], notes: [/signature .* not checked/] })
  await t.rejects(test.query({}, { keys: undefined }), /there is no key for it/)
  await test.trail.close()
  await test.start({ key: { given: KEY.replaceAll('0', '1'), file: '' } })
  t.match(test.errors(), [/head.json is not signed with the key of this broker/])
  t.equal(test.files().length, 2, 'another key is for another file')
})

t.test('no key', async (t) => {
  const key = { given: 'short', file: '' }
  await t.rejects(startTrail(t, { encrypt: true }, { key }), {
    code: 'AUDIT_KEY_UNUSABLE',
    message: /MERLOT_SECRET_KEY/,
  })
  const test = await startTrail(t, {}, { key })
  await test.logIn('ann')
  t.match(await test.verify({ keys: undefined }), { breaks: [] })
  t.match(await test.verify(), { breaks: ['head.json is not signed with this key'] })
})

t.test('a folder that cannot be used', async (t) => {
  const test = new TestTrail(t, { folder: MAIN })
  await t.rejects(test.start(), { code: 'FOLDER_UNUSABLE' })
})

t.test('what a crash left half written is moved aside, and that is recorded', async (t) => {
  const test = await startTrail(t)
  await test.logIn('ann')
  const half = test.lines()[2]!.slice(0, 100)
  await test.trail.close()
  test.append(half)
  await test.start()
  t.match(test.errors(), [/100 damaged bytes at the end of audit-000001-2025-06-15.jsonl were moved to .*\.damaged/])
  const aside = readdirSync(test.folder).find((name) => name.endsWith('.damaged'))!
  t.equal(readFileSync(join(test.folder, aside), 'utf8'), half)
  await test.logIn('bob')
  t.same(await test.story(), ['start', 'connect ann', 'stop', 'start', 'audit trail', 'connect bob'])
  t.match(await test.verify(), { breaks: [], notes: [/was moved aside/] })
})

t.test('a file that was not even begun', async (t) => {
  const test = await startTrail(t)
  await test.trail.close()
  writeFileSync(join(test.folder, 'audit-000002-2025-06-15.jsonl'), '{"seq":4,')
  await test.start()
  t.same(test.files(), ['audit-000001-2025-06-15.jsonl'])
  t.match(await test.verify(), { records: 5, breaks: [] })
})

t.test('records that came after the head was written are no finding', async (t) => {
  const test = await startTrail(t)
  const head = readFileSync(join(test.folder, 'head.json'))
  await test.logIn('ann')
  await test.trail.close()
  writeFileSync(join(test.folder, 'head.json'), head)
  await test.start()
  t.same(test.errors(), [])
  t.same(await test.story(), ['start', 'connect ann', 'stop', 'start'])
})

t.test('what is found at a start is logged and recorded', async (t) => {
  const cases: readonly [what: string, change: (test: TestTrail) => void, finding: RegExp][] = [
    [
      'the end cut off',
      (test) => truncateSync(test.path(), lengthOf(test, 2)),
      /record 4 was written and is not there: .* record 2/,
    ],
    ['no head', (test) => rmSync(join(test.folder, 'head.json')), /head.json is missing/],
    ['another head', (test) => writeFileSync(join(test.folder, 'head.json'), '{}'), /head.json is damaged/],
    ['no files', (test) => rmSync(test.path()), /record 4 was written and is not there: .* record 0/],
    [
      'head with other numbers',
      (test) => {
        const file = join(test.folder, 'head.json')
        writeFileSync(file, readFileSync(file, 'utf8').replace('"seq":4', '"seq":3'))
      },
      /head.json is not signed/,
    ],
  ]
  for (const [what, change, finding] of cases) {
    await t.test(what, async (t) => {
      const test = await startTrail(t)
      await test.logIn('ann')
      await test.trail.close()
      change(test)
      await test.start()
      t.ok(
        test.errors().some((text) => finding.test(text)),
        test.errors().join(),
      )
      t.ok((await test.query({ kind: 'broker' })).some(({ detail, success }) => !success && finding.test(detail)))
    })
  }
})

t.test('a full disk: the broker goes on, and what is lost is counted', async (t) => {
  let isFull = false
  const test = await startTrail(
    t,
    {},
    {
      queue: new TrailQueue(1_000),
      openFile: async (path, flags, mode) => {
        const handle = await open(path, flags, mode)
        const appendFile = async (text: string): Promise<void> => {
          if (!isFull) return handle.appendFile(text)
          await handle.appendFile(text.slice(0, 10)) // some of it has room
          throw Object.assign(new Error('ENOSPC'), { errno: -28, code: 'ENOSPC' })
        }
        return Object.assign(Object.create(handle) as typeof handle, {
          appendFile,
          truncate: (bytes: number) => handle.truncate(bytes),
          datasync: () => handle.datasync(),
          stat: () => handle.stat(),
          close: () => handle.close(),
        })
      },
    },
  )
  await test.logIn('ann')
  isFull = true
  await test.logIn('bob')
  await test.logIn('cid', 'dan', 'eve', 'fay')
  t.match(test.trail.status(), { problem: 'no space left on device', lost: 1 })
  await test.logIn('gus')
  t.equal(test.trail.status().lost, 2)
  t.equal(test.errors().length, 1, 'logged once')
  isFull = false
  await test.logIn('hal')
  await test.logIn('ida')
  t.same(await test.story(), [
    'start',
    ...['ann', 'bob', 'cid', 'dan', 'eve'].map((user) => `connect ${user}`),
    'audit trail x3',
    'connect ida',
  ])
  t.match((await test.query({ contains: 'lost' }))[0], { detail: /no space left on device/, success: false })
  t.equal(test.trail.status().problem, undefined)
  t.match(await test.verify(), { breaks: [] })
})

t.test('somebody else who writes to the file, or removes it', async (t) => {
  const test = await startTrail(t)
  await test.logIn('ann')
  test.append('{"forged":true}\n')
  await test.logIn('bob')
  t.match(test.trail.status().problem, /somebody else has changed it/)
  await test.logIn('cid')
  t.same(await test.story(), ['start', 'connect ann', 'connect bob', 'audit trail', 'connect cid'])
  t.match(await test.verify(), { breaks: [/audit-000001-2025-06-15.jsonl:4: it is no record/] })
  rmSync(test.path())
  await test.logIn('dan')
  await test.logIn('eve')
  t.match((await test.story()).slice(-3), ['connect dan', 'audit trail', 'connect eve'])
})

t.test('a folder that others may not be kept out of', { skip: process.platform === 'win32' }, async (t) => {
  const test = new TestTrail(t)
  mkdirSync(join(test.folder, 'a'))
  chmodSync(test.folder, 0o755)
  await test.start()
  await test.logIn('ann')
  t.equal(statSync(test.path()).mode & 0o777, 0o600)
})

function lengthOf(test: TestTrail, lines: number): number {
  return Buffer.byteLength(`${test.lines().slice(0, lines).join('\n')}\n`)
}
