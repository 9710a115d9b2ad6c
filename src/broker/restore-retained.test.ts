/** Retained messages come back from the store while clients publish, clear and subscribe. */
import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import type { TestClient } from './client.fixture.js'
import { retainedValues } from './lot-flow.js'
import type { RetainedRestorer } from './restore-retained.js'
import { type FixtureOptions, ShardFixture } from './shard.fixture.js'

/** A broker that begins with these retained messages in its store and has read none of them. */
function startWith(topics: readonly string[], options: FixtureOptions = {}): ShardFixture {
  const broker = new ShardFixture({ engine: new MemoryEngine(), clock: new ManualClock(), ...options })
  const bob = broker.connect('bob')
  for (const topic of topics) bob.publish(topic, 'stored', { retain: true })
  broker.settle()
  return broker.crash({ loadsLater: true })
}

function restorerOf(broker: ShardFixture, shard = 0): RetainedRestorer {
  if (broker.store === undefined) throw new Error('there is no store')
  return broker.store.retained(broker.shard(shard))
}

/** What a client that comes now gets of all topics. */
function retainedIn(broker: ShardFixture, shard = 0): string[] {
  const client = broker.connect(`reader-${shard}`, { shard })
  client.subscribe('#')
  return messagesOf(client)
}

function messagesOf(client: TestClient): string[] {
  return client
    .takeAll()
    .filter((text) => text.includes('='))
    .map((text) => text.replace(' q0 #0', ''))
    .sort()
}

t.test('what clients publish and clear meanwhile holds, whatever the store still shows', async (t) => {
  for (const isWritten of [false, true]) {
    const broker = startWith(['changed', 'cleared', 'kept', 'again'])
    if (!isWritten) broker.holdFlush()
    const bob = broker.connect('bob')
    bob.publish('changed', 'new', { retain: true })
    bob.publish('cleared', '', { retain: true })
    bob.publish('again', '', { retain: true })
    bob.publish('again', 'new', { retain: true })
    bob.publish('never', '', { retain: true })
    broker.load()
    t.same(retainedIn(broker), ['again=new retain', 'changed=new retain', 'kept=stored retain'])
    broker.flush()
    t.equal(broker.shard().retained.messages, 3)
    t.equal(retainedIn(broker.crash({ loadsLater: false })).length, 3)
  }
})

t.test('a topic that is cleared long before its turn stays cleared', async (t) => {
  const broker = startWith(['cleared'])
  broker.holdFlush()
  const bob = broker.connect('bob')
  bob.publish('cleared', '', { retain: true })
  broker.advance(3_600_000)
  bob.publish('another', '', { retain: true })
  broker.load()
  t.same(retainedIn(broker), [])
})

t.test('a message that expires meanwhile does not bring back the one before it', async (t) => {
  const broker = startWith(['t'])
  broker.holdFlush()
  broker.connect('bob').publish('t', 'short', { retain: true, properties: { expirySeconds: 1 } })
  broker.advance(2_000)
  t.equal(broker.count('droppedExpired'), 1)
  broker.load()
  t.same(retainedIn(broker), [])
  t.equal(broker.shard().retained.bytes, 0)
})

t.test('SUBSCRIBE is answered at once, and retained messages come when all are there', async (t) => {
  const topics = Array.from({ length: 100 }, (_, number) => `t/${String(number).padStart(3, '0')}`)
  const broker = startWith(topics)
  const reading = restorerOf(broker).all()
  t.equal(reading.next().value, 32)
  const ann = broker.connect('ann')
  ann.subscribe('t/#')
  t.same(ann.take(), ['connack', 'suback #1 0'])
  const bob = broker.connect('bob')
  bob.publish('t/000', 'live', { retain: true }) // read before
  bob.publish('t/099', 'live', { retain: true }) // still to be read
  bob.publish('t/new', 'live', { retain: true })
  bob.publish('t/050', '', { retain: true })
  t.same(messagesOf(ann), ['t/000=live', 't/050=', 't/099=live', 't/new=live'])
  t.equal(reading.next().value, 64)
  broker.settle()
  t.same(messagesOf(ann), [])
  for (const _ of reading);
  broker.settle()
  const others = topics.filter((topic) => !['t/000', 't/050', 't/099'].includes(topic))
  t.same(
    messagesOf(ann),
    others.map((topic) => `${topic}=stored retain`),
    'each once, and none that is older than what came',
  )
})

