/** Clients are served while sessions are read from the store; what they publish finds everybody all the same. */
import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import { changeAccess } from './receiving.js'
import { type FixtureOptions, ShardFixture } from './shard.fixture.js'
import { publishInternal } from './shard.js'

const SESSION = { expiry: 1_000, cleanStart: false }
const LATER = { opensLater: true }

/** Of a broker that has died with these sessions, each subscribed to the topics of its name. */
function begun(clients: readonly string[], options: FixtureOptions = {}): ShardFixture {
  const broker = new ShardFixture({ engine: new MemoryEngine(), ...options })
  for (const client of clients) {
    const session = broker.connect(client, { ...SESSION, shard: options.ownerOf?.(client) ?? 0 })
    session.subscribe(`${client}/#`, { qos: 2 })
    session.drop()
  }
  return broker.crash(LATER)
}

t.test('a session is there for its client before its turn, with all that belongs to it', async (t) => {
  const before = new ShardFixture({ engine: new MemoryEngine() })
  const old = before.connect('ann', SESSION)
  old.subscribe('ann/#', { qos: 2 }, 7)
  const packetId = old.publish('x', 'half', { qos: 2 })
  for (const name of ['bob', 'cid']) before.connect(name, SESSION).drop()
  const broker = before.crash(LATER)
  t.equal(broker.count('sessions'), 0)
  const ann = broker.connect('ann', SESSION)
  t.same(ann.take(), ['connack present'])
  t.equal(broker.count('sessions'), 1)
  t.equal(broker.count('subscriptions'), 1)
  ann.ack('pubrel', packetId)
  broker.settle()
  t.same(ann.take(), [`pubcomp #${packetId}`])
  broker.open()
  t.equal(broker.count('sessions'), 3, 'none twice')
  broker.load()
  broker.connect('bob').publish('ann/1', 'x', { qos: 1 })
  t.match(ann.take(), ['ann/1=x q1 #1'])
})

t.test('what is published waits for those who have subscribed', async (t) => {
  const broker = begun(['ann'])
  const bob = broker.connect('bob')
  t.same(bob.take(), ['connack'])
  bob.publish('ann/1', 'one', { qos: 1 })
  bob.publish('ann/2', 'two', { qos: 0 })
  bob.ping()
  t.same(bob.take(), [], 'PINGRESP tells that all before it is worked off')
  const cid = broker.connect('cid')
  cid.subscribe('ann/1')
  cid.ping()
  t.match(cid.take(), ['connack', /^suback/, 'pingresp'], 'others are served')
  broker.open()
  broker.load()
  t.same(bob.take().sort(), ['pingresp', 'puback #1'])
  t.same(cid.take(), ['ann/1=one q0 #0'])
  t.same(broker.connect('ann', SESSION).take(), ['connack present', 'ann/1=one q1 #1'])
})

t.test('records keep their order, and their client stays behind them', async (t) => {
  const broker = begun(['ann', 'bob'])
  const bob = broker.connect('bob', SESSION)
  bob.publish('ann/1', 'one', { qos: 1 })
  bob.drop()
  t.equal(broker.count('sessionsConnected'), 1, 'its end waits, too')
  const again = broker.connect('bob', SESSION)
  again.publish('ann/1', 'two', { qos: 1 })
  const third = broker.connect('bob', SESSION)
  t.same([...again.take(), ...third.take()], [])
  broker.open()
  broker.load()
  t.same(again.take(), ['closed'])
  t.same(third.take(), ['connack present'])
  t.same(broker.connect('ann', SESSION).take(), ['connack present', 'ann/1=one q1 #1', 'ann/1=two q1 #2'])
})

t.test('what LoT and the broker publish waits behind what came before', async (t) => {
  const broker = begun(['ann'])
  broker.lot().publish('ann/lot', '1', 1)
  broker.settle()
  publishInternal(broker.shard(), [{ topic: 'ann/broker', payload: Buffer.from('2'), retain: false }])
  const ann = broker.connect('ann', SESSION)
  t.same(ann.take(), ['connack present'])
  broker.open()
  broker.load()
  t.match(ann.take(), ['ann/lot=1 q1 #1', 'ann/broker=2 q0 #0'])
})

