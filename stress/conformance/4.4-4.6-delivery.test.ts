/** §4.4 to §4.6 of MQTT 5.0: delivery retry, receipt of messages, and their order. */
import { seconds, type TestBroker } from '../support/broker.js'
import { type ConnectOptions, publishPacket, type Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import type { RawClient } from '../support/raw-client.js'
import { statement } from '../support/statement.js'

const VERSIONS: readonly Version[] = [3, 4, 5]

function byHand(broker: TestBroker, name: string, options: ConnectOptions = {}): Promise<RawClient> {
  return broker.connect({ ...lasting(broker, name), ...options, acknowledge: 'by hand' })
}

/** Leaves messages in every state behind: QoS 1, QoS 2 and QoS 2 released. @returns their identifiers */
async function unfinished(broker: TestBroker, version: Version = 5): Promise<readonly number[]> {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob', { version })
  await bob.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'released', { qos: 2 })
  await broker.publish(topic, 'one', { qos: 1 })
  await broker.publish(topic, 'two', { qos: 2 })
  await broker.publish(topic, 'three', { qos: 1 })
  const packetIds: number[] = []
  for (const text of ['released', 'one', 'two', 'three']) packetIds.push((await bob.expectMessage(text)).packetId)
  bob.sendAck('pubrec', packetIds[0]!)
  await bob.expectPacket('pubrel')
  await bob.drop()
  return packetIds
}

for (const version of VERSIONS) {
  statement('MQTT-4.4.0-1', `resends PUBLISH and PUBREL when resumed, protocol level ${version}`, async (t, broker) => {
    const [released, one, two, three] = await unfinished(broker, version)
    const bob = await byHand(broker, 'bob', { version })
    t.match(await bob.takePacket('pubrel'), { packetId: released })
    t.match(await bob.expectMessage('one'), { packetId: one, qos: 1, dup: true })
    t.match(await bob.expectMessage('two'), { packetId: two, qos: 2, dup: true })
    t.match(await bob.expectMessage('three'), { packetId: three, qos: 1, dup: true })
    await bob.expectNothing()
  })
}

statement('MQTT-4.4.0-1', 'resends when the connection is taken over', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'x', { qos: 1 })
  const { packetId } = await bob.expectMessage('x')
  const again = await byHand(broker, 'bob')
  t.match(await again.expectMessage('x'), { packetId, dup: true })
  await bob.expectDisconnect(0x8e)
})

statement('MQTT-4.4.0-1', 'resends nothing to a clean start', async (_t, broker) => {
  await unfinished(broker)
  await (await byHand(broker, 'bob', { cleanStart: true })).expectNothing()
})

statement('MQTT-4.4.0-1', 'resends nothing while the connection lasts', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'one', { qos: 1 })
  await broker.publish(topic, 'two', { qos: 2 })
  await broker.publish(topic, 'three', { qos: 2 })
  await bob.expectMessage('one')
  await bob.expectMessage('two')
  const { packetId } = await bob.expectMessage('three')
  bob.sendAck('pubrec', packetId)
  await bob.expectPacket('pubrel')
  t.equal(await bob.countWithin(seconds(86_400)), 3)
  await broker.publish(topic, 'four', { qos: 1 })
  await bob.expectMessage('four')
  await bob.expectNothing()
})

statement(
  'MQTT-4.4.0-1',
  'resends no more than the receive maximum of the new connection at once',
  async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await byHand(broker, 'bob')
    await bob.subscribe(topic, { qos: 1 })
    await broker.publishMany(topic, 4, { qos: 1 })
    t.equal(await bob.countWithin(0), 4)
    await bob.drop()
    const again = await byHand(broker, 'bob', { properties: { sessionExpiryInterval: 100, receiveMaximum: 1 } })
    for (const [index, { packetId }] of bob.messages.entries()) {
      t.equal(await again.countWithin(0), index + 1)
      t.match(await again.expectMessage(String(index + 1)), { packetId, dup: true })
      again.acknowledgeOldest()
    }
    await again.expectNothing()
  },
)

