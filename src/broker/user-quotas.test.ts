import t from 'tap'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { UserQuotas } from './user-quotas.js'

const FOREVER = Number.POSITIVE_INFINITY

/** Quotas of two shards. */
function quotas(perUser: NonNullable<BrokerConfigInput['limits']>['perUser']) {
  const { limits } = BrokerConfig.parse({ limits: { perUser } })
  const memory = createSharedCountsMemory(2, 100)
  const of = (shard: number): UserQuotas => new UserQuotas(new SharedCounts(memory, shard), () => limits.perUser)
  return { one: of(0), other: of(1), limits }
}

t.test('connections of a user, in all shards', async (t) => {
  const { one, other } = quotas({ connectionsMax: 2 })
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
  for (let i = 0; i < 5; i++) t.ok(one.subscribe('ann'))
  limits.perUser.subscriptionsMax = 5
  t.notOk(one.subscribe('ann'))
  one.unsubscribed('ann')
  t.ok(one.subscribe('ann'))
})

t.test('subscriptions move with the session', async (t) => {
  const { one, other } = quotas({ subscriptionsMax: 3 })
  for (let i = 0; i < 3; i++) one.restored('ann')
  t.notOk(other.subscribe('ann'))
  one.moved('ann', 'bob', 3)
  t.ok(other.subscribe('ann'))
  t.notOk(other.subscribe('bob'))
  one.moved('bob', undefined, 3)
  t.ok(other.subscribe('bob'))
})

t.test('bytes of retained messages belong to who has published them', async (t) => {
  const { one, other } = quotas({ retainedBytesMax: 100 })
  const held = (): boolean[] => [one.mayRetain('ann', 'new', 41), one.mayRetain('ann', 'new', 40)]
  t.ok(one.mayRetain('ann', 'a', 100))
  t.notOk(one.mayRetain('ann', 'a', 101))
  one.retained('ann', 'a', 60, 64, FOREVER)
  t.same(held(), [false, true])
  t.notOk(other.mayRetain('ann', 'b', 41), 'in all shards')
  t.ok(one.mayRetain('ann', 'a', 100), 'in place of what the topic has')
  one.replaced('a', 63)
  t.same(held(), [false, true], 'an older one does not replace it')
  other.retained('bob', 'a', 90, 129, FOREVER)
  one.replaced('a', 129)
  t.ok(one.mayRetain('ann', 'new', 100), 'given back')
  t.notOk(one.mayRetain('bob', 'new', 11))
  other.retained(undefined, 'a', 10, 193, FOREVER)
  t.ok(one.mayRetain('bob', 'new', 100), 'replaced by what belongs to nobody')
  other.retained('bob', 'a', 90, 257, FOREVER)
  other.retained('bob', 'a', 0, 321, FOREVER)
  t.ok(one.mayRetain('bob', 'new', 100), 'cleared')
  t.ok(one.mayRetain(undefined, 'new', 1e9))
})

t.test('what expires is given back', async (t) => {
  const { one } = quotas({ retainedBytesMax: 100 })
  one.retained('ann', 'a', 60, 64, 5_000)
  one.retained('ann', 'b', 40, 128, 6_000)
  one.retained('ann', 'b', 40, 192, FOREVER)
  one.expireSome(4_999)
  t.notOk(one.mayRetain('ann', 'c', 1))
  one.expireSome(6_000)
  t.ok(one.mayRetain('ann', 'c', 60))
  t.notOk(one.mayRetain('ann', 'c', 61))
  one.replaced('a', 1_000)
  t.notOk(one.mayRetain('ann', 'c', 61), 'once')
})