t.test('wills wait, also that of a session which has ended meanwhile', async (t) => {
  const will = { topic: 'ann/will', payload: 'gone', qos: 1 } as const
  const before = new ShardFixture({ engine: new MemoryEngine() })
  const listener = before.connect('ann', SESSION)
  listener.subscribe('ann/#', { qos: 1 })
  listener.drop()
  before
    .connect('short', { expiry: 5, cleanStart: false, will: { ...will, payload: 'expired', delaySeconds: 5 } })
    .drop()
  const broker = before.crash(LATER)
  broker.connect('bob', { will }).drop()
  broker.connect('short', { expiry: 5, cleanStart: false, will }).drop()
  broker.advance(10_000)
  t.equal(broker.count('willsPublished'), 0)
  broker.open()
  broker.load()
  broker.advance(1_000)
  t.equal(broker.count('willsPublished'), 2)
  const found = broker.connect('ann', SESSION).take()
  t.same(found, ['connack present', 'ann/will=gone q1 #1', 'ann/will=gone q1 #2'])
  t.equal(broker.crash({ opensLater: false }).count('sessions'), 1, 'a session that has ended is not written again')
})

t.test('sessions of other shards count', async (t) => {
  const ownerOf = (clientId: string): number => (clientId === 'ann' ? 1 : 0)
  const broker = begun(['ann', 'bob'], { shards: 2, ownerOf })
  const bob = broker.connect('bob', SESSION)
  bob.publish('ann/1', 'one', { qos: 2 })
  broker.store?.restoreSessions(broker.shard(0))
  broker.settle()
  t.same(bob.take(), ['connack present'], 'all of its own are there, and those of the other shard are not')
  broker.open()
  broker.load()
  t.match(bob.take(), [/^pubrec/])
  t.match(broker.connect('ann', { ...SESSION, shard: 1 }).take(), ['connack present', /^ann.1=one q2/])
})

t.test('a user who is removed meanwhile loses the sessions that are still to be read', async (t) => {
  const before = new ShardFixture({ engine: new MemoryEngine() })
  for (const userName of ['ann', 'bob']) before.connect(userName, { ...SESSION, request: { userName } }).drop()
  const broker = before.crash(LATER)
  changeAccess(broker.shard(), { users: [], removedUsers: ['ann'], isWhole: false, number: 4 })
  broker.open()
  t.same([...broker.shard().sessions.keys()], ['bob'])
  t.same([...broker.crash({ opensLater: false }).shard().sessions.keys()], ['bob'])
})

t.test('of too many clients at once some wait, in the order in which they came', async (t) => {
  const clients = Array.from({ length: 70 }, (_, index) => `c${index}`)
  const broker = begun(clients)
  const connect = (clientId: string): readonly string[] => broker.connect(clientId, SESSION).take()
  const served = clients.filter((clientId) => connect(clientId).length > 0)
  t.equal(served.length, 64)
  t.same(connect('c69'), [], 'behind itself')
  t.same(connect('new'), ['connack'], 'others do not wait')
  broker.shard().opening?.nextSlice()
  t.same(connect('c69'), [], 'still behind itself')
  broker.open()
  t.equal(broker.count('sessionsConnected'), 71)
  t.equal(broker.count('sessions'), 71)
})

t.test('what came by a connection thread that dies is gone with it', async (t) => {
  const broker = begun(['ann'], { threads: 2 })
  const [bob, cid] = ['bob', 'cid'].map((name, thread) => broker.connect(name, { thread }))
  for (const client of [bob, cid]) client?.publish('ann/1', client.clientId, { qos: 1 })
  broker.connect('bob')
  broker.loseConnectionThread(0)
  const dan = broker.connect('dan')
  dan.publish('ann/1', 'dan', { qos: 1 })
  broker.open()
  broker.load()
  t.same([...broker.shard().sessions.keys()].sort(), ['ann', 'cid', 'dan'])
  t.same(broker.connect('ann', SESSION).take(), ['connack present', 'ann/1=cid q1 #1', 'ann/1=dan q1 #2'])
})