statement('MQTT-4.4.0-1', 'begins to release where the client has gone on already', async (t, broker) => {
  // The client comes back and answers what it got before the connection broke, without waiting for the repetition.
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'x', { qos: 2 })
  const { packetId } = await bob.expectMessage('x')
  await bob.drop()
  const again = await byHand(broker, 'bob')
  again.sendAck('pubrec', packetId)
  t.match(await again.takePacket('pubrel'), { packetId, reasonCode: 0 })
  again.sendAck('pubcomp', packetId)
  await again.ping()
  await again.drop()
  await (await byHand(broker, 'bob')).expectNothing()
})

for (const reasonCode of [0x80, 0x83, 0x97]) {
  statement(
    'MQTT-4.4.0-2',
    `never resends what the client refused with 0x${reasonCode.toString(16)}`,
    async (_t, broker) => {
      const topic = broker.topic('a')
      const bob = await byHand(broker, 'bob')
      await bob.subscribe(topic, { qos: 2 })
      await broker.publish(topic, 'one', { qos: 1 })
      await broker.publish(topic, 'two', { qos: 2 })
      await bob.expectMessage('one')
      await bob.expectMessage('two')
      bob.acknowledgeOldest({ reasonCode })
      bob.acknowledgeOldest({ reasonCode })
      await bob.expectNothing()
      await bob.drop()
      await (await byHand(broker, 'bob')).expectNothing()
    },
  )
}

for (const version of VERSIONS) {
  for (const qos of [1, 2]) {
    statement(
      'MQTT-4.5.0-1',
      `keeps QoS ${qos} for every session that subscribes, level ${version}`,
      async (_t, broker) => {
        const topic = broker.topic('a/b')
        const names = ['b1', 'b2', 'b3', 'b4']
        const filters = ['a/b', 'a/+', 'a/#', '+/b']
        for (const [index, name] of names.entries()) {
          const client = await broker.connect({ ...lasting(broker, name), version })
          await client.subscribe(broker.topic(filters[index]!), { qos })
          await client.drop()
        }
        const other = await broker.connect({ ...lasting(broker, 'other'), version })
        await other.subscribe(broker.topic('c'), { qos })
        await other.drop()
        const alice = await broker.connect()
        await alice.publish(topic, 'one', { qos })
        await alice.publish(topic, 'two', { qos })
        await alice.disconnect()
        for (const name of names) {
          const client = await broker.connect({ ...lasting(broker, name), version })
          await client.expectMessage('one')
          await client.expectMessage('two')
          await client.expectNothing()
        }
        await (await broker.connect({ ...lasting(broker, 'other'), version })).expectNothing()
      },
    )
  }
}

statement('MQTT-4.5.0-1', 'goes on queueing after the client was there in between', async (_t, broker) => {
  const topic = broker.topic('a')
  const first = await broker.connect(lasting(broker, 'bob'))
  await first.subscribe(topic, { qos: 1 })
  await first.drop()
  for (const text of ['one', 'two', 'three']) {
    await broker.publish(topic, text, { qos: 1 })
    const bob = await broker.connect(lasting(broker, 'bob'))
    await bob.expectMessage(text)
    await bob.expectNothing()
    await bob.drop()
  }
})

/** What one publisher of `publishTogether` sends. */
const EACH = 200

/** Several clients publish at once, each its numbers with its name. */
async function publishTogether(broker: TestBroker, topic: string, qos: number): Promise<readonly string[]> {
  const names = ['p', 'q', 'r']
  const clients = await Promise.all(names.map((name) => broker.connect({ clientId: broker.clientIdOf(name) })))
  const burst = 10
  for (let start = 0; start < EACH; start += burst) {
    for (const [index, client] of clients.entries()) {
      const numbers = Array.from({ length: burst }, (_, offset) => start + offset)
      const packetId = (number: number) => (qos > 0 ? number + 1 : undefined)
      client.send(...numbers.map((n) => publishPacket(topic, `${names[index]} ${n}`, { qos, packetId: packetId(n) })))
    }
    if (qos === 1) for (const client of clients) for (let n = 0; n < burst; n++) await client.expectPacket('puback')
    if (qos === 2) for (const client of clients) await release(client, start, burst)
  }
  return names
}

