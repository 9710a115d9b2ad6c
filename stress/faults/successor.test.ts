/** A broker whose storage thread dies within a transaction, as a process. */
import { connectAsync, type MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import { StatusLine } from '../load/status-line.js'
import { BrokerProcess, ourBroker } from './broker-process.js'
import { parseFaultOptions } from './options.js'
import { runFaults } from './run.js'

const ORDER = 'strike storage 0'
const TRIES = 5

t.test('another process goes on, and nothing is lost', { timeout: 120_000 }, async (t) => {
  const silent = new StatusLine({ isTTY: false, columns: 80, write: () => true })
  const args = '--shards 2 --kills 1 --kinds successor --seed 5 --duration-between 300-600 --rate 1000'
  const report = await runFaults(parseFaultOptions(args.split(' ')), silent, new AbortController().signal)
  t.same(report.failures, [], report.examples.map(({ text }) => text).join('\n'))
  t.same(report.struck, { successor: 1 })
  t.ok(report.counts.acknowledged > 100)
})

async function startUnderLoad(
  t: Test,
  environment: Readonly<Record<string, string>>,
  says: RegExp,
): Promise<BrokerProcess> {
  const broker = new BrokerProcess(ourBroker(1, [], environment), t.testdir({}))
  t.teardown(() => broker.kill())
  const client = await connectAsync(await broker.start(), { reconnectPeriod: 0 })
  t.match(broker.output, says)
  client.on('error', () => {}) // the broker ends
  t.teardown(() => client.end(true))
  for (let lane = 0; lane < 8; lane++) void load(client, `lane/${lane}`)
  return broker
}

/** Transactions without a pause. */
async function load(client: MqttClient, topic: string): Promise<void> {
  while (client.connected) await client.publishAsync(topic, 'x'.repeat(1_000), { qos: 1, retain: true }).catch(() => {})
}

/**
 * Strikes until the storage thread has died within a transaction.
 * @param says what the broker has to say at its start
 * @returns the broker, and why no process went on in its place
 */
async function strike(
  t: Test,
  environment: Readonly<Record<string, string>>,
  says: RegExp,
): Promise<{ readonly broker: BrokerProcess; readonly output: string }> {
  let broker = await startUnderLoad(t, environment, says)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const url = await broker.orderSuccession(ORDER)
      if (url !== undefined) return { broker, output: `there is another at ${url}` }
      // it has missed: the load ended with its connections
      await broker.kill()
      broker = await startUnderLoad(t, environment, says)
    } catch {
      return { broker, output: broker.output }
    }
  }
  return { broker, output: `it has not ended\n${broker.output}` }
}

t.test('a successor that ends alike within a minute has none', { timeout: 60_000 }, async (t) => {
  const { broker, output } = await strike(
    t,
    { MERLOT_PREDECESSOR: `${2 ** 31 - 1} ${Date.now()}` },
    /going on in place of another process/,
  )
  t.match(output, /the storage thread ended within a transaction/)
  t.match(output, /less than 60 s ago.*no other process is started/)
  t.equal(broker.isRunning, false)
})

t.test('where a service manager watches, it is left to that', { timeout: 60_000 }, async (t) => {
  const { broker, output } = await strike(t, { NOTIFY_SOCKET: '/nowhere' }, /listening/)
  t.match(output, /NOTIFY_SOCKET.*no other process is started/)
  t.equal(await broker.stop(), 'SIGKILL')
})
