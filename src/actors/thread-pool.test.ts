import t from 'tap'
import { createSinkLogger } from '../base/log.js'
import type { AuditEntry } from '../contracts/audit.js'
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
