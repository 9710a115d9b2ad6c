import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import { ShardFixture } from './shard.fixture.js'

t.test('a message is acknowledged when it is flushed, and answers keep their order', async (t) => {
  const broker = new ShardFixture({ engine: new MemoryEngine() })
  const [ann, bob] = [broker.connect('ann'), broker.connect('bob', { expiry: 100 })]
  bob.subscribe('t', { qos: 1 })
  for (const client of [ann, bob]) client.take()
  broker.holdFlush()
  ann.publish('t', 'one', { qos: 1, packetId: 1 })
  ann.publish('t', 'two', { qos: 2, packetId: 2 })
  ann.publish('nobody', 'three', { qos: 1, packetId: 3 })
  t.same(ann.take(), [], 'nothing is on disk yet')
  t.equal(bob.take().length, 2, 'delivery does not wait')
  broker.flush()
  t.same(ann.take(), ['puback #1', 'pubrec #2', 'puback #3 0x10'])
  broker.holdFlush()
  ann.publish('nobody', 'four', { qos: 1, packetId: 1 })
  t.same(ann.take(), ['puback #1 0x10'], 'nobody has to keep it')
})

t.test('the answer of another shard waits for its flush', async (t) => {
  const broker = new ShardFixture({ shards: 2, engine: new MemoryEngine(), ownerOf: (id) => (id === 'bob' ? 1 : 0) })
  const [ann, bob] = [broker.connect('ann'), broker.connect('bob', { shard: 1, expiry: 100 })]
  bob.subscribe('t', { qos: 1 })
  for (const client of [ann, bob]) client.take()
  broker.holdFlush()
  ann.publish('t', 'one', { qos: 1, packetId: 1 })
  t.same(ann.take(), [], 'the other shard has not flushed')
  broker.flush()
  t.same(ann.take(), ['puback #1'])
})
