import t from 'tap'
import type { TestClient } from './client.fixture.js'
import { ShardFixture } from './shard.fixture.js'

t.test('another member takes over what one did not acknowledge', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const [ann, bob] = ['ann', 'bob'].map((name) => {
    const client = broker.connect(name, { expiry: name === 'ann' ? 0 : 100 })
    client.subscribe('$share/g/t', { qos: 2 })
    client.take()
    return client
  })
  for (const text of ['1', '2', '3', '4']) publisher.publish('t', text, { qos: 1 })
  const [toAnn, toBob] = [ann.take(), bob.take()]
  t.equal(toAnn.length, 2)
  t.equal(toBob.length, 2)
  ann.ack('puback', Number(/#(\d+)/.exec(toAnn[0])?.[1]))
  ann.drop()
  const moved = bob.take()
  t.same(
    moved.map((text) => text.split(' ')[0]),
    [toAnn[1].split(' ')[0]],
    'the one without PUBACK, and that only',
  )
  bob.drop()
  const cas = broker.connect('cas')
  cas.subscribe('$share/g/t', { qos: 2 })
  t.same(cas.take(), ['connack', 'suback #1 2'], 'nobody was there when bob went: he keeps his')
  const again = broker.connect('bob', { cleanStart: false, expiry: 100 })
  t.equal(again.takeAll().filter((text) => text.startsWith('t=')).length, 3)
})

t.test('what waits for an offline member goes to one that is there', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const join = (name: string, receiveMaximum = 10) => {
    const client = broker.connect(name, { expiry: 100, receiveMaximum })
    client.subscribe('$share/g/t', { qos: 1 })
    client.take()
    return client
  }
  const [ann, bob] = [join('ann', 1), join('bob', 1)]
  for (const text of ['1', '2', '3', '4']) publisher.publish('t', text, { qos: 1 })
  t.equal(ann.take().length + bob.take().length, 2, 'windows are full, two wait')
  ann.drop()
  t.same(
    bob
      .takeAll()
      .concat(bob.takeAll())
      .filter((text) => text.startsWith('t=')),
    [],
    'bob has not acknowledged his yet',
  )
  bob.ack('puback', 1)
  const rest = bob.takeAll().map((text) => text.split(' ')[0])
  t.equal(new Set(rest).size, 3, `${rest}`)
  t.equal(broker.count('messagesStored'), 0)
})

t.test('a QoS 2 message that was sent stays with its member [MQTT-4.8.2-4]', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const ann = broker.connect('ann', { expiry: 100 })
  ann.subscribe('$share/g/t', { qos: 2 })
  ann.take()
  publisher.publish('t', 'x', { qos: 2 })
  t.same(ann.take(), ['t=x q2 #1'])
  const bob = broker.connect('bob')
  bob.subscribe('$share/g/t', { qos: 2 })
  bob.take()
  ann.drop()
  t.same(bob.take(), [])
  t.same(broker.connect('ann', { cleanStart: false, expiry: 100 }).take(), ['connack present', 't=x q2 #1 dup'])
})

t.test('the last member is gone, and its messages with it', async (t) => {
  const broker = new ShardFixture()
  const ann = broker.connect('ann')
  ann.subscribe('$share/g/t', { qos: 1 })
  ann.take()
  broker.connect('publisher').publish('t', 'x', { qos: 1 })
  ann.drop()
  t.equal(broker.count('droppedSessionEnded'), 1)
  const bob = broker.connect('bob')
  bob.subscribe('$share/g/t', { qos: 1 })
  t.same(bob.take(), ['connack', 'suback #1 1'])
})

/** Two shards with a client each: `ann` in the first, `bob` in the second. */
function twoShards(): { broker: ShardFixture; ann: TestClient; bob: TestClient } {
  const broker = new ShardFixture({ shards: 2 })
  const clients = { ann: broker.connect('ann'), bob: broker.connect('bob', { shard: 1 }) }
  clients.ann.take()
  clients.bob.take()
  return { broker, ...clients }
}

