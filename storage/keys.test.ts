import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { numberKey, readNumberKey, receivedKey, subscriptionKey, textKey, writeNumberKey } from './keys.js'
import { compareKeys, hasPrefix, KEY_BYTES_MAX, keyBehind } from './store-keys.js'

const powers = fc.integer({ min: 0, max: 53 }).map((exponent) => 2 ** exponent)
const numbers = fc.oneof(
  fc.maxSafeNat(),
  fc
    .tuple(powers, fc.integer({ min: -2, max: 2 }))
    .map(([power, step]) => Math.max(0, Math.min(power + step, Number.MAX_SAFE_INTEGER))),
)

t.test('the order of keys is the order of numbers, up to 2^53 - 1', async () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      assert.equal(compareKeys(numberKey(a), numberKey(b)), Math.sign(a - b))
      assert.equal(readNumberKey(numberKey(a)), a)
    }),
    { numRuns: 1_000 },
  )
})

t.test('a number among other bytes', async (t) => {
  const bytes = new Uint8Array(12).fill(0xee)
  writeNumberKey(bytes, 3, 2 ** 40 + 5)
  t.equal(readNumberKey(bytes, 3), 2 ** 40 + 5)
  t.same([...bytes.subarray(0, 3), bytes[11]], [0xee, 0xee, 0xee, 0xee])
})

t.test('topics: their bytes, or a hash of those that are too long', async (t) => {
  const long = (length: number, last: number): Uint8Array => new Uint8Array(length).fill(0x61).fill(last, length - 1)
  t.same(textKey(long(1_900, 1)), long(1_900, 1))
  const keys = [long(1_901, 1), long(1_901, 2), long(1_902, 1), long(65_535, 1), long(65_535, 2)].map(textKey)
  t.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, keys.length)
  for (const key of keys) t.ok(key.length <= KEY_BYTES_MAX - 8, 'a session number fits in front')
  t.same(textKey(long(1_901, 1)), keys[0], 'the same again')
})

t.test('subscriptions and received messages of one session are all that begin with its number', async () => {
  const filters = fc.uint8Array({ minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(numbers, numbers, filters, fc.integer({ min: 1, max: 65_535 }), (one, other, filter, packetId) => {
      for (const key of [subscriptionKey(one, filter), receivedKey({ session: one, packetId })]) {
        assert.equal(hasPrefix(key, numberKey(other)), one === other)
        assert.equal(readNumberKey(key), one)
      }
      assert.deepEqual(subscriptionKey(one, filter).subarray(8), filter)
    }),
  )
  const ofAll = new Set(
    Array.from({ length: 65_536 }, (_, packetId) => Buffer.from(receivedKey({ session: 1, packetId })).toString('hex')),
  )
  assert.equal(ofAll.size, 65_536)
})

t.test('the first key behind a prefix', async (t) => {
  const cases: [number[], number[] | undefined][] = [
    [
      [1, 2],
      [1, 3],
    ],
    [[1, 255], [2]],
    [[1, 255, 255], [2]],
    [[0], [1]],
    [[255, 255], undefined],
    [[], undefined],
  ]
  for (const [prefix, expected] of cases) {
    const found = keyBehind(Uint8Array.from(prefix))
    t.same(found && [...found], expected, String(prefix))
  }
})
