import t from 'tap'
import type { BansChange } from '../contracts/bans.js'
import { startCentre } from './centre.fixture.js'

t.test('bans by command: told to the threads, kept, listed, lifted', async (t) => {
  const told: BansChange[] = []
  const test = await startCentre(t, {}, { tellBans: async (change) => void told.push(change) })
  const { send } = test
  t.match(await send('-ban address 192.0.2.7/24 3600 "password guessing"'), {
    success: true,
    command: 'Ban',
    message: "Address '192.0.2.0/24' banned successfully, for 3600 s.",
  })
  const untilMs = test.clock.now() + 3_600_000
  const ban = { kind: 'address', what: '192.0.2.0/24', reason: 'password guessing', untilMs, isManual: true }
  t.match(told, [{ bans: [ban], isWhole: false }])
  t.match(await send('-ban client "meter 7" too many'), {
    message: "Client 'meter 7' banned successfully, until the ban is lifted.",
  })
  t.match(await send('-ban USER guest 0'), { success: true })
  t.match(await send('-listBans'), {
    message: '3 bans.',
    data: [
      { kind: 'address', what: '192.0.2.0/24', untilUtc: new Date(untilMs).toISOString(), manual: true },
      { kind: 'client', what: 'meter 7', reason: 'too many', untilUtc: null },
      { kind: 'user', what: 'guest', reason: 'by command' },
    ],
  })
  for (const [text, wanted] of [
    ['-ban', /Expected address/],
    ['-ban address', /Expected address/],
    ['-ban host a', /Expected address/],
    ['-ban address 192.0.2', /neither an IP address/],
    ['-ban address 127.0.0.1', /limits\.ban\.local/],
    ['-ban user root', /cannot be banned/],
    [`-ban client ${'x'.repeat(1_025)}`, /1024 bytes/],
    ['-ban user a 99999999999', /At most/],
    ['-unban user nobody', /not banned/],
  ] as const) {
    t.match(await send(text), { success: false, message: wanted }, text)
  }
  told.length = 0
  t.match(await send('-unban client "meter 7"'), { success: true })
  t.match(told, [{ bans: [], lifted: [{ kind: 'client', what: 'meter 7' }] }])
  t.match(JSON.parse(test.retained.get('Bans') ?? ''), { count: 0 }, 'published now and then')
  await test.centre.stop()

  await test.start() // again, over the same store
  t.match(test.centre.bans.whole(), { isWhole: true, bans: [{ what: '192.0.2.0/24' }, { what: 'guest' }] })
  t.match(JSON.parse(test.retained.get('Bans') ?? ''), { count: 2, bans: [{ kind: 'address' }, { kind: 'user' }] })
  await test.centre.stop()
  test.clock.nowMs += 3_600_000
  await test.start()
  t.match(test.centre.bans.whole().bans, [{ what: 'guest' }])
  await test.centre.stop()
  t.notOk(
    test.store.keys().some((key) => key.startsWith('ban/address')),
    'what has ended is cleared away',
  )
})

t.test('what threads report becomes bans for all of them', async (t) => {
  const told: BansChange[] = []
  const limits = { ban: { failuresMax: 3, flappingMax: 2 } }
  const test = await startCentre(t, { limits }, { tellBans: async (change) => void told.push(change) })
  test.centre.bans.take({ failures: [['192.0.2.7', 2]], connects: [] })
  t.same(told, [])
  const connects = [{ clientId: 'pump', userName: null, count: 2 }]
  test.centre.bans.take({
    failures: [
      ['192.0.2.7', 1],
      ['192.0.2.8', 1],
    ],
    connects,
  })
  t.match(told, [
    {
      bans: [
        { kind: 'address', what: '192.0.2.7', isManual: false },
        { kind: 'client', what: 'pump' },
      ],
    },
  ])
  t.equal(told[0].bans.length, 2)
  t.match(await test.send('-listBans'), { message: '2 bans.' })
  t.match(await test.send('-unban client pump'), { success: true })
  t.equal((await test.send('-listBans')).message, '1 ban.')
  t.match(told[1].lifted, [{ kind: 'client', what: 'pump', userName: null }])
  t.match(
    test.log.map(({ message }) => message),
    ['address banned for 30 s: 3 failed logins within a minute'],
  )
  await test.centre.stop()
  t.notOk(
    test.store.keys().some((key) => key.startsWith('ban/')),
    'not kept',
  )
})
