import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { RECORD_BYTES_MIN, readRecord, writeRecord } from './ring.fixture.js'
import { createRingMemory, RingConsumer, RingProducer } from './ring.js'

const CAPACITY = 4_096

type Step =
  | { readonly kind: 'write'; readonly length: number }
  | { readonly kind: 'publish' }
  | { readonly kind: 'drain'; readonly bytesMax: number }

const length = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: RECORD_BYTES_MIN, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: RECORD_BYTES_MIN, max: CAPACITY / 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: CAPACITY / 4, max: CAPACITY * 3 }) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), length }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'publish' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('drain' as const), bytesMax: fc.integer({ min: 1, max: CAPACITY }) }),
  },
)
/** Where the counters of a long-lived ring may stand: also just before they wrap, at 2^31 and at 2^32. */
const counter = fc.constantFrom(0, 8, 0x7fff_fff8, 0x7fff_f800, -0x8000_0000, -8, -2_048)

t.test('whatever is written comes out, whole, once and in order', async () => {
  fc.assert(
    fc.property(counter, fc.array(step, { maxLength: 120 }), (start, steps) => {
      const memory = createRingMemory(CAPACITY)
      const counters = new Int32Array(memory)
      counters[0] = start
      counters[16] = start
      const [producer, consumer] = [new RingProducer(memory), new RingConsumer(memory)]
      let written = 0
      let visible = 0
      const seen: number[] = []
      const drain = (bytesMax: number): number =>
        consumer.drain((bytes, ints, at) => seen.push(readRecord(bytes, ints, at)), bytesMax)
      for (const action of steps) {
        switch (action.kind) {
          case 'write':
            writeRecord(producer, written++, action.length)
            break
          case 'publish':
            producer.publish()
            if (!producer.isCongested) visible = written
            break
          case 'drain': {
            const before = seen.length
            const taken = drain(action.bytesMax)
            if (before < visible) assert.ok(taken > 0, 'what is visible is taken, one record at least')
            assert.ok(taken <= CAPACITY)
          }
        }
        assert.ok(seen.length <= written)
      }
      for (let turn = 0; seen.length < written; turn++) {
        assert.ok(turn < 1_000, 'a ring that is drained lets everything through')
        producer.publish()
        drain(CAPACITY)
      }
      assert.equal(producer.isCongested, false)
      assert.deepEqual(
        seen,
        Array.from({ length: written }, (_, number) => number),
      )
    }),
    { numRuns: 300 },
  )
})
