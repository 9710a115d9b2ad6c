import t from 'tap'
import { createRingMemory, RingConsumer, RingProducer } from '../src/base/ring.js'
import { type LogRecord, Progress } from '../src/contracts/storage.js'
import { createFlushWords } from '../src/contracts/store-records.js'
import { Batch } from './batch.js'
import { TABLE } from './engine.js'
import { Journal } from './journal.js'
import { numberKey, receivedKey } from './keys.js'
import { readLogValue } from './log-value.js'
import { MemoryEngine } from './memory-engine.js'
import { RetainedWriter } from './retained-writer.js'
import { loggedMessage, type NoMessage, payloadOf, receiver, storedSession } from './store-parts.fixture.js'

/** Two journals whose records go straight into one batch. */
class Batches {
  readonly batch = new Batch(new RetainedWriter())
  readonly engine = new MemoryEngine()
  readonly one: Journal<NoMessage>
  readonly two: Journal<NoMessage>
  readonly #ends: (() => void)[] = []

  constructor() {
    this.one = this.#open(0)
    this.two = this.#open(1)
  }

  #open(shard: number): Journal<NoMessage> {
    const memory = createRingMemory(65_536)
    const ring = new RingProducer(memory)
    const consumer = new RingConsumer(memory)
    const retained = { messagesMax: 10, bytesMax: 1_000 }
    const journal = new Journal<NoMessage>({
      shard,
      ring,
      words: createFlushWords(),
      retained,
      nextSequence: 1,
      nextSession: 1,
    })
    this.#ends.push(() => {
      journal.writeProgress()
      do ring.publish()
      while (consumer.drain((bytes, ints, at) => this.#add(bytes, ints, at), 1e9) > 0)
    })
    return journal
  }

  /** The memory is used again at once. */
  #add(bytes: Uint8Array, ints: Int32Array, at: number): void {
    const length = ints[at >> 2]
    this.batch.add(bytes, ints, at)
    bytes.fill(0xdd, at + 4, at + length)
  }

  /** Takes in what the journals have written. */
  take(): this {
    for (const end of this.#ends) end()
    return this
  }

  apply(): this {
    this.take()
    this.engine.commit((transaction) => this.batch.apply(transaction))
    this.batch.clear()
    return this
  }

  append(payload: string, sessions: readonly number[]): LogRecord {
    let record: LogRecord | undefined
    for (const session of sessions) record = this.one.addReceiver(receiver(session))
    this.one.append(loggedMessage({ payload }), undefined, 0)
    if (record === undefined) throw new Error('no receivers')
    return record
  }

  /** Payloads in the log of the first shard. */
  get messages(): string[] {
    return Array.from(this.engine.range(TABLE.log(0)), ({ value }) => {
      const read = readLogValue(value)
      return read === undefined ? 'damaged' : payloadOf(read.message)
    })
  }

  /** Of one message: state and packet identifier of each place. */
  progress(record: LogRecord): string[] | undefined {
    const value = this.engine.get(TABLE.progress(record.log), numberKey(record.sequence))
    if (value === undefined) return undefined
    const view = new DataView(value.buffer, value.byteOffset)
    return Array.from({ length: value.length / 4 }, (_, place) => {
      const word = view.getInt32(place * 4, true)
      return `${word >> 16}#${word & 0xffff}`
    })
  }
}

t.test('a message that is done with before it was written is not written', async (t) => {
  const batches = new Batches()
  const gone = batches.append('gone', [64, 128])
  batches.append('stays', [64])
  batches.take()
  batches.one.sent(gone, 0, 5)
  batches.take()
  for (const place of [0, 1]) batches.one.done(gone, place)
  batches.take()
  t.equal(batches.batch.elided, 1)
  t.equal(batches.batch.records, 4)
  batches.apply()
  t.same(batches.messages, ['stays'])
  t.equal(batches.engine.count(TABLE.progress(0)), 0)
  t.equal(batches.batch.elided, 0)
})

t.test('a message of an earlier batch is deleted, with its progress', async (t) => {
  const batches = new Batches()
  const record = batches.append('x', [64, 128])
  batches.one.sent(record, 1, 9)
  batches.apply()
  t.same(batches.messages, ['x'])
  t.same(batches.progress(record), ['0#0', '1#9'])
  for (const place of [0, 1]) batches.one.done(record, place)
  batches.apply()
  t.same(batches.messages, [])
  t.equal(batches.progress(record), undefined)
})

t.test('progress merges with what is in the batch and in the store, place by place', async (t) => {
  const batches = new Batches()
  const { one, two } = batches
  const record = batches.append('x', [64, 128, 65])
  batches.apply()
  one.sent(record, 0, 7)
  batches.apply()
  // another shard, which knows of nothing but its own place
  record.isSplit = true
  record.progress = new Int32Array(3)
  two.sent(record, 2, 3)
  batches.apply()
  t.same(batches.progress(record), ['1#7', '0#0', '1#3'])
  two.released(record, 2, 3)
  batches.take()
  two.sent(record, 2, 4)
  batches.apply()
  t.same(batches.progress(record), ['1#7', '0#0', '2#3'], 'what is less far is older')
  for (const place of [0, 1]) one.done(record, place)
  batches.apply()
  t.same(batches.progress(record)?.slice(0, 2), [`${Progress.DONE}#0`, `${Progress.DONE}#0`])
  t.same(batches.messages, ['x'])
  record.progress = new Int32Array(3)
  two.done(record, 2)
  batches.apply()
  t.same(batches.messages, [], 'the last one deletes it')
  t.equal(batches.progress(record), undefined)
})

