import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { Quotas } from './quotas.js'
import { ShardFixture } from './shard.fixture.js'

const FOREVER = Number.POSITIVE_INFINITY

type Limits = NonNullable<BrokerConfigInput['limits']>

/** Quotas of two shards. */
function quotas(given: Pick<Limits, 'perUser' | 'perAddress'>) {
  const { limits } = BrokerConfig.parse({ limits: given })
  const [users, addresses] = [createSharedCountsMemory(2, 100), createSharedCountsMemory(2, 100)]
  const of = (shard: number): Quotas =>
    new Quotas({
      userCounts: new SharedCounts(users, shard),
      addressCounts: new SharedCounts(addresses, shard),
      limits: () => limits,
      sessions: () => [],
    })
  return { one: of(0), other: of(1), limits }
}

/** From an address of its own unless told. */
function owner(userName: string | undefined, address = `unix:${userName ?? ''}`) {
  return { userName, address }
}

function sessionOf(identity: ReturnType<typeof owner>, subscriptions: number) {
  return { identity, subscriptions: { size: subscriptions }, queue: { bytes: 0 }, late: undefined }
}

const [ANN, BOB] = [owner('ann'), owner('bob')]
const NOBODY = owner(undefined)

t.test('connections of a user, in all shards', async (t) => {
  const { one, other } = quotas({ perUser: { connectionsMax: 2 } })
  t.ok(one.connect('ann', false))
  t.ok(other.connect('ann', false))
  t.notOk(one.connect('ann', false))
  t.ok(one.connect('bob', false))
  t.ok(one.connect('ann', true), 'takes the place of another')
  one.disconnected('ann')
  t.notOk(other.connect('ann', false))
  other.disconnected('ann')
  t.ok(one.connect('ann', false))
  for (let i = 0; i < 5; i++) t.ok(one.connect(undefined, false), 'anonymous clients are nobody together')
})

t.test('a limit that is set later counts what was there before', async (t) => {
  const { one, limits } = quotas({})
  for (let i = 0; i < 5; i++) t.equal(one.subscribe(ANN), undefined)
  limits.perUser.subscriptionsMax = 5
  t.equal(one.subscribe(ANN), 'perUser')
  one.unsubscribed(ANN)
  t.equal(one.subscribe(ANN), undefined)
})

t.test('subscriptions move with the session', async (t) => {
  const { one, other } = quotas({ perUser: { subscriptionsMax: 3 } })
  for (let i = 0; i < 3; i++) one.restored(ANN)
  t.equal(other.subscribe(ANN), 'perUser')
  one.moved(sessionOf(ANN, 3), BOB)
  t.equal(other.subscribe(ANN), undefined)
  t.equal(other.subscribe(BOB), 'perUser')
  one.moved(sessionOf(BOB, 3), NOBODY)
  t.equal(other.subscribe(BOB), undefined)
})

t.test('subscriptions of an address, in all shards, whoever has them', async (t) => {
  const { one, other } = quotas({ perAddress: { subscriptionsMax: 3 } })
  const [here, there] = ['192.0.2.1', '192.0.2.2']
  t.equal(one.subscribe(owner('ann', here)), undefined)
  t.equal(other.subscribe(owner('bob', here)), undefined)
  t.equal(one.subscribe(owner(undefined, here)), undefined)
  t.equal(other.subscribe(owner(undefined, here)), 'perAddress')
  t.equal(one.subscribe(owner('ann', there)), undefined)
  one.unsubscribed(owner(undefined, here))
  t.equal(other.subscribe(owner(undefined, here)), undefined, 'given back')
  t.equal(one.subscribe(owner('ann', here)), 'perAddress')
  one.moved(sessionOf(owner('ann', here), 1), owner('ann', there))
  t.equal(one.subscribe(owner('ann', here)), undefined, 'its session has come from elsewhere since')
  t.equal(one.subscribe(owner('ann', there)), undefined)
  t.equal(one.subscribe(owner('ann', there)), 'perAddress')
  for (const free of [owner(undefined, ''), owner('root', there)]) {
    for (let i = 0; i < 5; i++) t.equal(one.subscribe(free), undefined, 'not known where from, or root')
  }
  one.moved(sessionOf(owner('root', there), 5), owner('bob', here))
  t.equal(one.subscribe(owner('bob', here)), 'perAddress', 'over the limit, and stays')
})

