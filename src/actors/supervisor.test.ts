import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { SharedClock } from '../base/clock.js'
import { createSinkLogger } from '../base/log.js'
import { BrokerConfig } from '../config/schema.js'
import { EVERYBODY } from './introductions.fixture.js'
import { Supervisor } from './supervisor.js'

const RECORDER = new URL('./recorder.worker.fixture.js', import.meta.url)

const DEADLINE_MS = 10_000

/** Threads as they are made: Node.js tells of each. */
const made: Worker[] = []
process.on('worker', (worker) => made.push(worker))

interface Watched {
  readonly supervisor: Supervisor
  readonly ports: readonly number[]
  /** What threads were told and what the supervisor had to say, since they all had started, or since `forget`. */
  readonly lines: string[]
  forget(): void
  /** Resolves when there are so many such lines. */
  until(pattern: RegExp, count: number): Promise<void>
  /** The threads of each kind, in no particular order. */
  readonly shards: Worker[]
  readonly connections: Worker[]
  readonly lot: Worker
  /** undefined where nothing is stored. */
  readonly storage: Worker | undefined
}

async function start(t: Test, shards: number, connections: number, level: 'off' | 'sync' = 'off'): Promise<Watched> {
  const lines: string[] = []
  let heard: () => void = () => {}
  const log = createSinkLogger({ level: 'info', areas: {} }, ({ message }) => {
    lines.push(message)
    heard()
  })
  const config = BrokerConfig.parse({
    listeners: [
      { type: 'tcp', port: 0 },
      { type: 'unix', path: '/nowhere' },
    ],
    threads: { ringBytes: 65_536 },
    durability: { level },
  })
  const workers = { shard: RECORDER, connection: RECORDER, storage: RECORDER, lot: RECORDER }
  const first = made.length
  const supervisor = new Supervisor({
    ...EVERYBODY,
    config,
    shards,
    connections,
    clock: new SharedClock().memory,
    log,
    workers,
  })
  t.teardown(() => supervisor.destroy())
  const ports = await supervisor.start()
  const until = async (pattern: RegExp, count: number): Promise<void> => {
    while (lines.filter((line) => pattern.test(line)).length < count) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${pattern} in\n${lines.join('\n')}`)), DEADLINE_MS)
        heard = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  await until(/: started/, shards + connections + (level === 'off' ? 1 : 2))
  await until(/: listen/, connections)
  // the pools are made in this order
  const threads = made.slice(first)
  const forget = (): void => {
    lines.length = 0
  }
  return {
    supervisor,
    ports,
    lines,
    forget,
    until,
    shards: threads.slice(0, shards),
    connections: threads.slice(shards, shards + connections),
    lot: threads[shards + connections],
    storage: threads[shards + connections + 1],
  }
}

t.test('all threads start, and listen on the same ports', async (t) => {
  const { supervisor, ports, lines } = await start(t, 2, 2)
  t.same(ports, [1_883, 1_883])
  t.equal(supervisor.threads.length, 5)
  const listening = lines.filter((line) => line.includes('listen')).sort()
  t.same(listening, ['connection 0: listen 0,0', 'connection 1: listen 1883,-1'], 'a Unix socket stays with the first')
})

t.test('a shard dies: the other shards are told before its clients may come back', async (t) => {
  const { lines, forget, until, shards } = await start(t, 3, 2)
  forget()
  await shards[1].terminate()
  await until(/^connection \d: replaceShard/, 2)
  await until(/^shard \d: started/, 1)
  const index = /^the shard thread (\d) stopped/.exec(lines[0])?.[1]
  t.match(
    lines.find((text) => text.includes('sessions')),
    /sessions it held are lost/,
  )
  t.ok(lines.includes(`shard ${index}: started`))
  // what is published in the new shard must reach those who are connected to the others
  const places = (text: string): number[] => lines.flatMap((line, place) => (line.endsWith(text) ? [place] : []))
  const [peers, sockets] = [places(`replacePeer ${index}`), places(`replaceShard ${index}`)]
  const others = [0, 1, 2].filter((number) => String(number) !== index)
  t.same(
    peers.map((place) => lines[place]).sort(),
    others.map((other) => `shard ${other}: replacePeer ${index}`),
  )
  t.ok(Math.max(...peers) < Math.min(...sockets), lines.join('; '))
})

t.test('the LoT thread dies: shards are told', async (t) => {
  const { lines, forget, until, lot } = await start(t, 2, 1)
  forget()
  await lot.terminate()
  await until(/^shard \d: replaceLot/, 2)
  await until(/^lot 0: started/, 1)
  t.match(lines[0], /^the lot thread 0 stopped/)
})

t.test('a connection thread dies: shards are told, then it listens again', async (t) => {
  const { lines, forget, until, connections } = await start(t, 2, 2)
  forget()
  await connections[1].terminate()
  await until(/listen 1883/, 1)
  const index = /^the connection thread (\d) stopped/.exec(lines[0])?.[1]
  t.same(
    lines.filter((text) => text.includes('replaceConnectionThread')).sort(),
    [0, 1].map((shard) => `shard ${shard}: replaceConnectionThread ${index}`),
  )
  t.equal(lines.at(-1), `connection ${index}: listen 1883,${index === '0' ? 1_883 : -1}`)
})

t.test('threads that die together are all started anew', async (t) => {
  const { supervisor, forget, until, shards, connections } = await start(t, 3, 1)
  let failure = ''
  void supervisor.failed.then(({ message }) => {
    failure = message
  })
  forget()
  await Promise.all([shards[0].terminate(), shards[1].terminate(), connections[0].terminate()])
  await until(/^the \w+ thread \d stopped/, 3)
  await until(/: started/, 3)
  await until(/^connection 0: listen 1883/, 1)
  for (const { api } of supervisor.threads) t.equal(await api.settle(), false, 'each answers')
  t.equal(failure, '')
})

t.test('the storage thread dies between two transactions: it is started anew, then the shards', async (t) => {
  const { supervisor, lines, forget, until, storage } = await start(t, 2, 1, 'sync')
  forget()
  await storage?.terminate()
  await until(/^connection 0: replaceShard/, 2)
  t.match(lines[0], /^the storage thread 0 stopped/)
  const started = lines.filter((line) => line.endsWith(': started'))
  t.same([started[0], ...started.slice(1).sort()], ['storage 0: started', 'shard 0: started', 'shard 1: started'])
  t.equal(supervisor.wiring.gate.isEntered, false)
})

t.test('a storage thread that dies while it is started anew is started once more', async (t) => {
  const { supervisor, lines, forget, until, storage } = await start(t, 2, 1, 'sync')
  let failure = ''
  void supervisor.failed.then(({ message }) => {
    failure = message
  })
  forget()
  process.once('worker', (second) => void second.terminate())
  await storage?.terminate()
  await until(/^connection 0: replaceShard/, 2)
  t.equal(lines.filter((line) => /^the storage thread 0 stopped/.test(line)).length, 2, lines.join('\n'))
  t.equal(lines.filter((line) => line === 'storage 0: started').length, 1)
  for (const { api } of supervisor.threads) t.equal(await api.settle(), false, 'each answers')
  t.equal(failure, '')
})

t.test('the storage thread dies within a transaction: the broker cannot go on', async (t) => {
  const { supervisor, lines, forget, storage } = await start(t, 2, 1, 'sync')
  forget()
  t.ok(supervisor.wiring.gate.enter(), 'on behalf of the thread')
  await storage?.terminate()
  t.match(await supervisor.failed, { code: 'STORE_HELD' })
  await supervisor.destroy()
  t.notMatch(lines.join(), /started/)
})

t.test('a thread that dies again and again is given up', async (t) => {
  const { supervisor, forget, until, shards } = await start(t, 1, 1)
  let failure = ''
  void supervisor.failed.then(({ code }) => {
    failure = code
  })
  let [victim] = shards
  for (let death = 1; death <= 5; death++) {
    forget()
    await victim.terminate()
    await until(/shard 0: started/, 1)
    await until(/connection 0: replaceShard 0/, 1)
    victim = made[made.length - 1]
    t.equal(failure, '', `after ${death}`)
  }
  await victim.terminate()
  const error = await supervisor.failed
  t.match(error, { code: 'THREAD_UNRELIABLE', details: { kind: 'shard', index: 0, times: 6, seconds: 60 } })
})

t.test('threads that end because they shall are not started anew', async (t) => {
  const { supervisor, lines, forget, shards } = await start(t, 1, 1)
  forget()
  supervisor.expectEnd()
  await shards[0].terminate()
  await supervisor.destroy()
  t.same(lines, [])
})
