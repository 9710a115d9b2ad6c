/** Several connection threads on one port: which of them has a client, the kernel decides. */
import { BroadcastChannel } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { EVERYBODY } from '../../src/actors/introductions.fixture.js'
import { Supervisor } from '../../src/actors/supervisor.js'
import { SharedClock } from '../../src/base/clock.js'
import { createSinkLogger, type LogRecord } from '../../src/base/log.js'
import { BrokerConfig } from '../../src/config/schema.js'
import { Counter, openCounters } from '../../src/contracts/counters.js'
import { TestBroker } from '../support/broker.js'
import type { RawClient } from '../support/raw-client.js'
import { MORTALITY } from './mortal-connection.fixture.js'

const [major, minor] = process.versions.node.split('.').map(Number)
const isRecent = major! > 23 || (major === 23 && minor! >= 1) || (major === 22 && minor! >= 12)
const hasReusePort = process.platform === 'linux' && isRecent
const skip = hasReusePort ? false : 'threads that share a port need Linux and Node.js 22.12 or newer'

interface Threads {
  readonly broker: TestBroker
  readonly supervisor: Supervisor
  readonly logged: readonly LogRecord[]
  /** Sockets of each thread. */
  open(): readonly number[]
}

async function start(t: Test, prefix: string): Promise<Threads> {
  const config = BrokerConfig.parse({ listeners: [{ type: 'tcp', port: 0 }], dataDirectory: t.testdir({}) })
  const logged: LogRecord[] = []
  const supervisor = new Supervisor({
    ...EVERYBODY,
    config,
    shards: 2,
    connections: 2,
    clock: new SharedClock().memory,
    log: createSinkLogger({ level: 'warn', areas: {} }, (record) => logged.push(record)),
    workers: {
      shard: new URL('../../workers/shard.js', import.meta.url),
      connection: new URL('./mortal-connection.fixture.js', import.meta.url),
      storage: new URL('../../workers/storage.js', import.meta.url),
      lot: new URL('../../workers/lot.js', import.meta.url),
    },
  })
  t.teardown(() => supervisor.destroy())
  const [port] = await supervisor.start()
  return {
    broker: new TestBroker([{ type: 'tcp', host: '127.0.0.1', port: port!, path: '' }], undefined, logged, prefix),
    supervisor,
    logged,
    open: () => supervisor.wiring.connections.map(({ counters }) => openCounters(counters)[Counter.socketsOpen]!),
  }
}

/** A client on each of the two threads; more are opened until the kernel has chosen both. */
async function clientOnEach({ broker, open }: Threads): Promise<readonly [RawClient, RawClient]> {
  const onThread: (RawClient | undefined)[] = [undefined, undefined]
  for (let count = 0; count < 200; count++) {
    const before = open()
    const client = await broker.connect()
    const thread = open().findIndex((connections, index) => connections > before[index]!)
    if (onThread[thread] === undefined) onThread[thread] = client
    else await client.disconnect()
    while (open()[0]! + open()[1]! > onThread.filter((each) => each !== undefined).length) await nextTurn()
    const [first, second] = onThread
    if (first !== undefined && second !== undefined) return [first, second]
  }
  throw new Error('200 connections went to one thread')
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('publications cross', { skip }, async (t) => {
  const threads = await start(t, 'cross')
  const { broker } = threads
  const [first, second] = await clientOnEach(threads)
  for (const client of [first, second]) await client.subscribe(broker.topic('a'), { qos: 2 })
  for (const [publisher, qos] of [
    [first, 0],
    [second, 1],
    [first, 2],
  ] as const) {
    await publisher.publish(broker.topic('a'), `QoS ${qos}`, { qos })
    for (const client of [first, second]) t.equal((await client.expectMessage(`QoS ${qos}`)).qos, qos)
  }
  broker.close()
})

t.test('a client that comes to the other thread takes its session over', { skip }, async (t) => {
  const threads = await start(t, 'move')
  const { broker, open } = threads
  const clientId = broker.clientIdOf('mover')
  const properties = { sessionExpiryInterval: 600 }
  const [witness] = await clientOnEach(threads)
  let current = await broker.connect({ clientId, cleanStart: false, properties })
  await current.subscribe(broker.topic('m'), { qos: 1 })
  const crossings = new Set<string>()
  for (let count = 0; count < 200 && crossings.size < 2; count++) {
    const before = open()
    const next = await broker.connect({ clientId, cleanStart: false, properties })
    t.equal(next.connack?.sessionPresent, true)
    await current.expectDisconnect(0x8e)
    while (open()[0]! + open()[1]! > 3) await nextTurn()
    // one connection was opened and one closed: a thread that has one more now has taken it from the other
    const to = open().findIndex((connections, index) => connections > before[index]!)
    if (to !== -1) crossings.add(`to thread ${to}`)
    await witness.publish(broker.topic('m'), String(count), { qos: 1 })
    await next.expectMessage(String(count))
    await next.ping() // answered by the shard: the acknowledgement has arrived before the next connection comes
    current = next
  }
  t.same([...crossings].sort(), ['to thread 0', 'to thread 1'])
  broker.close()
})

for (const victim of [0, 1]) {
  t.test(`when thread ${victim} dies, the other goes on, and a new one takes its place`, { skip }, async (t) => {
    const threads = await start(t, `die${victim}`)
    const { broker, supervisor, logged } = threads
    const clients = await clientOnEach(threads)
    const [lost, kept] = victim === 0 ? clients : [clients[1], clients[0]]
    await kept.subscribe(broker.topic('will'), { qos: 1 })
    const old = supervisor.connections[victim]!
    const orders = new BroadcastChannel(MORTALITY)
    orders.postMessage(victim)
    await t.rejects(old.ended, { message: 'told to fail' })
    orders.close()
    await lost.expectClosed()

    await kept.publish(broker.topic('will'), 'still here', { qos: 1 })
    await kept.expectMessage('still here')
    const [one, other] = await clientOnEach({ ...threads, open: () => minus(threads.open(), 1 - victim) })
    await one.subscribe(broker.topic('again'), { qos: 1 })
    await other.publish(broker.topic('again'), 'new thread', { qos: 1 })
    await one.expectMessage('new thread')
    t.match(logged[0], { level: 'error', fields: { kind: 'connection', index: victim } })
    broker.close()
  })
}

/** Without the client that was there before. */
function minus(open: readonly number[], thread: number): number[] {
  return open.map((connections, index) => (index === thread ? connections - 1 : connections))
}
