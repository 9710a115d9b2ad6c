import t from 'tap'
import { DEPTH_SHIFT, GOVERNED, ONLY_IF_RETAINED, ONLY_RETAIN, RETAIN, SessionHook } from '../contracts/lot.js'
import { CloseCause } from '../contracts/records.js'
import { lotThreadLost, retainedValues } from './lot-flow.js'
import { TestPolicy } from './policy.fixture.js'
import { type FixtureOptions, ShardFixture } from './shard.fixture.js'

/** In `ConnectRequest`s of tests where nothing else is said. */
const LOCAL = { request: { address: '127.0.0.1' } }

function start(options: FixtureOptions = {}): ShardFixture {
  return new ShardFixture(options)
}

t.test('a topic that LoT wants reaches it with its publisher, and no other topic does', async (t) => {
  const fixture = start()
  const lot = fixture.lot()
  const ann = fixture.connect('ann')
  lot.want('boiler/+')
  fixture.settle()
  ann.publish('boiler/level', '7')
  ann.publish('other/level', '8')
  ann.publish('boiler/mode', 'eco', { retain: true })
  lot.want('boiler/+', false)
  fixture.settle()
  ann.publish('boiler/level', '9')
  fixture.settle()
  t.same(lot.take(), ['wanted 1', 'boiler/level=7 from ann', 'boiler/mode=eco retain from ann', 'wanted 2'])
})

t.test('only the shard of the publisher forwards it, whoever else has subscribers', async (t) => {
  const fixture = start({ shards: 2 })
  const ann = fixture.connect('ann', { shard: 0 })
  const bob = fixture.connect('bob', { shard: 1 })
  bob.subscribe('boiler/#')
  for (const shard of [0, 1]) fixture.lot(shard).want('boiler/+')
  fixture.settle()
  ann.publish('boiler/level', '7', { qos: 1 })
  fixture.settle()
  t.same(fixture.lot(0).take(), ['wanted 1', 'boiler/level=7 q1 from ann #1'])
  t.same(fixture.lot(1).take(), ['wanted 1'])
})

