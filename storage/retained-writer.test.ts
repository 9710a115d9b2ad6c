import t from 'tap'
import { TABLE } from './engine.js'
import { writeNumberKey } from './keys.js'
import { ReceiverList } from './log-value.js'
import { MemoryEngine } from './memory-engine.js'
import { readRetainedValue, STAMP_BYTES } from './retained-value.js'
import { RetainedWriter } from './retained-writer.js'
import { loggedMessage, payloadOf } from './store-parts.fixture.js'

const CLEARED_MAX = 16_384

function retainedValue(stamp: number, payload: string): Uint8Array {
  const message = loggedMessage({ payload, retain: true })
  const list = new ReceiverList()
  const bytes = new Uint8Array(STAMP_BYTES + ((list.valueBytes(message) + 7) & ~3))
  writeNumberKey(bytes, 0, stamp)
  const length = payload === '' ? 0 : list.write(message, new Int32Array(bytes.buffer), bytes, STAMP_BYTES)
  return bytes.slice(0, STAMP_BYTES + length)
}

class Topics {
  readonly engine = new MemoryEngine()
  readonly writer = new RetainedWriter()

  set(topic: string, stamp: number, payload: string): void {
    const value = retainedValue(stamp, payload)
    this.engine.commit((tx) => this.writer.apply(tx, Buffer.from(topic), value, payload === ''))
  }

  /** As `set`, in a transaction that fails. */
  fail(topic: string, stamp: number, payload: string): void {
    try {
      this.engine.commit((tx) => {
        this.writer.apply(tx, Buffer.from(topic), retainedValue(stamp, payload), payload === '')
        throw new Error('on purpose')
      })
    } catch {}
  }

  get(topic: string): string | undefined {
    const value = this.engine.get(TABLE.retained, Buffer.from(topic))
    const read = value === undefined ? undefined : readRetainedValue(value)
    return read === undefined ? undefined : `${payloadOf(read.message)} ${read.stamp}`
  }
}

t.test('the later stamp stays, whatever comes last', async (t) => {
  const topics = new Topics()
  topics.set('a', 5, 'five')
  topics.set('a', 4, 'four')
  t.equal(topics.get('a'), 'five 5')
  topics.set('a', 2 ** 50, 'later')
  topics.set('b', 1, 'other')
  t.equal(topics.get('a'), `later ${2 ** 50}`)
  topics.set('a', 6, '')
  t.equal(topics.get('a'), `later ${2 ** 50}`, 'an older message does not clear it either')
})

t.test('an older message does not bring back a cleared topic', async (t) => {
  const topics = new Topics()
  topics.set('a', 5, 'five')
  topics.set('a', 7, '')
  topics.set('a', 6, 'six')
  t.equal(topics.get('a'), undefined)
  topics.set('a', 8, 'eight')
  t.equal(topics.get('a'), 'eight 8')
  topics.set('never', 3, '')
  topics.set('never', 2, 'older')
  t.equal(topics.get('never'), undefined, 'one that the store had nothing of')
})

t.test('what is undone with its transaction is not remembered as done', async (t) => {
  const topics = new Topics()
  topics.set('a', 7, '')
  topics.fail('a', 8, 'no room')
  topics.set('a', 6, 'six')
  t.equal(topics.get('a'), undefined)
})

t.test('memory is bounded: of the cleared topics the oldest are forgotten', async (t) => {
  const topics = new Topics()
  topics.set('first', 10, '')
  topics.set('again', 10, '')
  const clear = (from: number, to: number): void => {
    const none = new Uint8Array(STAMP_BYTES)
    writeNumberKey(none, 0, 10)
    topics.engine.commit((tx) => {
      for (let number = from; number < to; number++) topics.writer.apply(tx, Buffer.from(`t${number}`), none, true)
    })
  }
  clear(2, CLEARED_MAX)
  topics.set('first', 9, 'older')
  t.equal(topics.get('first'), undefined, 'as many as are kept')
  topics.set('again', 11, '')
  clear(CLEARED_MAX, CLEARED_MAX + 2)
  topics.set('first', 9, 'older')
  t.equal(topics.get('first'), 'older 9', 'two more')
  topics.set('again', 9, 'older')
  t.equal(topics.get('again'), undefined, 'this one was cleared later')
  topics.set('t2', 9, 'older')
  t.equal(topics.get('t2'), 'older 9')
  topics.set('t3', 9, 'older')
  t.equal(topics.get('t3'), undefined)
})
