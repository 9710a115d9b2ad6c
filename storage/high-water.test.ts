import t from 'tap'
import { HighWater, readMark, sequenceMark, sessionMark } from './high-water.js'
import { MemoryEngine } from './memory-engine.js'

t.test('a mark is always beyond what was given out, also after a transaction that failed', async (t) => {
  const engine = new MemoryEngine()
  const marks = new HighWater()
  t.equal(readMark(engine, sequenceMark(3)), 1, 'a new store')
  marks.note(sequenceMark(3), 1)
  marks.note(sessionMark(3), 70_000)
  const fail = (): void =>
    engine.commit((transaction) => {
      marks.apply(transaction)
      throw new Error('no room')
    })
  t.throws(fail, /no room/)
  t.equal(readMark(engine, sequenceMark(3)), 1)
  engine.commit((transaction) => marks.apply(transaction))
  marks.clear()
  t.ok(readMark(engine, sequenceMark(3)) > 1)
  t.ok(readMark(engine, sessionMark(3)) > 70_000)
  t.equal(readMark(engine, sequenceMark(4)), 1, 'each shard has its own')
  const first = readMark(engine, sequenceMark(3))
  for (let number = 2; number < 200_000; number++) {
    marks.note(sequenceMark(3), number)
    if (number % 1_000 !== 0) continue
    engine.commit((transaction) => marks.apply(transaction))
    marks.clear()
    if (readMark(engine, sequenceMark(3)) <= number) t.fail(`${number} is beyond the mark`)
  }
  t.ok(readMark(engine, sequenceMark(3)) > first)
})
