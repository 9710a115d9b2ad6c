import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Timer, Timers } from './timers.js'

t.test('run when they are due, earliest first, once', async (t) => {
  const timers = new Timers()
  const ran: number[] = []
  for (const dueMs of [30, 10, 20, 40]) timers.at(dueMs, () => ran.push(dueMs))
  timers.runDue(9)
  t.same(ran, [])
  timers.runDue(30)
  t.same(ran, [10, 20, 30])
  timers.runDue(30)
  t.same(ran, [10, 20, 30])
  t.equal(timers.size, 1)
})

t.test('a timer may set and cancel others', async (t) => {
  const timers = new Timers()
  const ran: string[] = []
  const victim = timers.at(20, () => ran.push('cancelled'))
  timers.at(10, () => {
    ran.push('first')
    timers.cancel(victim)
    timers.at(5, () => ran.push('overdue'))
    timers.at(50, () => ran.push('later'))
  })
  timers.runDue(30)
  t.same(ran, ['first', 'overdue'])
  timers.cancel(victim)
  timers.runDue(50)
  t.same(ran, ['first', 'overdue', 'later'])
  t.equal(timers.size, 0)
})

t.test('cancelled timers do not pile up until they would be due', async (t) => {
  const timers = new Timers()
  let ran = 0
  timers.at(1_000, () => ran++)
  for (let turn = 0; turn < 100_000; turn++) timers.cancel(timers.at(1e15, () => ran++))
  t.ok(timers.size < 200, `${timers.size} are kept`)
  timers.runDue(2e15)
  t.equal(ran, 1)
})

t.test('behave as a sorted list', async () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'set', 'set', 'cancel', 'cancel', 'run'),
    ms: fc.nat(100),
    place: fc.nat(1_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const timers = new Timers()
      let model: { timer: Timer; dueMs: number }[] = []
      const ran: Timer[] = []
      let nowMs = 0
      for (const { kind, ms, place } of steps) {
        if (kind === 'set') {
          const timer: Timer = timers.at(nowMs + ms, () => ran.push(timer))
          model.push({ timer, dueMs: nowMs + ms })
        } else if (kind === 'cancel') {
          const [victim] = model.splice(place % Math.max(1, model.length), 1)
          if (victim !== undefined) timers.cancel(victim.timer)
        } else {
          nowMs += ms
          timers.runDue(nowMs)
          const due = model.filter(({ dueMs }) => dueMs <= nowMs)
          model = model.filter(({ dueMs }) => dueMs > nowMs)
          const times = ran.splice(0).map((timer) => {
            assert.ok(due.some((expected) => expected.timer === timer))
            return timer.dueMs
          })
          assert.deepEqual(
            times,
            due.map(({ dueMs }) => dueMs).sort((a, b) => a - b),
          )
        }
        assert.ok(timers.size >= model.length)
      }
    }),
    { numRuns: 300 },
  )
})
