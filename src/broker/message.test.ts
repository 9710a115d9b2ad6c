import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { hashBytes } from '../base/bytes.js'
import { decodePublishProperties, encodePublishProperties } from '../mqtt/publish-properties.js'
import { messageWith, payloadOf } from './message.fixture.js'
import { createMessage, type Message, MessageMemory, PublishFields } from './message.js'

const NOW_MS = 1_750_000_000_000

interface Parts {
  readonly topic: string
  readonly properties: Uint8Array
  readonly payload: Uint8Array
}

function partsOf(
  message: Pick<
    Message,
    'bytes' | 'topicStart' | 'topicBytes' | 'propertiesStart' | 'propertiesBytes' | 'payloadStart' | 'payloadBytes'
  >,
): Parts {
  const part = (start: number, length: number): Uint8Array =>
    new Uint8Array(message.bytes.subarray(start, start + length))
  return {
    topic: Buffer.from(part(message.topicStart, message.topicBytes)).toString(),
    properties: part(message.propertiesStart, message.propertiesBytes),
    payload: part(message.payloadStart, message.payloadBytes),
  }
}

/** As a PUBLISH lies in a ring: at any offset, with other bytes around. */
function fieldsOf({ topic, properties, payload }: Parts, lead: number, expirySeconds = -1): PublishFields {
  const name = Buffer.from(topic)
  const memory = new ArrayBuffer((lead + name.length + properties.length + payload.length + 16) & ~3)
  const bytes = new Uint8Array(memory).fill(0xee)
  bytes.set([...name, ...properties, ...payload], lead)
  const descriptor = Int32Array.of(
    1 | (2 << 8) | 0x400 | (expirySeconds < 0 ? 0 : 0x1000),
    77,
    lead,
    name.length,
    hashBytes(name, 0, name.length),
    lead + name.length,
    properties.length,
    lead + name.length + properties.length,
    payload.length,
    expirySeconds,
  )
  const fields = new PublishFields()
  fields.readDescriptor(bytes, descriptor, 0, 0)
  fields.ints = new Int32Array(memory)
  return fields
}

t.test('a descriptor is read completely', async (t) => {
  const fields = fieldsOf({ topic: 'a/b', properties: Uint8Array.of(1, 1), payload: Uint8Array.of(7, 8, 9) }, 5, 60)
  t.match(fields, { qos: 2, retain: true, packetId: 77, topicBytes: 3, expirySeconds: 60, bodyBytes: 8 })
  t.same(partsOf(fields), { topic: 'a/b', properties: Uint8Array.of(1, 1), payload: Uint8Array.of(7, 8, 9) })
})

t.test('what is kept is a copy, one for all who keep it', async (t) => {
  const fields = fieldsOf({ topic: 'a', properties: new Uint8Array(0), payload: Buffer.from('x') }, 1, 10)
  const memory = new MessageMemory()
  const kept = fields.keep(memory, NOW_MS)
  t.equal(fields.keep(memory, NOW_MS), kept)
  fields.bytes.fill(0)
  t.equal(payloadOf(kept), 'x')
  t.match(kept, { qos: 2, retain: true, expiresAtMs: NOW_MS + 10_000, sizeBytes: 2 })
  const again = fieldsOf({ topic: 'a', properties: new Uint8Array(0), payload: Buffer.from('y') }, 1)
  t.equal(again.keep(memory, NOW_MS).expiresAtMs, Number.POSITIVE_INFINITY)
  t.equal(payloadOf(kept), 'x')
})

t.test('many kept messages do not touch each other, whatever their offsets and sizes', async () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(2_047, 2_048, 2_049, 8_180, 8_192, 20_000))
  const part = fc.record({
    lead: fc.integer({ min: 0, max: 9 }),
    topic: fc.integer({ min: 1, max: 20 }),
    payload: size,
  })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (list) => {
      const memory = new MessageMemory()
      const expected = list.map(({ topic, payload }, number) => ({
        topic: String.fromCharCode(97 + (number % 26)).repeat(topic),
        properties: encodePublishProperties({ contentType: String(number) }),
        payload: new Uint8Array(payload).fill(number + 1),
      }))
      const kept = expected.map((parts, place) => fieldsOf(parts, list[place].lead).keep(memory, NOW_MS))
      assert.deepEqual(kept.map(partsOf), expected)
      for (const message of kept) assert.deepEqual(partsOf(message.alone(true)), partsOf(message))
    }),
    { numRuns: 100 },
  )
})

t.test('a message alone holds no memory of others', async (t) => {
  const memory = new MessageMemory()
  const kept = fieldsOf({ topic: 'a', properties: new Uint8Array(0), payload: Buffer.from('x') }, 3).keep(
    memory,
    NOW_MS,
  )
  t.ok(kept.bytes.length > 1_000)
  const alone = kept.alone(false)
  t.ok(alone.bytes.length <= 12)
  t.equal(alone.retain, false)
  t.equal(alone.topicHash, kept.topicHash)
})

t.test('the time that is left takes the place of the expiry interval [MQTT-3.3.2-6]', async (t) => {
  const message = messageWith('x', { nowMs: NOW_MS, expirySeconds: 60 })
  const cases: [passedMs: number, left: number][] = [
    [0, 60],
    [1, 60],
    [1_000, 59],
    [59_001, 1],
    [60_000, 0],
    [99_000, 0],
  ]
  const fields = new PublishFields()
  for (const [passedMs, left] of cases) {
    fields.readMessage(message, NOW_MS + passedMs)
    const { properties, topic } = partsOf(fields)
    t.match(decodePublishProperties(properties), { expirySeconds: left, contentType: 'text' }, `${passedMs} ms`)
    t.equal(topic, 'a/b')
    t.equal(fields.expirySeconds, left, 'for other shards')
    t.equal(fields.keep(new MessageMemory(), NOW_MS).expiresAtMs, message.expiresAtMs)
  }
  t.equal(decodePublishProperties(partsOf(message).properties).expirySeconds, 60, 'the message itself is unchanged')
  fields.readMessage(messageWith('x'), NOW_MS)
  t.equal(fields.expirySeconds, -1)
})

t.test('messages of the broker itself', async (t) => {
  const message = createMessage({
    topic: '$SYS/ö',
    payload: Buffer.from('1'),
    properties: new Uint8Array(0),
    qos: 0,
    retain: true,
    expiresAtMs: Number.POSITIVE_INFINITY,
  })
  const name = Buffer.from('$SYS/ö')
  t.same(partsOf(message).topic, '$SYS/ö')
  t.equal(message.topicHash, hashBytes(name, 0, name.length))
  t.equal(message.sizeBytes, 8)
})