t.test('changes of tables take effect in their order', async (t) => {
  const batches = new Batches()
  const { one, engine } = batches
  const subscription = { filter: 'a', qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 } as const
  one.putSession(storedSession(64, 'old'))
  one.putSubscription(64, subscription)
  one.append(loggedMessage(), { session: 64, packetId: 3 }, 0)
  one.deleteSession(64)
  one.putSession(storedSession(64, 'new'))
  one.putSubscription(64, { ...subscription, filter: 'b' })
  one.putSubscription(64, { ...subscription, filter: 'c' })
  one.deleteSubscription(64, 'b')
  one.putSession(storedSession(128, 'other'))
  one.deleteSession(128)
  batches.apply()
  const texts = (table: string): string[] =>
    Array.from(engine.range(table), ({ value }) => Buffer.from(value).toString())
  t.match(texts(TABLE.sessions), [/"new"/])
  t.match(texts(TABLE.subscriptions), [/"c"/])
  t.equal(engine.count(TABLE.received), 0)
})

t.test('a message and that it was received; several and that they were', async (t) => {
  const batches = new Batches()
  const { one, engine } = batches
  const from = (packetId: number) => ({ session: 64, packetId })
  one.addReceiver(receiver(64))
  one.append(loggedMessage({ qos: 2 }), from(1), 0)
  one.append(loggedMessage({ qos: 2 }), from(2), 0)
  one.commitTogether(64, 2, from(3))
  batches.apply()
  t.equal(engine.count(TABLE.log(0)), 1)
  const has = (packetId: number): boolean => engine.get(TABLE.received, receivedKey(from(packetId))) !== undefined
  t.same([1, 2, 3].map(has), [true, true, true])
  one.deleteReceived(from(2))
  batches.apply()
  t.equal(has(2), false)
})

t.test('without room: what needs it is dropped, what frees some or tells of progress stays', async (t) => {
  const batches = new Batches()
  const { one } = batches
  const old = batches.append('old', [64, 128])
  const done = batches.append('done', [64])
  one.putSession(storedSession(64, 'ann'))
  one.putSession(storedSession(128, 'bob'))
  one.putRetained('t', loggedMessage({ payload: 'kept', retain: true }), 1)
  one.putRetained('u', loggedMessage({ payload: 'gone', retain: true }), 1)
  batches.apply()

  const late = batches.append('new', [64, 128])
  one.sent(late, 0, 3)
  one.putSession(storedSession(192, 'eve'))
  one.putRetained('t', loggedMessage({ payload: 'newer', retain: true }), 2)
  one.putRetained('u', loggedMessage({ payload: '', retain: true }), 2)
  one.deleteSession(64)
  one.sent(old, 1, 8)
  one.done(done, 0)
  batches.take()
  t.equal(batches.batch.refuseGrowth(), true)
  t.equal(batches.batch.refuseGrowth(), false, 'nothing is left to refuse')
  one.putSession(storedSession(256, 'dan'.repeat(2_000)))
  batches.take()
  t.equal(batches.batch.refuseGrowth(), true)
  batches.apply()
  t.same(batches.messages, ['old'])
  t.same(batches.progress(old), ['0#0', '1#8'])
  t.equal(batches.progress(late), undefined)
  t.same(
    Array.from(batches.engine.range(TABLE.sessions), ({ key }) => [...key]),
    [[...numberKey(128)]],
  )
  t.same(
    Array.from(batches.engine.range(TABLE.retained), ({ key }) => Buffer.from(key).toString()),
    ['t'],
  )
  one.done(late, 0)
  one.done(late, 1)
  batches.apply()
  t.same(batches.messages, ['old'], 'one that was dropped may be done with')
})

t.test('a batch larger than its memory at first, and messages larger than a piece of it', async (t) => {
  const batches = new Batches()
  const payloads = [3, 1_500_000, 700_000, 700_000, 1_048_000, 5].map((length, number) => String(number).repeat(length))
  for (let round = 0; round < 2; round++) {
    for (const payload of payloads) batches.append(payload, [64])
    batches.apply()
  }
  t.same(
    batches.messages.map((text) => [text.length, text[0]]),
    [...payloads, ...payloads].map((text) => [text.length, text[0]]),
  )
  t.ok(batches.messages.every((text) => text === text[0].repeat(text.length)))
})

t.test('a batch may be applied again after a transaction that failed', async (t) => {
  const batches = new Batches()
  batches.append('x', [64, 128])
  const record = batches.append('y', [64, 128])
  batches.one.sent(record, 0, 4)
  batches.one.putRetained('t', loggedMessage({ payload: 'z', retain: true }), 1)
  batches.take()
  t.throws(() =>
    batches.engine.commit((transaction) => {
      batches.batch.apply(transaction)
      throw new Error('on purpose')
    }),
  )
  batches.apply()
  t.same(batches.messages, ['x', 'y'])
  t.same(batches.progress(record), ['1#4', '0#0'])
  t.equal(batches.engine.count(TABLE.retained), 1)
})
