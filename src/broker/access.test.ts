import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { ONLY_RETAIN, RETAIN } from '../contracts/lot.js'
import type { AccessQuestion, Decision, RuleScope, RuleWorld } from '../contracts/security.js'
import type { ClientOptions, TestClient } from './client.fixture.js'
import { ALL_RULES, NEW_RULES, TestPolicy } from './policy.fixture.js'
import { changeAccess } from './receiving.js'
import { ShardFixture } from './shard.fixture.js'

const ANN = { request: { userName: 'ann' } }
const BOB = { request: { userName: 'bob' } }

/** Connected, with its CONNACK taken. */
function join(fixture: ShardFixture, clientId: string, options?: ClientOptions): TestClient {
  const client = fixture.connect(clientId, options)
  fixture.settle()
  client.take()
  return client
}

/** Denies this scope for topics that begin so. */
function denies(scope: RuleScope, prefix: string): TestPolicy {
  return new TestPolicy((question) => question.scope !== scope || !question.topic?.startsWith(prefix))
}

t.test('a denied publish reaches nobody, and its client is told', async (t) => {
  const fixture = new ShardFixture({ policy: denies('Publish', 'secret') })
  const [ann, bob] = [join(fixture, 'ann'), join(fixture, 'bob')]
  bob.subscribe('#', { qos: 1 })
  bob.take()
  ann.publish('secret/a', 'x')
  ann.publish('secret/a', 'x', { qos: 1, retain: true })
  ann.publish('secret/a', 'x', { qos: 2 })
  ann.publish('open', 'x')
  fixture.settle()
  t.match(ann.take(), ['puback #1 0x87', 'pubrec #2 0x87'])
  t.match(bob.take(), [/open/])
  t.equal([...fixture.shard().retained.all()].length, 0, 'nothing is retained')
  t.match(fixture.audited.filter(({ kind }) => kind === 'denial').length, 3)
})

t.test('a denied will is not published', async (t) => {
  const policy = denies('Publish', 'secret')
  const fixture = new ShardFixture({ policy })
  const watcher = join(fixture, 'watcher')
  watcher.subscribe('#')
  watcher.take()
  join(fixture, 'ann', { will: { topic: 'secret/will', payload: 'x' } }).drop()
  join(fixture, 'bob', { will: { topic: 'open/will', payload: 'x' } }).drop()
  fixture.settle()
  t.match(watcher.take(), [/open\/will/])
  t.match(fixture.audited.find(({ what }) => what.includes('will'))?.what, 'publish its will to secret/will')
})

t.test('a will is judged by the rules of the moment it is published', async (t) => {
  const policy = new TestPolicy()
  const fixture = new ShardFixture({ policy })
  const watcher = join(fixture, 'watcher')
  watcher.subscribe('#')
  watcher.take()
  const ann = join(fixture, 'ann', { expiry: 100, will: { topic: 'a/will', payload: 'x', delaySeconds: 5 } })
  ann.drop()
  policy.replace(({ scope }) => scope !== 'Publish')
  changeAccess(fixture.shard(), NEW_RULES)
  fixture.advance(6_000)
  t.same(watcher.take(), [])
})

t.test('a denied subscription is refused', async (t) => {
  const fixture = new ShardFixture({ policy: denies('Subscribe', 'secret') })
  const ann = join(fixture, 'ann')
  ann.subscribe('secret/#')
  ann.subscribe('$share/workers/secret/a')
  t.match(ann.take(), [/suback.*135/, /suback.*135/])
})

t.test('a broad subscription does not get around a rule', async (t) => {
  const fixture = new ShardFixture({ policy: denies('Subscribe', 'secret') })
  const [ann, bob] = [join(fixture, 'ann'), join(fixture, 'bob')]
  bob.publish('secret/kept', 'x', { retain: true })
  fixture.settle()
  ann.subscribe('#')
  ann.take()
  bob.publish('secret/now', 'x')
  bob.publish('open/now', 'x')
  fixture.settle()
  t.match(ann.take(), [/open\/now/], 'neither retained nor live')
})

t.test('a member of a shared subscription gets nothing that a rule forbids it; others do', async (t) => {
  const policy = new TestPolicy(
    ({ scope, identity, topic }) => scope !== 'Subscribe' || identity.userName !== 'ann' || topic !== 'jobs/secret',
  )
  const fixture = new ShardFixture({ policy })
  const [ann, bob, cas] = [join(fixture, 'ann', ANN), join(fixture, 'bob', BOB), join(fixture, 'cas')]
  ann.subscribe('$share/workers/jobs/+', { qos: 1 })
  bob.subscribe('$share/workers/jobs/+', { qos: 1 })
  ann.take()
  bob.take()
  for (let i = 0; i < 4; i++) cas.publish('jobs/secret', String(i), { qos: 1 })
  fixture.settle()
  t.same([ann.take().length, bob.take().length], [0, 4])
})

