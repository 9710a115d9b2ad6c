import t from 'tap'
import { ShardFixture } from './shard.fixture.js'

const KILOBYTE = 'x'.repeat(1_024)

t.test('pumping waits for its mark', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann', { receiveMaximum: 65_535 })
  client.answersMarks = false
  client.subscribe('t', { qos: 1 })
  client.take()
  client.slow(true)
  const count = 1_000
  for (let number = 0; number < count; number++) publisher.publish('t', KILOBYTE, { qos: 1 })
  client.slow(false)
  const parts: number[] = []
  for (let part = client.take(); part.length > 0; part = client.take()) {
    parts.push(part.length)
    t.equal(broker.count('messagesStored'), count - parts.reduce((sum, length) => sum + length, 0))
    client.reachMark()
  }
  t.equal(
    parts.reduce((sum, length) => sum + length, 0),
    count,
  )
  t.equal(parts.length, 4, `${parts}: a quarter of a megabyte each`)
})

t.test('new messages wait behind the queue, and are sent directly when it is empty', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann')
  client.answersMarks = false
  client.subscribe('t', { qos: 1 })
  client.take()
  client.slow(true)
  for (let number = 0; number < 300; number++) publisher.publish('t', KILOBYTE, { qos: 1 })
  client.slow(false)
  t.equal(client.marks, 1)
  publisher.publish('t', 'new', { qos: 1 })
  t.notOk(client.take().some((text) => text.includes('new')))
  client.reachMark()
  t.equal(client.take().pop()?.split(' ')[0], 't=new')
  publisher.publish('t', 'newer', { qos: 1 })
  t.match(client.take(), [/^t=newer/])
})

t.test('retained messages keep within the window and the marks too', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  for (let number = 0; number < 500; number++) publisher.publish(`r/${number}`, KILOBYTE, { qos: 1, retain: true })
  publisher.take()
  const client = broker.connect('ann', { receiveMaximum: 5 })
  client.answersMarks = false
  client.take()
  client.subscribe('r/#', { qos: 1 })
  t.equal(client.take().length, 1 + 5)
  client.ack('puback', 1)
  t.equal(client.take().length, 1)

  const eager = broker.connect('eager')
  eager.answersMarks = false
  eager.take()
  eager.subscribe('r/#')
  t.equal(eager.take().length, 1 + 255, 'until a quarter of a megabyte has gone out')
  eager.unsubscribe('r/#')
  eager.reachMark()
  t.same(eager.take(), ['unsuback #2 0'], 'nothing more of it')
})

t.test('repeats first, then retained messages, then the queue', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  publisher.publish('r', 'retained', { qos: 1, retain: true })
  const first = broker.connect('ann', { expiry: 100 })
  first.subscribe('t', { qos: 1 })
  publisher.publish('t', 'unacknowledged', { qos: 1 })
  first.drop()
  publisher.publish('t', 'queued', { qos: 1 })
  const client = broker.connect('ann', { cleanStart: false, expiry: 100, receiveMaximum: 1 })
  client.subscribe('r', { qos: 1 })
  const order = client
    .takeAll()
    .filter((text) => text.includes('='))
    .map((text) => text.split(/[= ]/)[1])
  t.same([order[0], ...order.slice(1).sort()], ['unacknowledged', 'queued', 'retained'])
})
