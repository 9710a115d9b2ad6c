import { once } from 'node:events'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { spawnMerlot, startBrokerProcess } from './cli.fixture.js'

t.test('the process has the exit code and the streams of its command', async (t) => {
  const version = spawnMerlot(t, ['version'])
  const wrong = spawnMerlot(t, ['start', '--set', 'sys.intervalSeconds=often'])
  t.equal(await version.exitCode, 0)
  t.match(version.stdout.text, /^Merlot /)
  t.equal(await wrong.exitCode, 2)
  t.equal(wrong.stdout.text, '')
  t.equal(
    wrong.stderr.text,
    'merlot: sys.intervalSeconds must be a whole number from 0 to 86400, but "often" was given (--set sys.intervalSeconds)\n' +
      'every key is described in docs/configuration.md\n',
  )
})

t.test('a reader that goes away is no error', async (t) => {
  const config = spawnMerlot(t, ['config'])
  config.child.stdout?.destroy()
  t.equal(await config.exitCode, 0)
  t.equal(config.stderr.text, '')
})

t.test('start: the banner, and a clean end on SIGTERM', async (t) => {
  const broker = await startBrokerProcess(t)
  const lines = broker.stdout.text.split('\n')
  t.match(lines, [
    /^the user root was made, with the password \S{20}$/,
    'it is shown this once: keep it, or set another with "npx merlot user passwd root"',
    /^Merlot \d/,
    'configuration: defaults (no file)',
    /^data folder: \//,
    `listening on mqtt://127.0.0.1:${broker.port}`,
    /^listening on ws:\/\/127\.0\.0\.1:\d+\/mqtt$/,
    'open to this machine only; --host 0.0.0.0 opens it to the network',
    'try it in two other terminals:',
    `  npx merlot sub -p ${broker.port} -t hello`,
    `  npx merlot pub -p ${broker.port} -t hello -m world`,
    'stop with Ctrl+C',
    '',
  ])
  broker.child.kill('SIGTERM')
  t.equal(await broker.exitCode, 0)
  for (const line of broker.stderr.text.trim().split('\n'))
    t.ok(JSON.parse(line), 'the log is JSON where no terminal is')
})

t.test('start: told to stop while its project is still fetched', { skip: process.platform === 'win32' }, async (t) => {
  const folder = t.testdir({})
  const begun = JSON.stringify(join(folder, 'begun'))
  // never done, and gone when the broker is
  const git = `#!${process.execPath}
import('node:fs').then(({ writeFileSync }) => writeFileSync(${begun}, ''))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(), 50)
`
  writeFileSync(join(folder, 'git'), git)
  chmodSync(join(folder, 'git'), 0o755)
  const path = `${folder}:${process.env.PATH}`
  const project = ['--project', 'https://127.0.0.1:9/plant.git']
  const broker = spawnMerlot(t, ['start', '--port', '0', '--data', join(folder, 'data'), ...project], { PATH: path })
  while (!existsSync(join(folder, 'begun'))) await new Promise((resolve) => setTimeout(resolve, 10))
  broker.child.kill('SIGINT')
  t.equal(await broker.exitCode, 0, 'in order')
  t.match(broker.stderr.text, /"stopped"/)
})

t.test('start: a port in use is one clear line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const broker = spawnMerlot(t, [
    'start',
    '--port',
    port,
    '--ws-port',
    '0',
    '--data',
    t.testdir({}),
    '--set',
    'log.level=silent',
  ])
  t.equal(await broker.exitCode, 1)
  t.match(broker.stdout.text, /^the user root was made, with the password \S{20}\n/, 'which nobody could learn later')
  t.match(
    broker.stderr.text,
    new RegExp(`^merlot: .*127\\.0\\.0\\.1:${port} is in use by another program\nstop that program, or .*\n$`),
  )
})
