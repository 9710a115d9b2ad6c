import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { fill, RECORD_BYTES_MIN, readRecord, writeRecord } from './ring.fixture.js'
import { createRingMemory, RingConsumer, RingProducer } from './ring.js'

const CAPACITY = 4_096
/** Larger records travel in fragments. */
const RECORD_BYTES_MAX = CAPACITY / 4

function ring(bytes = CAPACITY): { producer: RingProducer; consumer: RingConsumer } {
  const memory = createRingMemory(bytes)
  return { producer: new RingProducer(memory), consumer: new RingConsumer(memory) }
}

/** @returns the numbers of the records taken */
function drain(consumer: RingConsumer, bytesMax = Number.POSITIVE_INFINITY): number[] {
  const numbers: number[] = []
  consumer.drain((bytes, ints, at) => numbers.push(readRecord(bytes, ints, at)), bytesMax)
  return numbers
}

t.test('memory is a power of two and not too small', async (t) => {
  const sizes: [asked: number, data: number][] = [
    [1, 4_096],
    [4_096, 4_096],
    [4_097, 8_192],
    [65_536, 65_536],
    [100_000, 131_072],
  ]
  for (const [asked, data] of sizes) t.equal(createRingMemory(asked).byteLength - 128, data, `${asked} bytes`)
})

t.test('records are invisible until they are published', async (t) => {
  const { producer, consumer } = ring()
  t.equal(producer.publish(), false, 'nothing to publish')
  writeRecord(producer, 1, 40)
  t.ok(consumer.isEmpty)
  t.same(drain(consumer), [])
  t.equal(producer.publish(), true)
  t.notOk(consumer.isEmpty)
  t.same(drain(consumer), [1])
  t.ok(consumer.isEmpty)
  t.equal(producer.publish(), false, 'once is enough')
})

t.test('a record may turn out shorter than was asked for, or not come at all', async (t) => {
  const { producer, consumer } = ring()
  const at = producer.begin(1_000)
  fill(producer.bytes, producer.ints, at, 1, RECORD_BYTES_MIN)
  producer.end(at, RECORD_BYTES_MIN)
  producer.begin(1_000) // never ended
  writeRecord(producer, 2, 24)
  producer.begin(10_000) // for the overflow, and never ended
  writeRecord(producer, 3, 24)
  producer.publish()
  t.same(drain(consumer), [1, 2, 3])
  t.notOk(producer.isCongested)
})

t.test('a full ring: records wait in order, and the owner is told', async (t) => {
  const { producer, consumer } = ring()
  const count = 20
  for (let number = 0; number < count; number++) writeRecord(producer, number, 512)
  producer.publish()
  t.ok(producer.isCongested)
  t.equal(producer.publish(), false, 'no room, nothing new')
  const seen = drain(consumer, 1)
  t.same(seen, [0], 'the budget lets one record through')
  t.ok(producer.isCongested, 'until it is published')
  t.equal(producer.publish(), true)
  t.ok(producer.isCongested, 'there was room for one only')
  while (seen.length < count) {
    seen.push(...drain(consumer))
    producer.publish()
  }
  t.same(
    seen,
    Array.from({ length: count }, (_, number) => number),
  )
  t.notOk(producer.isCongested)
})

t.test('records larger than the ring', async (t) => {
  for (const length of [RECORD_BYTES_MAX, RECORD_BYTES_MAX + 8, CAPACITY - 8, CAPACITY, CAPACITY * 5 + 123]) {
    const { producer, consumer } = ring()
    writeRecord(producer, 1, 100)
    writeRecord(producer, 2, length)
    writeRecord(producer, 3, 100)
    const seen: number[] = []
    for (let turn = 0; seen.length < 3 && turn < 20; turn++) {
      producer.publish()
      seen.push(...drain(consumer))
    }
    t.same(seen, [1, 2, 3], `${length} bytes`)
    t.notOk(producer.isCongested)
  }
})

t.test('the budget of a drain', async (t) => {
  const { producer, consumer } = ring()
  for (let number = 1; number <= 6; number++) writeRecord(producer, number, 64)
  producer.publish()
  t.same(drain(consumer, 0), [], 'nothing asked for')
  t.same(drain(consumer, 1), [1], 'at least one')
  t.same(drain(consumer, 64), [2], 'exactly one')
  t.same(drain(consumer, 65), [3, 4], 'the one that passes the budget is taken whole')
  t.same(drain(consumer, 1_000), [5, 6])
  t.equal(
    consumer.drain(() => {}, 1_000),
    0,
  )
})

t.test('a handler that throws loses its own record only', async (t) => {
  const { producer, consumer } = ring()
  for (let number = 1; number <= 3; number++) writeRecord(producer, number, 48)
  producer.publish()
  const seen: number[] = []
  const work = (): number =>
    consumer.drain((bytes, ints, at) => {
      const number = readRecord(bytes, ints, at)
      if (number === 2) throw new Error('two')
      seen.push(number)
    }, 1_000)
  t.throws(work, { message: 'two' })
  t.same(seen, [1])
  t.equal(work(), 48)
  t.same(seen, [1, 3])
})

t.test('a producer made anew goes on where the counters stand', async (t) => {
  const memory = createRingMemory(CAPACITY)
  const [first, consumer] = [new RingProducer(memory), new RingConsumer(memory)]
  writeRecord(first, 1, 1_000)
  first.publish()
  t.same(drain(consumer), [1])
  writeRecord(first, 2, 1_000)
  first.publish()
  const second = new RingProducer(memory)
  writeRecord(second, 3, 1_000)
  second.publish()
  t.same(drain(new RingConsumer(memory)), [2, 3])
})

t.test('two threads', async (t) => {
  await passRecords(t, 100_000, CAPACITY * 16, 60)
  await passRecords(t, 1_000, CAPACITY, 3_000)
})

/** A worker writes records of many sizes as fast as it can; all arrive whole and in order. */
async function passRecords(t: Test, count: number, ringBytes: number, lengthMax: number): Promise<void> {
  const memory = createRingMemory(ringBytes)
  const workerData = { memory, count, lengthMax }
  const worker = new Worker(new URL('./ring.fixture.js', import.meta.url), { workerData })
  t.teardown(() => worker.terminate())
  const exited = once(worker, 'exit')
  const consumer = new RingConsumer(memory)
  let expected = 0
  let wrong = 0
  const deadlineMs = Date.now() + 30_000
  while (expected < count && Date.now() < deadlineMs) {
    const taken = consumer.drain((bytes, ints, at) => {
      if (readRecord(bytes, ints, at) !== expected++) wrong++
    }, 1 << 20)
    if (taken === 0) await new Promise(setImmediate)
  }
  t.equal(expected, count, 'all records came')
  t.equal(wrong, 0, 'in order')
  await exited
}
