import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { silentLogger } from '../base/log.js'
import { BrokerConfig } from '../config/schema.js'
import { type RunningBroker, startBroker } from '../main.js'
import { beginMerlot, runMerlot, startBrokerProcess } from './cli.fixture.js'

const STORE = ['store']

async function startOn(t: Test, data: string): Promise<{ broker: RunningBroker; port: string }> {
  const listeners = [{ type: 'tcp', port: 0 }]
  const threads = { shards: 2, connections: 1 }
  const broker = await startBroker(BrokerConfig.parse({ listeners, dataDirectory: data, threads }), {
    log: silentLogger,
  })
  t.teardown(() => broker.stopNow())
  return { broker, port: String(broker.listeners[0]!.port) }
}

/** A session that is kept, two messages that wait for it, and two retained ones. */
async function fill(port: string): Promise<void> {
  const session = ['-t', 'jobs', '-q', '2', '-i', 'worker', '--no-clean', '--session-expiry', '1000']
  const sub = beginMerlot(['sub', '-p', port, ...session, '-C', '1'])
  await sub.stderr.find(/subscribed/)
  await pub(port, '-t', 'jobs', '-m', 'now', '-q', '1')
  await sub.exitCode
  await pub(port, '-t', 'jobs', '-m', 'later 1', '-q', '1', '--user-property', 'a=b')
  await pub(port, '-t', 'jobs', '-m', 'later 2', '-q', '2')
  await pub(port, '-t', 'kept/1', '-m', 'one', '-q', '1', '-r', '--content-type', 'text/plain')
  await pub(port, '-t', 'kept/2', '-m', 'two', '-q', '1', '-r', '--expiry', '1000')
}

async function pub(port: string, ...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runMerlot(['pub', '-p', port, ...args])
  if (exitCode !== 0) throw new Error(stderr)
}

const retained = (port: string): Promise<{ stdout: string; exitCode: number }> =>
  runMerlot(['sub', '-p', port, '-t', 'kept/#', '-C', '2', '-W', '20', '--json'])

/** Several brokers have their folders in it: `testdir` of a test is emptied by each that is started. */
function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'merlot-store-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('everything moves from one data folder to another', { timeout: 60_000 }, async (t) => {
  const root = temporaryFolder(t)
  const data = ['--data', join(root, 'a')]
  const file = join(root, 'store.jsonl')
  const first = await startOn(t, join(root, 'a'))
  await fill(first.port)
  await first.broker.stop()

  const shown = await runMerlot([...STORE, 'inspect', ...data])
  t.match(shown, {
    exitCode: 0,
    stderr: '',
    stdout:
      /used by: nobody\n[\s\S]*retained: 2 messages[\s\S]*waiting: 2 messages[\s\S]*\n {2}worker, offline since 2\S+Z, expires 2\S+Z, 1 subscription, 2 messages waiting\n/,
  })
  t.match(JSON.parse((await runMerlot([...STORE, 'inspect', '--json', ...data])).stdout), {
    sessions: [{ clientId: 'worker', waitingMessages: 2 }],
  })
  t.match(await runMerlot([...STORE, 'verify', ...data]), {
    exitCode: 0,
    stdout: /: sound, \d+ values and \d+ pages\n/,
  })
  t.match(await runMerlot([...STORE, 'compact', ...data]), { exitCode: 0, stdout: /: .* before, \d+\.\d kB now\n$/ })
  t.match(await runMerlot([...STORE, 'export', ...data, '-o', file]), {
    exitCode: 0,
    stdout: '',
    stderr: /^exported 1 session, 2 retained messages, 2 waiting messages(, \d+ definitions?)?\n$/,
  })
  const lines = (await runMerlot([...STORE, 'export', ...data])).stdout.split('\n')
  t.equal(lines.filter((line) => !line.startsWith('{"type":"definition"')).length, 8)
  const second = ['--data', join(root, 'b')]
  t.match(await runMerlot([...STORE, 'import', file, ...second]), {
    exitCode: 0,
    stdout: /^imported 1 session, 2 retained messages, 2 waiting messages(, \d+ definitions?)?\n$/,
  })
  t.match(await runMerlot([...STORE, 'import', file, ...second]), {
    exitCode: 1,
    stderr: /^merlot: the store in .* is not empty: 1 sessions, .*\nadd --merge /,
  })
  t.same(readdirSync(join(root, 'b')), ['store'])

  const { port, broker } = await startOn(t, join(root, 'b'))
  const worker = [
    'sub',
    '-p',
    port,
    '-t',
    'jobs',
    '-q',
    '2',
    '-i',
    'worker',
    '--no-clean',
    '--session-expiry',
    '1000',
    '-C',
    '2',
    '-W',
    '20',
    '--json',
  ]
  const jobs = (await runMerlot(worker)).stdout
  t.match(jobs, /"payload":"later 1","properties":\{"userProperties":\{"a":"b"\}\}\}\n.*"payload":"later 2"/)
  const kept = (await retained(port)).stdout
  t.match(kept, /"payload":"one","properties":\{"contentType":"text\/plain"\}/)
  t.match(kept, /"payload":"two","properties":\{"messageExpiryInterval":\d+\}/)
  await broker.stop()
})

