import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KEY, startTrail, type TestTrail } from '../audit/trail.fixture.js'
import { type CommandResult, type RunSettings, runMerlot } from './cli.fixture.js'

const FILE = 'audit-000001-2025-06-15.jsonl'
const ANN = 'login ok user=ann client=c1 from=192.0.2.7:49152 connect'

interface Recorded {
  readonly test: TestTrail
  /** Runs `merlot audit COMMAND` with the folder of the trail. */
  run(command: string, args?: readonly string[], settings?: RunSettings): Promise<CommandResult>
}

async function recorded(t: Test, encrypt = false): Promise<Recorded> {
  const test = await startTrail(t, { encrypt })
  await test.logIn('ann', 'bob')
  test.clock.nowMs += 60_000
  test.trail.record({
    kind: 'denial',
    user: 'bob',
    clientId: 'c\u001b[2J\nx',
    address: '',
    what: 'publish a/b',
    success: false,
    detail: 'no rule allows it',
  })
  await test.trail.close()
  const settings = { environment: { MERLOT_SECRET_KEY: KEY }, workingDirectory: test.folder }
  return {
    test,
    run: (command, args = [], more = {}) =>
      runMerlot(['audit', command, test.folder, ...args], { ...settings, ...more }),
  }
}

t.test('verify', async (t) => {
  const { test, run } = await recorded(t)
  const sound = `${FILE}: 6 records, 2025-06-15T15:06:40.000Z to 2025-06-15T15:07:40.000Z
${test.folder}: sound, 6 records in 1 file
`
  t.match(await run('verify'), { exitCode: 0, stdout: sound, stderr: '' })
  t.match(await run('verify', [], { environment: {} }), {
    exitCode: 0,
    stdout: sound,
    stderr: 'note: the signature of head.json is not checked: there is no key\n',
  })
  t.match(await run('verify', [], { environment: { MERLOT_SECRET_KEY: 'short' } }), {
    exitCode: 0,
    stderr: /note: MERLOT_SECRET_KEY is not 32 bytes/,
  })
  writeFileSync(test.path(FILE), readFileSync(test.path(FILE), 'utf8').replace('"ann"', '"eve"'))
  const { exitCode, stdout, stderr } = await run('verify')
  t.equal(exitCode, 1)
  t.match(stdout, new RegExp(`\nbroken: ${FILE}:3: this record, or the end of the one before, was changed\n`))
  t.notMatch(stdout, /sound/)
  t.match(stderr, /merlot: the audit trail in .* is not as the broker wrote it\n.*\n$/)
})

t.test('the trail of the data folder, and none', async (t) => {
  const { test } = await recorded(t)
  const data = join(test.folder, 'data')
  mkdirSync(join(data, 'audit'), { recursive: true })
  for (const name of [FILE, 'head.json']) renameSync(test.path(name), join(data, 'audit', name))
  writeFileSync(join(data, 'secret.key'), KEY, { mode: 0o600 })
  const settings = { workingDirectory: test.folder }
  t.match(await runMerlot(['audit', 'verify', '--data', 'data'], settings), { exitCode: 0, stderr: '' })
  t.match(await runMerlot(['audit', 'verify', '--data', 'nowhere'], settings), {
    exitCode: 2,
    stderr: /there is no audit trail in .*nowhere/,
  })
  rmSync(join(data, 'secret.key'))
  await runMerlot(['audit', 'query', '--data', 'data'], settings)
  t.throws(() => statSync(join(data, 'secret.key')), 'no key is made by looking')
})

t.test('query', async (t) => {
  const { run } = await recorded(t)
  const lines = async (...args: string[]): Promise<string[]> => {
    const { exitCode, stdout, stderr } = await run('query', args)
    t.equal(exitCode, 0, stderr)
    return stdout.split('\n').slice(0, -1)
  }
  const all = await lines()
  t.equal(all.length, 5)
  t.equal(all[1], `2025-06-15T15:06:40.000Z ${ANN}`)
  t.equal(
    all[3],
    '2025-06-15T15:07:40.000Z denial refused user=bob client=c\\x1b[2J\\nx publish a/b (no rule allows it)',
  )
  const selections: readonly (readonly [args: readonly string[], count: number])[] = [
    [['--user', 'bob'], 2],
    [['--client', 'c1'], 2],
    [['--kind', 'broker'], 2],
    [['--contains', 'PUBLISH'], 1],
    [['--since', '2025-06-15T15:07:00'], 2],
    [['--until', '2025-06-15T15:07:00Z'], 3],
    [['--since', '2025-06-15T17:07:00+02:00', '--until', '2025-06-16'], 2],
    [['--since', '1 hour'], 0],
    [['--user', 'bob', '--kind', 'login', '--limit', '7'], 1],
    [['--limit', '2'], 2],
  ]
  for (const [args, count] of selections) t.equal((await lines(...args)).length, count, args.join(' '))
  t.match((await lines('--limit', '2'))[1], 'broker ok stop')
  t.match(JSON.parse((await lines('--user', 'ann', '--json'))[0]!), {
    seq: 3,
    time: '2025-06-15T15:06:40.000Z',
    kind: 'login',
    user: 'ann',
    count: 1,
  })
  t.match(await run('query', ['--since', '2025-13-45']), { exitCode: 2, stderr: /is not a time/ })
  t.match(await run('query', ['--since', '22.11.2026']), {
    exitCode: 2,
    stderr: /is not a time\nwrite "90 seconds", "2 days" or 2025-11-22\n/,
  })
  t.match(await run('query', ['--user', 'nobody', '--json']), {
    exitCode: 0,
    stdout: '',
    stderr: 'note: no record was found\n',
  })
  t.match(await run('query', ['--kind', 'nothing']), { exitCode: 2 })
})

t.test('encrypted records', async (t) => {
  const { run } = await recorded(t, true)
  t.match((await run('query')).stdout, ANN)
  const { exitCode, stdout, stderr } = await run('query', [], { environment: {} })
  t.match({ exitCode, stdout }, { exitCode: 0, stdout: '' })
  t.equal(
    stderr,
    `note: ${FILE}:2 cannot be read, and perhaps others of the file: it is encrypted, and there is no key for it\nnote: no record was found\n`,
  )
})

t.test('export', async (t) => {
  const { test, run } = await recorded(t, true)
  t.match(await run('export', ['--output', 'out.jsonl', '--user', 'bob']), {
    exitCode: 0,
    stdout: 'out.jsonl: 2 records\n',
  })
  const lines = readFileSync(test.path('out.jsonl'), 'utf8').trimEnd().split('\n')
  t.match(
    lines.map((line) => JSON.parse(line) as unknown),
    [{ kind: 'login' }, { kind: 'denial', what: 'publish a/b' }],
  )
  t.match(await run('export', ['-o', 'out.jsonl']), {
    exitCode: 1,
    stderr: /cannot write out.jsonl: file already exists/,
  })
  t.match(await run('export'), { exitCode: 2, stderr: /name it with --output/ })
})
