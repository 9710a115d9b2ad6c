import t from 'tap'
import { createSharedRatesMemory, SharedRates } from '../base/shared-rates.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { type ConnectionRate, RateLimits } from './rates.js'

const NOW_MS = 1_750_000_000_000

function rates(limits: BrokerConfigInput['limits'], memory = createSharedRatesMemory(100)): RateLimits {
  return new RateLimits(BrokerConfig.parse({ limits }).limits, new SharedRates(memory))
}

t.test('off unless something is limited', async (t) => {
  t.notOk(rates({}).isOn)
  const { limits } = BrokerConfig.parse({})
  const later = new RateLimits(limits, new SharedRates(createSharedRatesMemory(1)))
  limits.perAddress.bytesPerSecondMax = 1
  t.notOk(later.isOn)
  later.refresh()
  t.ok(later.isOn)
  t.equal(
    rates({ perConnection: { messagesPerSecondMax: 1_000 }, perUser: { messagesPerSecondMax: 400 } }).packetsMax,
    20,
  )
  t.equal(rates({ perConnection: { messagesPerSecondMax: 1 } }).packetsMax, 1)
})

t.test('messages and bytes of a connection: what comes faster is waited for', async (t) => {
  const one = rates({ perConnection: { messagesPerSecondMax: 10, bytesPerSecondMax: 1_000 } })
  const rate = one.open('192.0.2.1')
  t.equal(one.charge(rate, 10, 1_000, NOW_MS), 0, 'what is sent in a second may come at once')
  t.equal(one.charge(rate, 1, 0, NOW_MS), 100)
  t.equal(one.charge(rate, 0, 500, NOW_MS + 100), 400, 'whichever is owed longer')
  t.equal(one.charge(rate, 0, 0, NOW_MS + 500), 0)
  t.equal(one.charge(rate, 10, 0, NOW_MS + 60_000), 0, 'no more than that is saved up')
  t.equal(one.charge(rate, 2, 0, NOW_MS + 60_000), 200)
  t.equal(one.add(rate, 1, 0, NOW_MS + 60_000), 300)
})

t.test('all connections of a user, of an address, in all threads', async (t) => {
  const memory = createSharedRatesMemory(100)
  const limits = { perUser: { messagesPerSecondMax: 10 }, perAddress: { bytesPerSecondMax: 1_000 } }
  const threads = [rates(limits, memory), rates(limits, memory)]
  const connect = (thread: number, address: string, userName: string | undefined): ConnectionRate => {
    const rate = threads[thread].open(address)
    threads[thread].identify(rate, userName)
    return rate
  }
  const [ann1, ann2, bob] = [
    connect(0, '192.0.2.1', 'ann'),
    connect(1, '192.0.2.2', 'ann'),
    connect(0, '192.0.2.3', 'bob'),
  ]
  t.equal(threads[0].charge(ann1, 10, 0, NOW_MS), 0)
  t.equal(threads[1].charge(ann2, 3, 0, NOW_MS), 300)
  t.equal(threads[0].charge(bob, 10, 0, NOW_MS), 0)
  const [anonymous, near] = [connect(0, '2001:db8::1', undefined), connect(1, '2001:db8::2', undefined)]
  t.equal(threads[0].charge(anonymous, 1_000, 1_000, NOW_MS), 0, 'nobody has no messages to share')
  t.equal(threads[1].charge(near, 0, 100, NOW_MS), 100)
  t.equal(threads[1].charge(connect(1, '192.0.2.9', undefined), 0, 1_000, NOW_MS), 0)
})

t.test('who is slowed down for too long without a pause is closed', async (t) => {
  const one = rates({ perConnection: { messagesPerSecondMax: 10, overloadSecondsMax: 5 } })
  /** Sends for ten seconds at that rate, as fast as it is read. @returns when it is closed */
  const closedAt = (perSecond: number, pauseAtMs = Number.POSITIVE_INFINITY): number | undefined => {
    const rate = one.open('192.0.2.1')
    let nowMs = 0
    for (let sent = 0; nowMs < 10_000; sent++) {
      const pausedMs = nowMs >= pauseAtMs ? 1_000 : 0
      try {
        const waitMs = one.charge(rate, 1, 0, NOW_MS + nowMs + pausedMs)
        // waits end a little late
        nowMs = Math.max(nowMs + pausedMs + (waitMs > 0 ? waitMs + 15 : 0), (sent * 1_000) / perSecond)
      } catch (error) {
        t.match(error, { code: 'MESSAGE_RATE_TOO_HIGH', reasonCode: 0x96 })
        return Math.round(nowMs / 1_000)
      }
      if (pausedMs > 0) pauseAtMs = Number.POSITIVE_INFINITY
    }
    return undefined
  }
  t.equal(closedAt(9), undefined)
  t.equal(closedAt(1_000), 5)
  t.equal(closedAt(20), 6, 'a second of it was not slowed')
  t.equal(closedAt(1_000, 4_500), undefined, 'a pause begins it anew')
})
