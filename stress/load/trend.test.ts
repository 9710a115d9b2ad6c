import t, { type Test } from 'tap'
import { growthOver, median, type Point, slopePerSecond } from './trend.js'

function series(count: number, valueAt: (second: number) => number): Point[] {
  return Array.from({ length: count }, (_, second) => ({ seconds: second, value: valueAt(second) }))
}

function near(t: Test, actual: number, expected: number, tolerance: number, name: string): void {
  t.ok(Math.abs(actual - expected) <= tolerance, `${name}: ${actual} is ${expected} ± ${tolerance}`)
}

t.test('median', async (t) => {
  t.equal(median([]), 0)
  t.equal(median([10, 9, 100]), 10)
  t.equal(median([4, 1, 3, 2]), 2.5)
})

t.test('a line has its own slope', async (t) => {
  near(t, slopePerSecond(series(50, (s) => 7 + 3 * s)), 3, 1e-9, 'slope')
  near(t, growthOver(series(50, (s) => 7 + 3 * s)), 147, 1e-9, 'growth over 49 s')
})

t.test('too few points, or none apart in time, have no slope', async (t) => {
  t.equal(slopePerSecond([]), 0)
  t.equal(growthOver([{ seconds: 5, value: 9 }]), 0)
  const sameTime = [
    { seconds: 5, value: 9 },
    { seconds: 5, value: 90 },
  ]
  t.equal(slopePerSecond(sameTime), 0)
})

t.test('a sawtooth around a constant is flat, and a leak under it is seen', async (t) => {
  const sawtooth = (s: number): number => 100 + (s % 10)
  near(t, slopePerSecond(series(300, sawtooth)), 0, 0.005, 'sawtooth')
  near(t, slopePerSecond(series(300, (s) => sawtooth(s) + 0.5 * s)), 0.5, 0.01, 'leak')
})

t.test('outliers in a quarter of the points do not move the estimate', async (t) => {
  const points = series(200, (s) => (s % 4 === 3 ? 1e9 : 10 + 2 * s))
  near(t, slopePerSecond(points), 2, 0.5, 'slope')
})

t.test('long series are thinned, not refused', async (t) => {
  near(t, slopePerSecond(series(20_000, (s) => 5 - 0.25 * s)), -0.25, 1e-6, 'slope')
})
