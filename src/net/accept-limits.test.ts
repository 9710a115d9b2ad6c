import t from 'tap'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { AcceptLimits, type Closable } from './accept-limits.js'
import { Bans } from './bans.js'

class FakeSocket implements Closable {
  isDestroyed = false
  destroy(): void {
    this.isDestroyed = true
  }
}

/** What connection threads share. */
function shared(threads = 1) {
  return { totals: new SharedArrayBuffer(12), memory: createSharedCountsMemory(threads, 1_000) }
}

function limits(connection: BrokerConfigInput['connection'], { totals, memory } = shared(), thread = 0) {
  const counters = openCounters(createCountersMemory())
  const { connection: config } = BrokerConfig.parse({ connection })
  const bans = new Bans(() => false)
  const byAddress = new SharedCounts(memory, thread)
  return {
    limits: new AcceptLimits({ config, totals, byAddress, bans, counters }),
    bans,
    open: () => counters[Counter.socketsOpen],
  }
}

t.test('connections in total, over all threads', async (t) => {
  const between = shared(2)
  const [one, other] = [limits({ connectionsMax: 2 }, between, 0), limits({ connectionsMax: 2 }, between, 1)]
  const socket = new FakeSocket()
  t.equal(one.limits.admit(socket, 'a', 0), undefined)
  t.equal(other.limits.admit(new FakeSocket(), 'b', 0), undefined)
  t.equal(one.limits.admit(new FakeSocket(), 'c', 0), 'connectionsRefusedTotal')
  t.equal(other.limits.admit(new FakeSocket(), 'c', 0), 'connectionsRefusedTotal')
  t.same([one.open(), other.open()], [1, 1])
  one.limits.release(socket, 'a')
  t.same([one.open(), other.open()], [0, 1])
  t.equal(other.limits.admit(new FakeSocket(), 'c', 0), undefined)
  t.equal(new Int32Array(between.totals)[0], 2, 'refused ones are not counted')
  t.equal(new SharedCounts(between.memory, 0).get('c'), 1)
})

t.test('connections from one address, over all threads', async (t) => {
  const between = shared(2)
  const max = { connectionsPerAddressMax: 2 }
  const [{ limits: one, open }, { limits: other }] = [limits(max, between, 0), limits(max, between, 1)]
  const [first, second] = [1, 2].map(() => new FakeSocket())
  t.equal(one.admit(first, '192.0.2.1', 0), undefined)
  t.equal(other.admit(second, '::ffff:192.0.2.1', 0), undefined)
  for (const each of [one, other]) t.equal(each.admit(new FakeSocket(), '192.0.2.1', 0), 'connectionsRefusedAddress')
  t.equal(one.admit(new FakeSocket(), '192.0.2.2', 0), undefined)
  one.release(first, '192.0.2.1')
  t.equal(other.admit(first, '192.0.2.1', 0), undefined)
  t.equal(one.admit(new FakeSocket(), '192.0.2.1', 0), 'connectionsRefusedAddress')
  t.equal(open(), 1)
  for (const socket of [first, second]) other.release(socket, '192.0.2.1')
  for (const socket of [first, second]) t.equal(one.admit(socket, '192.0.2.1', 0), undefined)
  t.equal(one.admit(first, '2001:db8:1:2::1', 0), undefined)
  t.equal(one.admit(first, '2001:db8:1:2::2', 0), undefined)
  t.equal(one.admit(first, '2001:db8:1:2:3::', 0), 'connectionsRefusedAddress', 'a /64 network is one address')
})

t.test('new connections per second, over all threads', async (t) => {
  const [between, max] = [shared(2), { connectionsPerSecondMax: 3 }]
  const [{ limits: one }, { limits: other }] = [limits(max, between, 0), limits(max, between, 1)]
  const from = (thread: AcceptLimits, nowMs: number) => thread.admit(new FakeSocket(), 'a', nowMs)
  t.same([from(one, 5_000), from(other, 5_100), from(one, 5_200)], [undefined, undefined, undefined])
  for (const each of [one, other]) t.equal(from(each, 5_999), 'connectionsRefusedRate')
  t.equal(from(other, 6_000), undefined, 'another second')
  t.equal(new SharedCounts(between.memory, 0).get('a'), 4, 'refused ones are not counted')
  t.equal(new Int32Array(between.totals)[0], 4)
})

t.test('new connections per second', async (t) => {
  const { limits: one } = limits({ connectionsPerSecondMax: 2 })
  const admit = (nowMs: number) => one.admit(new FakeSocket(), 'a', nowMs)
  t.same([5_000, 5_100, 5_999].map(admit), [undefined, undefined, 'connectionsRefusedRate'])
  t.same([6_000, 6_000, 6_500, 6_999].map(admit), [
    undefined,
    undefined,
    'connectionsRefusedRate',
    'connectionsRefusedRate',
  ])
})

t.test('no limits', async (t) => {
  const { limits: one } = limits({})
  for (let count = 0; count < 1_000; count++) t.equal(one.admit(new FakeSocket(), 'a', 0), undefined)
})

t.test('a banned address is refused before anything is counted', async (t) => {
  const { limits: one, bans, open } = limits({ connectionsPerSecondMax: 1 })
  const ban = { kind: 'address', what: '192.0.2.0/24', reason: '', sinceMs: 0, untilMs: 1_000, isManual: true } as const
  bans.change({ bans: [ban], lifted: [], isWhole: false })
  t.equal(one.admit(new FakeSocket(), '192.0.2.9', 999), 'connectionsRefusedBanned')
  t.equal(one.admit(new FakeSocket(), '192.0.3.9', 999), undefined)
  t.equal(one.admit(new FakeSocket(), '192.0.2.9', 1_000), undefined)
  t.equal(open(), 2)
})

t.test('the time until CONNECT', async (t) => {
  const { limits: one } = limits({ connectSeconds: 10 })
  const [early, connected, late, gone] = [0, 1, 2, 3].map(() => new FakeSocket())
  one.admit(early, 'a', 1_000)
  one.admit(connected, 'a', 1_000)
  one.admit(gone, 'a', 1_000)
  one.admit(late, 'a', 1_001)
  one.connected(connected)
  one.release(gone, 'a')
  t.equal(one.closeLate(10_999), 0)
  t.equal(one.closeLate(11_000), 1)
  t.same(
    [early, connected, late, gone].map(({ isDestroyed }) => isDestroyed),
    [true, false, false, false],
  )
  t.equal(one.closeLate(11_000), 0, 'once')
  t.equal(one.closeLate(20_000), 1)
  t.ok(late.isDestroyed)
})