t.test('of IPv6 a /64 network is one address', async (t) => {
  const { one } = quotas({ perAddress: { subscriptionsMax: 1, retainedBytesMax: 10 } })
  t.equal(one.subscribe(owner(undefined, '2001:db8::1')), undefined)
  t.equal(one.subscribe(owner(undefined, '2001:db8::ffff:2')), 'perAddress')
  t.equal(one.subscribe(owner(undefined, '2001:db8:0:1::1')), undefined)
  one.retained(owner(undefined, '2001:db8::1'), 'a', 10, 64, FOREVER)
  t.equal(one.retainedLimit(owner(undefined, '2001:db8::2'), 'b', 1), 'perAddress')
})

t.test('what one limit refuses does not count for the other', async (t) => {
  const { one, limits } = quotas({ perUser: { subscriptionsMax: 2 }, perAddress: { subscriptionsMax: 1 } })
  t.equal(one.subscribe(owner('ann', '192.0.2.1')), undefined)
  for (let i = 0; i < 3; i++) t.equal(one.subscribe(owner('ann', '192.0.2.1')), 'perAddress')
  t.equal(one.subscribe(owner('ann', '192.0.2.2')), undefined, 'two in all')
  limits.perAddress.subscriptionsMax = 2
  t.equal(one.subscribe(owner('ann', '192.0.2.2')), 'perUser')
  t.equal(one.subscribe(owner('bob', '192.0.2.2')), undefined)
})

t.test('bytes of retained messages belong to who has published them', async (t) => {
  const { one, other } = quotas({ perUser: { retainedBytesMax: 100 } })
  const held = (): unknown[] => [one.retainedLimit(ANN, 'new', 41), one.retainedLimit(ANN, 'new', 40)]
  t.equal(one.retainedLimit(ANN, 'a', 100), undefined)
  t.equal(one.retainedLimit(ANN, 'a', 101), 'perUser')
  one.retained(ANN, 'a', 60, 64, FOREVER)
  t.same(held(), ['perUser', undefined])
  t.equal(other.retainedLimit(ANN, 'b', 41), 'perUser', 'in all shards')
  t.equal(one.retainedLimit(ANN, 'a', 100), undefined, 'in place of what the topic has')
  one.replaced('a', 63)
  t.same(held(), ['perUser', undefined], 'an older one does not replace it')
  other.retained(BOB, 'a', 90, 129, FOREVER)
  one.replaced('a', 129)
  t.equal(one.retainedLimit(ANN, 'new', 100), undefined, 'given back')
  t.equal(one.retainedLimit(BOB, 'new', 11), 'perUser')
  other.retained(undefined, 'a', 10, 193, FOREVER)
  t.equal(one.retainedLimit(BOB, 'new', 100), undefined, 'replaced by what belongs to nobody')
  other.retained(BOB, 'a', 90, 257, FOREVER)
  other.retained(BOB, 'a', 0, 321, FOREVER)
  t.equal(one.retainedLimit(BOB, 'new', 100), undefined, 'cleared')
  t.equal(one.retainedLimit(NOBODY, 'new', 1e9), undefined)
})

