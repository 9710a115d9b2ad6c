import t from 'tap'
import { NumberedQueue } from './numbered-queue.js'

const items = (taken: Iterable<{ readonly item: string }>): string[] => [...taken].map(({ item }) => item)

t.test('takes what was reached, in order', async (t) => {
  const queue = new NumberedQueue<string>()
  t.equal(queue.firstNumber, undefined)
  for (const [number, item] of [
    [3, 'a'],
    [3, 'b'],
    [7, 'c'],
  ] as const) {
    queue.push(number, item)
  }
  t.same(items(queue.takeTo(2)), [])
  t.equal(queue.firstNumber, 3)
  t.same(items(queue.takeTo(3)), ['a', 'b'])
  queue.push(8, 'd')
  t.same(items(queue.takeTo(100)), ['c', 'd'])
  t.equal(queue.firstNumber, undefined)
})

t.test('many come and go', async (t) => {
  const queue = new NumberedQueue<string>()
  for (let number = 0; number < 20_000; number++) {
    queue.push(number, String(number))
    if (number % 3 === 0 && number > 10_000) queue.dropTo(number - 10_000)
  }
  t.equal(queue.firstNumber, 9_999)
  t.equal(items(queue.takeTo(19_999)).length, 10_001)
})

t.test('what is added while it is emptied has its turn', async (t) => {
  const queue = new NumberedQueue<string>()
  queue.push(1, 'a')
  const seen: string[] = []
  for (const { item } of queue.takeTo(2)) {
    seen.push(item)
    if (item === 'a') for (const number of [2, 3]) queue.push(number, `later ${number}`)
  }
  t.same(seen, ['a', 'later 2'])
  t.equal(queue.firstNumber, 3)
})
