import t from 'tap'
import { Wiring } from '../actors/wiring.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { BrokerConfig } from '../config/schema.js'
import type { AuditEntry } from '../contracts/audit.js'
import { Counter, type CounterName, openCounters } from '../contracts/counters.js'
import type { SessionSummary } from '../contracts/sessions.js'
import type { InternalPublish } from '../contracts/threads.js'
import { CorefluxTopics } from './coreflux-topics.js'
import { EVENTS_PER_SECOND_MAX } from './login-events.js'
import { LIST_BYTES_MAX, sessionLists } from './session-lists.js'
import { SysTopics } from './sys-topics.js'

function summary(clientId: string, changes: Partial<SessionSummary> = {}): SessionSummary {
  return {
    clientId,
    userName: undefined,
    address: '192.0.2.1',
    port: 1,
    protocolVersion: 5,
    isBridge: false,
    isConnected: true,
    sinceMs: 0,
    keepAliveSeconds: 60,
    expirySeconds: 0,
    subscriptions: 0,
    queuedMessages: 0,
    inflightMessages: 0,
    ...changes,
  }
}

function setUp(intervalSeconds = 10) {
  const clock = new ManualClock()
  const config = BrokerConfig.parse({ sys: { intervalSeconds } })
  const wiring = new Wiring(1, 1, 4_096, 100)
  const counters = openCounters(wiring.shards[0].counters)
  const sys = new SysTopics(config, wiring, clock, async () => {})
  const published: InternalPublish[] = []
  const state = { sessions: [[summary('a')]] as SessionSummary[][], asked: 0, fails: false }
  const topics = new CorefluxTopics({
    config,
    clock,
    totals: () => sys.totals(),
    sessions: async () => {
      state.asked++
      if (state.fails) throw new Error('the shard has died')
      return state.sessions
    },
    publish: async (messages) => {
      published.push(...messages)
    },
  })
  const add = (name: CounterName, amount: number): void => {
    counters[Counter[name]] += amount
  }
  const tick = async (ms: number): Promise<string[]> => {
    const before = published.length
    clock.nowMs += ms
    topics.tick()
    await new Promise(setImmediate)
    return published.slice(before).map(({ topic }) => topic.replace('$SYS/Coreflux/', ''))
  }
  const last = (topic: string): Record<string, unknown> => {
    const found = published.findLast((message) => message.topic === `$SYS/Coreflux/${topic}`)
    return JSON.parse(Buffer.from(found?.payload ?? []).toString())
  }
  return { topics, config, published, state, add, tick, last }
}

t.test('statistics by the clock, lists when sessions come and go', async (t) => {
  const { add, tick, last, published, config, state } = setUp()
  add('sessions', 1)
  add('sessionsConnected', 1)
  t.same(await tick(0), ['Stats', 'Resources/Memory', 'Resources/CPU', 'Comms/Clients', 'Comms/Sessions'])
  t.same(
    published.filter(({ retain }) => !retain).map(({ topic }) => topic),
    ['$SYS/Coreflux/Stats'],
  )
  t.same(await tick(1_000), [])
  t.equal(state.asked, 1, 'nobody is asked while nothing changes')
  add('publishReceived', 50)
  add('sessions', 1)
  t.same(await tick(1_000), ['Comms/Sessions'], 'only what is another text')
  t.match(last('Comms/Sessions'), { count: 2, listed: 1, sessions: [{ clientId: 'a', connected: true }] })
  t.same(await tick(8_000), ['Stats', 'Resources/Memory', 'Resources/CPU'])
  t.match(last('Stats'), { sessions: 2, messagesReceived: 50, messagesReceivedPerSecond: 5, uptimeSeconds: 10 })
  t.ok(Number(last('Resources/Memory').residentBytes) > 1_000_000)
  config.sys.intervalSeconds = 2
  await tick(10_000)
  t.ok((await tick(2_000)).includes('Stats'), 'another interval holds at once')
})

