import t from 'tap'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { BanJudge } from './ban-judge.js'

const NOW_MS = 1_750_000_000_000
const DAY_MS = 86_400_000

function judge(ban: NonNullable<BrokerConfigInput['limits']>['ban'] = {}): BanJudge {
  const { limits } = BrokerConfig.parse({ limits: { ban } })
  return new BanJudge(() => limits.ban)
}

t.test('failed logins within a minute', async (t) => {
  const one = judge({ failuresMax: 3, seconds: 30 })
  const fail = (address: string, seconds: number) => one.failed(address, 1, NOW_MS + seconds * 1_000)?.untilMs
  t.same([fail('a.b', 0), fail('192.0.2.1', 0), fail('192.0.2.1', 20), fail('192.0.2.2', 30)], new Array(4))
  t.equal(fail('192.0.2.1', 49), NOW_MS + 79_000)
  t.equal(fail('192.0.2.2', 40), undefined)
  t.equal(fail('192.0.2.2', 101), undefined, 'those of before have been forgotten')
  t.equal(one.failed('192.0.2.3', 3, NOW_MS)?.what, '192.0.2.3', 'several at once')
  t.equal(judge({ failuresMax: 0 }).failed('192.0.2.3', 1_000, NOW_MS), undefined, 'switched off')
})

t.test('each ban lasts twice as long, and a quiet day forgives', async (t) => {
  const one = judge({ failuresMax: 1, seconds: 30, secondsMax: 100 })
  const seconds = (nowMs: number) => {
    const ban = one.failed('192.0.2.1', 1, nowMs)
    return ban && ((ban.untilMs ?? 0) - ban.sinceMs) / 1_000
  }
  let nowMs = NOW_MS
  const bans: unknown[] = []
  for (let i = 0; i < 4; i++, nowMs += 200_000) bans.push(seconds(nowMs))
  t.same(bans, [30, 60, 100, 100])
  t.equal(seconds(nowMs - 199_999), undefined, 'banned already')
  const quiet = nowMs - 200_000 + 100_000 + DAY_MS
  t.equal(one.failed('192.0.2.1', 0, quiet - 1)?.untilMs, undefined)
  t.equal(seconds(quiet + DAY_MS), 30)
  one.forgive({ kind: 'address', what: '192.0.2.1' })
  t.equal(seconds(quiet + DAY_MS), 30, 'lifted by hand')
})

t.test('addresses of this machine', async (t) => {
  for (const address of ['127.0.0.1', '::1', '/run/merlot.sock']) {
    t.equal(judge({ failuresMax: 1 }).failed(address, 5, NOW_MS), undefined, address)
    t.ok(judge({ failuresMax: 1, local: true }).failed(address, 5, NOW_MS), address)
  }
  t.ok(judge({ failuresMax: 1 }).failed('2001:db8::/64', 1, NOW_MS))
})

t.test('clients that come and go, each with its user', async (t) => {
  const one = judge({ flappingMax: 2 })
  t.equal(one.connected('pump', 'ann', 1, NOW_MS), undefined)
  t.equal(one.connected('pump', 'bob', 1, NOW_MS), undefined)
  t.equal(one.connected('pump', null, 1, NOW_MS), undefined)
  t.match(one.connected('pump', 'ann', 1, NOW_MS), { kind: 'client', what: 'pump', userName: 'ann', isManual: false })
  t.equal(judge().connected('pump', 'ann', 1_000, NOW_MS), undefined, 'off unless asked for')
})

t.test('a spray of addresses takes no more memory than is meant for it, and frees nobody who is banned', async (t) => {
  const one = judge({ failuresMax: 2, secondsMax: 86_400 })
  one.failed('192.0.2.1', 2, NOW_MS)
  for (let i = 0; i < 70_000; i++)
    one.failed(`2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::/64`, 1, NOW_MS + 1)
  t.equal(one.watched, 65_536)
  t.equal(one.failed('192.0.2.1', 2, NOW_MS + 40_000)?.untilMs, NOW_MS + 100_000, 'its second')
})
