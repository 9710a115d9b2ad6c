import t from 'tap'
import { parseUsage, usageOf } from './process-usage.js'

const STATUS = 'Name:\tnode\nVmHWM:\t   99999 kB\nVmRSS:\t   2048 kB\nThreads:\t11\n'

t.test('times and memory of a process', async (t) => {
  const stat = '12 (node) S 1 12 12 0 -1 4194560 900 0 0 0 250 50 7 7 20 0 11 0 100 0 0'
  t.same(parseUsage(stat, STATUS), { cpuSeconds: 3, memoryBytes: 2_097_152 })
})

t.test('a name with spaces and parentheses does not shift the fields', async (t) => {
  const stat = '12 (a) b (c d) S 1 12 12 0 -1 4194560 900 0 0 0 100 0 7 7 20 0 11 0 100 0 0'
  t.equal(parseUsage(stat, STATUS)?.cpuSeconds, 1)
})

t.test('a process that has no memory any more has no usage', async (t) => {
  t.equal(parseUsage('12 (node) Z 1 12 12 0 -1 0 0 0 0 0 1 1', 'Name:\tnode\n'), undefined)
})

t.test('this process, where there is /proc', { skip: process.platform !== 'linux' }, async (t) => {
  const usage = usageOf(process.pid)
  t.ok(usage !== undefined && usage.memoryBytes > 1_000_000 && usage.cpuSeconds >= 0)
  t.equal(usageOf(2 ** 30), undefined, 'none with this number')
})
