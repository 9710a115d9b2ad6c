import t from 'tap'
import { createSharedRatesMemory, SharedRates } from './shared-rates.js'

const NOW_MS = 1_750_000_000_000

t.test('what is charged is earned with time, whoever charges it', async (t) => {
  const memory = createSharedRatesMemory(100)
  const [one, other] = [new SharedRates(memory), new SharedRates(memory)]
  const [a, b] = [one.hashOf('a'), one.hashOf('b')]
  t.equal(other.hashOf('a'), a)
  t.equal(one.charge(a, 10, NOW_MS), 10)
  t.equal(other.charge(a, 5.5, NOW_MS), 15.5)
  t.equal(one.charge(b, 0.001, NOW_MS), 0.001)
  t.equal(one.charge(a, 0, NOW_MS + 10), 5.5)
  t.equal(one.charge(a, 1, NOW_MS + 1_000), 1, 'nothing is saved up')
})

t.test('what would be owed for long is forgiven, also after the clock was set back', async (t) => {
  const rates = new SharedRates(createSharedRatesMemory(100))
  const key = rates.hashOf('a')
  t.equal(rates.charge(key, 1e12, NOW_MS), 600_000)
  t.equal(rates.charge(key, 1, NOW_MS - 3_600_000), 600_000)
})

t.test('places free themselves', async (t) => {
  const rates = new SharedRates(createSharedRatesMemory(1))
  for (let round = 0; round < 5; round++) {
    const nowMs = NOW_MS + round * 1_000
    for (let number = 0; number < 32; number++) t.equal(rates.charge(rates.hashOf(`${round} ${number}`), 10, nowMs), 10)
  }
  const late = NOW_MS + 4_000
  t.ok(rates.charge(rates.hashOf('one too many'), 10, late) >= 20, 'shares a place')
})
