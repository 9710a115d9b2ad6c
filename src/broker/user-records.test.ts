/** Sessions of users that were removed, or made anew under the same name. */
import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import type { AccessChange } from '../contracts/security.js'
import { changeAccess } from './receiving.js'
import { ShardFixture } from './shard.fixture.js'

const LASTING = { cleanStart: false, expiry: 1_000, request: { userName: 'bob' } }

function users(createdAt: string | undefined, more: Partial<AccessChange> = {}): AccessChange {
  const bob = { name: 'bob', groups: [], properties: {}, createdAt }
  return { users: createdAt === undefined ? [] : [bob], removedUsers: [], isWhole: true, ...more }
}

/** A message waits for bob; then the broker dies before it knows of what has happened to him. */
function crashed(before: AccessChange, after: AccessChange): ShardFixture {
  const broker = new ShardFixture({ engine: new MemoryEngine(), startsWithoutRules: true })
  changeAccess(broker.shard(), before)
  const bob = broker.connect('hub', LASTING)
  bob.subscribe('secret', { qos: 1 })
  bob.drop()
  broker.connect('ann').publish('secret', 'for bob the first', { qos: 1 })
  const later = broker.crash()
  changeAccess(later.shard(), after)
  later.settle()
  return later
}

t.test('what a crash has left of them is ended when the shard learns of its users', async (t) => {
  const cases: readonly [what: string, before: AccessChange, after: AccessChange, isKept: boolean][] = [
    ['the same user', users('2025'), users('2025'), true],
    ['another of the name', users('2025'), users('2026'), false],
    ['nobody of the name', users('2025'), users(undefined), false],
    ['a damaged record', users('2025'), users(undefined, { unreadableUsers: ['bob'] }), true],
    ['a user of a token', users(undefined), users(undefined), true],
  ]
  for (const [what, before, after, isKept] of cases) {
    const later = crashed(before, after)
    t.equal(later.count('sessions'), isKept ? 1 : 0, what)
    const packets = later.connect('hub', LASTING).takeAll()
    t.equal(packets[0], isKept ? 'connack present' : 'connack', what)
    t.equal(
      packets.some((text) => text.startsWith('secret=')),
      isKept,
      what,
    )
    t.equal(later.store?.engine.count('log.0'), 0, what)
  }
})

t.test('a user that is removed and made anew in one change', async (t) => {
  const broker = new ShardFixture()
  changeAccess(broker.shard(), users('2025'))
  const bob = broker.connect('hub', LASTING)
  bob.take()
  changeAccess(broker.shard(), users('2025', { isWhole: false }))
  t.same(bob.take(), [], 'other groups leave the session')
  changeAccess(broker.shard(), users('2026', { isWhole: false, number: 7 }))
  broker.settle()
  t.match(bob.take(), [/^disconnect 0x87/])
  t.equal(broker.count('sessions'), 0)
  t.match(
    broker.connect('hub', { request: { userName: 'bob', knownChange: 6 } }).take(),
    [/^connack 0x88/],
    'admitted by the old record',
  )
  t.match(broker.connect('hub', { request: { userName: 'bob', knownChange: 7 } }).take(), ['connack'])
})