async function release(client: RawClient, start: number, count: number): Promise<void> {
  for (let number = start; number < start + count; number++) await client.takePacket('pubrec', number + 1)
  for (let number = start; number < start + count; number++) client.sendAck('pubrel', number + 1)
  for (let number = start; number < start + count; number++) await client.takePacket('pubcomp', number + 1)
}

for (const qos of [0, 1, 2]) {
  statement(['MQTT-4.6.0-5', 'MQTT-4.6.0-6'], `keeps the order of each publisher, QoS ${qos}`, async (t, broker) => {
    const topic = broker.topic('a')
    const exact = await broker.connect()
    const wild = await broker.connect({ properties: { receiveMaximum: 3 } })
    await exact.subscribe(topic, { qos })
    await wild.subscribe(broker.topic('#'), { qos })
    const names = await publishTogether(broker, topic, qos)
    for (const client of [exact, wild]) {
      const texts: string[] = []
      while (texts.length < names.length * EACH) texts.push((await client.takePacket('publish')).text)
      for (const name of names) {
        const own = texts.filter((text) => text.startsWith(name))
        t.same(
          own,
          Array.from({ length: EACH }, (_, index) => `${name} ${index}`),
        )
      }
    }
  })
}

statement('MQTT-4.6.0-6', 'keeps the order of what waited and what comes meanwhile', async (_t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  const alice = await broker.connect()
  for (let number = 0; number < 300; number++) await alice.publish(topic, String(number), { qos: 1 })
  const again = await broker.open({})
  again.sendConnect({ ...lasting(broker, 'bob', { receiveMaximum: 7 }) })
  for (let number = 300; number < 400; number++) await alice.publish(topic, String(number), { qos: 1 })
  await again.expectConnack(0)
  for (let number = 0; number < 400; number++) await again.expectMessage(String(number))
  await again.expectNothing()
})

statement('MQTT-4.6.0-6', 'resends in the original order and before anything new', async (t, broker) => {
  const topic = broker.topic('a')
  const options = { properties: { sessionExpiryInterval: 100, receiveMaximum: 3 } }
  const bob = await byHand(broker, 'bob', options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 6, { qos: 1 })
  t.equal(await bob.countWithin(0), 3)
  await bob.drop()
  await broker.publish(topic, '7', { qos: 1 })
  const again = await byHand(broker, 'bob', options)
  for (let number = 1; number <= 7; number++) {
    t.equal((await again.expectMessage(String(number))).dup, number <= 3)
    again.acknowledgeOldest()
  }
})

statement('MQTT-4.6.0-6', 'resends in the original order, whatever the identifiers are by then', async (_t, broker) => {
  const topic = broker.topic('a')
  let bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 1 })
  for (let round = 0; round < 8; round++) {
    await broker.publishMany(topic, 7, { qos: 1 })
    for (const text of ['1', '2', '3', '4', '5', '6', '7']) {
      await bob.expectMessage(text)
      if (text <= '2') bob.acknowledgeOldest()
    }
    await bob.ping()
    await bob.drop()
    bob = await byHand(broker, 'bob')
    for (const text of ['3', '4', '5', '6', '7']) {
      await bob.expectMessage(text)
      bob.acknowledgeOldest()
    }
    await bob.expectNothing()
  }
})

statement('MQTT-4.6.0-6', 'keeps the order while acknowledgements come in another', async (_t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob', { properties: { sessionExpiryInterval: 100, receiveMaximum: 3 } })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 6, { qos: 1 })
  const packetIds: number[] = []
  for (const text of ['1', '2', '3']) packetIds.push((await bob.expectMessage(text)).packetId)
  for (const packetId of packetIds.reverse()) bob.sendAck('puback', packetId)
  for (const text of ['4', '5', '6']) await bob.expectMessage(text)
})
