import t from 'tap'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import { planAction, type TimerTrigger } from './plan.js'
import { nextDueMs } from './schedule.js'

process.env.TZ = 'Europe/Berlin'

function timer(trigger: string): TimerTrigger {
  const { program } = parseProgram(
    new Source('test', `DEFINE ACTION A\nON ${trigger} DO\n    PUBLISH TOPIC "a" WITH 1\n`),
  )
  const [node] = program.entities
  const plan = node.kind === 'action' ? planAction(node).timer : undefined
  if (plan === undefined) throw new Error(`no timer: ${trigger}`)
  return plan
}

function next(trigger: string, now: string, start: string = now): string | undefined {
  const dueMs = nextDueMs(timer(trigger), Date.parse(start), Date.parse(now))
  return dueMs === undefined ? undefined : new Date(dueMs).toISOString()
}

t.test('intervals count from the start, and what was missed is skipped', async (t) => {
  t.equal(next('EVERY 5 SECONDS', '2026-01-01T00:00:00Z'), '2026-01-01T00:00:05.000Z')
  t.equal(next('EVERY 5 SECONDS', '2026-01-01T00:00:05Z', '2026-01-01T00:00:00Z'), '2026-01-01T00:00:10.000Z')
  t.equal(next('EVERY 5 SECONDS', '2026-01-01T00:00:17Z', '2026-01-01T00:00:00Z'), '2026-01-01T00:00:20.000Z')
  t.equal(next('EVERY 250 MILLISECONDS', '2026-01-01T00:00:00Z'), '2026-01-01T00:00:00.250Z')
  t.equal(next('EVERY 2 WEEKS', '2026-01-01T00:00:00Z'), '2026-01-15T00:00:00.000Z')
})

t.test('months and years are steps of the calendar', async (t) => {
  t.equal(next('EVERY 1 MONTH', '2026-01-31T11:00:00Z'), '2026-02-28T11:00:00.000Z')
  t.equal(next('EVERY 1 MONTH', '2026-02-28T11:00:00Z', '2026-01-31T11:00:00Z'), '2026-03-31T10:00:00.000Z')
  t.equal(next('EVERY 1 YEAR', '2024-02-29T11:00:00Z'), '2025-02-28T11:00:00.000Z')
})

t.test('days and times of day are local', async (t) => {
  // 1 January 2026 is a Thursday
  t.equal(next('EVERY MONDAY AT "06:00"', '2026-01-01T00:00:00Z'), '2026-01-05T05:00:00.000Z')
  t.equal(next('EVERY WEEKDAY AT "06:00:30"', '2026-01-02T05:00:30Z'), '2026-01-05T05:00:30.000Z')
  t.equal(next('EVERY WEEKEND AT "23:59"', '2026-01-01T00:00:00Z'), '2026-01-03T22:59:00.000Z')
  t.equal(next('TIMESTAMP "06:00:00"', '2026-07-01T03:59:59Z'), '2026-07-01T04:00:00.000Z')
  t.equal(next('TIMESTAMP "06:00:00"', '2026-07-01T04:00:00Z'), '2026-07-02T04:00:00.000Z')
})

t.test('a date comes once', async (t) => {
  t.equal(next('TIMESTAMP "24-12-2026 18:00:00"', '2026-01-01T00:00:00Z'), '2026-12-24T17:00:00.000Z')
  t.equal(next('TIMESTAMP "24-12-2026 18:00:00"', '2026-12-24T17:00:00Z'), undefined)
})

t.test(
  'a time that the clocks skip is due when they have been put forward, one that they repeat the first time',
  async (t) => {
    // on 29 March 2026, 02:00 is followed by 03:00; on 25 October, 03:00 by 02:00
    t.equal(next('TIMESTAMP "02:30:00"', '2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z')
    t.equal(next('TIMESTAMP "02:30:00"', '2026-03-29T01:00:00Z'), '2026-03-30T00:30:00.000Z')
    t.equal(next('TIMESTAMP "02:30:00"', '2026-10-24T12:00:00Z'), '2026-10-25T00:30:00.000Z')
    t.equal(next('TIMESTAMP "02:30:00"', '2026-10-25T00:30:00Z'), '2026-10-26T01:30:00.000Z')
    t.equal(next('EVERY SUNDAY AT "02:30"', '2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z')
  },
)
