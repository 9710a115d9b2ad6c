import t from 'tap'
import { forEachLimited } from './limiter.js'

t.test('all indices, never more at a time than the limit', async (t) => {
  const done: number[] = []
  let running = 0
  let runningMax = 0
  await forEachLimited(20, 3, async (index) => {
    runningMax = Math.max(runningMax, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    done.push(index)
  })
  t.same(
    done.toSorted((a, b) => a - b),
    [...Array(20).keys()],
  )
  t.equal(runningMax, 3)
})

t.test('the first error stops the rest, after those under way', async (t) => {
  const started: number[] = []
  const work = async (index: number): Promise<void> => {
    started.push(index)
    await new Promise((resolve) => setImmediate(resolve))
    if (index === 1) throw new Error('second')
  }
  await t.rejects(forEachLimited(100, 2, work), /second/)
  t.same(started, [0, 1, 2])
})

t.test('nothing to do', async () => {
  await forEachLimited(0, 5, async () => {
    throw new Error('called')
  })
})