t.test('and to the address they have come from', async (t) => {
  const { one, other } = quotas({ perAddress: { retainedBytesMax: 100 } })
  const [here, there] = [owner('ann', '192.0.2.1'), owner('ann', '192.0.2.2')]
  const neighbour = owner(undefined, '192.0.2.1')
  one.retained(here, 'a', 60, 64, FOREVER)
  other.retained(neighbour, 'b', 40, 65, 5_000)
  t.equal(one.retainedLimit(neighbour, 'c', 1), 'perAddress', 'of all its clients, in all shards')
  t.equal(one.retainedLimit(there, 'c', 100), undefined)
  t.equal(one.retainedLimit(here, 'a', 60), undefined, 'in place of what the topic has')
  one.retained(there, 'a', 60, 128, FOREVER)
  t.equal(one.retainedLimit(neighbour, 'c', 60), undefined, 'published last from elsewhere')
  t.equal(one.retainedLimit(there, 'c', 41), 'perAddress')
  other.tick(5_000)
  t.equal(one.retainedLimit(neighbour, 'c', 100), undefined, 'expired')
  one.replaced('a', 192)
  t.equal(one.retainedLimit(there, 'c', 100), undefined)
  one.retained(owner('ann', ''), 'd', 200, 256, FOREVER)
  t.equal(one.retainedLimit(owner('ann', ''), 'e', 200), undefined, 'not known where from')
})

t.test('what expires is given back', async (t) => {
  const { one } = quotas({ perUser: { retainedBytesMax: 100 } })
  one.retained(ANN, 'a', 60, 64, 5_000)
  one.retained(ANN, 'b', 40, 128, 6_000)
  one.retained(ANN, 'b', 40, 192, FOREVER)
  one.tick(4_999)
  t.equal(one.retainedLimit(ANN, 'c', 1), 'perUser')
  one.tick(6_000)
  t.equal(one.retainedLimit(ANN, 'c', 60), undefined)
  t.equal(one.retainedLimit(ANN, 'c', 61), 'perUser')
  one.replaced('a', 1_000)
  t.equal(one.retainedLimit(ANN, 'c', 61), 'perUser', 'once')
})

t.test('nothing is remembered of who has nothing', async (t) => {
  const { one } = quotas({ perAddress: { subscriptionsMax: 1, retainedBytesMax: 10 } })
  let refused = 0
  for (let i = 0; i < 5_000; i++) {
    const client = owner(undefined, `10.0.${i >> 8}.${i & 255}`)
    if (one.subscribe(client) !== undefined) refused++
    one.retained(client, 'a', 10, i, FOREVER)
    one.unsubscribed(client)
  }
  t.equal(refused, 0, 'there is room for each')
})

// ---------- as clients see it ----------

const HERE = { request: { address: '127.0.0.1' } }
const THERE = { request: { address: '127.0.0.2' } }

t.test('subscriptions of all clients of an address', async (t) => {
  const config = { limits: { perAddress: { subscriptionsMax: 2 } } }
  const broker = new ShardFixture({ shards: 2, config })
  const [one, other] = [broker.connect('one', HERE), broker.connect('other', { ...HERE, shard: 1 })]
  const elsewhere = broker.connect('elsewhere', THERE)
  one.subscribe(['a', 'b'])
  other.subscribe('c')
  elsewhere.subscribe('c')
  t.same(other.take(), ['connack', 'suback #1 151'])
  t.same(elsewhere.take(), ['connack', 'suback #1 0'])
  t.match(broker.logged, [{ message: 'subscription refused: limits.perAddress.subscriptionsMax is reached' }])
  t.equal(broker.count('refusedSubscriptions'), 1)
  one.subscribe('a', { qos: 1 })
  t.same(one.take(), ['connack', 'suback #1 0,0', 'suback #2 1'], 'those that exist may be changed')
  one.unsubscribe('a')
  other.subscribe('c')
  t.same(other.take(), ['suback #2 0'])
  one.drop()
  other.subscribe('d')
  t.same(other.take(), ['suback #3 0'], 'the session has ended')
  other.subscribe('e')
  t.same(other.take(), ['suback #4 151'])
  broker.replaceShard(1)
  elsewhere.subscribe('e')
  t.same(elsewhere.take(), ['suback #2 0'])
})

