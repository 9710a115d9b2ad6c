import type { Worker } from 'node:worker_threads'
import t from 'tap'
import { createSinkLogger } from '../base/log.js'
import { BrokerConfig } from '../config/schema.js'
import type { AuditEntry } from '../contracts/audit.js'
import type { ThreadApi } from '../contracts/threads.js'
import { ThreadPool } from './thread-pool.js'

const RECORDER = new URL('./recorder.worker.fixture.js', import.meta.url)
const FAREWELL = new URL('./farewell.worker.fixture.js', import.meta.url)

/** Threads as they are made: Node.js tells of each. */
const made: Worker[] = []
process.on('worker', (worker) => made.push(worker))

t.test('the last words of a thread are heard', async (t) => {
  const entries: AuditEntry[] = []
  const lines: string[] = []
  const log = createSinkLogger({ level: 'info', areas: {} }, ({ message }) => lines.push(message))
  const pool = new ThreadPool(FAREWELL, 1, log, (given) => entries.push(...given))
  t.teardown(() => pool.destroy())
  await pool.run((ports) => ports).ended
  t.same(lines, ['farewell'])
  t.same(
    entries.map(({ count }) => count),
    Array.from({ length: 5_000 }, (_, at) => at + 1),
  )
})

t.test('a thread whose modules cannot be loaded is known to have ended, however often it is started', async (t) => {
  const pool = new ThreadPool<ThreadApi>(
    new URL('./stillborn.worker.fixture.js', import.meta.url),
    1,
    createSinkLogger({ level: 'error', areas: {} }, () => {}),
  )
  t.teardown(() => pool.destroy())
  for (let time = 0; time < 3; time++) {
    const { ended, api } = pool.run((ports) => ports)
    const call = api.settle()
    await t.rejects(ended, /stillborn/)
    await t.rejects(call, /stillborn/)
  }
})

t.test('threads that are ended while they start are missed, and then there is room for all again', async (t) => {
  const log = createSinkLogger({ level: 'error', areas: {} }, () => {})
  const pool = new ThreadPool<ThreadApi>(RECORDER, 2, log)
  t.teardown(() => pool.destroy())
  const config = BrokerConfig.parse({})
  const run = () => pool.run((ports) => ({ ...ports, config, index: 0 }))
  const first = [run(), run()]
  for (const { api } of first) t.equal(await api.settle(), false)
  for (const { end } of first) end()
  await Promise.all(first.map(({ ended }) => ended))
  // both threads of the pool wait for tasks; the next one that is made dies before it can take any
  process.once('worker', (worker) => void worker.terminate())
  await Promise.all(made.slice(-2).map((worker) => worker.terminate()))
  const next = [run(), run()]
  for (const { ended } of next) void ended.catch(() => {})
  const answers = await Promise.allSettled(next.map(({ api }) => api.settle()))
  const again = answers.filter(({ status }) => status === 'rejected').map(() => run())
  t.ok(again.length > 0, 'one has died')
  for (const { api } of again) t.equal(await api.settle(), false)
})
