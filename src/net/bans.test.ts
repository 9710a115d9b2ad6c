import t from 'tap'
import type { Ban, BanRef } from '../contracts/bans.js'
import { Bans } from './bans.js'

const NOW_MS = 1_750_000_000_000

function ban(ref: BanRef, more: Partial<Ban> = {}): Ban {
  return { ...ref, reason: 'r', sinceMs: NOW_MS, untilMs: undefined, isManual: true, ...more }
}

t.test('addresses and networks', async (t) => {
  const bans = new Bans(() => false)
  const address = (what: string): Ban => ban({ kind: 'address', what })
  t.equal(bans.ofAddress('192.0.2.7', NOW_MS), undefined)
  const list = ['192.0.2.7', '198.51.100.0/24', '2001:db8:1::/48', '2001:db8:2:3::/64', '0.0.0.0/2', '127.0.0.0/8']
  bans.change({ bans: list.map(address), lifted: [], isWhole: true })
  for (const [peer, what] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.8', undefined],
    ['198.51.100.255', '198.51.100.0/24'],
    ['10.0.0.1', '0.0.0.0/2'],
    ['2001:db8:1:ffff::1', '2001:db8:1::/48'],
    ['2001:db8:2:3:4::', '2001:db8:2:3::/64'],
    ['2001:db8:2:4::', undefined],
    ['127.0.0.1', undefined],
    ['/run/merlot.sock', undefined],
    ['', undefined],
  ] as const) {
    t.equal(bans.ofAddress(peer, NOW_MS)?.what, what, peer)
  }
  t.equal(bans.ofOpen('192.0.2.7', 'c', undefined, NOW_MS)?.what, '192.0.2.7')
  bans.change({ bans: [], lifted: [{ kind: 'address', what: '192.0.2.7' }], isWhole: false })
  t.equal(bans.ofAddress('192.0.2.7', NOW_MS), undefined)
  t.ok(bans.ofAddress('198.51.100.1', NOW_MS))
  bans.change({ bans: [], lifted: [], isWhole: true })
  t.equal(bans.ofAddress('198.51.100.1', NOW_MS), undefined)
  const local = new Bans(() => true)
  local.change({ bans: [address('127.0.0.1')], lifted: [], isWhole: false })
  t.ok(local.ofAddress('127.0.0.1', NOW_MS))
})

t.test('clients and users, by their exact names', async (t) => {
  const bans = new Bans(() => false)
  const all = [
    ban({ kind: 'client', what: 'meter-*' }),
    ban({ kind: 'user', what: 'guest' }, { untilMs: NOW_MS + 1_000 }),
    ban({ kind: 'client', what: 'pump', userName: 'ann' }, { isManual: false }),
    ban({ kind: 'client', what: 'lamp', userName: null }, { isManual: false }),
  ]
  bans.change({ bans: all, lifted: [], isWhole: false })
  for (const [clientId, userName, isBanned] of [
    ['meter-*', undefined, true],
    ['meter-*', 'bob', true],
    ['meter-7', 'bob', false],
    ['x', 'guest', true],
    ['x', 'Guest', false],
    ['guest', undefined, false],
    ['pump', 'ann', true],
    ['pump', 'bob', false],
    ['pump', undefined, false],
    ['lamp', undefined, true],
    ['lamp', 'ann', false],
  ] as const) {
    t.equal(bans.ofClient(clientId, userName, NOW_MS) !== undefined, isBanned, `${clientId} ${userName}`)
  }
  t.equal(bans.ofClient('x', 'guest', NOW_MS + 1_000), undefined, 'over')
  t.ok(bans.ofOpen('192.0.2.1', 'x', 'guest', NOW_MS))
  t.equal(bans.ofOpen('192.0.2.1', 'pump', 'ann', NOW_MS), undefined, 'what the broker finds ends no connection')
  bans.change({ bans: [], lifted: [{ kind: 'client', what: 'pump', userName: 'ann' }], isWhole: false })
  t.equal(bans.ofClient('pump', 'ann', NOW_MS), undefined)
  t.ok(bans.ofClient('lamp', undefined, NOW_MS))
})
