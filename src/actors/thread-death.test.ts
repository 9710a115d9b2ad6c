/** The whole broker, one of whose threads is killed. */
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { SharedClock } from '../base/clock.js'
import { createSinkLogger } from '../base/log.js'
import { BrokerConfig } from '../config/schema.js'
import { Counter, type CounterName, openCounters } from '../contracts/counters.js'
import { EVERYBODY } from './introductions.fixture.js'
import { Supervisor } from './supervisor.js'
import { TcpClient } from './tcp-client.fixture.js'

const SHARDS = 2
/** Enough to be in both shards. */
const CLIENTS = 8
const DEADLINE_MS = 10_000

const made: Worker[] = []
process.on('worker', (worker) => made.push(worker))

interface Broker {
  readonly port: number
  readonly shards: Worker[]
  readonly connection: Worker
  readonly logged: string[]
  readonly supervisor: Supervisor
  /** Resolves when the sum over all threads is that. */
  reaches(name: CounterName, value: number): Promise<void>
}

async function start(t: Test): Promise<Broker> {
  const logged: string[] = []
  const log = createSinkLogger({ level: 'warn', areas: {} }, ({ message }) => logged.push(message))
  const config = BrokerConfig.parse({
    listeners: [{ type: 'tcp', port: 0 }],
    threads: { ringBytes: 65_536 },
    durability: { level: 'off' },
  })
  const workers = {
    shard: new URL('../../workers/shard.js', import.meta.url),
    connection: new URL('../../workers/connection.js', import.meta.url),
    storage: new URL('../../workers/storage.js', import.meta.url),
    lot: new URL('../../workers/lot.js', import.meta.url),
  }
  const clock = new SharedClock().memory
  const first = made.length
  const supervisor = new Supervisor({ ...EVERYBODY, config, shards: SHARDS, connections: 1, clock, log, workers })
  t.teardown(() => supervisor.destroy())
  const [port] = await supervisor.start()
  const { wiring } = supervisor
  const reaches = async (name: CounterName, value: number): Promise<void> => {
    const sum = (): number =>
      [...wiring.connections, ...wiring.shards].reduce(
        (total, { counters }) => total + openCounters(counters)[Counter[name]],
        0,
      )
    await until(() => sum() === value)
    t.equal(sum(), value, name)
  }
  const threads = made.slice(first)
  return { port, shards: threads.slice(0, SHARDS), connection: threads[SHARDS], logged, supervisor, reaches }
}

/** Waits for what other threads do, but not for ever. */
async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + DEADLINE_MS
  while (!condition() && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Each is subscribed to its own identifier. */
async function connectAll(t: Test, port: number, expiry = 0): Promise<TcpClient[]> {
  const clients: TcpClient[] = []
  for (let number = 0; number < CLIENTS; number++) {
    const [client] = await TcpClient.connect(port, `client-${number}`, expiry)
    await client.subscribe(client.clientId)
    clients.push(client)
  }
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  return clients
}

async function sendAround(t: Test, clients: readonly TcpClient[], text: string): Promise<void> {
  for (const [place, client] of clients.entries()) {
    const to = clients[(place + 1) % clients.length]
    t.equal(await client.publish(to.clientId, text), 0)
    t.equal(await to.message(), `${to.clientId}=${text}`)
  }
}

t.test('a shard dies: its clients are disconnected and come back, the others go on', async (t) => {
  const { port, shards, logged, supervisor, reaches } = await start(t)
  const clients = await connectAll(t, port)
  await sendAround(t, clients, 'before')
  await shards[0].terminate()
  await until(() => logged.some((line) => line.includes('sessions it held are lost')))
  // each is either closed or answers
  for (const client of clients) {
    client.socket.write(Uint8Array.of(0xc0, 0))
    await client.expect('pingresp').catch(() => client.closed())
  }
  const lost = clients.filter(({ isClosed }) => isClosed)
  t.ok(lost.length > 0 && lost.length < CLIENTS, `${lost.length} of ${CLIENTS}`)
  await reaches('connectionsOpen', CLIENTS - lost.length)
  for (const [place, client] of clients.entries()) {
    if (!client.isClosed) continue
    const [again, present] = await TcpClient.connect(port, client.clientId, 100, false)
    t.notOk(present, 'the session is lost')
    await again.subscribe(again.clientId)
    clients[place] = again
  }
  await sendAround(t, clients, 'after')
  for (const gauge of ['connectionsOpen', 'socketsOpen', 'sessions', 'sessionsConnected', 'subscriptions'] as const) {
    await reaches(gauge, CLIENTS)
  }
  t.equal(new Int32Array(supervisor.wiring.totals)[0], CLIENTS)
  t.equal(new Int32Array(supervisor.wiring.totals)[1], CLIENTS)
})

t.test('a connection thread dies: sockets are lost, sessions are not', async (t) => {
  const { port, connection, logged, supervisor, reaches } = await start(t)
  const clients = await connectAll(t, port, 100)
  await connection.terminate()
  for (const client of clients) await client.closed()
  await until(() => logged.some((line) => line.includes('network connections are lost')))
  await reaches('sessionsDisconnected', CLIENTS)
  for (const gauge of ['connectionsOpen', 'socketsOpen', 'sessionsConnected'] as const) await reaches(gauge, 0)
  t.equal(new Int32Array(supervisor.wiring.totals)[0], 0)
  for (const [place, { clientId }] of clients.entries()) {
    const [again, present] = await reconnect(port, clientId)
    t.ok(present, `${clientId} finds its session`)
    clients[place] = again
  }
  await sendAround(t, clients, 'after')
  await reaches('sessionsConnected', CLIENTS)
  await reaches('sessionsDisconnected', 0)
})

/** It takes the new thread a moment to listen. */
async function reconnect(port: number, clientId: string): Promise<[TcpClient, boolean]> {
  const deadlineMs = Date.now() + DEADLINE_MS
  for (;;) {
    try {
      return await TcpClient.connect(port, clientId, 100, false)
    } catch (error) {
      if (Date.now() > deadlineMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
