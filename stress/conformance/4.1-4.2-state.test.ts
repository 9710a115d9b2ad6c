/** §4.1 and §4.2 of MQTT 5.0: session state, its expiry, and the network connections below. */
import { seconds, type TestBroker } from '../support/broker.js'
import { disconnectPacket, publishPacket } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement, statement311 } from '../support/statement.js'
import type { Target } from '../support/transport.js'
import { bytes } from '../support/wire.js'

const NEVER_EXPIRES = 0xffff_ffff
const TEN_YEARS = seconds(10 * 365 * 86_400)

/** Leaves a session behind that expires after so many seconds, with a subscription and one message waiting. */
async function leave(broker: TestBroker, sessionExpiryInterval: number | undefined, name = 'bob'): Promise<void> {
  const client = await broker.connect(lasting(broker, name, { sessionExpiryInterval }))
  await client.subscribe(broker.topic(name), { qos: 1 })
  await client.drop()
  await broker.publish(broker.topic(name), 'waiting', { qos: 1 })
}

/** Resumes what `leave` left. @returns whether the session was there, having checked that all of it was, or nothing */
async function isPresent(broker: TestBroker, name = 'bob'): Promise<boolean> {
  const client = await broker.connect(lasting(broker, name))
  const present = client.connack?.sessionPresent === true
  if (present) await client.expectMessage('waiting')
  await broker.publish(broker.topic(name), 'new', { qos: 1 })
  if (present) await client.expectMessage('new')
  await client.expectNothing()
  return present
}

statement('MQTT-4.1.0-1', 'keeps the session while the connection is open, however long', async (t, broker) => {
  const topic = broker.topic('a')
  for (const sessionExpiryInterval of [0, 10]) {
    const name = `bob${sessionExpiryInterval}`
    const bob = await broker.connect({
      ...lasting(broker, name, { sessionExpiryInterval, receiveMaximum: 1 }),
      acknowledge: 'by hand',
    })
    await bob.subscribe(topic, { qos: 2 })
    await broker.publish(topic, 'inflight', { qos: 2 })
    const { packetId } = await bob.expectMessage('inflight')
    const received = bob.sendPublish(broker.topic('b'), 'x', { qos: 2 })
    t.equal((await bob.expectPacket('pubrec')).packetId, received)
    await broker.publish(topic, 'waiting', { qos: 2 })
    await broker.passTime(TEN_YEARS)
    bob.sendAck('pubrel', received)
    t.match(await bob.expectPacket('pubcomp'), { packetId: received, reasonCode: 0 })
    bob.acknowledgeOldest()
    t.match(await bob.expectPacket('pubrel'), { packetId, reasonCode: 0 })
    bob.sendAck('pubcomp', packetId)
    await bob.expectMessage('waiting')
    await bob.disconnect()
  }
})

statement('MQTT-4.1.0-2', 'keeps the session until its expiry interval has passed', async (t, broker) => {
  await leave(broker, 10)
  await broker.advance(seconds(9))
  t.equal(await isPresent(broker), true)
})

statement('MQTT-4.1.0-2', 'discards the session when its expiry interval has passed', async (t, broker) => {
  await leave(broker, 10)
  await broker.advance(seconds(11))
  t.equal(await isPresent(broker), false)
})

for (const interval of [0, undefined]) {
  statement(
    'MQTT-4.1.0-2',
    `discards the session at once, expiry interval ${interval ?? 'absent'}`,
    async (t, broker) => {
      await leave(broker, interval)
      t.equal(await isPresent(broker), false)
    },
  )
}

statement('MQTT-4.1.0-2', 'never discards a session that never expires', async (t, broker) => {
  await leave(broker, NEVER_EXPIRES)
  await broker.advance(TEN_YEARS)
  t.equal(await isPresent(broker), true)
})

statement('MQTT-4.1.0-2', 'knows intervals of months and of decades', async (t, broker) => {
  // 60 days are more milliseconds than a timer of Node.js can wait for.
  const sixtyDays = 60 * 86_400
  for (const name of ['early', 'late']) await leave(broker, sixtyDays, name)
  await leave(broker, NEVER_EXPIRES - 1, 'longest')
  await broker.advance(seconds(sixtyDays - 60))
  t.equal(await isPresent(broker, 'early'), true, 'a minute before')
  await broker.advance(seconds(61))
  t.equal(await isPresent(broker, 'late'), false, 'a second after')
  await broker.advance(TEN_YEARS)
  t.equal(await isPresent(broker, 'longest'), true, 'the longest interval that ends')
})

statement('MQTT-4.1.0-2', 'counts from the last disconnection', async (t, broker) => {
  await leave(broker, 10)
  await broker.advance(seconds(8))
  const bob = await broker.connect(lasting(broker, 'bob', { sessionExpiryInterval: 10 }))
  await broker.advance(seconds(20))
  await bob.drop()
  await broker.advance(seconds(8))
  t.equal((await broker.connect(lasting(broker, 'bob'))).connack?.sessionPresent, true)
})

statement('MQTT-4.1.0-2', 'takes the interval of the last CONNECT', async (t, broker) => {
  await leave(broker, 1_000)
  const bob = await broker.connect(lasting(broker, 'bob', { sessionExpiryInterval: 10 }))
  t.equal(bob.connack?.sessionPresent, true)
  await bob.drop()
  await broker.advance(seconds(11))
  t.equal((await broker.connect(lasting(broker, 'bob'))).connack?.sessionPresent, false)
})

