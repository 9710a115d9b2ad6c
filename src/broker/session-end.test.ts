import t from 'tap'
import { closeAll } from './session-end.js'
import { ShardFixture } from './shard.fixture.js'

t.test('sessions expire when their time is up, not before', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann', { expiry: 60 })
  client.subscribe('t', { qos: 1 })
  client.drop()
  publisher.publish('t', 'queued', { qos: 1 })
  t.match(broker.counts(), { sessions: 2, sessionsConnected: 1, sessionsDisconnected: 1, messagesStored: 1 })
  broker.advance(59_000)
  t.same(broker.connect('ann', { cleanStart: false, expiry: 60 }).take(), ['connack present', 't=queued q1 #1'])
  broker.advance(100_000)
  t.equal(broker.count('sessions'), 2, 'a connected session does not expire')
  t.equal(broker.count('sessionsExpired'), 0)
})

t.test('an expired session is gone with all it had', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const client = broker.connect('ann', { expiry: 60 })
  client.subscribe(['t', '$share/g/t'], { qos: 1 })
  client.drop()
  publisher.publish('t', 'queued', { qos: 1 })
  broker.advance(60_000)
  t.match(broker.counts(), { sessions: 1, sessionsConnected: 1, sessionsExpired: 1, droppedSessionEnded: 2 })
  for (const gauge of ['sessionsDisconnected', 'messagesStored', 'messagesStoredBytes', 'subscriptions'] as const) {
    t.equal(broker.count(gauge), 0, gauge)
  }
  t.equal(broker.count('sharedSubscriptions'), 0)
  t.same(broker.connect('ann', { cleanStart: false }).take(), ['connack'])
})

t.test('sessions that never expire, and DISCONNECT that sets another time', async (t) => {
  const broker = new ShardFixture()
  broker.connect('forever', { expiry: 0xffff_ffff }).drop()
  broker.connect('shorter', { expiry: 0xffff_ffff }).disconnect(0, 10)
  broker.connect('longer', { expiry: 1 }).disconnect(0, 100)
  broker.connect('ended', { expiry: 100 }).disconnect(0, 0)
  t.equal(broker.count('sessions'), 3)
  broker.advance(10_000)
  t.equal(broker.count('sessions'), 2)
  broker.advance(90_000)
  t.equal(broker.count('sessions'), 1)
  broker.advance(1e12)
  t.same([...broker.shard().sessions.keys()], ['forever'])
})

t.test('the broker stops: wills first, while there is somebody to get them', async (t) => {
  const broker = new ShardFixture()
  const watcher = broker.connect('watcher')
  watcher.subscribe('will/#')
  watcher.take()
  const will = (name: string, delaySeconds: number) => ({ will: { topic: `will/${name}`, delaySeconds }, expiry: 100 })
  const ann = broker.connect('ann', will('ann', 50))
  broker.connect('offline', will('offline', 50)).drop()
  const old = broker.connect('old', { version: 4 })
  closeAll(broker.shard(), 0x8b, 'stop')
  broker.settle()
  t.same(ann.take(), ['connack', 'disconnect 0x8b', 'closed'])
  t.same(old.take(), ['connack', 'closed'])
  t.same(watcher.take().sort(), ['closed', 'disconnect 0x8b', 'will/ann= q0 #0', 'will/offline= q0 #0'])
  t.equal(broker.count('willsPublished'), 2)
  t.equal(broker.count('sessionsConnected'), 0)
})

t.test('a connection thread dies', async (t) => {
  const broker = new ShardFixture({ threads: 2 })
  const watcher = broker.connect('watcher')
  watcher.subscribe(['will', 't'])
  watcher.take()
  broker.connect('fleeting', { thread: 1, will: { topic: 'will', payload: 'gone' } })
  const lasting = broker.connect('lasting', { thread: 1, expiry: 100 })
  lasting.subscribe('t', { qos: 1 })
  broker.loseConnectionThread(1)
  t.same(watcher.take(), ['will=gone q0 #0'])
  t.match(broker.counts(), { sessions: 2, sessionsConnected: 1, sessionsDisconnected: 1 })
  watcher.publish('t', 'meanwhile', { qos: 1 })
  const again = broker.connect('lasting', { thread: 1, expiry: 100, cleanStart: false })
  t.same(again.take(), ['connack present', 't=meanwhile q1 #1'])
})

