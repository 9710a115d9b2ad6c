import t from 'tap'
import type { TestClient } from './client.fixture.js'
import { InflightState } from './inflight.js'
import { ShardFixture } from './shard.fixture.js'

/** A persistent session that is subscribed to `t` with QoS 2, and somebody who publishes. */
function setUp(receiveMaximum?: number): { broker: ShardFixture; publisher: TestClient; subscriber: TestClient } {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const subscriber = broker.connect('subscriber', { expiry: 1_000, receiveMaximum })
  subscriber.subscribe('t', { qos: 2 })
  for (const client of [publisher, subscriber]) client.take()
  return { broker, publisher, subscriber }
}

function again(broker: ShardFixture, receiveMaximum?: number): TestClient {
  return broker.connect('subscriber', { cleanStart: false, expiry: 1_000, receiveMaximum })
}

t.test('QoS 2 to a client', async (t) => {
  const { publisher, subscriber } = setUp()
  publisher.publish('t', 'x', { qos: 2 })
  t.same(subscriber.take(), ['t=x q2 #1'])
  subscriber.ack('pubrec', 1)
  t.same(subscriber.take(), ['pubrel #1'])
  subscriber.ack('pubrec', 1)
  t.same(subscriber.take(), ['pubrel #1'], 'a repeat is answered again')
  subscriber.ack('pubcomp', 1)
  t.same(subscriber.take(), [])
  subscriber.ack('pubrec', 1)
  t.same(subscriber.take(), ['pubrel #1 0x92'], 'nothing is known of it any more')
})

t.test('acknowledgements that fit nothing change nothing', async (t) => {
  const { publisher, subscriber } = setUp(2)
  publisher.publish('t', 'x', { qos: 1 })
  publisher.publish('t', 'y', { qos: 2 })
  t.same(subscriber.take(), ['t=x q1 #1', 't=y q2 #2'])
  subscriber.ack('puback', 2)
  subscriber.ack('pubcomp', 2)
  subscriber.ack('pubcomp', 1)
  subscriber.ack('puback', 999)
  subscriber.ack('pubrec', 999, 0x80)
  publisher.publish('t', 'z', { qos: 1 })
  t.same(subscriber.take(), [], 'the window is still full')
  subscriber.ack('puback', 1)
  t.same(subscriber.take(), ['t=z q1 #3'])
})

t.test('a PUBREC with a failure ends the message and frees its place [MQTT-4.4.0-2]', async (t) => {
  const { publisher, subscriber } = setUp(1)
  publisher.publish('t', '1', { qos: 2 })
  publisher.publish('t', '2', { qos: 2 })
  t.same(subscriber.take(), ['t=1 q2 #1'])
  subscriber.ack('pubrec', 1, 0x97)
  t.same(subscriber.take(), ['t=2 q2 #2'])
})

t.test('the receive maximum of the client is never exceeded [MQTT-3.3.4-9]', async (t) => {
  const { publisher, subscriber } = setUp(3)
  for (let number = 1; number <= 6; number++) publisher.publish('t', String(number), { qos: number % 2 === 0 ? 2 : 1 })
  t.same(subscriber.take(), ['t=1 q1 #1', 't=2 q2 #2', 't=3 q1 #3'])
  subscriber.ack('pubrec', 2)
  t.same(subscriber.take(), ['pubrel #2'], 'a PUBREC frees no place')
  publisher.publish('t', 'qos 0', { qos: 0 })
  t.same(subscriber.take(), ['t=qos 0 q0 #0'], 'QoS 0 has nothing to do with it')
  subscriber.ack('pubcomp', 2)
  t.same(subscriber.take(), ['t=4 q2 #4'])
  t.same(subscriber.takeAll().length, 0)
  subscriber.ack('puback', 1)
  subscriber.ack('puback', 3)
  t.same(subscriber.take(), ['t=5 q1 #5', 't=6 q2 #6'])
})

t.test('after a reconnection, what was not acknowledged comes again in order [MQTT-4.4.0-1]', async (t) => {
  const { broker, publisher, subscriber } = setUp()
  for (let number = 1; number <= 4; number++) publisher.publish('t', String(number), { qos: number % 2 === 0 ? 2 : 1 })
  subscriber.ack('puback', 1)
  subscriber.ack('pubrec', 2)
  subscriber.drop()
  publisher.publish('t', '5', { qos: 1 })
  const next = again(broker)
  const texts = next.take()
  t.same(texts[0], 'connack present')
  t.same(
    texts.slice(1).filter((text) => text.startsWith('t=')),
    ['t=3 q1 #3 dup', 't=4 q2 #4 dup', 't=5 q1 #5'],
    'DUP on what was sent before only [MQTT-3.3.1-1]',
  )
  t.same(
    texts.filter((text) => text.startsWith('pubrel')),
    ['pubrel #2'],
    'what had its PUBREC goes on with PUBREL',
  )
  next.ack('pubcomp', 2)
  next.drop()
  t.same(again(broker).take().sort(), ['connack present', 't=3 q1 #3 dup', 't=4 q2 #4 dup', 't=5 q1 #5 dup'])
})

t.test('repeats keep within the new receive maximum', async (t) => {
  const { broker, publisher, subscriber } = setUp(10)
  for (let number = 1; number <= 4; number++) publisher.publish('t', String(number), { qos: 1 })
  subscriber.drop()
  const next = again(broker, 2)
  t.same(next.take(), ['connack present', 't=1 q1 #1 dup', 't=2 q1 #2 dup'])
  publisher.publish('t', '5', { qos: 1 })
  t.same(next.take(), [], 'new ones wait behind the repeats')
  next.ack('puback', 3)
  t.same(next.take(), [], 'of the earlier connection: it frees no place in this one')
  next.ack('puback', 1)
  t.same(next.take(), ['t=4 q1 #4 dup'])
  t.same(next.takeAll(), [])
  next.ack('puback', 2)
  t.same(next.takeAll(), ['t=5 q1 #5'])
})

t.test('identifiers that wait for PUBCOMP do not run out', async (t) => {
  // a client that sends PUBREC, drops its connection and comes again gets a new quota each time, but no new identifiers
  const { broker, publisher, subscriber } = setUp(10)
  const session = broker.shard().sessions.get('subscriber')
  for (let count = 0; count < 65_534; count++) session?.inflight.reserve(InflightState.AWAITING_PUBCOMP, undefined)
  for (const text of ['1', '2', '3']) publisher.publish('t', text, { qos: 2 })
  t.same(subscriber.take(), ['t=1 q2 #65535'], 'the last one')
  publisher.publish('t', 'qos 0')
  t.same(subscriber.take(), ['t=qos 0 q0 #0'])
  subscriber.ack('pubcomp', 77)
  t.same(subscriber.take(), ['t=2 q2 #77'], 'one is free again')

  const retaining = broker.connect('retaining')
  retaining.publish('r/1', 'retained', { qos: 1, retain: true })
  subscriber.subscribe('r/+', { qos: 1 })
  t.match(subscriber.take(), [/^suback/])
  subscriber.ack('pubcomp', 78)
  t.same(subscriber.take(), ['r/1=retained q1 #78 retain'])
})
