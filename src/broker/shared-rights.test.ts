import t, { type Test } from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import type { Qos } from '../mqtt/packets.js'
import type { TestClient } from './client.fixture.js'
import { TestPolicy } from './policy.fixture.js'
import { type FixtureOptions, ShardFixture } from './shard.fixture.js'

const SHARDS = 3

/** Users other than `allowed` may have everything but `jobs/secret`. */
function without(allowed: string): TestPolicy {
  return new TestPolicy(
    ({ scope, topic, identity }) =>
      scope !== 'Subscribe' || topic !== 'jobs/secret' || identity.userName?.startsWith(allowed) === true,
  )
}

/** Joins the group, as the user of its own name. */
function join(broker: ShardFixture, name: string, shard: number, qos: Qos = 1): TestClient {
  const member = broker.connect(name, { shard, expiry: 100, request: { userName: name } })
  member.subscribe('$share/workers/jobs/+', { qos })
  member.take()
  return member
}

/** Publishes, and lets the publisher and all members acknowledge. @returns what the members have got, by their names */
function send(publisher: TestClient, members: readonly TestClient[], count: number, qos: Qos): Record<string, number> {
  publisher.take()
  for (let number = 0; number < count; number++) publisher.publish('jobs/secret', `${number}`, { qos })
  const got = members.map((member): [string, number] => [
    member.clientId,
    new Set(member.takeAll().flatMap((text) => /^jobs\/secret=\d+/.exec(text) ?? [])).size,
  ])
  return Object.fromEntries(got.filter(([, texts]) => texts > 0))
}

t.test('a message that no member of its shard may have goes to one that may, in whatever shard', async (t) => {
  for (const at of [0, 1, 2]) {
    for (const strategy of ['roundRobin', 'sticky', 'hashTopic', 'hashClient'] as const) {
      const config = { sharedSubscription: { strategy } }
      const broker = new ShardFixture({ shards: SHARDS, policy: without('ann'), config })
      const members = [join(broker, 'bob', (at + 1) % SHARDS), join(broker, 'cas', (at + 2) % SHARDS)]
      members.push(join(broker, 'ann', at), join(broker, 'dan', at))
      const publisher = broker.connect('publisher')
      for (const qos of [0, 1, 2] as const) {
        t.same(send(publisher, members, 6, qos), { ann: 6 }, `${strategy}, QoS ${qos}, ann in shard ${at}`)
        const acks = publisher.takeAll()
        t.notOk(
          acks.some((text) => /0x/.test(text)),
          'no publisher is told that nobody is there',
        )
      }
    }
  }
})

t.test('where nobody may have it, the search ends and the publisher is told', async (t) => {
  const broker = new ShardFixture({ shards: SHARDS, policy: without('nobody') })
  const members = [join(broker, 'bob', 0), join(broker, 'cas', 1), join(broker, 'eve', 2)]
  const publisher = broker.connect('publisher', { shard: 1 })
  t.same(send(publisher, members, 1, 1), {})
  t.match(publisher.takeAll(), [/^puback #1 0x10/])
  for (const shard of [0, 1, 2]) t.equal(broker.shard(shard).peers.openQuestions, 0)
})

t.test('who is connected comes before who is not', async (t) => {
  const broker = new ShardFixture({ shards: SHARDS, policy: without('ann') })
  const away = join(broker, 'ann away', 1)
  away.drop()
  const members = [join(broker, 'bob', 0), join(broker, 'ann', 2)]
  const publisher = broker.connect('publisher')
  t.same(send(publisher, members, 4, 1), { ann: 4 })
  t.equal(broker.count('messagesStored'), 0)
  members[1].drop()
  t.same(send(publisher, members, 4, 1), {}, 'bob is there and may not')
  t.equal(broker.count('messagesStored'), 4, 'it waits for one who may')
})

t.test('what a member leaves behind goes to one that may have it', async (t) => {
  const broker = new ShardFixture({ shards: SHARDS, policy: without('ann') })
  const leaving = join(broker, 'ann leaves', 0)
  const publisher = broker.connect('publisher')
  publisher.publish('jobs/secret', 'x', { qos: 1 })
  t.equal(leaving.take().length, 1)
  const members = [join(broker, 'bob', 1), join(broker, 'ann', 2)]
  leaving.drop()
  t.same(members[0].take(), [])
  t.same(members[1].take(), ['jobs/secret=x q1 #1'])
})

t.test('written by several shards or by none, a message is kept once and survives a crash', async (t) => {
  const survives = (t: Test, at: number, options: FixtureOptions) => {
    const ownerOf = (clientId: string): number => (clientId === 'ann' ? at : clientId === 'bob' ? 0 : 1)
    const broker = new ShardFixture({ shards: SHARDS, policy: without('ann'), ownerOf, ...options })
    const members = [join(broker, 'bob', 0, 2), join(broker, 'cas', 1, 2), join(broker, 'ann', at, 2)]
    const publisher = broker.connect('publisher', { shard: 1, expiry: 100 })
    publisher.take()
    publisher.publish('jobs/secret', 'x', { qos: 2 })
    t.match(publisher.take(), [/^pubrec #1/], `ann in shard ${at}`)
    t.notOk(/0x/.test(members.flatMap((member) => member.take()).join()))
    const again = broker.crash()
    const back = again.connect('ann', { shard: at, cleanStart: false, expiry: 100, request: { userName: 'ann' } })
    t.match(
      back.takeAll().filter((text) => text.includes('=')),
      [/^jobs\/secret=x q2/],
    )
  }
  for (const at of [0, 1, 2]) survives(t, at, { engine: new MemoryEngine() })
})