for (const [interval, after, present] of [
  [0, 0, false],
  [10, 11, false],
  [1_000, 900, true],
] as const) {
  statement('MQTT-4.1.0-2', `takes interval ${interval} from DISCONNECT, ${after} s later`, async (t, broker) => {
    const bob = await broker.connect(lasting(broker, 'bob', { sessionExpiryInterval: 100 }))
    await bob.disconnect({ reasonCode: 0, properties: { sessionExpiryInterval: interval } })
    if (after > 0) await broker.advance(seconds(after))
    t.equal((await broker.connect(lasting(broker, 'bob'))).connack?.sessionPresent, present)
  })
}

behaviour(
  '§3.14.2.2.2 a session that ends with its connection cannot be prolonged by DISCONNECT',
  async (t, broker) => {
    const bob = await broker.connect(lasting(broker, 'bob', { sessionExpiryInterval: 0 }))
    bob.send(disconnectPacket({ reasonCode: 0, properties: { sessionExpiryInterval: 100 } }))
    await bob.expectDisconnect(0x82)
    t.equal((await broker.connect(lasting(broker, 'bob'))).connack?.sessionPresent, false)
  },
)

statement('MQTT-4.1.0-2', 'forgets the QoS 2 identifiers of a session that expired', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect()
  await watcher.subscribe(topic, { qos: 2 })
  const alice = await broker.connect(lasting(broker, 'alice', { sessionExpiryInterval: 10 }))
  alice.sendPublish(topic, 'first', { qos: 2, packetId: 7 })
  await alice.expectPacket('pubrec')
  await alice.drop()
  await broker.advance(seconds(11))
  const again = await broker.connect(lasting(broker, 'alice'))
  again.sendPublish(topic, 'second', { qos: 2, packetId: 7 })
  await again.expectPacket('pubrec')
  again.sendAck('pubrel', 7)
  await again.expectPacket('pubcomp')
  // 'first' may arrive or not: its handshake was never completed.
  await watcher
    .takePacket('publish')
    .then(({ text }) => (text === 'first' ? watcher.expectMessage('second') : undefined))
})

behaviour(
  '§3.2.2.3.2 the broker may grant less than the session expiry interval asked for, and says so',
  { config: { session: { expirySecondsMax: 10 } } },
  async (t, broker) => {
    const bob = await broker.connect(lasting(broker, 'bob', { sessionExpiryInterval: NEVER_EXPIRES }))
    t.equal(bob.connack?.properties.sessionExpiryInterval, 10)
    await bob.drop()
    const older = await broker.connect({ ...lasting(broker, 'older'), version: 4 })
    await older.drop()
    await broker.advance(seconds(11))
    t.equal((await broker.connect(lasting(broker, 'bob'))).connack?.sessionPresent, false)
    t.equal((await broker.connect({ ...lasting(broker, 'older'), version: 4 })).connack?.sessionPresent, false)
  },
)

for (const version of [3, 4] as const) {
  statement311(
    'MQTT-3.1.2-5',
    `keeps a session without clean session, protocol level ${version}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await broker.connect({ ...lasting(broker, 'bob'), version })
      await bob.subscribe(topic, { qos: 1 })
      await bob.disconnect()
      await broker.publish(topic, 'waiting', { qos: 1 })
      await broker.passTime(TEN_YEARS)
      const again = await broker.connect({ ...lasting(broker, 'bob'), version })
      t.equal(again.connack?.sessionPresent, version === 4)
      await again.expectMessage('waiting')
    },
  )

  statement311(
    'MQTT-3.1.2-6',
    `discards a session with clean session, protocol level ${version}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await broker.connect({ clientId: broker.clientIdOf('bob'), version })
      await bob.subscribe(topic, { qos: 1 })
      await bob.drop()
      await broker.publish(topic, 'lost', { qos: 1 })
      const again = await broker.connect({ clientId: broker.clientIdOf('bob'), version, cleanStart: false })
      t.equal(again.connack?.sessionPresent, false)
      await again.expectNothing()
    },
  )
}

/** Sends messages in pieces that have nothing to do with their borders, and expects them whole and in order. */
async function stream(broker: TestBroker, listener: Target): Promise<void> {
  const topic = broker.topic('stream')
  const bob = await broker.connect({ listener })
  await bob.subscribe(topic)
  const alice = await broker.connect({ listener })
  const count = 2_000
  const packets = Array.from({ length: count }, (_, index) =>
    publishPacket(topic, `${index}`.padStart(index % 97, '.')),
  )
  const all = bytes(...packets)
  const pieces = [1, 2, 3, 5, 8, 1_000, 4_096, 65_536]
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const size = pieces[turn % pieces.length]!
    alice.send([...all.subarray(at, at + size)])
    at += size
    if (turn % 4 === 0) await new Promise(setImmediate)
  }
  await expectAll(bob, count)
}

async function expectAll(bob: RawClient, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await bob.expectMessage(`${index}`.padStart(index % 97, '.'))
  await bob.expectNothing()
}

statement('MQTT-4.2-1', 'carries a stream over TCP, whatever its pieces', (_t, broker) =>
  stream(broker, broker.listener()),
)

statement(
  'MQTT-4.2-1',
  'carries a stream over WebSocket, whatever its pieces',
  { config: { listeners: [{ type: 'ws', port: 0 }] } },
  (_t, broker) => stream(broker, broker.listener('ws')),
)

statement('MQTT-4.2-1', 'carries a message of a megabyte unchanged', async (t, broker) => {
  const topic = broker.topic('large')
  const payload = Buffer.alloc(1_048_576)
  for (let at = 0; at < payload.length; at += 4) payload.writeUInt32LE((at * 2_654_435_761) >>> 0, at)
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, payload, { qos: 1 })
  t.ok(payload.equals((await bob.expectPacket('publish')).payload))
})
