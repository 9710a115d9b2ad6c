import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodeText, hashBytes } from '../base/bytes.js'
import { decodePublishProperties } from '../mqtt/publish-properties.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import { topicFilter, topicName } from '../mqtt/topics.fixture.js'
import { FilterTree } from './filter-tree.js'
import { Session } from './session.js'
import { SharedGroup } from './shared-group.js'
import { Audience, Subscription } from './subscription.js'
import { type TopicEntry, TopicTable } from './topic-table.js'

/** As a shard keeps them: audiences in a tree, a table over it. */
class Subscriptions {
  readonly tree = new FilterTree<Audience>()
  readonly table: TopicTable
  /** @param hashOf of a topic; by default the real one */
  constructor(
    entriesMax = 1_000,
    readonly hashOf = (bytes: Uint8Array) => hashBytes(bytes, 0, bytes.length),
  ) {
    this.table = new TopicTable(this.tree, entriesMax, { level: 'off', topics: [] }, () => true)
  }

  audience(filter: string): Audience {
    const { size } = this.tree
    const audience = this.tree.getOrAdd(filter, (text) => new Audience(text))
    if (this.tree.size > size) this.table.admit(audience)
    audience.version++
    return audience
  }

  subscribe(session: Session, filter: string, qos: 0 | 1 | 2 = 0, identifier = 0): void {
    const options = { qos, identifier, noLocal: false, retainAsPublished: false }
    this.audience(filter).subscribers.set(session, new Subscription(session, options))
  }

  unsubscribe(session: Session, filter: string): void {
    this.audience(filter).subscribers.delete(session)
  }

  sweep(): void {
    for (const audience of this.tree.values()) if (audience.isEmpty) this.tree.delete(audience.filter)
    this.table.forgetEmpty()
  }

  find(topic: string): TopicEntry {
    const bytes = encodeText(`..${topic}..`)
    const name = encodeText(topic)
    return this.table.find(bytes, 2, name.length, this.hashOf(name))
  }

  receivers(topic: string): string[] {
    return this.find(topic)
      .receivers.map(({ session, qos }) => `${session.clientId} ${qos}`)
      .sort()
  }
}

t.test('an entry follows the subscriptions', async (t) => {
  const subscriptions = new Subscriptions()
  const [ann, bob] = [new Session('ann', 1), new Session('bob', 2)]
  t.same(subscriptions.receivers('a/b'), [])
  subscriptions.subscribe(ann, 'a/b')
  t.same(subscriptions.receivers('a/b'), ['ann 0'])
  const entry = subscriptions.find('a/b')
  subscriptions.subscribe(bob, 'a/+', 1)
  t.same(subscriptions.receivers('a/b'), ['ann 0', 'bob 1'])
  subscriptions.subscribe(ann, '#', 2)
  t.same(subscriptions.receivers('a/b'), ['ann 2', 'bob 1'], 'one copy, with the highest QoS [MQTT-3.3.4-2]')
  subscriptions.unsubscribe(ann, '#')
  subscriptions.unsubscribe(bob, 'a/+')
  t.same(subscriptions.receivers('a/b'), ['ann 0'])
  t.ok(subscriptions.find('a/b') === entry, 'the same entry all the time')
  t.same(subscriptions.receivers('a'), [])
})

t.test('overlapping subscriptions carry all their identifiers', async (t) => {
  const subscriptions = new Subscriptions()
  const ann = new Session('ann', 1)
  subscriptions.subscribe(ann, 'a', 0, 1)
  subscriptions.subscribe(ann, '+', 1)
  subscriptions.subscribe(ann, '#', 0, 300)
  const [receiver] = subscriptions.find('a').receivers
  const { subscriptionIdentifiers } = decodePublishProperties(receiver.identifiers ?? new Uint8Array(0))
  t.same([...subscriptionIdentifiers].sort(), [1, 300])
})

