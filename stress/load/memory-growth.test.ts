import t from 'tap'
import { judgeMemory } from './memory-growth.js'

const MIB = 1_048_576

function samples(count: number, bytesAt: (nth: number) => number) {
  return Array.from({ length: count }, (_, nth) => ({ seconds: nth * 60, value: bytesAt(nth) }))
}

t.test('a heap that breathes is flat', async (t) => {
  const verdict = judgeMemory(samples(120, (nth) => (100 + 30 * (nth % 4)) * MIB))
  t.ok(verdict.isFlat)
  t.ok(Math.abs(verdict.growthBytes) < MIB)
})

t.test('a leak is found when it has come to more than 16 MiB', async (t) => {
  t.equal(judgeMemory(samples(11, (nth) => (100 + nth) * MIB)).isFlat, true, '10 MiB')
  t.equal(judgeMemory(samples(21, (nth) => (100 + nth) * MIB)).isFlat, false, '20 MiB')
})

t.test('a big process may move by 5 %', async (t) => {
  t.equal(judgeMemory(samples(21, (nth) => (1_000 + nth) * MIB)).isFlat, true, '20 MiB of 1,000')
  t.equal(judgeMemory(samples(21, (nth) => (1_000 + 4 * nth) * MIB)).isFlat, false, '80 MiB of 1,000')
})

t.test('shrinking memory is flat, and so is no sample at all', async (t) => {
  t.equal(judgeMemory(samples(21, (nth) => (500 - 10 * nth) * MIB)).isFlat, true)
  t.same(judgeMemory([]), { growthBytes: 0, allowedBytes: 16 * MIB, isFlat: true })
})