t.test('a revoked right ends an open subscription, what waits in a queue, and a seat in a group', async (t) => {
  const policy = new TestPolicy()
  const fixture = new ShardFixture({ policy })
  const [ann, bob] = [join(fixture, 'ann', { ...ANN, cleanStart: false, expiry: 100 }), join(fixture, 'bob')]
  ann.subscribe('a/#', { qos: 1 })
  ann.subscribe('$share/workers/jobs/+', { qos: 1 })
  const off = fixture.connect('off', { ...ANN, cleanStart: false, expiry: 100 })
  off.subscribe('a/#', { qos: 1 })
  off.drop()
  bob.publish('a/1', 'before', { qos: 1 })
  fixture.settle()
  ann.take()
  policy.replace(({ scope, identity }) => scope !== 'Subscribe' || identity.userName !== 'ann')
  changeAccess(fixture.shard(), NEW_RULES)
  bob.take()
  bob.publish('a/1', 'after', { qos: 1 })
  bob.publish('jobs/1', 'after', { qos: 1 })
  fixture.settle()
  t.same(ann.take(), [], 'open')
  t.same(bob.take(), ['puback #2 0x10', 'puback #3 0x10'], 'as if nobody had subscribed')
  const back = fixture.connect('off', { ...ANN, cleanStart: false, expiry: 100 })
  fixture.settle()
  t.notMatch(back.take().join(), /before|after/, 'waiting')
  policy.replace(undefined)
  changeAccess(fixture.shard(), NEW_RULES)
  bob.publish('a/1', 'again', { qos: 1 })
  bob.publish('jobs/1', 'again', { qos: 1 })
  fixture.settle()
  t.match(ann.take(), [/a\/1/, /jobs\/1/], 'and comes back with the right')
})

t.test('without rechecks, what SUBSCRIBE was told holds', async (t) => {
  const policy = new TestPolicy()
  const fixture = new ShardFixture({ policy, config: { rules: { recheckOpenSubscriptions: false } } })
  const [ann, bob] = [join(fixture, 'ann'), join(fixture, 'bob')]
  ann.subscribe('#')
  ann.take()
  policy.replace(({ scope }) => scope !== 'Subscribe')
  changeAccess(fixture.shard(), NEW_RULES)
  bob.publish('a', 'x')
  fixture.settle()
  t.equal(ann.take().length, 1)
  ann.subscribe('b')
  t.match(ann.take(), [/suback.*135/], 'new ones are judged by the new rules')
})