t.test('who publishes with QoS 1 or 2 waits for LoT, and is told when it has no room', async (t) => {
  const fixture = start()
  const lot = fixture.lot()
  const ann = fixture.connect('ann')
  lot.want('boiler/+')
  fixture.settle()
  ann.take()
  ann.publish('boiler/level', '7', { qos: 1 })
  ann.publish('boiler/level', '8', { qos: 1 })
  ann.publish('boiler/level', '9', { qos: 2 })
  fixture.settle()
  t.same(ann.take(), [], 'nothing before LoT has answered')
  const numbers = lot.take().flatMap((text) => /#(\d+)/.exec(text)?.[1] ?? [])
  lot.answer(Number(numbers[0]), true)
  lot.answer(Number(numbers[1]), false)
  lot.answer(Number(numbers[2]), true)
  fixture.settle()
  t.same(ann.take(), ['puback #1', 'puback #2 0x97', 'pubrec #3'])
})

t.test('the LoT thread dies: nobody waits for it, and nothing goes to it until it asks again', async (t) => {
  const fixture = start()
  const lot = fixture.lot()
  const ann = fixture.connect('ann')
  lot.want('boiler/+')
  fixture.settle()
  ann.publish('boiler/level', '7', { qos: 1 })
  fixture.settle()
  ann.take()
  lot.take()
  lotThreadLost(fixture.shard())
  ann.publish('boiler/level', '8', { qos: 1 })
  fixture.settle()
  t.same(ann.take(), ['puback #1 0x10', 'puback #2 0x10'])
  t.same(lot.take(), [])
})

t.test('what LoT publishes reaches subscribers of all shards, is retained, and does not come back', async (t) => {
  const fixture = start({ shards: 2 })
  const lot = fixture.lot()
  const ann = fixture.connect('ann', { shard: 0 })
  const bob = fixture.connect('bob', { shard: 1 })
  ann.subscribe('#', { qos: 2 })
  bob.subscribe('out/+', { qos: 1 })
  lot.want('out/#')
  fixture.settle()
  for (const client of [ann, bob]) client.take()
  lot.take()
  lot.publish('out/a', 'plain')
  lot.publish('out/b', 'kept', RETAIN | 1)
  fixture.settle()
  t.same(ann.take(), ['out/a=plain q0 #0', 'out/b=kept q1 #1'])
  t.same(bob.take(), ['out/a=plain q0 #0', 'out/b=kept q1 #1'])
  t.same(lot.take(), [])
  const late = fixture.connect('late', { shard: 1 })
  late.subscribe('out/#')
  fixture.settle()
  t.match(late.take().join('; '), /out\/b=kept q0 #0 retain$/)
})

t.test('KEEP: later subscribers get it from every shard, present ones do not', async (t) => {
  const fixture = start({ shards: 2 })
  const ann = fixture.connect('ann', { shard: 1 })
  ann.subscribe('#')
  fixture.settle()
  ann.take()
  fixture.lot().publish('kept/limit', '40', RETAIN | ONLY_RETAIN)
  fixture.settle()
  t.same(ann.take(), [])
  const late = fixture.connect('late', { shard: 1 })
  late.subscribe('kept/limit')
  fixture.settle()
  t.match(late.take().join('; '), /kept\/limit=40 q0 #0 retain$/)
})

t.test('commands go to LoT and to nobody else, are never retained, and other $SYS topics stay closed', async (t) => {
  const fixture = start()
  const lot = fixture.lot()
  const ann = fixture.connect('ann', LOCAL)
  const spy = fixture.connect('spy', LOCAL)
  spy.subscribe('$SYS/#')
  lot.want('$SYS/Coreflux/Command')
  lot.want('$SYS/Coreflux/Routes/+/Events/+')
  fixture.settle()
  for (const client of [ann, spy]) client.take()
  lot.take()
  ann.publish('$SYS/Coreflux/Command', '-setSecret A=b', { retain: true })
  ann.publish('$SYS/Coreflux/Routes/db/Events/Last', '1')
  ann.publish('$SYS/broker/version', 'mine', { qos: 1 })
  fixture.settle()
  t.same(lot.take(), [
    '$SYS/Coreflux/Command=-setSecret A=b from ann',
    '$SYS/Coreflux/Routes/db/Events/Last=1 from ann',
  ])
  t.same(spy.take(), [])
  t.same(ann.take(), ['puback #1 0x87'])
  t.equal([...fixture.shard().retained.all()].length, 0)
})

t.test('who may send commands', async (t) => {
  const allowed = (denied: string) => new TestPolicy(({ scope }) => scope !== denied)
  const cases = [
    { policy: allowed('PublishSys'), code: '0x87' },
    { policy: allowed('CommandCall'), code: '0x87' },
    { policy: allowed('Publish'), code: '0x10' },
  ]
  for (const { policy, code } of cases) {
    const fixture = start({ policy })
    const ann = fixture.connect('ann', LOCAL)
    fixture.settle()
    ann.take()
    ann.publish('$SYS/Coreflux/Command', '-listModels', { qos: 1 })
    fixture.settle()
    t.same(ann.take(), [`puback #1 ${code}`])
  }
})

t.test('what sessions do is told where somebody wants to know', async (t) => {
  const fixture = start()
  const lot = fixture.lot()
  fixture.connect('early')
  lot.hooks(SessionHook.CONNECT | SessionHook.DISCONNECT | SessionHook.SUBSCRIBE)
  fixture.settle()
  const ann = fixture.connect('ann', { cleanStart: false, expiry: 60 })
  ann.subscribe('a/#', { qos: 1 })
  ann.drop()
  fixture.settle()
  const again = fixture.connect('ann', { cleanStart: true })
  again.drop(CloseCause.KEEP_ALIVE)
  const bob = fixture.connect('bob')
  bob.disconnect()
  fixture.connect('eve')
  fixture.connect('eve')
  fixture.settle()
  t.same(lot.take(), [
    'connect ann false 127.0.0.1:49152',
    'subscribe ann a/# 1',
    'disconnect ann ConnectionLost',
    'connect ann true 127.0.0.1:49152',
    'disconnect ann KeepAliveTimeout',
    'connect bob true 127.0.0.1:49152',
    'disconnect bob NormalDisconnection',
    'connect eve true 127.0.0.1:49152',
    'disconnect eve SessionTakenOver',
    'connect eve true 127.0.0.1:49152',
  ])
})

t.test('where a session comes from', async (t) => {
  const cases: [request: { address: string; port: number }, endpoint: string][] = [
    [{ address: '192.0.2.7', port: 1_234 }, '192.0.2.7:1234'],
    [{ address: '2001:db8::7', port: 1_234 }, '[2001:db8::7]:1234'],
    [{ address: '/run/merlot.sock', port: 0 }, '/run/merlot.sock'],
  ]
  for (const [request, endpoint] of cases) {
    const fixture = start()
    fixture.lot().hooks(SessionHook.CONNECT)
    fixture.settle()
    fixture.connect('ann', { request })
    fixture.settle()
    t.same(fixture.lot().take(), [`connect ann true ${endpoint}`])
  }
})

t.test('what rules govern goes out if they allow it, to LoT as well; otherwise it is counted and told', async (t) => {
  const policy = new TestPolicy(({ scope, topic, identity }) => {
    return scope !== 'Publish' || (identity.userName === undefined && topic !== 'secret')
  })
  const fixture = start({ policy })
  const lot = fixture.lot()
  const watcher = fixture.connect('watcher')
  watcher.subscribe('#')
  lot.want('#')
  fixture.settle()
  watcher.take()
  lot.take()
  lot.publish('secret', '1', GOVERNED | (2 << DEPTH_SHIFT))
  lot.publish('open', '2', 1 | GOVERNED | (2 << DEPTH_SHIFT))
  lot.publish('secret', '3')
  fixture.settle()
  t.match(watcher.take(), [/open/, /secret/])
  t.same(lot.take(), ['open=2 q1 depth 2'])
  t.equal(fixture.count('droppedNotAuthorized'), 1)
  const denials = fixture.audited.filter(({ kind }) => kind === 'denial')
  t.match(denials, [{ user: '', clientId: '', what: 'publish secret (PUBLISH MODEL)', success: false }])
})

t.test('only what is there is cleared where LoT says so', async (t) => {
  const fixture = start()
  const lot = fixture.lot()
  const watcher = fixture.connect('watcher')
  watcher.subscribe('#')
  fixture.settle()
  watcher.take()
  lot.publish('error', '', RETAIN | ONLY_IF_RETAINED)
  fixture.settle()
  t.same(watcher.take(), [])
  lot.publish('error', 'bad', 4)
  lot.publish('error', '', RETAIN | ONLY_IF_RETAINED)
  fixture.settle()
  t.equal(watcher.take().length, 2)
  t.equal(fixture.shard().retained.messages, 0)
})

t.test('retained values come in pages', async (t) => {
  const fixture = start()
  const ann = fixture.connect('ann')
  for (const name of ['d', 'b', 'a', 'c']) ann.publish(`v/${name}`, name, { retain: true })
  ann.publish('other', 'x', { retain: true })
  fixture.settle()
  const shard = fixture.shard()
  const page = (after: string | undefined, limit: number): string[] =>
    retainedValues(shard, 'v/+', after, limit).map(({ topic, payload }) => `${topic}=${Buffer.from(payload)}`)
  t.same(page(undefined, 3), ['v/a=a', 'v/b=b', 'v/c=c'])
  t.same(page('v/c', 3), ['v/d=d'])
  t.same(page('v/d', 3), [])
})
