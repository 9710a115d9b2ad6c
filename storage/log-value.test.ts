import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { LoggedMessage, LogReceiver } from '../src/contracts/storage.js'
import { type LogValue, ReceiverList, readLogValue, seal } from './log-value.js'
import { loggedMessage, receiver } from './store-parts.fixture.js'

/** Writes at byte `at` of memory that is not empty. */
function encode(
  message: LoggedMessage,
  receivers: readonly LogReceiver[],
  at = 8,
  list = new ReceiverList(),
): Uint8Array {
  for (const each of receivers) list.add(each)
  const size = list.valueBytes(message)
  const bytes = new Uint8Array(at + ((size + 7) & ~3)).fill(0xdd)
  const length = list.write(message, new Int32Array(bytes.buffer), bytes, at)
  assert.ok(length <= size, `${length} bytes, ${size} said`)
  assert.ok(
    bytes.subarray(0, at).every((byte) => byte === 0xdd),
    'what is before it stays',
  )
  list.clear()
  const value = bytes.slice(at, at + length)
  seal(value)
  return value
}

function decode(value: Uint8Array): LogValue {
  const read = readLogValue(value)
  assert.ok(read !== undefined)
  return read
}

/** All of a message, from the topic on. */
function contentOf(message: LoggedMessage): object {
  const { bytes, topicStart, topicBytes, propertiesStart, propertiesBytes, payloadStart, payloadBytes } = message
  return {
    body: Buffer.from(bytes.subarray(topicStart, payloadStart + payloadBytes)).toString('hex'),
    properties: propertiesStart - topicStart,
    payload: payloadStart - topicStart,
    lengths: [topicBytes, propertiesBytes, payloadBytes],
    flags: [message.qos, message.retain, message.expiresAtMs, message.isKeepValue],
  }
}

const qosLevels = fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2)
/** Short, and around the length at which copying goes by another way. */
const texts = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(fc.uint8Array({ maxLength }), fc.constantFrom(2_040, 2_047, 2_048, 2_049, 70_000).map(filled))

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, place) => place * 7)
}

const messages = fc
  .record({
    topic: fc.string({ minLength: 1, maxLength: 40 }),
    payload: texts(60),
    properties: fc.uint8Array({ maxLength: 30 }),
    qos: qosLevels,
    retain: fc.boolean(),
    expiresAtMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    isKeepValue: fc.boolean(),
    topicStart: fc.integer({ min: 0, max: 11 }),
  })
  .map(loggedMessage)
const receivers = fc.record(
  {
    session: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    packetId: fc.integer({ min: 0, max: 65_535 }),
    qos: qosLevels,
    retain: fc.boolean(),
    isShared: fc.boolean(),
    identifiers: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 }), { nil: undefined }),
  },
  { noNullPrototype: true },
)

t.test('what is written is read, wherever the message and the value lie', async () => {
  const places = fc.integer({ min: 0, max: 9 }).map((word) => word * 4)
  fc.assert(
    fc.property(messages, fc.array(receivers, { maxLength: 40 }), places, (message, expected, at) => {
      const read = decode(encode(message, expected, at))
      assert.deepEqual(read.receivers, expected)
      assert.deepEqual(contentOf(read.message), contentOf(message))
      const { buffer, byteOffset } = read.message.bytes
      assert.deepEqual([read.message.ints.buffer, read.message.ints.byteOffset], [buffer, byteOffset], 'one memory')
    }),
    { numRuns: 300 },
  )
})

t.test('a topic at every offset modulo 4', async (t) => {
  for (let topicStart = 0; topicStart < 8; topicStart++) {
    const message = loggedMessage({ topic: 'a/b', payload: 'value', topicStart })
    t.same(contentOf(decode(encode(message, [receiver(64, 7)])).message), contentOf(message), `${topicStart}`)
  }
})

t.test('what is read is a copy: the memory of the value may change', async (t) => {
  const message = loggedMessage({ payload: 'stays' })
  const identifiers = Uint8Array.of(11, 5)
  const value = encode(message, [{ ...receiver(64), identifiers }])
  const read = decode(value)
  value.fill(0)
  t.same(contentOf(read.message), contentOf(message))
  t.same(read.receivers[0].identifiers, identifiers)
})

t.test('a list is empty after `clear`, identifiers included', async (t) => {
  const list = new ReceiverList()
  const message = loggedMessage()
  const many = Array.from({ length: 50 }, (_, number) => ({ ...receiver(64 * number + 1), identifiers: filled(3) }))
  t.same(decode(encode(message, many, 0, list)).receivers, many)
  t.equal(list.count, 0)
  t.equal(list.valueBytes(message), new ReceiverList().valueBytes(message))
  t.same(decode(encode(message, [receiver(5)], 0, list)).receivers, [receiver(5)])
  t.same(decode(encode(message, [], 0, list)).receivers, [])
})

t.test('damage is noticed: any byte that differs, any end that is missing', async (t) => {
  const message = loggedMessage({ topic: 'a/b', payload: 'value', properties: filled(5), expiresAtMs: 5e12 })
  const value = encode(message, [receiver(64, 7), { ...receiver(128), identifiers: Uint8Array.of(11, 3) }])
  for (let at = 0; at < value.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const damaged = value.slice()
      damaged[at] ^= flip
      t.equal(readLogValue(damaged), undefined, `byte ${at} ^ ${flip}`)
    }
    t.equal(readLogValue(value.subarray(0, at)), undefined, `${at} bytes`)
  }
  t.equal(readLogValue(new Uint8Array(200)), undefined)
  t.equal(readLogValue(Buffer.concat([value, Uint8Array.of(0)])), undefined)
})
