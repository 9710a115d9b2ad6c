import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { messageWith, payloadOf } from '../src/broker/message.fixture.js'
import type { Message } from '../src/broker/message.js'
import { filterMatches } from '../src/mqtt/topic-filter.js'
import { topicFilter, topicName } from '../src/mqtt/topics.fixture.js'
import { MemoryRetained } from './memory-retained.js'

const NOW_MS = 1_750_000_000_000
const UNLIMITED = { messagesMax: 1_000_000, bytesMax: Number.MAX_SAFE_INTEGER }

/** As a shard does. @param payload empty to clear */
function publish(retained: MemoryRetained<Message>, topic: string, payload: string, nowMs = NOW_MS, shard = 0): number {
  const stamp = retained.nextStamp(nowMs, shard)
  retained.set(topic, messageWith(payload, { topic }), stamp, nowMs, true)
  return stamp
}

function contents(retained: MemoryRetained<Message>, filter = '#'): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { name, message } of retained.matching(filter)) if (message) found[name] = payloadOf(message)
  return found
}

t.test('keeps the last message of each topic', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  publish(retained, 'a', '1')
  publish(retained, 'a/b', '2')
  publish(retained, 'a', '3')
  publish(retained, '$SYS/x', '4')
  t.same(contents(retained), { a: '3', 'a/b': '2' })
  t.same(contents(retained, '$SYS/#'), { '$SYS/x': '4' })
  t.equal(retained.messages, 2)
  t.ok([...retained.matching('#')].every(({ message }) => message?.retain))
})

t.test('an empty message clears the topic [MQTT-3.3.1-6]', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  publish(retained, 'a', '1')
  publish(retained, 'a', '')
  publish(retained, 'never', '')
  t.same(contents(retained), {})
  t.equal(retained.messages, 0)
  t.equal(retained.bytes, 0)
  publish(retained, 'a', '2')
  t.same(contents(retained), { a: '2' })
})

t.test('what is restored stays in its memory, and the later message wins', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const message = messageWith('stored', { topic: 'a' })
  retained.restore('a', message, 5)
  t.equal([...retained.matching('a')][0]?.message, message)
  t.equal(retained.nextStamp(0, 0), 64, 'later ones follow')
  retained.restore('a', messageWith('older', { topic: 'a' }), 4)
  t.same(contents(retained), { a: 'stored' })
  t.equal(retained.messages, 1)
  t.equal(retained.bytes, message.sizeBytes)
  retained.restore('a', messageWith('', { topic: 'a' }), 6)
  t.same(contents(retained), { a: 'stored' }, 'there is no such thing as an empty one in the store')
  retained.restore('b', messageWith('expired', { topic: 'b', expirySeconds: 1 }), 7)
  t.equal(retained.expireSome(NOW_MS + 3_600_000), 1)
})

t.test('what is kept has memory of its own', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const message = messageWith('hello')
  retained.set('a/b', message, retained.nextStamp(NOW_MS, 0), NOW_MS, true)
  message.bytes.fill(0)
  t.same(contents(retained), { 'a/b': 'hello' })
})

t.test('limits in number and bytes', async (t) => {
  const size = messageWith('12345', { topic: 'a' }).sizeBytes
  const retained = new MemoryRetained<Message>({ messagesMax: 2, bytesMax: size * 2 })
  t.ok(retained.hasRoom('a', size))
  t.notOk(retained.hasRoom('a', size * 2 + 1))
  publish(retained, 'a', '12345')
  publish(retained, 'b', '12345')
  t.equal(retained.bytes, size * 2)
  t.notOk(retained.hasRoom('c', 1), 'one more topic')
  t.ok(retained.hasRoom('a', size), 'another message in place of the old one')
  t.notOk(retained.hasRoom('a', size + 1))
  publish(retained, 'a', '')
  t.ok(retained.hasRoom('c', size))
  t.notOk(retained.hasRoom('c', size + 1))
  t.ok(retained.hasRoom('a', size), 'a cleared topic is a topic as others')
})

