import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { beginMerlot, runMerlot, startBrokerProcess } from './cli.fixture.js'

const LISTENER = 'listeners: [{type: tcp, port: 0, anonymousUser: root}, {type: ws, port: 0}]\n'
const OUTPUT = '$SYS/Coreflux/Command/Output'

/** Of the file, because the fixture takes that of the test. */
const folder = t.testdir({ 'merlot.yaml': `${LISTENER}session: {inflightMax: 5}\n` })

t.test('SIGHUP and Config/New, with a broker', async (t) => {
  const file = join(folder, 'merlot.yaml')
  const data = join(folder, 'data')
  const broker = await startBrokerProcess(t, ['--config', file, '--data', data])
  const { child, stderr, port } = broker
  const connection = ['-h', '127.0.0.1', '-p', port]
  const publish = (document: string) =>
    runMerlot(['pub', ...connection, '-t', '$SYS/Coreflux/Config/New', '-m', document, '-q', '1'])
  const retained = async (topic: string): Promise<string> => {
    const { stdout } = await runMerlot(['sub', ...connection, '-t', topic, '--count', '1'])
    return stdout
  }
  /** Publishes a document and gives the answer to it. */
  const setConfig = async (document: string): Promise<Record<string, unknown>> => {
    const answers = beginMerlot(['sub', ...connection, '-t', OUTPUT, '--count', '1'])
    await answers.stderr.find(/subscribed to/)
    t.equal((await publish(document)).exitCode, 0)
    await answers.exitCode
    return JSON.parse(answers.stdout.text) as Record<string, unknown>
  }

  writeFileSync(file, `${LISTENER}session: {inflightMax: 6}\nlog: {level: debug}\n`)
  child.kill('SIGHUP')
  const [line] = await stderr.find(/^.*configuration read.*$/m)
  t.match(JSON.parse(line), { area: 'config', changed: 'session.inflightMax, log.level', needsRestart: '' })

  writeFileSync(file, `${LISTENER}session: {inflightMax: 7, queueQ`)
  child.kill('SIGHUP')
  const [refused] = await stderr.find(/^.*nothing has changed.*$/m)
  t.match(JSON.parse(refused), { level: 'error', msg: /merlot\.yaml:2:\d+: / })
  t.match(await setConfig('{}'), { success: false, command: 'SetConfig', message: /merlot\.yaml:2:\d+: / })
  writeFileSync(file, LISTENER)

  t.match(await setConfig('{"session": {"subscriptionsMax": 1, "clientIdBytesMax": 40}, "threads": {"shards": 3}}'), {
    success: true,
    command: 'SetConfig',
    data: {
      changed: ['session.clientIdBytesMax', 'session.inflightMax', 'session.subscriptionsMax', 'log.level'],
      needsRestart: ['threads.shards'],
    },
  })
  const sub = async (...args: string[]) => (await runMerlot(['sub', ...connection, ...args, '--count', '1'])).stderr
  t.match(await sub('-t', 'a', '-t', 'b'), /quota/i, 'shards know it')
  t.match(await sub('-t', 'a', '-i', 'x'.repeat(41)), /identifier/i, 'connection threads know it')
  const shown = JSON.parse(await retained('$SYS/Coreflux/Config')) as Record<string, unknown>
  t.match(shown, { AnonymousLogin: true, session: { subscriptionsMax: 1 }, NeedsRestart: ['threads.shards'] })
  t.match(await setConfig('{"session": {"inflightMx": 8}}'), {
    success: false,
    message: /inflightMx is unknown; did you mean session\.inflightMax/,
  })

  const listed = JSON.parse(await retained('$SYS/Coreflux/Comms/Sessions')) as Record<string, unknown>
  t.ok(Array.isArray(listed.sessions))
  t.match(JSON.parse(await retained('$SYS/Coreflux/Resources/CPU')), { cores: Number })

  child.kill('SIGTERM')
  t.equal(await broker.exitCode, 0)
  const next = await runMerlot(['config', '--config', file, '--data', data, '--changed', '--json'])
  const lines = JSON.parse(next.stdout) as readonly { readonly key: string; readonly origin: string }[]
  t.same(
    lines.filter(({ origin }) => origin === 'Config/New'),
    [
      { key: 'threads.shards', value: 3, origin: 'Config/New' },
      { key: 'session.clientIdBytesMax', value: 40, origin: 'Config/New' },
      { key: 'session.subscriptionsMax', value: 1, origin: 'Config/New' },
    ],
  )
  writeFileSync(join(data, 'config-new.json'), '{"session.inflightMax": 0}\n')
  const wrong = await runMerlot(['check', '--config', file, '--data', data])
  t.equal(wrong.exitCode, 2)
  t.match(
    wrong.stderr,
    /inflightMax must be .*\(Config\/New\)\n.*config-new\.json: take it out there, or remove the file/,
  )
})
