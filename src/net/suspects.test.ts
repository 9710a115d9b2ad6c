import t from 'tap'
import type { BanReport } from '../contracts/bans.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import type { Authenticator } from '../security/authenticator.js'
import { connectPacket, ThreadFixture } from './connection-thread.fixture.js'
import { DelayedRefusals } from './delayed-refusals.js'
import { Suspects } from './suspects.js'

t.test('failures and connections are told together', async (t) => {
  const counters = openCounters(createCountersMemory())
  const reports: BanReport[] = []
  const suspects = new Suspects(counters, (report) => reports.push(report))
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '2001:db8::2']) suspects.failed(address)
  for (const user of ['ann', 'ann', undefined]) suspects.connected('pump', user)
  t.same(reports, [])
  suspects.flush()
  suspects.flush()
  t.same(reports, [
    {
      failures: [
        ['192.0.2.1', 2],
        ['2001:db8::/64', 2],
      ],
      connects: [
        { clientId: 'pump', userName: 'ann', count: 2 },
        { clientId: 'pump', userName: null, count: 1 },
      ],
    },
  ])
  t.equal(counters[Counter.loginsFailed], 4)
  for (let i = 0; i < 4_096; i++) suspects.failed(`192.0.${i >> 8}.${i & 255}`)
  t.equal(reports.length, 2, 'no more than so many wait')
  t.equal(reports[1].failures.length, 4_096)
})

t.test('answers to failed logins on this machine come late', async (t) => {
  const counters = openCounters(createCountersMemory())
  const delayed = new DelayedRefusals(counters)
  const refused: string[] = []
  const fail = (name: string, nowMs: number): void => delayed.add(() => refused.push(name), nowMs)
  for (const name of ['a', 'b', 'c', 'd', 'e']) fail(name, 1_000)
  t.same(refused, ['a', 'b', 'c'], 'who mistypes need not wait')
  delayed.run(1_999)
  t.same(refused.splice(0), ['a', 'b', 'c'])
  delayed.run(2_000)
  delayed.run(3_000)
  t.same(refused.splice(0), ['d', 'e'])
  fail('f', 60_999)
  t.equal(delayed.waiting, 1)
  fail('g', 61_000)
  t.same(refused.splice(0), ['g'], 'after a minute it begins anew')
  delayed.run(65_999)
  t.same(refused.splice(0), ['f'], 'at most five seconds')
  for (let i = 0; i < 1_010; i++) fail(`${i}`, 70_000)
  t.equal(delayed.waiting, 1_000)
  t.equal(refused.length, 10)
  t.equal(counters[Counter.loginsDelayed], 1_003)
})

t.test('anonymous clients that are refused count as failed logins', async (t) => {
  const authenticator: Authenticator = {
    admit: () => ({ kind: 'refused', reasonCode: ReasonCode.NOT_AUTHORIZED, reason: 'no' }),
    begin: () => undefined,
  }
  const broker = new ThreadFixture({ authenticator })
  const password = Buffer.from('x')
  const cases = [
    [{}, 1],
    [{ userName: '', password: new Uint8Array() }, 2],
    [{ userName: 'ann', password }, 2],
    [{ userName: '', password }, 2],
    [{ clientId: 'x'.repeat(30_000) }, 2],
  ] as const
  for (const [connect, failed] of cases) {
    const transport = broker.accept()
    transport.receive(connectPacket(connect))
    t.ok(transport.isEnding)
    t.equal(broker.count('loginsFailed'), failed)
  }
  t.equal(broker.audited.length, cases.length - 1, 'the last was not even asked who it is')
})
