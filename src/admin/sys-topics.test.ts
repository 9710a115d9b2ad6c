import t from 'tap'
import { Wiring } from '../actors/wiring.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { BrokerConfig } from '../config/schema.js'
import { Counter, type CounterName, openCounters } from '../contracts/counters.js'
import type { InternalPublish } from '../contracts/threads.js'
import { SysTopics } from './sys-topics.js'

function setUp(intervalSeconds = 10) {
  const clock = new ManualClock()
  const wiring = new Wiring(2, 3, 4_096, 100)
  const published: InternalPublish[][] = []
  let answer: () => Promise<void> = async () => {}
  const sys = new SysTopics(BrokerConfig.parse({ sys: { intervalSeconds } }), wiring, clock, (messages) => {
    published.push([...messages])
    return answer()
  })
  const add = (kind: 'connections' | 'shards', index: number, name: CounterName, amount: number): void => {
    openCounters(wiring[kind][index].counters)[Counter[name]] += amount
  }
  const values = (): Record<string, string> => Object.fromEntries(sys.values())
  const failNext = (): void => {
    answer = async () => {
      answer = async () => {}
      throw new Error('the shard has died')
    }
  }
  return { clock, sys, wiring, published, add, values, failNext }
}

t.test('what no thread counts', async (t) => {
  const { clock, wiring } = setUp()
  const config = BrokerConfig.parse({})
  const publish = async (): Promise<void> => {}
  const more = () => ({ 'audit/lost': 3, 'certificates/warnings': undefined })
  const values = Object.fromEntries(new SysTopics(config, wiring, clock, publish, undefined, more).values())
  t.equal(values['audit/lost'], '3')
  t.notOk('certificates/warnings' in values)
})

t.test('the counters of all threads, added up under the names of Mosquitto', async (t) => {
  const { sys, add, values, clock, wiring } = setUp()
  add('connections', 0, 'publishReceived', 5)
  add('connections', 1, 'publishReceived', 7)
  add('connections', 0, 'packetsSent', 3)
  add('connections', 1, 'socketsOpen', 2)
  add('shards', 0, 'sessionsConnected', 1)
  add('shards', 2, 'sessionsConnected', 3)
  add('shards', 1, 'sessionsDisconnected', 4)
  add('shards', 1, 'sessions', 8)
  add('shards', 0, 'subscriptions', 10)
  add('shards', 1, 'sharedSubscriptions', 5)
  add('shards', 1, 'messagesStored', 6)
  add('shards', 0, 'droppedQueueFull', 2)
  add('connections', 0, 'droppedQos0Slow', 1)
  openCounters(wiring.lot.counters)[Counter.lotRuns] += 9
  clock.nowMs += 12_345
  t.match(values(), {
    version: /^merlot version \d/,
    uptime: '12 seconds',
    'publish/messages/received': '12',
    'messages/sent': '3',
    'connections/socket/count': '2',
    'clients/connected': '4',
    'clients/active': '4',
    'clients/disconnected': '4',
    'clients/inactive': '4',
    'clients/total': '8',
    'subscriptions/count': '15',
    'shared_subscriptions/count': '5',
    'messages/stored': '6',
    'lot/runs': '9',
    'messages/dropped/queue_full': '2',
    'messages/dropped/qos0_slow': '1',
    'publish/messages/dropped': '3',
    'load/messages/sent/1min': '0.00',
  })
  t.ok(Number(values()['memory/resident']) > 1_000_000)
  t.ok(sys.values().every(([topic]) => !topic.startsWith('$') && !topic.startsWith('/')))
})

t.test('retained messages are in every shard, and counted once', async (t) => {
  const { add, values } = setUp()
  for (const shard of [0, 1, 2]) {
    add('shards', shard, 'retainedMessages', 5)
    add('shards', shard, 'retainedBytes', 100)
    add('shards', shard, 'messagesStored', 1)
  }
  t.match(values(), {
    'retained messages/count': '5',
    'retained messages/bytes': '100',
    'store/messages/count': '8',
    'store/messages/bytes': '100',
  })
})

t.test('the most clients that were connected at once', async (t) => {
  const { add, values } = setUp()
  add('shards', 0, 'sessionsConnected', 5)
  values()
  add('shards', 0, 'sessionsConnected', -3)
  t.match(values(), { 'clients/connected': '2', 'clients/maximum': '5' })
})

t.test('each reason for a drop or refusal has a topic', async (t) => {
  const { add, values } = setUp()
  const before = new Set(Object.entries(values()).map(([topic, value]) => `${topic} ${value}`))
  const reasons = Object.keys(Counter).filter((name) => /^dropped|^refused|Refused|Timeouts$|protocolErrors/.test(name))
  t.ok(reasons.length >= 15)
  for (const reason of reasons) add('connections', 0, reason as CounterName, 1_000_003)
  const moved = Object.entries(values()).filter(
    ([topic, value]) => !before.has(`${topic} ${value}`) && value === '1000003',
  )
  t.equal(moved.length, reasons.length, `${moved.map(([topic]) => topic)}`)
})

t.test('only what has changed is published, retained, below $SYS/broker', async (t) => {
  const { sys, add } = setUp()
  const first = sys.changes()
  t.ok(first.length > 40)
  t.ok(first.every(({ topic, retain }) => topic.startsWith('$SYS/broker/') && retain))
  add('connections', 0, 'publishReceived', 1)
  const topics = sys.changes().map(({ topic }) => topic)
  t.ok(topics.includes('$SYS/broker/publish/messages/received'))
  t.notOk(topics.includes('$SYS/broker/version'))
})

t.test('a failed publication is made up for', async (t) => {
  const { sys, published, failNext } = setUp()
  failNext()
  sys.start()
  await new Promise(setImmediate)
  sys.stop()
  t.equal(published.length, 1)
  t.equal(sys.changes().length, published[0].length, 'everything again')
})

t.test('switched off', async (t) => {
  const { sys, published } = setUp(0)
  sys.start()
  t.same(published, [])
  sys.stop()
})
