import t from 'tap'
import { ShardFixture } from './shard.fixture.js'

t.test('a message is acknowledged when it is flushed, and answers keep their order', async (t) => {
  const broker = new ShardFixture()
  const [ann, bob] = [broker.connect('ann'), broker.connect('bob')]
  bob.subscribe('t', { qos: 2 })
  for (const client of [ann, bob]) client.take()
  broker.storages[0].isHeld = true
  ann.publish('t', 'one', { qos: 1, packetId: 1 })
  ann.publish('t', 'two', { qos: 2, packetId: 2 })
  ann.publish('nobody', 'three', { qos: 1, packetId: 3 })
  t.same(ann.take(), [], 'nothing is on disk yet')
  t.equal(bob.take().length, 2, 'delivery does not wait')
  broker.storages[0].flush()
  broker.settle()
  t.same(ann.take(), ['puback #1', 'pubrec #2', 'puback #3 0x10'])
  ann.publish('t', 'four', { qos: 1, packetId: 1 })
  t.same(ann.take(), ['puback #1'], 'at once again')
})

t.test('the answer of another shard waits for its flush', async (t) => {
  const broker = new ShardFixture({ shards: 2 })
  const [ann, bob] = [broker.connect('ann'), broker.connect('bob', { shard: 1 })]
  bob.subscribe('t', { qos: 1 })
  for (const client of [ann, bob]) client.take()
  for (const storage of broker.storages) storage.isHeld = true
  ann.publish('t', 'one', { qos: 1, packetId: 1 })
  t.same(ann.take(), [])
  broker.storages[0].flush()
  broker.settle()
  t.same(ann.take(), [], 'the other shard has not flushed')
  broker.storages[1].flush()
  broker.settle()
  t.same(ann.take(), ['puback #1'])
})