t.test('members of two shards take turns', async (t) => {
  const { broker, ann, bob } = twoShards()
  const members = [ann, bob, broker.connect('cas', { shard: 1 })]
  for (const member of members) {
    member.subscribe('$share/g/t', { qos: 1 })
    member.take()
  }
  const publisher = broker.connect('publisher')
  for (let number = 0; number < 60; number++) publisher.publish('t', String(number), { qos: 1 })
  const got = members.map((member) => member.takeAll())
  t.equal(new Set(got.flat().map((text) => text.split(' ')[0])).size, 60, 'each message once')
  t.same(
    got.map((texts) => texts.length),
    [20, 20, 20],
    'round robin',
  )
  t.equal(publisher.take().filter((text) => /^puback #\d+$/.test(text)).length, 60)
})

t.test('hash strategies choose the same member again', async (t) => {
  for (const strategy of ['hashTopic', 'hashClient', 'sticky'] as const) {
    const broker = new ShardFixture({ shards: 2, config: { sharedSubscription: { strategy } } })
    const members = [0, 1, 1].map((shard, number) => {
      const member = broker.connect(`m${number}`, { shard })
      member.subscribe('$share/g/+')
      member.take()
      return member
    })
    const publishers = ['p1', 'p2'].map((name) => broker.connect(name))
    const owners = new Map<string, Set<number>>()
    for (let turn = 0; turn < 5; turn++) {
      for (const [p, publisher] of publishers.entries()) {
        for (const topic of ['a', 'b', 'c', 'd', 'e']) {
          publisher.publish(topic, `${p}`)
          const owner = members.findIndex((member) => member.take().length > 0)
          const key = strategy === 'hashTopic' ? topic : strategy === 'hashClient' ? String(p) : 'all'
          owners.set(key, (owners.get(key) ?? new Set()).add(owner))
        }
      }
    }
    for (const [key, owner] of owners) t.equal(owner.size, 1, `${strategy} ${key}`)
  }
})

t.test('when the last member of a shard ends, one of another shard takes over', async (t) => {
  const { broker, ann, bob } = twoShards()
  ann.subscribe('$share/g/t', { qos: 1 })
  ann.take()
  broker.connect('publisher').publish('t', 'x', { qos: 1, properties: { expirySeconds: 60 } })
  t.same(ann.take(), ['t=x q1 #1'])
  bob.subscribe('$share/g/t', { qos: 1 })
  bob.take()
  broker.advance(10_000)
  ann.drop()
  t.same(bob.take(), ['t=x q1 #1'])
  t.equal(bob.properties[0].expirySeconds, 50)
  t.equal(broker.count('droppedSessionEnded'), 0)
})

t.test('shards whose members are all offline get no turn [MQTT-4.8.2-4]', async (t) => {
  const broker = new ShardFixture({ shards: 2 })
  const publisher = broker.connect('publisher')
  const near = broker.connect('near', { expiry: 100 })
  const far = broker.connect('far', { shard: 1, expiry: 100 })
  for (const client of [near, far]) {
    client.subscribe('$share/g/t', { qos: 1 })
    client.take()
  }
  far.drop()
  for (let number = 0; number < 4; number++) publisher.publish('t', String(number), { qos: 1 })
  t.equal(near.take().length, 4)
  t.equal(broker.count('messagesStored'), 0)
  const again = broker.connect('far', { shard: 1, cleanStart: false, expiry: 100 })
  again.take()
  near.drop()
  t.equal(again.takeAll().length, 4, 'what a member did not acknowledge goes on to another shard')
})

t.test('a session that is alone in its shard hands over when it goes', async (t) => {
  const broker = new ShardFixture({ shards: 2 })
  const publisher = broker.connect('publisher')
  const near = broker.connect('near', { expiry: 100 })
  near.subscribe('$share/g/t', { qos: 1 })
  near.take()
  publisher.publish('t', 'x', { qos: 1 })
  near.drop()
  const far = broker.connect('far', { shard: 1 })
  far.subscribe('$share/g/t', { qos: 1 })
  t.same(far.take(), ['connack', 'suback #1 1'], 'nobody was there when it went: it keeps its own')
  const again = broker.connect('near', { cleanStart: false, expiry: 100 })
  t.equal(again.take().length, 2)
  again.drop()
  t.equal(far.take().length, 1)
})
