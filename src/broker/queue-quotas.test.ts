import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import type { BrokerConfigInput } from '../config/schema.js'
import type { ClientOptions, TestClient } from './client.fixture.js'
import { type FixtureOptions, ShardFixture } from './shard.fixture.js'

const HERE = '127.0.0.1'
const THERE = '127.0.0.2'
/** Bytes of a message that waits: one of the topic, and those of `TEXT`. */
const MESSAGE = 41
const TEXT = 'x'.repeat(40)

type PerAddress = NonNullable<BrokerConfigInput['limits']>['perAddress']

function start(perAddress: PerAddress, more: Omit<FixtureOptions, 'config'> & { session?: object } = {}): ShardFixture {
  const { session = {}, ...options } = more
  return new ShardFixture({ ...options, config: { limits: { perAddress }, session } })
}

function from(address: string, options: ClientOptions = {}): ClientOptions {
  return { expiry: 1_000, cleanStart: false, request: { address }, ...options }
}

/** A session for which messages wait. */
function waitAs(broker: ShardFixture, clientId: string, options: ClientOptions, topic = 't'): void {
  const client = broker.connect(clientId, options)
  client.subscribe(topic, { qos: 2 })
  client.drop()
}

function publisherOf(broker: ShardFixture): TestClient {
  const publisher = broker.connect('publisher', { request: { address: '192.0.2.1' } })
  publisher.take()
  return publisher
}

/** @returns what the publisher is told */
function send(publisher: TestClient, topic = 't'): string {
  publisher.publish(topic, TEXT, { qos: 1 })
  return publisher.take().map((text) => text.replace(/^puback #\d+ ?/, ''))[0]
}

t.test('what waits for all sessions of an address, in all shards', async (t) => {
  const broker = start({ queuedBytesMax: 3 * MESSAGE }, { shards: 2 })
  const publisher = publisherOf(broker)
  waitAs(broker, 'one', from(HERE))
  waitAs(broker, 'other', from(HERE, { shard: 1 }))
  t.equal(send(publisher), '', 'twice one message')
  t.equal(send(publisher), '', 'one of the two has room')
  t.equal(broker.count('droppedQueueFull'), 1)
  t.equal(send(publisher), '0x97', 'neither has')
  t.equal(broker.count('messagesStored'), 3)
  t.match(broker.logged, [{ message: 'message refused: limits.perAddress.queuedBytesMax is reached' }])
  waitAs(broker, 'elsewhere', from(THERE))
  t.equal(send(publisher), '', 'of another address')
  broker.connect('one', from(HERE)).takeAll()
  const taken = broker.connect('other', from(HERE, { shard: 1 }))
  taken.takeAll()
  taken.drop()
  t.equal(send(publisher), '', 'taken: there is room again')
  t.equal(broker.count('droppedQueueFull'), 5)
})

t.test('and of a user, from whatever address', async (t) => {
  const broker = new ShardFixture({ config: { limits: { perUser: { queuedBytesMax: 2 * MESSAGE } } } })
  const publisher = publisherOf(broker)
  waitAs(broker, 'one', from(HERE, { request: { userName: 'ann', address: HERE } }))
  waitAs(broker, 'other', from(THERE, { request: { userName: 'ann', address: THERE } }))
  t.equal(send(publisher), '')
  t.equal(send(publisher), '0x97')
  waitAs(broker, 'nobody', from(HERE))
  t.equal(send(publisher), '', 'who has no user has no limit of a user')
  t.match(broker.logged, [{ message: /limits.perUser.queuedBytesMax is reached/ }])
})

t.test('a session that ends, or comes from elsewhere, takes along what waits', async (t) => {
  const broker = start({ queuedBytesMax: 2 * MESSAGE })
  const publisher = publisherOf(broker)
  const answers = (count: number): string[] => Array.from({ length: count }, () => send(publisher))
  waitAs(broker, 'one', from(HERE))
  t.same(answers(2), ['', ''])
  waitAs(broker, 'two', from(HERE))
  t.same(answers(1), ['0x97'])
  broker.connect('one', from(HERE, { cleanStart: true, expiry: 0 })).drop()
  t.same(answers(3), ['', '', '0x97'], 'for the second one')
  const roaming = broker.connect('two', from(THERE, { receiveMaximum: 1 }))
  roaming.unsubscribe('t')
  roaming.drop() // one message was sent, the other still waits
  waitAs(broker, 'three', from(HERE))
  t.same(answers(3), ['', '', '0x97'], 'there is room where it was')
  waitAs(broker, 'four', from(THERE))
  t.same(answers(2), ['', '0x97'], 'and less where it is')
})

t.test('a limit that is set later, and a restart, count what waits', async (t) => {
  const engine = new MemoryEngine()
  const before = start({}, { engine })
  waitAs(before, 'one', from(HERE))
  const publisher = publisherOf(before)
  for (let i = 0; i < 2; i++) t.equal(send(publisher), '')
  before.config.limits.perAddress.queuedBytesMax = 3 * MESSAGE
  before.advance(250)
  t.equal(send(publisher), '')
  t.equal(send(publisher), '0x97')
  const limits = { perAddress: { queuedBytesMax: 4 * MESSAGE } }
  const after = before.crash({ config: { limits } })
  const again = publisherOf(after)
  t.equal(send(again), '')
  t.equal(send(again), '0x97')
  const later = before.crash({ config: { limits }, loadsLater: true })
  const last = publisherOf(later)
  t.equal(send(last), '', 'what is still in the store does not count yet')
  const unlimited = before.crash({ config: {}, loadsLater: true })
  const first = publisherOf(unlimited)
  t.equal(send(first), '')
  unlimited.config.limits.perAddress.queuedBytesMax = MESSAGE
  unlimited.advance(250)
  t.equal(send(first), '0x97', 'what waits behind the store counts')
  later.load()
  t.equal(send(last), '0x97')
})

t.test('what is dropped, or given to another member of a shared subscription, waits no more', async (t) => {
  const limit = { queuedBytesMax: 2 * MESSAGE }
  const session = { queueQos0: true, queuedMessagesMax: 2, queueFullPolicy: 'dropQos0First' }
  const dropping = start(limit, { session })
  const publisher = publisherOf(dropping)
  waitAs(dropping, 'one', from(HERE))
  for (let i = 0; i < 2; i++) publisher.publish('t', TEXT)
  for (let i = 0; i < 2; i++) t.equal(send(publisher), '', 'in place of QoS 0')
  const sharing = start(limit)
  const member = sharing.connect('member', from(HERE))
  member.subscribe('$share/g/t', { qos: 1 })
  const neighbour = sharing.connect('neighbour', from(THERE, { receiveMaximum: 1 }))
  const sender = publisherOf(sharing)
  member.drop()
  for (let i = 0; i < 2; i++) t.equal(send(sender), '')
  t.equal(send(sender), '0x97')
  neighbour.subscribe('$share/g/t', { qos: 1 })
  sharing.connect('member', from(HERE, { receiveMaximum: 1 })).drop()
  t.same(neighbour.take().length, 3, 'it has got one of them, and has none acknowledged')
  waitAs(sharing, 'third', from(HERE), 'u')
  t.same([send(sender, 'u'), send(sender, 'u'), send(sender, 'u')], ['', '', '0x97'])
})
