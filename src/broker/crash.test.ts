/** The process dies and is started again: nothing acknowledged may be missing, nothing of QoS 2 may come twice. */
import t from 'tap'
import { MemoryEngine } from '../../storage/memory-engine.js'
import type { BrokerConfigInput } from '../config/schema.js'
import { ShardFixture } from './shard.fixture.js'

const SESSION = { expiry: 1_000, cleanStart: false }

function start(options: { level?: 'sync' | 'async' | 'off' } = {}): ShardFixture {
  return new ShardFixture({ engine: new MemoryEngine(), config: { durability: { level: options.level ?? 'sync' } } })
}

function packetIdOf(text: string | undefined): number {
  return Number(/#(\d+)/.exec(text ?? '')?.[1])
}

t.test('queued messages, in order, with what is left of their properties', async (t) => {
  const broker = start()
  const ann = broker.connect('ann', SESSION)
  ann.subscribe('a/#', { qos: 2 }, 7)
  ann.drop()
  const bob = broker.connect('bob')
  bob.publish('a/1', 'one', { qos: 1 })
  bob.publish('a/2', 'two', { qos: 2, properties: { expirySeconds: 60 } })
  bob.publish('a/3', 'gone', { qos: 1, properties: { expirySeconds: 5 } })
  bob.publish('b', 'nobody', { qos: 1 })
  t.same(bob.take(), ['connack', 'puback #1', 'pubrec #2', 'puback #3', 'puback #4 0x10'])
  const later = broker.crash()
  t.equal(later.count('sessions'), 1)
  t.equal(later.count('subscriptions'), 1)
  t.equal(later.count('messagesStored'), 3)
  later.advance(10_000)
  const again = later.connect('ann', SESSION)
  t.match(again.takeAll(), ['connack present', /^a\/1=one q1 #1$/, /^a\/2=two q2 #2$/, /^pubrel/])
  t.match(again.properties.slice(0, 2), [
    { subscriptionIdentifiers: [7] },
    { subscriptionIdentifiers: [7], expirySeconds: 50 },
  ])
  t.equal(later.count('messagesStored'), 0)
  t.equal(later.store?.engine.count('log.0'), 0, 'nothing is left in the store')
})

t.test('what was not acknowledged comes again with its packet identifier and DUP', async (t) => {
  const broker = start()
  const ann = broker.connect('ann', SESSION)
  ann.subscribe('t', { qos: 2 })
  const bob = broker.connect('bob')
  for (const text of ['1', '2', '3']) bob.publish('t', text, { qos: 1 })
  const sent = ann.take().filter((text) => text.startsWith('t='))
  ann.ack('puback', packetIdOf(sent[1]))
  broker.settle()
  const again = broker.crash().connect('ann', SESSION)
  t.same(again.take(), ['connack present', `${sent[0]} dup`, `${sent[2]} dup`])
})

t.test('QoS 2 to a subscriber: every step survives', async (t) => {
  let broker = start()
  let ann = broker.connect('ann', SESSION)
  ann.subscribe('t', { qos: 2 })
  ann.take()
  const publish = (): void => void broker.connect('bob').publish('t', 'x', { qos: 2 })
  broker.holdFlush()
  publish()
  t.same(ann.take(), [], 'the packet identifier is not on disk')
  broker.flush()
  const [sent] = ann.take()
  t.match(sent, /^t=x q2/)
  broker = broker.crash()
  ann = broker.connect('ann', SESSION)
  t.same(ann.take(), ['connack present', `${sent} dup`])
  broker.holdFlush()
  ann.ack('pubrec', packetIdOf(sent))
  t.same(ann.take(), [], 'PUBREC is not on disk')
  broker.flush()
  t.same(ann.take(), [`pubrel #${packetIdOf(sent)}`])
  broker = broker.crash()
  ann = broker.connect('ann', SESSION)
  t.same(ann.take(), ['connack present', `pubrel #${packetIdOf(sent)}`], 'the message does not come again')
  ann.ack('pubcomp', packetIdOf(sent))
  broker.settle()
  t.same(broker.crash().connect('ann', SESSION).take(), ['connack present'])
})

t.test('QoS 2 from a publisher: received once, whatever happens', async (t) => {
  let broker = start()
  const ann = broker.connect('ann', SESSION)
  ann.subscribe('t', { qos: 1 })
  ann.drop()
  let bob = broker.connect('bob', SESSION)
  bob.take()
  broker.holdFlush()
  bob.publish('t', 'x', { qos: 2, packetId: 9 })
  t.same(bob.take(), [])
  broker = broker.crash() // it was not on disk, and not acknowledged: he sends it again
  bob = broker.connect('bob', SESSION)
  bob.publish('t', 'x', { qos: 2, packetId: 9, dup: true })
  t.same(bob.take(), ['connack present', 'pubrec #9'])
  broker = broker.crash()
  bob = broker.connect('bob', SESSION)
  bob.publish('t', 'x', { qos: 2, packetId: 9, dup: true })
  t.same(bob.take(), ['connack present', 'pubrec #9'])
  t.equal(broker.count('messagesStored'), 1, 'once')
  broker.holdFlush()
  bob.ack('pubrel', 9)
  t.same(bob.take(), [], 'that the identifier is free is not on disk')
  broker.flush()
  t.same(bob.take(), ['pubcomp #9'])
  broker = broker.crash()
  bob = broker.connect('bob', SESSION)
  bob.publish('t', 'y', { qos: 2, packetId: 9 })
  t.same(bob.take(), ['connack present', 'pubrec #9'])
  t.equal(broker.count('messagesStored'), 2, 'another message')
})

t.test('a message for many is kept once, and each session goes its own way', async (t) => {
  let broker = start()
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) {
    const client = broker.connect(name, SESSION)
    client.subscribe('t', { qos: name === 'd' ? 2 : 1 })
    client.drop()
  }
  broker.connect('bob').publish('t', 'x', { qos: 2 })
  t.equal(broker.store?.engine.count('log.0'), 1)
  for (const [number, name] of names.entries()) {
    broker = broker.crash()
    const client = broker.connect(name, SESSION)
    t.equal(client.takeAll().filter((text) => text.startsWith('t=x')).length, 1, name)
    client.drop()
    broker.settle()
    t.equal(broker.store?.engine.count('log.0'), number === 3 ? 0 : 1)
  }
  t.equal(broker.store?.engine.count('progress.0'), 0)
})

t.test('sessions, subscriptions and their ends', async (t) => {
  let broker = start()
  const ann = broker.connect('ann', SESSION)
  ann.subscribe('t', { qos: 1 })
  ann.subscribe('u', { qos: 1 })
  ann.unsubscribe('u')
  broker.connect('gone', SESSION).drop()
  broker.connect('gone') // a clean start, and a session that ends with its connection
  broker.connect('short', { expiry: 10, cleanStart: false }).drop()
  broker.advance(0)
  broker = broker.crash()
  t.same([...broker.shard().sessions.keys()].sort(), ['ann', 'short'])
  t.equal(broker.count('subscriptions'), 1)
  t.equal(broker.count('sessionsDisconnected'), 2)
  broker.clock.nowMs += 20_000
  broker = broker.crash()
  broker.advance(0)
  t.same([...broker.shard().sessions.keys()], ['ann'], 'expiry goes on while the broker is down')
  t.equal(broker.crash().count('sessions'), 1)
})

t.test('retained messages are the last ones', async (t) => {
  let broker = start()
  const bob = broker.connect('bob')
  bob.publish('kept', 'old', { qos: 1, retain: true })
  bob.publish('kept', 'new', { qos: 0, retain: true })
  bob.publish('cleared', 'x', { qos: 1, retain: true })
  bob.publish('cleared', '', { qos: 1, retain: true })
  bob.publish('short', 'x', { qos: 1, retain: true, properties: { expirySeconds: 5 } })
  broker = broker.crash()
  broker.advance(10_000)
  const ann = broker.connect('ann')
  ann.subscribe('#', { qos: 1 })
  t.same(ann.take(), ['connack', 'suback #1 1', 'kept=new q0 #0 retain'])
})

t.test('a will is published after a crash, once, and not if the client is back in time', async (t) => {
  const will = { topic: 'will', payload: 'x', delaySeconds: 30 }
  let broker = start()
  const ear = broker.connect('ear', SESSION)
  ear.subscribe('will', { qos: 1 })
  broker.connect('back', { ...SESSION, will })
  broker.connect('lost', { ...SESSION, will })
  broker.connect('clean', { will: { ...will, delaySeconds: 0 } })
  broker = broker.crash()
  broker.advance(1_000)
  t.equal(broker.count('willsPublished'), 1, 'of the session that ended with the broker')
  broker.connect('back', SESSION)
  broker.advance(60_000)
  t.equal(broker.count('willsPublished'), 2)
  broker = broker.crash()
  broker.advance(60_000)
  t.equal(broker.count('willsPublished'), 0)
})

t.test('what arrives while the store is still read goes behind what is in it', async (t) => {
  const first = start()
  const ann = first.connect('ann', SESSION)
  ann.subscribe('t', { qos: 1 })
  ann.drop()
  const bob = first.connect('bob')
  for (const text of ['1', '2']) bob.publish('t', text, { qos: 1 })
  const broker = first.crash({ loadsLater: true })
  const again = broker.connect('ann', SESSION)
  broker.connect('bob').publish('t', '3', { qos: 1 })
  t.same(again.take(), ['connack present'])
  broker.load()
  t.match(again.takeAll(), [/^t=1 q1/, /^t=2 q1/, /^t=3 q1/])
})

t.test('levels', async (t) => {
  for (const [level, kept] of [
    ['sync', 1],
    ['async', 1],
    ['off', 0],
  ] as const) {
    const broker = start({ level })
    const ann = broker.connect('ann', SESSION)
    ann.subscribe('t', { qos: 1 })
    ann.drop()
    const bob = broker.connect('bob')
    bob.take()
    broker.holdFlush()
    bob.publish('t', 'x', { qos: 1 })
    t.same(bob.take(), level === 'sync' ? [] : ['puback #1'], `${level}: acknowledged at once or not`)
    broker.flush()
    t.equal(broker.crash().count('messagesStored'), kept, level)
  }
})

t.test('other numbers of shards', async (t) => {
  const engine = new MemoryEngine()
  const names = ['a', 'b', 'c', 'd', 'e']
  const ownerAmong = (shards: number) => (id: string) => (names.indexOf(id) < 0 ? 0 : names.indexOf(id) % shards)
  const session = (shards: number, name: string) => ({ ...SESSION, shard: ownerAmong(shards)(name) })
  let broker = new ShardFixture({ engine, shards: 2, ownerOf: ownerAmong(2) })
  for (const name of names) {
    const client = broker.connect(name, session(2, name))
    client.subscribe('t', { qos: 2 })
    client.drop()
  }
  const bob = broker.connect('bob')
  for (let number = 0; number < 3; number++) bob.publish('t', String(number), { qos: 2 })
  t.equal(bob.take().length, 4)
  for (const shards of [3, 1, 2]) {
    broker = broker.crash({ shards, ownerOf: ownerAmong(shards) })
    t.equal(broker.count('sessions'), names.length)
    t.equal(broker.count('messagesStored'), 15 - 3 * [3, 1, 2].indexOf(shards), `${shards} shards`)
    const name = names[[3, 1, 2].indexOf(shards)]
    const client = broker.connect(name, session(shards, name))
    t.equal(client.takeAll().filter((text) => text.startsWith('t=')).length, 3, name)
    client.drop()
    broker.settle()
  }
  broker = broker.crash({ shards: 2, ownerOf: ownerAmong(2) })
  for (const name of ['d', 'e']) broker.connect(name, session(2, name)).takeAll()
  broker.settle()
  for (const log of [0, 1]) t.equal(engine.count(`log.${log}`), 0, 'nothing is left in the store')
})

t.test('a session that is resumed to end with its connection gets what waited for it', async (t) => {
  const broker = start()
  const ann = broker.connect('ann', SESSION)
  ann.subscribe('t', { qos: 2 })
  ann.drop()
  const bob = broker.connect('bob')
  for (const qos of [1, 2] as const) bob.publish('t', `q${qos}`, { qos })
  const again = broker.connect('ann', { cleanStart: false, expiry: 0 })
  t.match(again.takeAll(), ['connack present', /^t=q1 q1/, /^t=q2 q2/, /^pubrel/])
  again.drop()
  broker.settle()
  t.equal(broker.store?.engine.count('log.0'), 0)
  t.equal(broker.crash().count('sessions'), 0)
})

t.test('topics with another level than the others', async (t) => {
  const durability: BrokerConfigInput['durability'] = { level: 'off', topics: [{ filter: 'kept/#', level: 'sync' }] }
  const broker = new ShardFixture({ engine: new MemoryEngine(), config: { durability } })
  const ann = broker.connect('ann', SESSION)
  ann.subscribe('#', { qos: 1 })
  ann.drop()
  const bob = broker.connect('bob')
  for (const topic of ['kept/a', 'other']) bob.publish(topic, 'x', { qos: 1, retain: true })
  const later = broker.crash()
  t.match(later.connect('ann', SESSION).takeAll(), ['connack present', /^kept\/a=x q1/])
  t.equal(later.shard().retained.messages, 1)
})
