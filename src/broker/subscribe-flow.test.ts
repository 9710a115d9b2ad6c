import t from 'tap'
import { ShardFixture } from './shard.fixture.js'

t.test('one reason code for each filter, in their order', async (t) => {
  const broker = new ShardFixture({ config: { topic: { levelsMax: 3, bytesMax: 20 } } })
  const filters = ['a', '$share/g/a', 'a/b/c/d', 'x'.repeat(21), '+/+/#']
  for (const [version, codes] of [
    [5, '1,1,143,143,1'],
    [4, '1,1,128,128,1'],
  ] as const) {
    const client = broker.connect('ann', { version })
    client.subscribe(filters, { qos: 1 })
    t.same(client.take(), ['connack', `suback #1 ${codes}`], `version ${version}`)
    t.match(broker.counts(), { subscriptions: 2, sharedSubscriptions: 1 })
    client.drop()
  }
  t.equal(broker.count('refusedSubscriptions'), 4)
})

t.test('a filter that is not well-formed ends the connection, and nothing of its packet counts', async (t) => {
  const broker = new ShardFixture()
  for (const filter of ['a/#/b', '$share//a', 'a+', '#a']) {
    const client = broker.connect('ann')
    client.subscribe(['good', filter])
    t.same(client.take(), ['connack', 'disconnect 0x81', 'closed'], filter)
    t.equal(broker.count('subscriptions'), 0)
  }
})

t.test('subscribing again replaces [MQTT-3.8.4-3]', async (t) => {
  const broker = new ShardFixture()
  const [publisher, client] = [broker.connect('publisher'), broker.connect('ann')]
  client.subscribe('t', { qos: 2 }, 1)
  client.subscribe('t', { qos: 0 }, 2)
  client.subscribe('$share/g/s', { qos: 2 })
  client.subscribe('$share/g/s', { qos: 0 })
  client.take()
  for (const topic of ['t', 's']) publisher.publish(topic, 'x', { qos: 2 })
  t.same(client.take(), ['t=x q0 #0', 's=x q0 #0'])
  t.same(client.properties[0].subscriptionIdentifiers, [2])
  t.match(broker.counts(), { subscriptions: 1, sharedSubscriptions: 1 })
})

t.test('the number of subscriptions is bounded; those that exist may be changed', async (t) => {
  const broker = new ShardFixture({ config: { session: { subscriptionsMax: 2 } } })
  const client = broker.connect('ann')
  client.subscribe(['a', 'b', 'c', 'a'])
  t.same(client.take(), ['connack', 'suback #1 0,0,151,0'])
  client.unsubscribe('a')
  client.subscribe('c')
  t.same(client.take(), ['unsuback #2 0', 'suback #3 0'])
})

t.test('unsubscribing compares character by character [MQTT-3.10.4-1]', async (t) => {
  const broker = new ShardFixture()
  const [publisher, client] = [broker.connect('publisher'), broker.connect('ann')]
  client.subscribe(['a/+', 'a/b', '$share/g/a/b'])
  client.take()
  client.unsubscribe('a/b', 'a/b', 'a/#', 'A/b', '$share/h/a/b')
  t.same(client.take(), ['unsuback #2 0,17,17,17,17'])
  publisher.publish('a/b', 'x')
  t.same(client.take(), ['a/b=x q0 #0', 'a/b=x q0 #0'], 'by the wildcard, and as a member of the group')
  client.unsubscribe('a/+', '$share/g/a/b')
  client.take()
  publisher.publish('a/b', 'x')
  t.same(client.take(), [])
  t.match(broker.counts(), { subscriptions: undefined, sharedSubscriptions: undefined })
})

t.test('packets in one read are worked off in order', async (t) => {
  const broker = new ShardFixture()
  const client = broker.connect('ann')
  client.take()
  client.subscribe('t')
  client.publish('t', 'own')
  client.ping()
  client.unsubscribe('t')
  client.publish('t', 'own')
  t.same(client.take(), ['suback #1 0', 't=own q0 #0', 'pingresp', 'unsuback #2 0'])
})

