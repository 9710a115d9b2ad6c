import t from 'tap'
import { LoadAverages } from './load-averages.js'

const MINUTE_MS = 60_000

function valuesOf(topics: readonly (readonly [string, string])[]): Record<string, number> {
  return Object.fromEntries(topics.map(([topic, value]) => [topic, Number(value)]))
}

t.test('the first time there is nothing to compare with', async (t) => {
  const load = new LoadAverages()
  t.same(load.update(0, { 'messages/received': 1_000_000 }), [
    ['load/messages/received/1min', '0.00'],
    ['load/messages/received/5min', '0.00'],
    ['load/messages/received/15min', '0.00'],
  ])
})

t.test('a steady rate is approached, the faster the shorter the window', async (t) => {
  const load = new LoadAverages()
  let values: Record<string, number> = {}
  for (let second = 0; second <= 60; second += 10) {
    values = valuesOf(load.update(second * 1_000, { x: second * 100 }))
  }
  // after one minute: 1 - 1/e, 1 - e^(-1/5), 1 - e^(-1/15) of 6,000 a minute
  t.match(values, { 'load/x/1min': 3_792.72, 'load/x/5min': 1_087.62, 'load/x/15min': 386.96 })
  values = valuesOf(load.update(1_000 * MINUTE_MS, { x: 6_000_000 }))
  for (const value of Object.values(values)) t.ok(Math.abs(value - 6_000) < 10, `${value}`)
})

t.test('silence lets it fall, and no time passing changes nothing', async (t) => {
  const load = new LoadAverages()
  load.update(0, { x: 0 })
  const busy = valuesOf(load.update(MINUTE_MS, { x: 100 }))
  t.same(valuesOf(load.update(MINUTE_MS, { x: 100 })), busy)
  const quiet = valuesOf(load.update(2 * MINUTE_MS, { x: 100 }))
  t.equal(quiet['load/x/1min'], Math.round((busy['load/x/1min'] / Math.E) * 100) / 100)
})

t.test('each counter for itself, also one that comes later', async (t) => {
  const load = new LoadAverages()
  load.update(0, { a: 0 })
  const values = valuesOf(load.update(MINUTE_MS, { a: 0, b: 5_000 }))
  t.equal(values['load/a/1min'], 0)
  t.equal(values['load/b/1min'], 0, 'its first time')
})