t.test('on request; and all again for a shard that is new', async (t) => {
  const { topics, tick, published, state } = setUp()
  await tick(0)
  published.length = 0
  topics.update()
  await new Promise(setImmediate)
  t.same(
    published.map(({ topic }) => topic.slice('$SYS/Coreflux/'.length)),
    ['Stats', 'Resources/Memory', 'Resources/CPU'],
    'lists are as they were',
  )
  topics.forget()
  t.ok((await tick(1)).includes('Comms/Clients'))
  state.fails = true
  topics.update()
  await new Promise(setImmediate)
  state.fails = false
  t.ok((await tick(1)).includes('Comms/Clients'), 'a failure is made up for')
})

t.test('switched off', async (t) => {
  const { tick, state } = setUp(0)
  t.same(await tick(0), [])
  t.equal(state.asked, 0)
})

t.test('lists are bounded, the latest first', async (t) => {
  const shard = (from: number) =>
    Array.from({ length: 200 }, (_, place) => summary(`c${from + place}`, { sinceMs: from + place }))
  const lists = sessionLists([shard(0), shard(1_000)], { sessions: 100_000, sessionsConnected: 70_000 })
  const clients = JSON.parse(lists.get('Comms/Clients') ?? '')
  t.match(clients, { count: 70_000, listed: 200, clients: [{ clientId: 'c1199', user: null, protocol: '5.0' }] })
  t.equal(clients.clients.length, 200)
  const versions = [3, 4, 5].map((protocolVersion) =>
    summary(`v${protocolVersion}`, { protocolVersion, isBridge: protocolVersion === 4, sinceMs: -protocolVersion }),
  )
  const found = JSON.parse(sessionLists([versions], { sessions: 3, sessionsConnected: 3 }).get('Comms/Clients') ?? '')
  t.match(found.clients, [
    { protocol: '3.1', bridge: false },
    { protocol: '3.1.1', bridge: true },
    { protocol: '5.0', bridge: false },
  ])
  const long = Array.from({ length: 200 }, (_, place) => summary('x'.repeat(60_000), { sinceMs: place }))
  const text = sessionLists([long], { sessions: 200, sessionsConnected: 200 }).get('Comms/Sessions') ?? ''
  t.ok(text.length <= LIST_BYTES_MAX + 100)
  t.match(JSON.parse(text), { count: 200, listed: 4 })
  const offline = summary('gone', {
    isConnected: false,
    expirySeconds: 4_294_967_295,
    sinceMs: undefined,
    userName: 'u',
  })
  const some = sessionLists([[offline]], { sessions: 1, sessionsConnected: 0 })
  t.match(JSON.parse(some.get('Comms/Clients') ?? ''), { count: 0, clients: [] })
  const shown = { clientId: 'gone', user: 'u', connected: false, sinceUtc: null, expirySeconds: null }
  t.match(JSON.parse(some.get('Comms/Sessions') ?? ''), { count: 1, sessions: [shown] })
})

t.test('logins are told, a storm of them as a number', async (t) => {
  const { topics, published, tick, last } = setUp(0)
  const entry = (kind: AuditEntry['kind'], changes: Partial<AuditEntry> = {}): AuditEntry => {
    const who = { user: 'u', clientId: 'c', address: '192.0.2.1:1', what: 'connect', success: true, detail: '' }
    return { kind, timeMs: 0, count: 1, ...who, ...changes }
  }
  topics.audited([
    entry('login'),
    entry('command', { what: 'AddRule' }),
    entry('denial', { what: 'publish a' }),
    entry('denial', { success: false, detail: 'banned', user: '' }),
    entry('logout'),
  ])
  t.same(
    published.map(({ topic, payload, retain }) => [topic, JSON.parse(Buffer.from(payload).toString()).event, retain]),
    Array(3)
      .fill(0)
      .map((_, place) => ['$SYS/Coreflux/Comms/Logins', place === 2 ? 'disconnect' : 'connect', false]),
  )
  t.match(JSON.parse(Buffer.from(published[1].payload).toString()), { success: false, reason: 'banned', user: null })
  topics.audited(Array.from({ length: EVENTS_PER_SECOND_MAX + 50 }, () => entry('login', { count: 2 })))
  t.equal(published.length, EVENTS_PER_SECOND_MAX)
  await tick(1_000)
  t.same(last('Comms/Logins'), { event: 'suppressed', count: 106 })
  t.same(await tick(1_000), [])
})