t.test('retained messages and retain handling', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  publisher.publish('r/1', 'one', { qos: 1, retain: true })
  publisher.publish('r/2', 'two', { qos: 2, retain: true })
  const got = (texts: readonly string[]): string[] => texts.filter((text) => text.startsWith('r/')).sort()
  const both = [/^r\/1=one q1 #\d+ retain$/, /^r\/2=two q1 #\d+ retain$/]
  const client = broker.connect('ann')
  client.subscribe('r/+', { qos: 1, retainHandling: 1 }, 7)
  t.match(got(client.takeAll()), both, 'a new subscription')
  t.same(client.properties[0].subscriptionIdentifiers, [7])
  client.subscribe('r/+', { qos: 1, retainHandling: 1 })
  t.same(got(client.takeAll()), [], 'it exists')
  client.subscribe('r/+', { qos: 1, retainHandling: 0 })
  t.match(got(client.takeAll()), both, 'always')
  client.subscribe('r/#', { qos: 1, retainHandling: 2 })
  t.same(got(client.takeAll()), [], 'never')
  client.subscribe('$share/g/r/+', { qos: 1 })
  t.same(got(client.takeAll()), [], 'shared ones get none')
  publisher.publish('r/1', '', { retain: true })
  t.match(client.takeAll(), [/^r\/1= q0/, /^r\/1= q0/], 'the clearing message itself is delivered')
  client.subscribe('r/+', { qos: 0 })
  t.same(got(client.takeAll()), ['r/2=two q0 #0 retain'])
})

t.test('the SUBACK comes before the retained messages, and these once for each filter', async (t) => {
  const broker = new ShardFixture()
  broker.connect('publisher').publish('r', 'x', { retain: true })
  const client = broker.connect('ann')
  client.subscribe(['r', 'nothing', '#'])
  t.same(client.take(), ['connack', 'suback #1 0,0,0', 'r=x q0 #0 retain', 'r=x q0 #0 retain'])
})

t.test('retained messages: limits, and expiry', async (t) => {
  const broker = new ShardFixture({ config: { retained: { messagesMax: 1 } } })
  const publisher = broker.connect('publisher')
  publisher.publish('a', 'x', { qos: 1, retain: true, properties: { expirySeconds: 10 } })
  publisher.publish('b', 'x', { qos: 1, retain: true })
  publisher.publish('a', 'y', { qos: 1, retain: true, properties: { expirySeconds: 10 } })
  t.same(publisher.take(), ['connack', 'puback #1 0x10', 'puback #2 0x97', 'puback #3 0x10'])
  t.equal(broker.count('droppedRetainedFull'), 1)
  broker.advance(4_000)
  const client = broker.connect('ann')
  client.subscribe('#')
  t.same(client.take().slice(2), ['a=y q0 #0 retain'])
  t.equal(client.properties[0].expirySeconds, 6)
  broker.advance(6_000)
  client.subscribe('#')
  t.match(client.take(), [/^suback/])
  t.match(broker.counts(), { droppedExpired: 1, retainedMessages: undefined, retainedBytes: undefined })
})

t.test('subscribing and unsubscribing for days leaves nothing behind', async (t) => {
  const broker = new ShardFixture()
  const [client, publisher] = [broker.connect('ann'), broker.connect('publisher')]
  for (let turn = 0; turn < 1_100; turn++) {
    client.subscribe(`t/${turn}`)
    client.unsubscribe(`t/${turn}`)
  }
  client.take()
  t.ok(broker.shard().filters.size < 1_024, `${broker.shard().filters.size} filters`)
  client.subscribe('t/5')
  publisher.publish('t/5', 'x')
  t.same(client.take().slice(1), ['t/5=x q0 #0'])
})
