import t from 'tap'
import { SESSIONS_LISTED_MAX } from '../contracts/sessions.js'
import { ShardFixture } from './shard.fixture.js'

function setUp() {
  const broker = new ShardFixture({ config: { session: { subscriptionsMax: 3 } } })
  const list = () => broker.shard().recent.list(broker.shard().sessions.values())
  return { broker, list, names: () => list().map(({ clientId }) => clientId) }
}

t.test('those whose connection came or went last, the latest first', async (t) => {
  const { broker, list, names } = setUp()
  const first = broker.connect('first', { expiry: 100, request: { userName: 'ann', address: '192.0.2.7' } })
  broker.advance(1_000)
  broker.connect('second', { version: 4, request: { isBridge: true } }).subscribe(['a', 'b'])
  const startedMs = broker.clock.nowMs
  t.match(list(), [
    { clientId: 'second', isConnected: true, sinceMs: startedMs, subscriptions: 2, protocolVersion: 4, isBridge: true },
    {
      clientId: 'first',
      isConnected: true,
      sinceMs: startedMs - 1_000,
      userName: 'ann',
      address: '192.0.2.7',
      isBridge: false,
    },
  ])
  broker.advance(1_000)
  first.drop()
  t.match(list()[0], { clientId: 'first', isConnected: false, sinceMs: startedMs + 1_000, expirySeconds: 100 })
  broker.advance(100_000)
  t.same(names(), ['second'], 'an ended session is not remembered')
})

t.test('as many as are listed, and no more', async (t) => {
  const { broker, names } = setUp()
  broker.connect('oldest')
  for (let number = 0; number < SESSIONS_LISTED_MAX; number++) broker.connect(`c${number}`)
  t.equal(names().length, SESSIONS_LISTED_MAX)
  t.equal(names()[0], `c${SESSIONS_LISTED_MAX - 1}`)
  t.notOk(names().includes('oldest'))
  broker.connect('c0').drop()
  t.ok(names().includes('oldest'), 'others fill the places of those that are gone')
  t.equal(new Set(names()).size, SESSIONS_LISTED_MAX)
})