t.test('messages expire', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const keep = (topic: string, expirySeconds: number | undefined): void => {
    const message = messageWith('x', { topic, nowMs: NOW_MS, expirySeconds })
    retained.set(topic, message, retained.nextStamp(NOW_MS, 0), NOW_MS, true)
  }
  keep('soon', 1)
  keep('late', 100)
  keep('never', undefined)
  keep('replaced', 1)
  keep('replaced', undefined)
  keep('cleared', 1)
  publish(retained, 'cleared', '')
  t.equal(retained.expireSome(NOW_MS + 999), 0)
  t.equal(retained.expireSome(NOW_MS + 1_000), 1)
  t.same(Object.keys(contents(retained)).sort(), ['late', 'never', 'replaced'])
  t.equal(retained.messages, 3)
  t.equal(retained.expireSome(NOW_MS + 100_000), 1)
  t.equal(retained.expireSome(NOW_MS + 1_000_000), 0)
  t.same(Object.keys(contents(retained)).sort(), ['never', 'replaced'])
})

t.test('a sweep looks once at what stays', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const message = messageWith('x', { nowMs: NOW_MS, expirySeconds: 1_000 })
  retained.set('a/b', message, retained.nextStamp(NOW_MS, 0), NOW_MS, true)
  const [held] = retained.matching('#')
  let looks = 0
  const expiresAtMs = (): number => {
    looks++
    return message.expiresAtMs
  }
  Object.defineProperty(held.message, 'expiresAtMs', { get: expiresAtMs })
  retained.expireSome(NOW_MS)
  t.ok(looks <= 2, `${looks} looks`)
})

t.test('a sweep looks at a part of them, and comes to all in the end', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const count = 10_000
  for (let number = 0; number < count; number++) {
    const topic = `t/${number}`
    const message = messageWith('x', { topic, nowMs: NOW_MS, expirySeconds: number % 2 === 0 ? 1 : 1_000 })
    retained.set(topic, message, retained.nextStamp(NOW_MS, 0), NOW_MS, true)
  }
  let expired = 0
  let sweeps = 0
  for (; expired < count / 2 && sweeps < 10; sweeps++) expired += retained.expireSome(NOW_MS + 2_000)
  t.equal(expired, count / 2)
  t.ok(sweeps > 1, 'a part each time')
  t.equal(retained.messages, count / 2)
})

t.test('a late message does not bring back what was cleared', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const old = publish(retained, 'a', 'old')
  publish(retained, 'a', '')
  retained.set('a', messageWith('old'), old, NOW_MS, true)
  t.same(contents(retained), {})
  t.equal(retained.messages, 0)
  publish(retained, 'other', '', NOW_MS + 59_000)
  retained.set('a', messageWith('old'), old, NOW_MS, true)
  t.same(contents(retained), {}, 'a minute long')
})

t.test('cleared topics are forgotten in the end, unless they came back', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const old = publish(retained, 'gone', 'x')
  publish(retained, 'gone', '')
  publish(retained, 'back', 'x')
  publish(retained, 'back', '')
  publish(retained, 'back', 'y')
  publish(retained, 'other', '', NOW_MS + 61_000)
  t.same(contents(retained), { back: 'y' })
  retained.set('gone', messageWith('x', { topic: 'gone' }), old, NOW_MS, true)
  t.same(contents(retained), { back: 'y', gone: 'x' }, 'nothing of the clearing is left')
})

t.test('clearing topic after topic does not fill the memory', async (t) => {
  const retained = new MemoryRetained<Message>(UNLIMITED)
  const first = publish(retained, 'c/0', '')
  for (let number = 1; number <= 65_536; number++) publish(retained, `c/${number}`, '')
  retained.set('c/0', messageWith('x', { topic: 'c/0' }), first - 1, NOW_MS, true)
  t.same(contents(retained), { 'c/0': 'x' }, 'the oldest has been forgotten, although the minute is not over')
  retained.set('c/65536', messageWith('x', { topic: 'c/65536' }), first, NOW_MS, true)
  t.equal(retained.messages, 1, 'the last ones have not')
})

