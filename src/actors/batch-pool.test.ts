import t from 'tap'
import type { BatchFixtureResult, BatchFixtureTask } from './batch.worker.fixture.js'
import { BatchPool } from './batch-pool.js'

t.setTimeout(60_000)

t.test('a thread goes on to the next task, but for one that says it is unfit', async (t) => {
  const pool = new BatchPool<BatchFixtureTask, BatchFixtureResult>(
    new URL('./batch.worker.fixture.js', import.meta.url),
    { threads: 1, threadsMax: 1, heapBytesMax: 67_108_864, setup: {}, onMessage: () => {}, onError: t.error },
  )
  t.teardown(() => pool.destroy())
  const run = (isLast: boolean): Promise<BatchFixtureResult> => pool.run({ isLast }, [], new AbortController())
  const first = await run(false)
  const last = await run(true)
  t.equal(last.threadId, first.threadId)
  t.same(new Uint8Array(last.bytes), [1, 2, 3], 'what it has done counts')
  const [next, ...others] = await Promise.all([run(false), run(false)])
  t.not(next.threadId, last.threadId, 'another thread has taken its place')
  t.same(
    others.map(({ threadId }) => threadId),
    [next.threadId],
  )
})