t.test('what waits is bounded', async (t) => {
  const broker = begun(['ann'])
  const { opening } = broker.shard()
  const message = { topic: 'ann/x', payload: Buffer.alloc(34_000_000), retain: false }
  for (const isFull of [false, false, true]) {
    t.equal(opening?.holdsBack, isFull)
    publishInternal(broker.shard(), [message])
  }
  const ann = broker.connect('ann', SESSION)
  t.same(ann.take(), [], 'nothing is taken any more')
  broker.open()
  t.equal(broker.shard().opening, undefined)
  t.same(ann.take(), ['connack present'])
})

t.test('routing does not begin before other shards know what sessions want', async (t) => {
  const ownerOf = (clientId: string): number => (clientId === 'ann' ? 1 : 0)
  const broker = begun(['ann'], { shards: 2, ownerOf })
  broker.hold(1, 0)
  let isKnown = false
  broker.store?.restoreSessions(broker.shard(1), () => {
    isKnown = true
  })
  broker.settle()
  t.notOk(isKnown)
  broker.release(1, 0)
  t.ok(isKnown)
})

t.test('a will keeps its place before what the next connection of its client publishes', async (t) => {
  const before = new ShardFixture({ engine: new MemoryEngine() })
  const will = { topic: 'state', payload: 'offline', retain: true, qos: 1 } as const
  before.connect('clean', { will })
  before.connect('kept', { ...SESSION, will: { ...will, topic: 'kept' } })
  const broker = before.crash(LATER)
  const clean = broker.connect('clean', { will })
  clean.publish('state', 'online', { retain: true })
  broker.connect('kept', { ...SESSION, will: { ...will, topic: 'kept', payload: 'second' } }).drop()
  broker.connect('kept', SESSION).publish('kept', 'online', { retain: true })
  broker.open()
  broker.load()
  broker.advance(1_000)
  t.equal(broker.count('willsPublished'), 3)
  const reader = broker.connect('reader')
  reader.subscribe(['state', 'kept'], { qos: 1 })
  t.match(reader.take().slice(2).sort(), [/^kept=online/, /^state=online/])
})

t.test('a session that has expired is not resumed', async (t) => {
  const before = new ShardFixture({ engine: new MemoryEngine() })
  before.connect('short', { expiry: 60, cleanStart: false }).drop()
  before.connect('none', { expiry: 0, will: { topic: 'will' } })
  const broker = before.crash(LATER)
  broker.advance(100_000)
  for (const name of ['short', 'none']) {
    t.same(broker.connect(name, { expiry: 60, cleanStart: false }).take(), ['connack'], name)
  }
  broker.open()
  t.equal(broker.count('sessionsDisconnected'), 0)
  t.equal(broker.count('sessions'), 2)
})

t.test('sessions that are still to be read count', async (t) => {
  const broker = begun(['ann', 'bob'], { config: { session: { sessionsMax: 3 } } })
  t.same(broker.connect('new').take(), ['connack'])
  t.match(broker.connect('newer').take(), [/^connack 0x97/, 'closed'])
  t.same(broker.connect('ann', SESSION).take(), ['connack present'])
})

t.test('messages for a group outlive a member that ends before they are read', async (t) => {
  for (const way of ['expires', 'begins anew']) {
    const before = new ShardFixture({ engine: new MemoryEngine() })
    const short = before.connect('short', { expiry: 60, cleanStart: false })
    short.subscribe('$share/g/t', { qos: 1 })
    before.connect('bob').publish('t', 'first', { qos: 1 })
    short.drop()
    before.connect('bob').publish('t', 'second', { qos: 1 })
    const kept = before.connect('kept', SESSION)
    kept.subscribe('$share/g/t', { qos: 1 })
    kept.drop()
    const broker = before.crash(LATER)
    if (way === 'expires') broker.advance(100_000)
    else broker.connect('short')
    broker.open()
    broker.load()
    broker.advance(1_000)
    const texts = broker.connect('kept', SESSION).take().slice(1)
    t.same(texts.map((text) => text.slice(0, 8)).sort(), ['t=first ', 't=second'], way)
  }
})