t.test('stamps only grow, and those of two shards differ', async (t) => {
  const [a, b] = [new MemoryRetained<Message>(UNLIMITED), new MemoryRetained<Message>(UNLIMITED)]
  let last = 0
  for (const nowMs of [NOW_MS, NOW_MS, NOW_MS + 1, NOW_MS - 5_000, NOW_MS + 2]) {
    const [stampA, stampB] = [a.nextStamp(nowMs, 0), b.nextStamp(nowMs, 63)]
    t.not(stampA, stampB)
    t.ok(stampA > last)
    last = stampA
    t.ok(Number.isSafeInteger(stampA))
  }
  b.set('a', messageWith('x'), last + 1_000_000, NOW_MS, true)
  t.ok(b.nextStamp(NOW_MS, 0) > last + 1_000_000, 'later than all that were seen')
})

t.test('all shards end with the same messages, in whatever order they hear of them', async () => {
  const SHARDS = 3
  const step = fc.record({
    publishes: fc.boolean(),
    shard: fc.nat(SHARDS - 1),
    to: fc.nat(SHARDS - 1),
    topic: fc.constantFrom('a', 'b', 'c/d'),
    clears: fc.boolean(),
    passesMs: fc.constantFrom(0, 0, 0, 1, 50),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shards = Array.from({ length: SHARDS }, () => new MemoryRetained<Message>(UNLIMITED))
      const rings: { topic: string; payload: string; stamp: number }[][][] = shards.map(() => shards.map(() => []))
      let nowMs = NOW_MS
      const deliver = (from: number, to: number): void => {
        const next = rings[from][to].shift()
        if (next === undefined) return
        const { topic, payload, stamp } = next
        shards[to].set(topic, messageWith(payload, { topic }), stamp, nowMs, true)
      }
      for (const [number, { publishes, shard, to, topic, clears, passesMs }] of steps.entries()) {
        nowMs += passesMs
        if (!publishes) {
          deliver(shard, to)
          continue
        }
        const payload = clears ? '' : String(number)
        const stamp = publish(shards[shard], topic, payload, nowMs, shard)
        for (let other = 0; other < SHARDS; other++) {
          if (other !== shard) rings[shard][other].push({ topic, payload, stamp })
        }
      }
      for (let from = 0; from < SHARDS; from++) {
        for (let to = 0; to < SHARDS; to++) while (rings[from][to].length > 0) deliver(from, to)
      }
      for (const other of shards.slice(1)) {
        assert.deepEqual(contents(other), contents(shards[0]))
        assert.equal(other.messages, shards[0].messages)
        assert.equal(other.bytes, shards[0].bytes)
      }
    }),
    { numRuns: 400 },
  )
})

t.test('finds what filterMatches says', async () => {
  fc.assert(
    fc.property(fc.array(topicName, { maxLength: 15 }), topicFilter, (topics, filter) => {
      const retained = new MemoryRetained<Message>(UNLIMITED)
      for (const topic of topics) publish(retained, topic, 'x')
      const expected = [...new Set(topics)].filter((topic) => filterMatches(filter, topic))
      assert.deepEqual(Object.keys(contents(retained, filter)).sort(), expected.sort())
    }),
  )
})

t.test('what the broker says of itself takes no room from clients', async (t) => {
  const retained = new MemoryRetained<Message>({ messagesMax: 1, bytesMax: 1_000 })
  for (const topic of ['$SYS/broker/uptime', '$SYS/Coreflux/Version', 'a']) publish(retained, topic, '1')
  t.equal(retained.messages, 1)
  t.notOk(retained.hasRoom('b', 10))
  t.ok(retained.hasRoom('$SYS/broker/version', 10))
  publish(retained, '$SYS/broker/uptime', '')
  t.equal(retained.messages, 1)
})
