import t from 'tap'
import type { BrokerConfigInput } from '../config/schema.js'
import type { TestClient } from './client.fixture.js'
import { ShardFixture } from './shard.fixture.js'

/** An offline session that is subscribed to `t` with QoS 1. */
function setUp(session: BrokerConfigInput['session'] = {}): {
  broker: ShardFixture
  publisher: TestClient
  back: () => string[]
} {
  const broker = new ShardFixture({ config: { session } })
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann', { expiry: 100 })
  client.subscribe('t', { qos: 1 })
  client.drop()
  publisher.take()
  const back = (): string[] =>
    broker
      .connect('ann', { cleanStart: false, expiry: 100 })
      .takeAll()
      .slice(1)
      .map((text) => text.split(' ')[0].slice(2))
  return { broker, publisher, back }
}

function publishAll(publisher: TestClient, texts: readonly string[]): string[] {
  for (const text of texts) publisher.publish('t', text, { qos: text.startsWith('q0') ? 0 : 1 })
  return publisher.take().map((text) => text.replace(/#\d+/, '#'))
}

t.test('offline: QoS 1 waits, QoS 0 is dropped and counted', async (t) => {
  const { broker, publisher, back } = setUp()
  t.same(publishAll(publisher, ['1', 'q0', '2']), ['puback #', 'puback #'])
  t.match(broker.counts(), { messagesStored: 2, messagesStoredBytes: 4, droppedQos0Offline: 1 })
  t.same(back(), ['1', '2'])
  t.equal(broker.count('messagesStored'), 0)
  t.equal(broker.count('messagesStoredBytes'), 0)
})

t.test('offline: QoS 0 waits too where it is configured', async (t) => {
  const { publisher, back } = setUp({ queueQos0: true })
  publishAll(publisher, ['1', 'q0', '2'])
  t.same(back(), ['1', 'q0', '2'])
})

t.test('a full queue', async (t) => {
  const cases: {
    policy: 'rejectNew' | 'dropOldest' | 'dropQos0First'
    sent: string[]
    answers: string[]
    kept: string[]
    counts: Record<string, number>
  }[] = [
    {
      policy: 'rejectNew',
      sent: ['1', 'q0a', '2', '3', 'q0b'],
      answers: ['puback #', 'puback #', 'puback # 0x97'],
      kept: ['1', 'q0a', '2'],
      counts: { droppedQueueFull: 2 },
    },
    {
      policy: 'dropOldest',
      sent: ['1', 'q0a', '2', '3', 'q0b'],
      answers: ['puback #', 'puback #', 'puback #'],
      kept: ['2', '3', 'q0b'],
      counts: { droppedQueueOldest: 2 },
    },
    {
      policy: 'dropQos0First',
      sent: ['1', 'q0a', '2', '3', '4'],
      answers: ['puback #', 'puback #', 'puback #', 'puback # 0x97'],
      kept: ['1', '2', '3'],
      counts: { droppedQueueOldest: 1, droppedQueueFull: 1 },
    },
  ]
  for (const { policy, sent, answers, kept, counts } of cases) {
    const { broker, publisher, back } = setUp({ queuedMessagesMax: 3, queueFullPolicy: policy, queueQos0: true })
    t.same(publishAll(publisher, sent), answers, policy)
    t.match(broker.counts(), { messagesStored: 3, ...counts }, policy)
    t.ok(broker.logged.length > 0, 'and the log says so')
    t.same(back(), kept, policy)
    t.equal(broker.count('messagesStoredBytes'), 0)
  }
})

t.test('a queue that is full of bytes', async (t) => {
  for (const [policy, kept] of [
    ['rejectNew', ['12345678']],
    ['dropOldest', ['abcdefgh']],
    ['dropQos0First', ['12345678']],
  ] as const) {
    const { publisher, back } = setUp({ queuedBytesMax: 12, queueFullPolicy: policy })
    publishAll(publisher, ['12345678', 'abcdefgh'])
    t.same(publishAll(publisher, ['x'.repeat(13)]), ['puback # 0x97'], `${policy}: it would never fit`)
    t.same(back(), kept, policy)
  }
})

t.test('no queue at all', async (t) => {
  for (const policy of ['rejectNew', 'dropOldest', 'dropQos0First'] as const) {
    const { publisher, back } = setUp({ queuedMessagesMax: 0, queueFullPolicy: policy })
    t.same(publishAll(publisher, ['1']), ['puback # 0x97'], policy)
    t.same(back(), [])
  }
})

t.test('success if anybody took it, refused if all who should could not', async (t) => {
  const { broker, publisher } = setUp({ queuedMessagesMax: 1 })
  publishAll(publisher, ['1'])
  t.same(publishAll(publisher, ['2']), ['puback # 0x97'])
  publisher.publish('t', 'x', { qos: 2, packetId: 50 })
  t.same(publisher.take(), ['pubrec #50 0x97'])
  publisher.publish('t', 'x', { qos: 2, packetId: 50 })
  t.same(publisher.take(), ['pubrec #50 0x97'], 'the identifier was free again')
  const online = broker.connect('online')
  online.subscribe('t')
  t.same(publishAll(publisher, ['3']), ['puback #'])
  const old = broker.connect('old', { version: 4 })
  old.publish('t', 'x', { qos: 1, packetId: 1 })
  t.same(old.take(), ['connack', 'puback #1'])
})

t.test('expired messages are not delivered [MQTT-3.3.2-5], others with the time they have left', async (t) => {
  const { broker, publisher } = setUp()
  publisher.publish('t', 'short', { qos: 1, properties: { expirySeconds: 10 } })
  publisher.publish('t', 'long', { qos: 1, properties: { expirySeconds: 100, contentType: 'text' } })
  publisher.publish('t', 'ever', { qos: 1 })
  broker.advance(10_500)
  const client = broker.connect('ann', { cleanStart: false, expiry: 100 })
  t.same(client.take(), ['connack present', 't=long q1 #1', 't=ever q1 #2'])
  t.match(client.properties, [{ expirySeconds: 90, contentType: 'text' }, { expirySeconds: undefined }])
  t.equal(broker.count('droppedExpired'), 1)
  t.equal(broker.count('messagesStored'), 0)
  client.drop()
  broker.advance(89_500)
  const late = broker.connect('ann', { cleanStart: false, expiry: 100 })
  t.match(late.take()[1], /^t=/, 'one that was sent may be sent again')
})

t.test('a message that expires late in the range', async (t) => {
  const { broker, publisher } = setUp()
  publisher.publish('t', 'x', { qos: 1, properties: { expirySeconds: 0xffff_ffff } })
  broker.advance(3_000)
  const client = broker.connect('ann', { cleanStart: false, expiry: 100 })
  t.same(client.take(), ['connack present', 't=x q1 #1'])
  t.equal(client.properties[0].expirySeconds, 0xffff_ffff - 3)
})

t.test('the maximum packet size of a client [MQTT-3.1.2-24], [MQTT-3.1.2-25]', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  // 2 fixed header, 2 + 1 topic, 2 packet identifier, 1 property length
  const client = broker.connect('ann', { maximumPacketBytes: 20, expiry: 100 })
  client.subscribe('t', { qos: 1 })
  client.take()
  for (const length of [12, 13, 14]) publisher.publish('t', 'x'.repeat(length), { qos: 1 })
  publisher.publish('t', 'x'.repeat(14), { qos: 0 })
  publisher.publish('t', 'x'.repeat(15), { qos: 0 })
  t.same(
    client.takeAll().map((text) => text.split(' ')[0].length - 2),
    [12, 14],
  )
  t.equal(broker.count('droppedPacketTooLarge'), 3)
  client.subscribe('t', { qos: 1 }, 5)
  client.take()
  for (const length of [10, 11]) publisher.publish('t', 'x'.repeat(length), { qos: 1 })
  t.same(client.takeAll().length, 1, 'the identifier counts')

  client.drop()
  for (const length of [10, 14]) publisher.publish('t', 'x'.repeat(length), { qos: 1 })
  const smaller = broker.connect('ann', { cleanStart: false, expiry: 100, maximumPacketBytes: 19, receiveMaximum: 1 })
  t.same(smaller.takeAll(), ['connack present'], 'neither fits, and neither takes a place')
  publisher.publish('t', 'y', { qos: 1 })
  t.match(smaller.take(), [/^t=y q1/])
})

t.test('a slow session is treated as offline until its socket is empty', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann')
  client.subscribe('t', { qos: 1 })
  client.take()
  client.slow(true)
  publishAll(publisher, ['1', 'q0', '2'])
  t.same(client.take(), [])
  t.match(broker.counts(), { messagesStored: 2, droppedQos0Slow: 1 })
  client.ping()
  t.same(client.take(), ['pingresp'], 'answers are no messages')
  client.slow(false)
  t.same(client.take(), ['t=1 q1 #1', 't=2 q1 #2'])
  publishAll(publisher, ['3', 'q0'])
  t.same(client.take(), ['t=3 q1 #3', 't=q0 q0 #0'])
})

