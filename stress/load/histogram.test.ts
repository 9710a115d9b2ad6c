import fc from 'fast-check'
import t from 'tap'
import { Histogram } from './histogram.js'

t.test('an empty histogram reports zeros', async (t) => {
  const empty = new Histogram()
  t.equal(empty.quantile(0.99), 0)
  t.same(empty.summary(), {
    count: 0,
    latencyUsMean: 0,
    latencyUsP50: 0,
    latencyUsP99: 0,
    latencyUsP999: 0,
    latencyUsMax: 0,
  })
})

t.test('small values are exact', async (t) => {
  const histogram = new Histogram()
  for (let value = 1; value <= 200; value++) histogram.record(value)
  t.equal(histogram.quantile(0.5), 100)
  t.equal(histogram.quantile(0.99), 198)
  t.equal(histogram.quantile(1), 200)
  t.equal(histogram.max, 200)
})

t.test('a run of equal values counts as often as it was seen', async (t) => {
  const histogram = new Histogram()
  histogram.record(10, 99)
  histogram.record(5_000)
  t.equal(histogram.count, 100)
  t.equal(histogram.quantile(0.99), 10)
  t.equal(histogram.quantile(0.995), 5_000, 'never above the maximum')
  t.equal(histogram.summary().latencyUsMean, 60)
})

t.test('the bounds of every power of two fall into buckets of their own', async (t) => {
  for (let bit = 8; bit < 32; bit++) {
    const histogram = new Histogram()
    histogram.record(2 ** bit - 1)
    histogram.record(2 ** bit)
    histogram.record(2 ** 32 - 1)
    t.equal(histogram.quantile(1 / 3), 2 ** bit - 1, `below 2^${bit}`)
  }
})

t.test('any quantile is within 0.8 % of the exact one', async () => {
  const values = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (samples, q) => {
      const histogram = new Histogram()
      for (const sample of samples) histogram.record(sample)
      const sorted = samples.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]
      const measured = histogram.quantile(q)
      return measured >= exact && measured <= exact * 1.008
    }),
  )
})

t.test('add joins two histograms and reset empties one', async (t) => {
  const left = new Histogram()
  const right = new Histogram()
  left.record(1)
  right.record(300, 3)
  left.add(right)
  t.equal(left.count, 4)
  t.equal(left.quantile(1), 300)
  left.reset()
  t.equal(left.count, 0)
  t.equal(left.quantile(1), 0)
})
