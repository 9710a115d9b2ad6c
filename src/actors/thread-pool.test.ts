import t from 'tap'
import { createSinkLogger } from '../base/log.js'
import type { AuditEntry } from '../contracts/audit.js'
import type { ThreadApi } from '../contracts/threads.js'
import { ThreadPool } from './thread-pool.js'

const FAREWELL = new URL('./farewell.worker.fixture.js', import.meta.url)

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
