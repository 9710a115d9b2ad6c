import t from 'tap'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { AcceptLimits, type Closable } from './accept-limits.js'

class FakeSocket implements Closable {
  isDestroyed = false
  destroy(): void {
    this.isDestroyed = true
  }
}

function limits(connection: BrokerConfigInput['connection'], totals = new SharedArrayBuffer(8)) {
  const counters = openCounters(createCountersMemory())
  const { connection: config } = BrokerConfig.parse({ connection })
  return { limits: new AcceptLimits(config, totals, counters), open: () => counters[Counter.socketsOpen] }
}

t.test('connections in total, over all threads', async (t) => {
  const totals = new SharedArrayBuffer(8)
  const [one, other] = [limits({ connectionsMax: 2 }, totals), limits({ connectionsMax: 2 }, totals)]
  const socket = new FakeSocket()
  t.equal(one.limits.admit(socket, 'a', 0), undefined)
  t.equal(other.limits.admit(new FakeSocket(), 'b', 0), undefined)
  t.equal(one.limits.admit(new FakeSocket(), 'c', 0), 'connectionsRefusedTotal')
  t.equal(other.limits.admit(new FakeSocket(), 'c', 0), 'connectionsRefusedTotal')
  t.same([one.open(), other.open()], [1, 1])
  one.limits.release(socket, 'a')
  t.same([one.open(), other.open()], [0, 1])
  t.equal(other.limits.admit(new FakeSocket(), 'c', 0), undefined)
  t.equal(new Int32Array(totals)[0], 2, 'refused ones are not counted')
})

t.test('connections from one address', async (t) => {
  const { limits: one, open } = limits({ connectionsPerAddressMax: 2 })
  const sockets = [1, 2].map(() => new FakeSocket())
  for (const socket of sockets) t.equal(one.admit(socket, 'a', 0), undefined)
  t.equal(one.admit(new FakeSocket(), 'a', 0), 'connectionsRefusedAddress')
  t.equal(one.admit(new FakeSocket(), 'b', 0), undefined)
  one.release(sockets[0], 'a')
  t.equal(one.admit(sockets[0], 'a', 0), undefined)
  t.equal(one.admit(new FakeSocket(), 'a', 0), 'connectionsRefusedAddress')
  for (const socket of sockets) one.release(socket, 'a')
  t.equal(open(), 1)
  for (const socket of sockets) t.equal(one.admit(socket, 'a', 0), undefined)
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