t.test('while a broker runs', { timeout: 60_000 }, async (t) => {
  const root = temporaryFolder(t)
  const data = ['--data', join(root, 'a')]
  const file = join(root, 'store.jsonl')
  const broker = await startBrokerProcess(t, data)
  await fill(broker.port)
  const pid = String(broker.child.pid)
  t.match(await runMerlot([...STORE, 'inspect', ...data]), {
    exitCode: 0,
    stdout: new RegExp(`used by: process ${pid}`),
  })
  t.match(await runMerlot([...STORE, 'verify', ...data]), { exitCode: 0, stderr: /values are checked, pages are not/ })
  t.match(await runMerlot([...STORE, 'export', ...data, '-o', file]), { exitCode: 0, stderr: /exported 1 session/ })
  t.match(await runMerlot([...STORE, 'compact', ...data]), { exitCode: 1, stderr: /is in use by process \d+\nstop/ })
  t.match(await runMerlot([...STORE, 'import', file, ...data]), {
    exitCode: 1,
    stderr: new RegExp(`a broker runs on the data folder .*process ${pid}.*\n.*store import .* --port PORT\n$`),
  })
  const copy = join(root, 'copy')
  t.match(await runMerlot([...STORE, 'backup', copy, ...data]), { exitCode: 0, stdout: /verified\n$/ })
  t.match(await runMerlot([...STORE, 'verify', '--data', copy]), { exitCode: 0, stdout: /sound/ })

  const other = await startBrokerProcess(t, ['--data', join(root, 'other')])
  t.match(await runMerlot([...STORE, 'import', file, '-p', other.port]), {
    exitCode: 0,
    stdout: 'published 2 retained messages\n',
    stderr:
      '1 session and 2 waiting messages left out: MQTT cannot express them\nstop the broker and import with --data to bring these, too\n',
  })
  const published = (await retained(other.port)).stdout
  t.match(published, /"payload":"one","properties":\{"contentType":"text\/plain"\}/)
  t.match(published, /"payload":"two","properties":\{"messageExpiryInterval":\d+\}/)
  const restored = await startBrokerProcess(t, ['--data', copy])
  t.match(await retained(restored.port), { exitCode: 0 })
})

t.test('damage is told, with exit code 1', async (t) => {
  const data = t.testdir({ store: { 'data.mdb': 'x'.repeat(9_000) } })
  t.match(await runMerlot([...STORE, 'verify', '--data', data]), {
    exitCode: 1,
    stdout: 'damaged: neither of its root pages makes sense\n',
    stderr: /is damaged in 1 place\nbring back a backup\n$/,
  })
  t.match(await runMerlot([...STORE, 'inspect', '--data', data]), {
    exitCode: 1,
    stderr: /is damaged: .*\nlet the broker/,
  })
})

t.test('wrong usage', async (t) => {
  const data = t.testdir({})
  writeFileSync(join(data, 'bad'), '{}\n')
  for (const [args, exitCode, message] of [
    [[], 2, /^Usage: merlot store /],
    [['look'], 2, /^merlot: unknown command 'look'\nmerlot help lists all\n/],
    [['inspect', '--data', data], 2, /^merlot: there is no store in .*\nname the data folder/],
    [['backup'], 2, /^merlot: missing required argument 'folder'\n/],
    [['import', join(data, 'none'), '--data', join(data, 'x')], 2, /^merlot: cannot read .*none: no such file/],
    [
      ['import', join(data, 'bad'), '--data', join(data, 'x')],
      1,
      /^merlot: line 1 of .*bad cannot be imported: it is.*\nnothing was changed; give a file as/,
    ],
    [['import', 'x', '--data', data, '-p', '1'], 2, /^merlot: --data is given together with a broker/],
    [['import', 'x', '-p', '1'], 1, /^merlot: cannot connect to mqtt:\/\/127.0.0.1:1/],
  ] as const) {
    const result = await runMerlot([...STORE, ...args])
    t.match(result, { exitCode, stderr: message }, args.join(' '))
  }
  t.match(await runMerlot(['help', 'store']), { exitCode: 0, stdout: /\n {2}inspect [\s\S]*\n {2}verify / })
})

t.test('an output that cannot be written', async (t) => {
  const data = t.testdir({})
  const { broker } = await startOn(t, data)
  await broker.stop()
  const output = join(data, 'none', 'x')
  t.match(await runMerlot([...STORE, 'export', '--data', data, '-o', output]), {
    exitCode: 1,
    stderr: /cannot write .*x: no such file or directory\ncheck the folder/,
  })
  const good = join(data, 'x')
  t.match(await runMerlot([...STORE, 'export', '--data', data, '-o', good]), { exitCode: 0 })
  t.match(readFileSync(good, 'utf8'), /^\{"merlotStore":1,/)
  t.same(readdirSync(data).toSorted(), ['audit', 'identities.json', 'secret.key', 'store', 'x'])
})
