import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import t from 'tap'
import { ManualClock } from '../base/manual-clock.fixture.js'
import type { AuditEntry, AuditRecord } from '../contracts/audit.js'
import { type AuditBounds, AuditRate } from './audit-rate.js'
import { createPortAudit } from './port-audit.js'

const DENIAL: AuditRecord = {
  kind: 'denial',
  user: 'ann',
  clientId: 'c1',
  address: '192.0.2.7:1',
  what: 'publish a',
  success: false,
  detail: 'no rule allows it',
}
const COMMAND: AuditRecord = { ...DENIAL, kind: 'command', what: 'AddRule A', success: true, detail: '' }

function start(bounds?: AuditBounds): { rate: AuditRate; taken: AuditEntry[]; clock: ManualClock } {
  const taken: AuditEntry[] = []
  const clock = new ManualClock()
  return { rate: new AuditRate(clock, (entries) => taken.push(...entries), bounds), taken, clock }
}

t.test('a storm of equal denials is one record with a count', async (t) => {
  const { rate, taken, clock } = start()
  const startedMs = clock.nowMs
  for (let number = 0; number < 1_000; number++) {
    rate.record({ ...DENIAL, what: `publish topic/${number}`, address: `192.0.2.7:${number}` })
    clock.nowMs += 0.9
  }
  t.same(taken, [])
  clock.nowMs += 200
  rate.tick()
  t.same(taken, [{ ...DENIAL, what: 'publish topic/0', address: '192.0.2.7:0', timeMs: startedMs, count: 1_000 }])
  rate.tick()
  rate.flush()
  t.equal(taken.length, 1)
})

t.test('what differs stays apart', async (t) => {
  const { rate, taken } = start()
  const different: readonly Partial<AuditRecord>[] = [
    {},
    { kind: 'login' },
    { user: 'bob' },
    { clientId: 'c2' },
    { what: 'subscribe a' },
    { detail: 'rule X' },
  ]
  for (const fields of different) rate.record({ ...DENIAL, ...fields })
  for (const fields of different) rate.record({ ...DENIAL, ...fields })
  rate.record(COMMAND)
  rate.record({ ...COMMAND, what: 'AddRule B' })
  rate.record({ ...COMMAND, success: false })
  rate.flush()
  t.same(
    taken.map(({ count }) => count),
    [...different.map(() => 2), 1, 1, 1],
  )
})

t.test('a record of the next second is another one', async (t) => {
  const { rate, taken, clock } = start()
  rate.record(DENIAL)
  clock.nowMs += 1_000
  rate.record(DENIAL)
  t.match(taken, [{ count: 1 }])
  clock.nowMs -= 5_000
  rate.tick()
  t.match(taken, [{ count: 1 }, { count: 1 }], 'the clock was set back')
})

t.test('too many different ones are counted; failures take no room from the others', async (t) => {
  const { rate, taken, clock } = start({ failuresMax: 3, successesMax: 2 })
  for (let number = 0; number < 10; number++) {
    rate.record({ ...DENIAL, clientId: `c${number}` })
    rate.record({ ...COMMAND, what: `AddRule ${number}` })
  }
  rate.flush()
  t.equal(taken.length, 7)
  const own = { kind: 'broker', what: 'others', user: '', clientId: '', timeMs: clock.nowMs } as const
  t.match(taken.slice(5), [
    { ...own, success: true, count: 8 },
    { ...own, success: false, count: 7 },
  ])
  rate.record(DENIAL)
  rate.flush()
  t.equal(taken.length, 8, 'the next second has room again')
})

t.test('refused connections of one address are one record, whatever names they choose', async (t) => {
  const { rate, taken } = start()
  const refused = { ...DENIAL, what: 'connect', detail: 'not authorized: a user name is needed' }
  for (let number = 0; number < 100; number++) {
    const names = { user: `u${number}`, clientId: `c${number}` }
    rate.record({ ...refused, ...names, address: `192.0.2.7:${1_024 + number}` })
    rate.record({ ...refused, ...names, address: `[2001:db8::${number}]:1024` })
    const detail = `authentication method "SCRAM${number}" is not supported`
    rate.record({ ...refused, ...names, address: `192.0.2.7:${1_024 + number}`, detail })
  }
  rate.record({ ...refused, address: '192.0.2.8:1024' })
  rate.record({ ...refused, kind: 'login', success: true })
  rate.flush()
  t.match(taken, [
    { user: 'u0', clientId: 'c0', address: '192.0.2.7:1024', count: 100 },
    { user: 'u0', clientId: 'c0', address: '[2001:db8::0]:1024', count: 100 },
    { detail: 'authentication method "SCRAM0" is not supported', count: 100 },
    { address: '192.0.2.8:1024', count: 1 },
    { success: true, count: 1 },
  ])
})

t.test('texts are cut by the bytes that they take in the file', async (t) => {
  const { rate, taken } = start()
  const whole = 'ä'.repeat(128)
  rate.record({ ...DENIAL, user: whole, clientId: 'x'.repeat(65_535), what: `publish ${'\u0001'.repeat(65_535)}` })
  rate.record({ ...DENIAL, user: `${whole}x`, clientId: '\u200b'.repeat(43), what: '😀'.repeat(65) })
  rate.flush()
  t.match(taken, [
    { user: whole, clientId: `${'x'.repeat(256)}…`, what: `publish ${'\u0001'.repeat(41)}…` },
    { user: `${whole}…`, clientId: `${'\u200b'.repeat(42)}…`, what: `${'😀'.repeat(64)}…` },
  ])
})

t.test('a thread sends them to the main thread', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const clock = new ManualClock()
  const audit = createPortAudit(port1, clock)
  audit.record(DENIAL)
  audit.record(COMMAND)
  t.equal(receiveMessageOnPort(port2), undefined)
  clock.nowMs += 1_000
  audit.tick()
  t.match(receiveMessageOnPort(port2)?.message, [DENIAL, COMMAND])
  port1.close()
})