t.test('a retained grant is looked at again when it changes, and other decisions stay', async (t) => {
  const policy = new TestPolicy(({ scope, topic, identity }, world) => {
    if (topic === 'gate/ann') return true
    if (scope === 'Publish') return topic === 'free' || world.value(`gate/${identity.userName}`) === 'open'
    return scope !== 'Subscribe' || topic === 'free' || world.hasRetained(`gate/${identity.userName}`)
  })
  const fixture = new ShardFixture({ policy })
  const ann = join(fixture, 'ann', ANN)
  const send = (topic: string): string => {
    ann.publish(topic, 'x', { qos: 1 })
    fixture.settle()
    return ann.take().join().replace(/#\d+ /, '')
  }
  t.equal(send('line'), 'puback 0x87')
  t.equal(send('free'), 'puback 0x10')
  const asked = policy.asked
  t.equal(send('line'), 'puback 0x87')
  t.equal(send('free'), 'puback 0x10')
  t.equal(policy.asked, asked, 'answers are remembered')
  const keeper = join(fixture, 'keeper')
  fixture.shard()
  ann.publish('gate/ann', 'open', { retain: true })
  fixture.settle()
  ann.take()
  t.equal(send('line'), 'puback 0x10', 'granted')
  const before = policy.asked
  t.equal(send('free'), 'puback 0x10')
  t.equal(policy.asked, before, 'what does not depend on it is still remembered')
  ann.publish('gate/ann', 'shut', { retain: true })
  fixture.settle()
  t.equal(send('line'), 'puback 0x87', 'and taken back')
  ann.subscribe('line')
  t.match(ann.take(), [/suback.* 0/])
  ann.publish('gate/ann', '', { retain: true })
  fixture.settle()
  ann.take()
  fixture.shard()
  t.same(keeper.take(), [])
})

t.test('a change of rules drops the decisions it concerns, and no others', async (t) => {
  const policy = new TestPolicy(() => true)
  const fixture = new ShardFixture({ policy })
  const ann = join(fixture, 'ann', ANN)
  const send = (topic: string): number => {
    const { asked } = policy
    ann.publish(topic, 'x')
    fixture.settle()
    return policy.asked - asked
  }
  t.same([send('a/1'), send('b/1'), send('a/1'), send('b/1')], [1, 1, 0, 0])
  policy.replace(() => true, { rules: [{ scope: 'Publish', topic: 'a/#' }], users: new Set() })
  changeAccess(fixture.shard(), NEW_RULES)
  t.same([send('a/1'), send('b/1')], [1, 0])
  policy.replace(() => true, { rules: [{ scope: 'Subscribe', topic: '#' }], users: new Set(['bob']) })
  changeAccess(fixture.shard(), NEW_RULES)
  t.same([send('a/1'), send('b/1')], [0, 0])
  policy.replace(() => true, { rules: [], users: new Set(['ann']) })
  changeAccess(fixture.shard(), NEW_RULES)
  t.same([send('a/1'), send('b/1')], [1, 1])
})

t.test('decisions are remembered within bounds, and long topics are judged each time', async (t) => {
  const policy = new TestPolicy(
    ({ scope, topic }, world) => scope !== 'Publish' || world.value(`gate/${topic}`) !== 'shut',
  )
  const fixture = new ShardFixture({ policy })
  const [ann, gatekeeper] = [join(fixture, 'ann', ANN), join(fixture, 'gatekeeper')]
  const publish = (topic: string): string => {
    ann.publish(topic, 'x', { qos: 1 })
    fixture.settle()
    return ann.take().join().replace(/#\d+ /, '')
  }
  const asked = (topic: string): number => {
    const before = policy.asked
    publish(topic)
    return policy.asked - before
  }
  const other = 'other'
  const of = (length: number, number = 0): string => `${number}`.padEnd(length, 'x')
  const turns = (topic: string): number[] => [asked(topic), asked(other), asked(topic)]
  asked(other)
  t.same(turns(of(512)), [1, 0, 0])
  t.same(turns(of(513)), [1, 0, 1])
  const shut = (topic: string): void => {
    gatekeeper.publish(`gate/${topic}`, 'shut', { retain: true })
    fixture.settle()
  }
  t.equal(publish(of(513)), 'puback 0x10')
  t.equal(publish(of(513)), 'puback 0x10')
  shut(of(513))
  t.equal(publish(of(513)), 'puback 0x87')
  for (let number = 1; number <= 300; number++) asked(of(512, number))
  t.same(turns(of(512, 300)), [0, 1, 0], 'forgotten when there were too many')
  for (let number = 301; number <= 1_100; number++) asked(of(512, number))
  t.ok(fixture.shard().access.watchedTopics < 1_050, 'and so is what they depend on')
})

t.test('who connects', async (t) => {
  const fixture = new ShardFixture({
    policy: new TestPolicy(({ scope, identity }) => scope !== 'Connect' || identity.userName !== 'eve'),
  })
  t.match(fixture.connect('x', { request: { userName: 'eve' } }).take(), [/connack 0x87/])
  t.equal(fixture.shard().sessions.size, 0)
})

t.test('a session belongs to its user', async (t) => {
  const fixture = new ShardFixture()
  const ann = fixture.connect('id', { ...ANN, cleanStart: false, expiry: 100 })
  ann.subscribe('a', { qos: 1 })
  ann.take()
  t.match(fixture.connect('id', BOB).take(), [/connack 0x87/], 'not while it is connected')
  t.match(fixture.connect('id').take(), [/connack 0x87/], 'and nobody may end it')
  ann.drop()
  t.match(fixture.connect('id', { ...BOB, cleanStart: false }).take(), [/connack 0x87/], 'nor afterwards')
  t.match(fixture.connect('id', { ...ANN, cleanStart: false }).take(), [/connack.*present/])
})

t.test('a session of nobody gives way to a user, and is lost', async (t) => {
  const fixture = new ShardFixture()
  const nobody = fixture.connect('id', { cleanStart: false, expiry: 100 })
  nobody.subscribe('a', { qos: 1 })
  nobody.take()
  const ann = fixture.connect('id', { ...ANN, cleanStart: false })
  t.notMatch(ann.take().join(), /present/)
  t.equal(fixture.shard().sessions.get('id')?.subscriptions.size, 0)
})

t.test('takeover by others can be allowed', async (t) => {
  const fixture = new ShardFixture({ config: { session: { takeoverByOthers: true } } })
  fixture.connect('id', { ...ANN, cleanStart: false, expiry: 100 })
  t.match(fixture.connect('id', { ...BOB, cleanStart: false }).take(), [/connack.*present/])
})

t.test('sessions of a removed user end, and their wills with them', async (t) => {
  const fixture = new ShardFixture()
  const watcher = fixture.connect('watcher')
  watcher.subscribe('#')
  watcher.take()
  fixture.connect('on', { ...ANN, cleanStart: false, expiry: 100, will: { topic: 'w', payload: 'x' } })
  fixture.connect('off', { ...ANN, cleanStart: false, expiry: 100 }).drop()
  fixture.connect('other', { ...BOB, cleanStart: false, expiry: 100 })
  changeAccess(fixture.shard(), { users: [], removedUsers: ['ann'], isWhole: false })
  fixture.settle()
  t.same([...fixture.shard().sessions.keys()].sort(), ['other', 'watcher'])
  t.same(watcher.take(), [])
})

t.test('a token that expires ends its connection', async (t) => {
  const fixture = new ShardFixture()
  const claims = { groups: [], publish: undefined, subscribe: undefined, expiresAtMs: fixture.clock.now() + 5_000 }
  const ann = join(fixture, 'id', { request: { userName: 'ann', claims } })
  fixture.advance(4_000)
  t.same(ann.take(), [])
  fixture.advance(2_000)
  t.match(ann.take(), [/disconnect 0xa0/])
})

t.test('whose a session is outlives the broker', async (t) => {
  const fixture = new ShardFixture({ engine: new MemoryEngine() })
  const claims = { groups: ['night'], publish: ['a/#'], subscribe: undefined, expiresAtMs: undefined }
  const will = { topic: 'w', payload: 'x', delaySeconds: 50 }
  join(fixture, 'id', { request: { userName: 'ann', claims }, cleanStart: false, expiry: 100, will })
  const again = fixture.crash()
  t.match(again.connect('id', { ...BOB, cleanStart: false }).take(), [/connack 0x87/])
  t.match(again.shard().sessions.get('id')?.identity, { userName: 'ann', claims: { groups: ['night'] } })
})

t.test('a will that is due before the rules are known waits for them', async (t) => {
  const engine = new MemoryEngine()
  const will = { topic: 'w', payload: 'x', delaySeconds: 5 }
  join(new ShardFixture({ engine }), 'id', { ...ANN, cleanStart: false, expiry: 100, will })
  const clock = new ManualClock()
  clock.nowMs += 60_000
  const again = new ShardFixture({ engine, clock, startsWithoutRules: true })
  again.advance(1_000)
  const { willTimer } = again.shard().sessions.get('id') ?? {}
  t.ok(willTimer, 'it is still to come')
  changeAccess(again.shard(), ALL_RULES)
  const watcher = join(again, 'watcher')
  watcher.subscribe('w')
  watcher.take()
  again.advance(1_000)
  t.match(watcher.take(), [/w/])
})

t.test('a rule reads a retained message that the broker has not yet read from its store', async (t) => {
  const engine = new MemoryEngine()
  const first = new ShardFixture({ engine })
  join(first, 'ann').publish('gate/x', 'open', { retain: true })
  first.settle()
  const policy = new TestPolicy(({ scope }, world) => scope !== 'Publish' || world.value('gate/x') === 'open')
  const again = new ShardFixture({ engine, policy, loadsLater: true })
  t.notOk(again.shard().retained.isLoaded)
  const bob = join(again, 'bob')
  bob.publish('line', 'x', { qos: 1 })
  again.settle()
  t.same(bob.take(), ['puback #1 0x10'])
})

t.test('what KEEP TOPIC keeps can be read by rules, and is no retained message, after a restart either', async (t) => {
  const policy = new TestPolicy(({ scope, topic }, world) => {
    if (scope !== 'Publish' || topic === 'gate') return true
    return topic === 'exists' ? world.hasRetained('gate') : world.value('gate') === 'open'
  })
  const engine = new MemoryEngine()
  const first = new ShardFixture({ engine, policy, shards: 2 })
  const asks = (fixture: ShardFixture, shard: number): string[] => {
    const client = join(fixture, `asks${shard}`, { shard })
    client.publish('exists', 'x', { qos: 1 })
    client.publish('reads', 'x', { qos: 1 })
    fixture.settle()
    const answers = client.take()
    client.drop()
    return answers
  }
  const [denied, allowed] = [
    ['puback #1 0x87', 'puback #2 0x10'],
    ['puback #1 0x10', 'puback #2 0x10'],
  ]
  first.lot(0).publish('gate', 'open', RETAIN | ONLY_RETAIN)
  first.settle()
  for (const shard of [0, 1]) t.same(asks(first, shard), denied, `shard ${shard}`)
  const again = new ShardFixture({ engine, policy, shards: 2 })
  again.settle()
  for (const shard of [0, 1]) t.same(asks(again, shard), denied, `shard ${shard} after a restart`)
  join(again, 'keeper', { shard: 0 }).publish('gate', 'open', { retain: true })
  again.settle()
  for (const shard of [0, 1]) t.same(asks(again, shard), allowed, `shard ${shard}: it was published`)
})

t.test('rules are told whether what they have read may have changed', async (t) => {
  const versions: (number | undefined)[] = []
  const policy = new TestPolicy(({ topic, scope }, world) => {
    if (scope !== 'Connect' && topic?.startsWith('locks') === false) versions.push(world.version)
    return topic === undefined || topic.startsWith('locks') || !world.hasRetained('locks/ann')
  })
  const fixture = new ShardFixture({ policy })
  const [ann, bob] = [join(fixture, 'ann'), join(fixture, 'bob')]
  const seen = (act: () => void): number | undefined => {
    act()
    fixture.settle()
    return versions.at(-1)
  }
  const first = seen(() => ann.publish('a', 'x'))
  t.type(first, 'number')
  bob.publish('locks/other', 'x', { retain: true })
  t.equal(
    seen(() => ann.publish('b', 'x')),
    first,
    'nobody has asked for that',
  )
  bob.publish('locks/ann', 'x', { retain: true })
  const second = seen(() => ann.publish('c', 'x'))
  t.not(second, first)
  ann.drop()
  t.not(
    seen(() => bob.publish('d', 'x')),
    second,
    'nobody watches any more over what was read for a session that ended',
  )
  t.equal(
    seen(() => bob.subscribe('e')),
    undefined,
    'nor over what is not remembered',
  )
})

t.test('a decision is forgotten as often as what it depends on changes', async (t) => {
  class SharedReads extends TestPolicy {
    override decide(question: AccessQuestion, world: RuleWorld): Decision {
      const decision = super.decide(question, world)
      return decision.reads.length > 0 ? { ...decision, reads: LOCK } : decision
    }
  }
  const LOCK = ['lock']
  const policy = new SharedReads(({ topic, scope }, world) => {
    return scope !== 'Publish' || topic === 'lock' || !world.hasRetained('lock')
  })
  const fixture = new ShardFixture({ policy })
  const [ann, bob] = [join(fixture, 'ann'), join(fixture, 'bob')]
  for (const payload of ['', 'locked', '', 'locked']) {
    bob.publish('lock', payload, { retain: true })
    for (const topic of ['a', 'b', 'a']) {
      ann.publish(topic, 'x', { qos: 1 })
      fixture.settle()
      t.equal(/0x87/.test(ann.take().join()), payload !== '')
    }
  }
})

t.test('what decisions depend on has bounds', async (t) => {
  const policy = new TestPolicy(({ topic }, world) => topic === undefined || !world.hasRetained(`locks/${topic}`))
  const fixture = new ShardFixture({ policy })
  const [ann, bob, cas] = [join(fixture, 'ann'), join(fixture, 'bob'), join(fixture, 'cas')]
  bob.subscribe('a/#')
  bob.take()
  for (let n = 0; n < 10_000; n++) {
    ann.publish(`a/${n}`, 'x')
    if (n % 500 === 0) fixture.settle()
  }
  fixture.settle()
  bob.take()
  t.ok(fixture.shard().access.watchedTopics <= 2 * 4_096 + 1)
  for (const n of [0, 5_000, 9_999]) {
    cas.publish(`locks/a/${n}`, 'x', { retain: true })
    ann.publish(`a/${n}`, 'x', { qos: 1 })
    fixture.settle()
    t.match(ann.take(), [/0x87/], 'and what was forgotten is asked again')
  }
  t.same(bob.take(), [])
})