t.test('shared groups and other shards', async (t) => {
  const subscriptions = new Subscriptions()
  const audience = subscriptions.audience('a/+')
  const group = new SharedGroup(1, 'workers', 'a/+')
  audience.addGroup(group)
  audience.addRemote(3)
  const all = subscriptions.audience('#')
  all.addRemote(3)
  all.addRemote(4)
  const entry = subscriptions.find('a/b')
  t.same(entry.groups, [group])
  t.same([...entry.remotes].sort(), [3, 4], 'each once')
  t.same(subscriptions.find('$SYS').remotes, [])
})

t.test('$SYS is reserved, and nothing that only looks like it', async (t) => {
  const subscriptions = new Subscriptions()
  const names = ['$SYS', '$SYS/broker', '$SYSTEM', '$sys/a', 'a/$SYS', '$']
  t.same(
    names.filter((name) => subscriptions.find(name).isReserved),
    ['$SYS', '$SYS/broker'],
  )
})

t.test('topics with one hash are told apart, also after some were replaced', async (t) => {
  const subscriptions = new Subscriptions(300, () => 7)
  const ann = new Session('ann', 1)
  subscriptions.subscribe(ann, 'a/5')
  const ask = (number: number): void => {
    t.same(subscriptions.receivers(`a/${number}`), number === 5 ? ['ann 0'] : [], `a/${number}`)
  }
  for (let number = 0; number < 1_000; number++) {
    const entry = subscriptions.find(`a/${number}`)
    if (entry.name !== `a/${number}`) t.fail(`${entry.name} for a/${number}`)
  }
  for (const number of [0, 5, 699, 700, 701, 999, 5]) ask(number)
})

t.test('topics of one bucket crowd each other out: a look-up passes by few of them', async (t) => {
  const subscriptions = new Subscriptions(1_000, (bytes) => bytes[0] * 1_024)
  const hot = subscriptions.find('hot')
  let lost = 0
  for (let number = 0; number < 10_000; number++) {
    subscriptions.find(`bad/${number}`)
    if (number % 5 === 0 && subscriptions.find('hot') !== hot) lost++
  }
  t.equal(subscriptions.table.size, 16)
  t.equal(lost, 0, 'what is used stays')
})

t.test('the table takes no more memory than it may, whatever the topics', async (t) => {
  const KIB = 1_024
  const flood = (topicOf: (number: number) => string): TopicTable => {
    const subscriptions = new Subscriptions(256)
    subscriptions.subscribe(new Session('ann', 1), '#')
    for (let number = 0; number < 2_000; number++) subscriptions.receivers(topicOf(number))
    t.ok(subscriptions.table.bytes <= 256 * KIB, `${subscriptions.table.bytes} bytes`)
    t.same(subscriptions.receivers(topicOf(1_999)), ['ann 0'])
    return subscriptions.table
  }
  t.equal(flood((number) => `plant/line/${number}`).size, 256, 'ordinary topics')
  t.ok(flood((number) => `${number}`.padEnd(512, 'x')).size > 50, 'long ones')
  t.ok(flood((number) => `${number}${'/'.repeat(199)}`).size > 5, 'many levels')
  const all = new Subscriptions(256)
  for (let number = 0; number < 256; number++) all.find(`a/${number}`)
  for (let number = 0; number < 200; number++) all.subscribe(new Session(`c${number}`, number), 'a/+')
  for (let number = 0; number < 256; number++) t.equal(all.find(`a/${number}`).receivers.length, 200)
  t.ok(all.table.bytes <= 256 * KIB && all.table.size < 100, `many receivers: ${all.table.size} topics`)
  const filtered = new Subscriptions(256)
  for (let number = 0; number < 256; number++) filtered.find(`a/a/a/a/a/a/a/a/${number}`)
  for (let bits = 0; bits < 256; bits++) {
    const levels = Array.from({ length: 8 }, (_, level) => ((bits >> level) & 1 ? '+' : 'a'))
    filtered.audience(`${levels.join('/')}/#`)
  }
  t.ok(filtered.table.bytes <= 256 * KIB && filtered.table.size < 100, `many filters: ${filtered.table.size} topics`)
})