t.test('shared subscriptions: another member takes over what one did not acknowledge', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const [ann, bob] = ['ann', 'bob'].map((name) => {
    const client = broker.connect(name, { expiry: name === 'ann' ? 0 : 100 })
    client.subscribe('$share/g/t', { qos: 2 })
    client.take()
    return client
  })
  for (const text of ['1', '2', '3', '4']) publisher.publish('t', text, { qos: 1 })
  const [toAnn, toBob] = [ann.take(), bob.take()]
  t.equal(toAnn.length, 2)
  t.equal(toBob.length, 2)
  ann.ack('puback', Number(/#(\d+)/.exec(toAnn[0])?.[1]))
  ann.drop()
  const moved = bob.take()
  t.same(
    moved.map((text) => text.split(' ')[0]),
    [toAnn[1].split(' ')[0]],
    'the one without PUBACK, and that only',
  )
  bob.drop()
  const cas = broker.connect('cas')
  cas.subscribe('$share/g/t', { qos: 2 })
  t.same(cas.take(), ['connack', 'suback #1 2'], 'nobody was there when bob went: he keeps his')
  const again = broker.connect('bob', { cleanStart: false, expiry: 100 })
  t.equal(again.takeAll().filter((text) => text.startsWith('t=')).length, 3)
})

t.test('shared subscriptions: what waits for an offline member goes to one that is there', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const join = (name: string, receiveMaximum = 10) => {
    const client = broker.connect(name, { expiry: 100, receiveMaximum })
    client.subscribe('$share/g/t', { qos: 1 })
    client.take()
    return client
  }
  const [ann, bob] = [join('ann', 1), join('bob', 1)]
  for (const text of ['1', '2', '3', '4']) publisher.publish('t', text, { qos: 1 })
  t.equal(ann.take().length + bob.take().length, 2, 'windows are full, two wait')
  ann.drop()
  t.same(
    bob
      .takeAll()
      .concat(bob.takeAll())
      .filter((text) => text.startsWith('t=')),
    [],
    'bob has not acknowledged his yet',
  )
  bob.ack('puback', 1)
  const rest = bob.takeAll().map((text) => text.split(' ')[0])
  t.equal(new Set(rest).size, 3, `${rest}`)
  t.equal(broker.count('messagesStored'), 0)
})

t.test('shared subscriptions: a QoS 2 message that was sent stays with its member [MQTT-4.8.2-4]', async (t) => {
  const broker = new ShardFixture()
  const publisher = broker.connect('publisher')
  const ann = broker.connect('ann', { expiry: 100 })
  ann.subscribe('$share/g/t', { qos: 2 })
  ann.take()
  publisher.publish('t', 'x', { qos: 2 })
  t.same(ann.take(), ['t=x q2 #1'])
  const bob = broker.connect('bob')
  bob.subscribe('$share/g/t', { qos: 2 })
  bob.take()
  ann.drop()
  t.same(bob.take(), [])
  t.same(broker.connect('ann', { cleanStart: false, expiry: 100 }).take(), ['connack present', 't=x q2 #1 dup'])
})

t.test('shared subscriptions: the last member is gone, and its messages with it', async (t) => {
  const broker = new ShardFixture()
  const ann = broker.connect('ann')
  ann.subscribe('$share/g/t', { qos: 1 })
  ann.take()
  broker.connect('publisher').publish('t', 'x', { qos: 1 })
  ann.drop()
  t.equal(broker.count('droppedSessionEnded'), 1)
  const bob = broker.connect('bob')
  bob.subscribe('$share/g/t', { qos: 1 })
  t.same(bob.take(), ['connack', 'suback #1 1'])
})
