import { Worker } from 'node:worker_threads'
import t from 'tap'
import { clearSharedCounts, createSharedCountsMemory, SharedCounts } from './shared-counts.js'

t.test('the threads are counted together, each takes back its own', async (t) => {
  const memory = createSharedCountsMemory(2, 100)
  const [one, other] = [new SharedCounts(memory, 0), new SharedCounts(memory, 1)]
  t.equal(one.add('a', 2), 2)
  t.equal(other.add('a', 3), 5)
  t.equal(other.add('b', 68_719_476_736), 68_719_476_736)
  t.same([one.get('a'), one.get('b'), one.get('c')], [5, 68_719_476_736, 0])
  t.equal(one.add('a', -2), 3)
  t.equal(one.add('a', -2), 3, 'not below nothing')
  t.equal(one.add('b', -1), 68_719_476_736, 'not those of another thread')
  clearSharedCounts(memory, 1)
  t.same([one.get('a'), one.get('b')], [0, 0])
  t.equal(one.add('a', 1), 1)
})

t.test('full: no other key has room until one is free', async (t) => {
  const counts = new SharedCounts(createSharedCountsMemory(1, 1), 0)
  const keys = Array.from({ length: 64 }, (_, number) => `key ${number}`)
  for (const key of keys) t.equal(counts.add(key, 1), 1)
  t.equal(counts.add('more', 1), undefined)
  t.equal(counts.get('more'), 0)
  t.equal(counts.add('more', -1), 0)
  t.ok(keys.every((key) => counts.get(key) === 1))
  counts.add('key 7', -1)
  t.equal(counts.add('more', 1), 1)
})

t.test('as many keys as it was made for have room, whatever they look like', async (t) => {
  const memory = createSharedCountsMemory(1, 20_000)
  const counts = new SharedCounts(memory, 0)
  const keys = Array.from({ length: 20_000 }, (_, i) =>
    i % 2 === 0 ? `10.0.${i >> 8}.${i & 255}` : `2001:db8:${i}::/64`,
  )
  t.ok(keys.every((key, place) => counts.add(key, place + 1) === place + 1))
  t.ok(keys.every((key, place) => counts.get(key) === place + 1))
  for (const key of keys) counts.add(key, -20_000)
  t.ok(
    new Uint8Array(memory, 64).every((byte) => byte === 0),
    'all places are free again',
  )
})

t.test('real threads never exceed a limit together', async (t) => {
  const memory = createSharedCountsMemory(4, 1_000)
  const outcomes = await Promise.all(
    [0, 1, 2, 3].map((part) => {
      const workerData = { memory, part, limit: 500, turns: 1_500 }
      const worker = new Worker(new URL('./shared-counts.fixture.js', import.meta.url), { workerData })
      return new Promise<{ admitted: number; exceeded: number }>((resolve, reject) => {
        worker.once('message', resolve).once('error', reject)
      })
    }),
  )
  t.ok(outcomes.every(({ exceeded }) => exceeded === 0))
  const counts = new SharedCounts(memory, 0)
  const admitted = outcomes.reduce((sum, each) => sum + each.admitted, 0)
  t.equal(counts.get('limited'), admitted)
  t.ok(admitted <= 500 && admitted >= 497, `${admitted} of 500`)
  t.equal(counts.get('other 7'), 0)
})