t.test('of very long topics nothing is kept, and they reach everybody all the same', async (t) => {
  const subscriptions = new Subscriptions()
  const ann = new Session('ann', 1)
  const topic = `a/${'x'.repeat(600)}`
  subscriptions.subscribe(ann, 'a/#')
  t.same(subscriptions.receivers(topic), ['ann 0'])
  subscriptions.subscribe(ann, topic, 1)
  t.same(subscriptions.receivers(topic), ['ann 1'])
  subscriptions.unsubscribe(ann, topic)
  t.same(subscriptions.receivers(topic), ['ann 0'])
  t.same([subscriptions.table.size, subscriptions.table.bytes], [0, 0])
})

t.test('the table is bounded, and keeps what is used', async (t) => {
  const subscriptions = new Subscriptions(256)
  for (let number = 0; number < 1_000; number++) subscriptions.find(`cold/${number}`)
  let hot = subscriptions.find('hot')
  let lost = 0
  for (let number = 1_000; number < 5_000; number++) {
    subscriptions.find(`cold/${number}`)
    if (number % 50 !== 0) continue
    const found = subscriptions.find('hot')
    if (found !== hot) lost++
    hot = found
  }
  t.ok(lost <= 2, `${lost} times; without a second chance it would be 15`)
  t.equal(subscriptions.table.size, 256)
})

t.test('an entry that was replaced hears of no filter any more', async (t) => {
  const subscriptions = new Subscriptions(256)
  const old = subscriptions.find('a/0')
  for (let number = 1; number < 1_000; number++) subscriptions.find(`a/${number}`)
  subscriptions.subscribe(new Session('ann', 1), 'a/0')
  t.equal(old.audiences.length, 0)
  t.same(subscriptions.receivers('a/0'), ['ann 0'])
})

t.test('the table agrees with brute force under any changes', async () => {
  const client = fc.integer({ min: 0, max: 3 })
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('subscribe' as const),
        client,
        filter: topicFilter,
        qos: fc.constantFrom(0, 1, 2),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), client, filter: topicFilter }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish' as const), topic: topicName }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  )
  // few entries, so that they are replaced all the time; few hashes, so that they collide
  const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }))
  fc.assert(
    fc.property(sizes, fc.array(step, { maxLength: 150 }), ([entriesMax, hashes], steps) => {
      const subscriptions = new Subscriptions(entriesMax, (bytes) => bytes.length % hashes)
      const sessions = [0, 1, 2, 3].map((number) => new Session(`c${number}`, number))
      const model = new Map<string, Map<string, number>>()
      for (const action of steps) {
        switch (action.kind) {
          case 'subscribe': {
            const session = sessions[action.client]
            subscriptions.subscribe(session, action.filter, action.qos as 0 | 1 | 2)
            const held = model.get(session.clientId) ?? new Map<string, number>()
            model.set(session.clientId, held.set(action.filter, action.qos))
            break
          }
          case 'unsubscribe': {
            const session = sessions[action.client]
            if (!model.get(session.clientId)?.delete(action.filter)) break
            subscriptions.unsubscribe(session, action.filter)
            break
          }
          case 'sweep':
            subscriptions.sweep()
            break
          case 'publish': {
            const expected: string[] = []
            for (const [clientId, held] of model) {
              const grants = [...held].filter(([filter]) => filterMatches(filter, action.topic)).map(([, qos]) => qos)
              if (grants.length > 0) expected.push(`${clientId} ${Math.max(...grants)}`)
            }
            assert.deepEqual(subscriptions.receivers(action.topic), expected.sort(), action.topic)
            assert.ok(subscriptions.table.size <= entriesMax)
          }
        }
      }
    }),
    { numRuns: 400 },
  )
})