t.test('what is published now is later than what is stored, also when the clock was set back', async (t) => {
  const broker = startWith(['t', 'u'])
  broker.clock.nowMs -= 86_400_000
  const again = broker.crash({ loadsLater: true })
  const ann = again.connect('ann')
  ann.subscribe('#')
  again.connect('bob').publish('t', 'live', { retain: true })
  again.load()
  t.same(messagesOf(ann), ['t=live', 'u=stored retain'])
  t.same(retainedIn(again), ['t=live retain', 'u=stored retain'])
  t.same(retainedIn(again.crash({ loadsLater: false })), ['t=live retain', 'u=stored retain'])
})

t.test('a store without a mark of its stamps is looked through', async (t) => {
  const broker = startWith(['t'])
  broker.store?.engine.commit((transaction) => transaction.delete('meta', Buffer.from('stamp')))
  broker.clock.nowMs -= 86_400_000
  const again = broker.crash({ loadsLater: true })
  again.connect('bob').publish('t', 'live', { retain: true })
  again.load()
  t.same(retainedIn(again), ['t=live retain'])
})

t.test('limits hold for what is still to be read', async (t) => {
  const broker = startWith(['a', 'b', 'c'], { config: { retained: { messagesMax: 4 } } })
  const bob = broker.connect('bob')
  bob.take()
  bob.publish('a', 'new', { qos: 1, retain: true })
  bob.publish('b', '', { qos: 1, retain: true })
  t.same(bob.take(), ['puback #1 0x10', 'puback #2 0x10'])
  bob.publish('d', 'x', { qos: 1, retain: true })
  bob.publish('c', 'new', { qos: 1, retain: true })
  t.same(bob.take(), ['puback #3 0x97', 'puback #4 0x10'], 'what takes the place of another has room')
  broker.load()
  t.equal(broker.shard().retained.messages, 2)
  bob.publish('d', 'x', { qos: 1, retain: true })
  t.same(bob.take(), ['puback #5 0x10'])
})

t.test('bytes that are still to be read count as those that are here', async (t) => {
  const topics = Array.from({ length: 64 }, (_, number) => `t/${String(number).padStart(3, '0')}`)
  const size = 'stored'.length + 't/000'.length
  const broker = startWith(topics, { config: { retained: { bytesMax: size * 65 } } })
  restorerOf(broker).all().next()
  const { retained } = broker.shard()
  t.equal(retained.messages, 32)
  t.ok(retained.hasRoom('new', size))
  t.notOk(retained.hasRoom('new', size * 2))
})

t.test('every shard reads them, and what another shard takes meanwhile holds too', async (t) => {
  const broker = startWith(['t', 'u'], { shards: 2 })
  broker.holdFlush()
  broker.connect('bob', { shard: 1 }).publish('t', 'live', { retain: true })
  broker.connect('bea', { shard: 0 }).publish('u', '', { retain: true })
  broker.load()
  for (const shard of [0, 1]) t.same(retainedIn(broker, shard), ['t=live retain'], `shard ${shard}`)
})

t.test('GET TOPIC: those that a filter matches are there before their turn', async (t) => {
  const topics = ['a', 'a/b', 'a/c', 'b', 'b/c/d', 'ä/x']
  for (const [filter, found] of [
    ['a/b', ['a/b']],
    ['a/#', ['a', 'a/b', 'a/c']],
    ['b/+/d', ['b/c/d']],
    ['+/c', ['a/c']],
    ['#', topics],
    ['ä/+', ['ä/x']],
    ['none', []],
  ] as const) {
    const broker = startWith(topics)
    for (const _ of restorerOf(broker).matching(filter));
    const { retained } = broker.shard()
    t.same(
      retainedValues(broker.shard(), filter, undefined, 10).map(({ topic }) => topic),
      found,
      filter,
    )
    t.notOk(retained.isLoaded)
    broker.load()
    t.equal(retained.messages, topics.length)
  }
})
