import t from 'tap'
import { BrokerProcess, type Launcher } from './broker-process.js'

/** A program that says where it listens, repeats its orders on standard output, and ends with status 0 on SIGTERM. */
const ECHO = `
process.on('SIGTERM', () => process.exit(0))
process.stdin.on('data', (bytes) => process.stdout.write('ordered ' + bytes))
process.stdout.write('data in ' + process.argv[1] + ', listening on mqtt://127.0.0.1:' + process.env.PORT + '\\n')
`

function launcher(source: string): Launcher {
  const listening = /listening on (mqtt:\/\/\S+:\d+)/
  return { command: process.execPath, args: (data) => ['-e', source, data], environment: { PORT: '77' }, listening }
}

async function seen(broker: BrokerProcess, text: string): Promise<void> {
  while (!broker.output.includes(text)) await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('starts, takes orders, dies, starts again, ends in order', async (t) => {
  const broker = new BrokerProcess(launcher(ECHO), '/some/data')
  t.equal(broker.isRunning, false)
  t.equal(await broker.start(), 'mqtt://127.0.0.1:77')
  t.equal(broker.url, 'mqtt://127.0.0.1:77')
  const first = broker.pid
  broker.order('kill shard 0')
  await seen(broker, 'ordered kill shard 0\n')
  if (process.platform === 'linux') t.ok(broker.threads()?.has(String(first)))
  await broker.kill()
  t.same([broker.isRunning, broker.url], [false, undefined])
  broker.order('nobody is there')
  broker.dataFolder = '/other/data'
  await broker.start()
  t.not(broker.pid, first)
  t.match(broker.output, /data in \/other\/data/)
  t.equal(await broker.stop(), 'status 0')
})

t.test('an end that was not asked for is seen', async (t) => {
  const broker = new BrokerProcess(launcher(`${ECHO}; process.stdin.on('data', () => process.exit(3))`), '/some/data')
  await broker.start()
  broker.order('end')
  while (broker.isRunning) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(broker.url, undefined)
  t.equal(await broker.stop(), 'status 3')
})

t.test('a start that fails says what was written', async (t) => {
  const broker = new BrokerProcess(launcher('console.error("no room"); process.exit(2)'), '/some/data')
  await t.rejects(broker.start(), { message: /ended with status 2/ })
  const nowhere = new BrokerProcess({ ...launcher(ECHO), command: '/does/not/exist' }, '/some/data')
  await t.rejects(nowhere.start(), { message: /could not be started/ })
  t.equal(await nowhere.stop(), 'was never started')
})
