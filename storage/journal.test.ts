import t from 'tap'
import { Progress } from '../src/contracts/storage.js'
import { FlushWord } from '../src/contracts/store-records.js'
import { TABLE } from './engine.js'
import { append, asker, FullEngine, loggedMessage, receiver, StoreParts, storedSession } from './store-parts.fixture.js'

/** Milliseconds until the writer looks for room again. */
const RETRY_MS = 500

t.test('told once everything before is flushed, in order, and not before', async (t) => {
  const parts = new StoreParts()
  const { told, ask } = asker(parts)
  ask('nothing')
  t.equal(parts.journal.hasFlushed, true)
  t.equal(parts.journal.runFlushed(), 1)
  append(parts, '1')
  ask('first')
  ask('again')
  append(parts, '2')
  ask('second')
  parts.publish(0)
  t.equal(parts.journal.runFlushed(), 0, 'nothing is committed')
  t.equal(parts.journal.hasFlushed, false)
  t.equal(parts.journal.isFlushed, false)
  parts.writer.work()
  append(parts, '3')
  ask('third')
  t.equal(parts.journal.hasFlushed, true)
  t.equal(parts.journal.runFlushed(), 3)
  t.same(told, ['nothing', 'first', 'again', 'second'])
  parts.commit()
  t.same(told.slice(4), ['third'])
  t.equal(parts.journal.isFlushed, true)
})

t.test('progress is part of what was handed over before', async (t) => {
  const parts = new StoreParts()
  const { told, ask } = asker(parts)
  const record = append(parts, 'x')
  parts.commit()
  parts.journal.sent(record, 0, 5)
  t.equal(parts.journal.isFlushed, false)
  ask('sent')
  t.equal(parts.journal.runFlushed(), 0)
  parts.commit()
  t.same(told, ['sent'])
  t.equal(parts.engine.count(TABLE.progress(0)), 1)
})

t.test('a message that is still being routed to sessions tells nothing of itself', async (t) => {
  const parts = new StoreParts()
  const { journal } = parts
  journal.putSession(storedSession(64, 'ann'))
  journal.putSession(storedSession(128, 'bob'))
  const record = journal.addReceiver(receiver(64))
  journal.done(record, 0)
  parts.commit()
  t.equal(parts.engine.count(TABLE.progress(0)), 0)
  journal.addReceiver(receiver(128))
  journal.append(loggedMessage(), undefined, 0)
  parts.commit()
  const [found] = [...new StoreParts({ engine: parts.engine }).restores[0].deliveries(() => {})]
  t.same(found?.record.progress && [...found.record.progress], [Progress.DONE << 16, 0])
  t.equal(found?.receiver.session, 128)
})

t.test('thousands that wait, in pieces', async (t) => {
  const parts = new StoreParts()
  const told: number[] = []
  for (let number = 0; number < 10_000; number++) {
    append(parts, String(number))
    parts.journal.whenFlushed(() => told.push(number))
    if (number % 700 === 0) parts.publish(0)
    if (number % 5_000 === 4_321) {
      parts.writer.work()
      parts.journal.runFlushed()
    }
  }
  t.ok(told.length > 0 && told.length < 10_000)
  parts.commit()
  t.same(
    told,
    Array.from({ length: 10_000 }, (_, number) => number),
  )
})

t.test('one who waits may ask again from within', async (t) => {
  const parts = new StoreParts()
  const told: string[] = []
  append(parts, '1')
  parts.journal.whenFlushed(() => {
    told.push('first')
    append(parts, '2')
    parts.journal.whenFlushed(() => told.push('second'))
  })
  parts.commit()
  t.same(told, ['first'])
  parts.commit()
  t.same(told, ['first', 'second'])
})

t.test('numbers that wrap', async (t) => {
  for (const flushed of [2 ** 31 - 6, -6]) {
    const engine = new FullEngine()
    const parts = new StoreParts({ engine, flushed: flushed | 0 })
    const { told, ask } = asker(parts)
    const expected: string[] = []
    t.equal(parts.journal.isFlushed, true)
    ask('start')
    for (let number = 0; number < 12; number++) {
      engine.refuses = number === 3 ? 'growth' : 'nothing'
      const record = append(parts, String(number))
      ask(String(number))
      t.equal(parts.journal.hasFlushed, number === 0)
      t.equal(parts.journal.runFlushed(), number === 0 ? 1 : 0)
      parts.commit()
      expected.push(number === 3 ? '3 refused' : String(number))
      t.equal(record.isRefused, number === 3)
      t.equal(parts.journal.isFlushed, true)
      if (number !== 3) continue
      engine.refuses = 'nothing'
      parts.nowMs += RETRY_MS
      parts.writer.tick()
    }
    t.same(told, ['start', ...expected])
  }
})

t.test('what was refused long ago is not in the way once numbers have gone round', async (t) => {
  const parts = new StoreParts({ flushed: 2 ** 31 - 5 })
  // as if all since had been kept
  parts.words[0][FlushWord.REFUSED] = 1
  const { told, ask } = asker(parts)
  for (let number = 0; number < 12; number++) {
    append(parts, String(number))
    ask(String(number))
    parts.commit()
  }
  t.equal(told.length, 12)
  t.notOk(told.some((text) => text.endsWith('refused')))
})