t.test('QoS 0 that waits is not overtaken by QoS 0', async (t) => {
  const broker = new ShardFixture({ config: { session: { queueQos0: true } } })
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann', { receiveMaximum: 1 })
  client.subscribe('t', { qos: 1 })
  client.take()
  client.slow(true)
  publishAll(publisher, ['1', '2', 'q0a'])
  client.slow(false)
  publishAll(publisher, ['q0b'])
  t.same(
    client.takeAll().map((text) => text.split(' ')[0]),
    ['t=1', 't=2', 't=q0a', 't=q0b'],
  )
})

t.test('the log says what a client has missed, in a line', async (t) => {
  const broker = new ShardFixture({ level: 'info' })
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann', { expiry: 100 })
  client.subscribe('t', { qos: 1 })
  client.drop()
  for (let number = 0; number < 3; number++) publisher.publish('t', 'x')
  publisher.publish('t', 'late', { qos: 1, properties: { expirySeconds: 1 } })
  t.same(broker.logged, [])
  broker.advance(2_000)
  broker.connect('ann', { cleanStart: false, expiry: 100 })
  t.match(broker.logged, [
    { level: 'info', fields: { clientId: 'ann', amount: 3 }, message: /QoS 0 messages dropped while .* offline/ },
    { level: 'info', fields: { clientId: 'ann', reason: 'droppedExpired', amount: 1 } },
  ])
})