t.test('a limit of addresses that is set later counts what was there before', async (t) => {
  const broker = new ShardFixture({ shards: 3 })
  const clients = [0, 1, 2].map((shard) => broker.connect(`client ${shard}`, { ...HERE, shard }))
  const [one, other, third] = clients
  for (const client of clients) client.subscribe(['a', 'b'])
  other.unsubscribe('a')
  broker.config.limits.perAddress.subscriptionsMax = 6
  third.unsubscribe('b')
  broker.advance(250)
  for (const client of clients) client.take()
  one.subscribe(['c', 'd', 'e'])
  t.same(one.take(), ['suback #2 0,0,151'], 'four were left')
  broker.config.limits.perAddress.subscriptionsMax = 0
  other.unsubscribe('b')
  other.subscribe(['c', 'd'])
  broker.config.limits.perAddress.subscriptionsMax = 8
  one.subscribe(['e', 'f'])
  t.same(one.take(), ['suback #3 0,151'], 'counted, once that has begun')
})

t.test('the shard that is asked first counts what it has', async (t) => {
  const broker = new ShardFixture()
  const client = broker.connect('ann', HERE)
  client.subscribe(['a', 'b'])
  broker.config.limits.perAddress.subscriptionsMax = 3
  client.subscribe(['c', 'd'])
  t.same(client.take(), ['connack', 'suback #1 0,0', 'suback #2 0,151'])
})

t.test('a session counts for the address it has last come from, also after a restart', async (t) => {
  const config = { limits: { perAddress: { subscriptionsMax: 1 } } }
  const engine = new MemoryEngine()
  const before = new ShardFixture({ config, engine })
  const roaming = before.connect('roaming', { ...HERE, expiry: 1_000, cleanStart: false })
  roaming.subscribe('a', { qos: 1 })
  roaming.drop()
  const after = before.crash()
  const stranger = after.connect('stranger', HERE)
  stranger.subscribe('b')
  t.same(stranger.take(), ['connack', 'suback #1 151'], 'it counts while it is offline')
  after.connect('roaming', { ...THERE, expiry: 1_000, cleanStart: false })
  stranger.subscribe('b')
  t.same(stranger.take(), ['suback #2 0'])
  const neighbour = after.connect('neighbour', THERE)
  neighbour.subscribe('c')
  t.same(neighbour.take(), ['connack', 'suback #1 151'])
})

t.test('bytes that an address has retained', async (t) => {
  const will = { topic: 'w', payload: 'x'.repeat(100), retain: true }
  const broker = new ShardFixture({ shards: 2, config: { limits: { perAddress: { retainedBytesMax: 100 } } } })
  const [one, other] = [broker.connect('one', HERE), broker.connect('other', { ...HERE, shard: 1, will })]
  one.publish('a', 'x'.repeat(60), { qos: 1, retain: true })
  other.publish('b', 'x'.repeat(60), { qos: 1, retain: true })
  other.publish('b', 'x'.repeat(60), { qos: 2, retain: true })
  other.publish('b', 'x'.repeat(60), { qos: 1 })
  t.same(other.take(), ['connack', 'puback #1 0x97', 'pubrec #2 0x97', 'puback #3 0x10'])
  t.equal(broker.count('droppedRetainedAddress'), 2)
  t.match(broker.logged, [{ message: 'message refused: limits.perAddress.retainedBytesMax is reached' }])
  other.drop()
  t.equal(broker.count('droppedRetainedAddress'), 3, 'a will is published, and not retained')
  t.equal(broker.shard().retained.find('w'), undefined)
  const elsewhere = broker.connect('elsewhere', THERE)
  elsewhere.publish('a', 'y'.repeat(60), { qos: 1, retain: true })
  one.publish('b', 'x'.repeat(60), { qos: 1, retain: true })
  t.same(one.take().slice(-1), ['puback #2 0x10'], 'the topic has a message of somebody else by now')
  t.equal(broker.count('droppedRetainedUser'), 0)
})
