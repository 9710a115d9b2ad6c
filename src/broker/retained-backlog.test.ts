import t from 'tap'
import { MemoryRetained } from '../../storage/memory-retained.js'
import { messageWith, payloadOf } from './message.fixture.js'
import type { Message } from './message.js'
import { RetainedBacklog } from './retained-backlog.js'
import { Session } from './session.js'
import { ShardFixture } from './shard.fixture.js'
import { Subscription } from './subscription.js'

const NOW_MS = 1_750_000_000_000

function setUp(...topics: readonly string[]): {
  retained: MemoryRetained<Message>
  backlog: RetainedBacklog
  publish: (topic: string, payload: string) => void
  subscription: (identifier: number) => Subscription
  rest: () => string[]
} {
  const retained = new MemoryRetained<Message>({ messagesMax: 1_000, bytesMax: 1_000_000 })
  const backlog = new RetainedBacklog()
  const session = new Session('ann', 1)
  const publish = (topic: string, payload: string): void =>
    retained.set(topic, messageWith(payload, { topic }), retained.nextStamp(NOW_MS, 0), NOW_MS, true)
  for (const topic of topics) publish(topic, topic)
  const rest = (): string[] => {
    const found: string[] = []
    for (let next = backlog.peek(retained); next !== undefined; next = backlog.peek(retained)) {
      found.push(`${next.subscription.options.identifier} ${payloadOf(next.message)}`)
      backlog.advance()
    }
    return found.sort()
  }
  const subscription = (identifier: number): Subscription =>
    new Subscription(session, { qos: 1, noLocal: false, retainAsPublished: false, identifier })
  return { retained, backlog, publish, subscription, rest }
}

t.test('gives the messages of each subscription', async (t) => {
  const { retained, backlog, subscription, rest } = setUp('a', 'a/b', 'c')
  t.same(rest(), [])
  backlog.add('a/#', subscription(1), retained.arrivals)
  backlog.add('c', subscription(2), retained.arrivals)
  backlog.add('none', subscription(3), retained.arrivals)
  t.same(rest(), ['1 a', '1 a/b', '2 c'])
  t.same(rest(), [], 'once')
})

t.test('a look moves nothing', async (t) => {
  const { retained, backlog, subscription } = setUp('a')
  backlog.add('a', subscription(1), retained.arrivals)
  t.equal(backlog.peek(retained)?.message, backlog.peek(retained)?.message)
  t.ok(backlog.peek(retained))
})

t.test(
  'a message that was replaced or cleared meanwhile is left out: the session got the new one by itself',
  async (t) => {
    const { retained, backlog, publish, subscription, rest } = setUp('a', 'b', 'c')
    backlog.add('#', subscription(1), retained.arrivals)
    t.ok(backlog.peek(retained), 'spread out by now')
    publish('a', 'new')
    publish('b', '')
    t.same(rest(), ['1 c'])
  },
)

t.test('a message that no subscriber got by itself is given, whenever it came', async (t) => {
  const { retained, backlog, subscription, rest } = setUp('a', 'b')
  const keep = (topic: string): void => {
    const stamp = retained.nextStamp(NOW_MS, 0)
    retained.set(topic, messageWith('new', { topic }), stamp, NOW_MS, false)
  }
  backlog.add('#', subscription(1), retained.arrivals)
  keep('a')
  t.ok(backlog.peek(retained), 'spread out by now')
  keep('b')
  t.same(rest(), ['1 new', '1 new'])
})

t.test('one that another shard sends before it knows of the subscriber', async (t) => {
  const broker = new ShardFixture({ shards: 2 })
  const ann = broker.connect('ann', { shard: 0 })
  broker.hold(0, 1)
  ann.subscribe('t')
  broker.connect('bob', { shard: 1 }).publish('t', 'x', { retain: true })
  t.same(ann.take(), ['connack'])
  broker.release(0, 1)
  t.same(ann.take(), ['suback #1 0', 't=x q0 #0 retain'])
})

t.test('an unsubscribed filter gets nothing more, whether its turn has come or not', async (t) => {
  const { retained, backlog, subscription, rest } = setUp('a/1', 'a/2', 'b')
  backlog.add('a/+', subscription(1), retained.arrivals)
  backlog.add('b', subscription(2), retained.arrivals)
  t.ok(backlog.peek(retained))
  backlog.remove('a/+')
  t.same(rest(), ['2 b'])
  backlog.add('a/+', subscription(1), retained.arrivals)
  backlog.add('b', subscription(2), retained.arrivals)
  backlog.remove('b')
  t.same(rest(), ['1 a/1', '1 a/2'])
})

t.test('subscribing again and again does not pile up', async (t) => {
  const { retained, backlog, subscription, rest } = setUp('a', 'b')
  for (let turn = 1; turn <= 1_000; turn++) backlog.add('#', subscription(turn), retained.arrivals)
  t.same(rest(), ['1000 a', '1000 b'])
})

t.test('a message that came after the subscription is left out, also before its filter is spread out', async (t) => {
  const { retained, backlog, publish, subscription, rest } = setUp('a')
  backlog.add('#', subscription(1), retained.arrivals)
  publish('a', 'new')
  publish('b', 'new')
  t.same(rest(), [])
})
