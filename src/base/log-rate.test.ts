import t from 'tap'
import { createSinkLogger } from './log.js'
import { RateLimitedLog } from './log-rate.js'

function setUp(keysMax = 100) {
  const lines: string[] = []
  const clock = { nowMs: 0 }
  const logger = createSinkLogger({ level: 'info', areas: {} }, ({ level, message }) =>
    lines.push(`${level} ${message}`),
  )
  const log = new RateLimitedLog(logger, () => clock.nowMs, { linesMax: 2, intervalMs: 1_000, keysMax })
  return { lines, clock, log }
}

t.test('a key gets its lines, then one that counts the others', async (t) => {
  const { lines, clock, log } = setUp()
  for (let i = 0; i < 5; i++) log.log('warn', 'a', `drop ${i}`)
  log.log('info', 'b', 'other key')
  t.same(lines, ['warn drop 0', 'warn drop 1', 'info other key'])
  clock.nowMs = 999
  log.log('warn', 'a', 'drop 5')
  t.equal(lines.length, 3)
  clock.nowMs = 1_000
  log.log('warn', 'a', 'drop 6')
  t.same(lines.slice(3), ['warn 4 more lines like "drop 2" were suppressed', 'warn drop 6'])
})

t.test('report() tells of keys that fell silent, once', async (t) => {
  const { lines, clock, log } = setUp()
  for (let i = 0; i < 3; i++) log.log('warn', 'a', 'drop')
  log.report()
  t.equal(lines.length, 2, 'the interval is not over')
  clock.nowMs = 1_000
  log.report()
  log.report()
  t.same(lines.slice(2), ['warn 1 more lines like "drop" were suppressed'])
})

t.test('many keys share one allowance, and memory is bounded', async (t) => {
  const { lines, log } = setUp(3)
  for (let i = 0; i < 1_000; i++) log.log('warn', `client ${i}`, `drop ${i}`)
  t.same(lines, ['warn drop 0', 'warn drop 1', 'warn drop 2', 'warn drop 3', 'warn drop 4'])
})

t.test('a level that is off costs no key', async (t) => {
  const { lines, log } = setUp()
  for (let i = 0; i < 10; i++) log.log('debug', 'a', 'no')
  log.log('warn', 'a', 'yes')
  t.same(lines, ['warn yes'])
})
