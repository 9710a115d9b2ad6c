/** §3.3.4 of MQTT 5.0: what the receiver of a PUBLISH does; overlapping subscriptions; receive maximum. */

import type { TestBroker } from '../support/broker.js'
import type { ReceivedPublish } from '../support/broker-packets.js'
import { ackPacket, publishPacket, type Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement } from '../support/statement.js'

const VERSIONS: readonly Version[] = [3, 4, 5]

for (const version of VERSIONS) {
  statement('MQTT-3.3.4-1', `answers as the QoS asks, protocol level ${version}`, async (t, broker) => {
    const topic = broker.topic('a')
    const client = await broker.connect({ version })
    client.sendPublish(topic, 'x', { qos: 0 })
    await client.expectNothing()
    for (const packetId of [1, 256, 65_535]) {
      client.sendPublish(topic, 'x', { qos: 1, packetId })
      t.equal((await client.expectPacket('puback')).packetId, packetId)
      client.sendPublish(topic, 'x', { qos: 2, packetId })
      t.equal((await client.expectPacket('pubrec')).packetId, packetId)
      client.sendAck('pubrel', packetId)
      t.equal((await client.expectPacket('pubcomp')).packetId, packetId)
    }
    await client.expectNothing()
  })
}

statement('MQTT-3.3.4-1', 'answers when nobody subscribes', async (t, broker) => {
  const client = await broker.connect()
  client.sendPublish(broker.topic('void'), 'x', { qos: 1, packetId: 7 })
  t.ok([0x00, 0x10].includes((await client.expectPacket('puback')).reasonCode))
  client.sendPublish(broker.topic('void'), 'x', { qos: 2, packetId: 8 })
  t.ok([0x00, 0x10].includes((await client.expectPacket('pubrec')).reasonCode))
})

/** Every copy of one message that a client got, as QoS and subscription identifiers. */
async function copies(client: RawClient, text: string): Promise<readonly ReceivedPublish[]> {
  await client.ping()
  await client.countWithin(0)
  return client.messages.filter((message) => message.text === text)
}

function identifiers(messages: readonly ReceivedPublish[]): readonly number[] {
  return messages
    .flatMap(({ properties }) => (properties.subscriptionIdentifier ?? []) as number[])
    .sort((a, b) => a - b)
}

async function overlapping(broker: TestBroker, identified: boolean, options = {}): Promise<RawClient> {
  const bob = await broker.connect(options)
  const filters = ['a/+', 'a/b', 'a/#']
  for (const [qos, rest] of filters.entries()) {
    const properties = identified ? { subscriptionIdentifier: qos + 1 } : {}
    await bob.subscribe(broker.topic(rest), { qos }, { properties })
  }
  return bob
}

for (const publishedQos of [0, 1, 2]) {
  statement(
    'MQTT-3.3.4-2',
    `takes the highest QoS of overlapping subscriptions, QoS ${publishedQos}`,
    async (t, broker) => {
      const bob = await overlapping(broker, false)
      await broker.publish(broker.topic('a/b'), 'x', { qos: publishedQos })
      const qos = (await copies(bob, 'x')).map((message) => message.qos)
      // One copy has the highest; a broker that sends one copy a subscription gives each its own.
      const each = [0, 1, 2].map((granted) => Math.min(granted, publishedQos))
      t.same(qos.sort(), qos.length === 1 ? [publishedQos] : each)
    },
  )
}

statement('MQTT-3.3.4-2', 'takes the highest QoS for a session that is offline', async (t, broker) => {
  const bob = await overlapping(broker, false, lasting(broker, 'bob'))
  await bob.drop()
  await broker.publish(broker.topic('a/b'), 'x', { qos: 2 })
  const again = await broker.connect(lasting(broker, 'bob'))
  t.equal(Math.max(...(await copies(again, 'x')).map((message) => message.qos)), 2)
})

statement('MQTT-3.3.4-2', 'takes the highest QoS whatever the order of subscribing', async (t, broker) => {
  for (const order of [
    [2, 0],
    [0, 2],
  ]) {
    const bob = await broker.connect()
    await bob.subscribe(broker.topic('a/#'), { qos: order[0] })
    await bob.subscribe(broker.topic('a/b'), { qos: order[1] })
    await broker.publish(broker.topic('a/b'), 'x', { qos: 2 })
    t.equal(Math.max(...(await copies(bob, 'x')).map((message) => message.qos)), 2)
  }
})

statement(
  ['MQTT-3.3.4-3', 'MQTT-3.3.4-4', 'MQTT-3.3.4-5'],
  'sends the identifiers of all matching subscriptions',
  async (t, broker) => {
    const bob = await overlapping(broker, true)
    await bob.subscribe(broker.topic('other'), { qos: 1 }, { properties: { subscriptionIdentifier: 9 } })
    await broker.publish(broker.topic('a/b'), 'x', { qos: 1 })
    t.same(identifiers(await copies(bob, 'x')), [1, 2, 3])
    await broker.publish(broker.topic('a/c'), 'y', { qos: 1 })
    t.same(identifiers(await copies(bob, 'y')), [1, 3])
  },
)

statement('MQTT-3.3.4-3', 'sends the identifiers from the smallest to the largest possible', async (t, broker) => {
  const topic = broker.topic('a')
  for (const identifier of [1, 127, 128, 16_384, 268_435_455]) {
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 1 }, { properties: { subscriptionIdentifier: identifier } })
    await broker.publish(topic, 'x', { qos: 1 })
    t.same((await bob.expectMessage('x')).properties, { subscriptionIdentifier: [identifier] })
  }
})

statement('MQTT-3.3.4-3', 'sends the identifiers with retained and queued messages', async (t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'kept', { qos: 1, retain: true })
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 }, { properties: { subscriptionIdentifier: 5 } })
  t.same((await bob.expectMessage('kept')).properties, { subscriptionIdentifier: [5] })
  await bob.drop()
  await broker.publish(topic, 'queued', { qos: 1 })
  const again = await broker.connect(lasting(broker, 'bob'))
  t.same((await again.expectMessage('queued')).properties, { subscriptionIdentifier: [5] })
  await broker.publish(topic, 'live', { qos: 1 })
  t.same((await again.expectMessage('live')).properties, { subscriptionIdentifier: [5] })
})

statement('MQTT-3.3.4-3', 'follows a subscription that is replaced', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic, {}, { properties: { subscriptionIdentifier: 5 } })
  await bob.subscribe(topic, {}, { properties: { subscriptionIdentifier: 6 } })
  await broker.publish(topic, 'x')
  t.same((await bob.expectMessage('x')).properties, { subscriptionIdentifier: [6] })
  await bob.subscribe(topic)
  await broker.publish(topic, 'y')
  t.same((await bob.expectMessage('y')).properties, {})
})

statement('MQTT-3.3.4-4', 'leaves out subscriptions without an identifier', async (t, broker) => {
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('a/+'), { qos: 1 }, { properties: { subscriptionIdentifier: 5 } })
  await bob.subscribe(broker.topic('a/b'), { qos: 1 })
  await broker.publish(broker.topic('a/b'), 'x', { qos: 1 })
  t.same(identifiers(await copies(bob, 'x')), [5])
})

statement('MQTT-3.3.4-4', 'sends an identifier that several subscriptions have', async (t, broker) => {
  const bob = await broker.connect()
  const properties = { subscriptionIdentifier: 5 }
  await bob.subscribe([[broker.topic('a/+')], [broker.topic('a/b')]], {}, { properties })
  await broker.publish(broker.topic('a/b'), 'x')
  t.same([...new Set(identifiers(await copies(bob, 'x')))], [5])
})

statement('MQTT-3.3.4-5', 'gives each copy the identifier of its subscription', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 1 }, { properties: { subscriptionIdentifier: 1 } })
  await bob.subscribe(`$share/group/${topic}`, { qos: 1 }, { properties: { subscriptionIdentifier: 2 } })
  await broker.publish(topic, 'x', { qos: 1 })
  t.same(identifiers(await copies(bob, 'x')), [1, 2])
})

statement('MQTT-3.3.4-6', 'refuses a PUBLISH with a subscription identifier', async (_t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic)
  const alice = await broker.connect()
  alice.sendPublish(topic, 'x', { properties: { subscriptionIdentifier: 1 } })
  await alice.expectDisconnect(0x82, 0x81)
  await bob.expectNothing()
})

statement(
  'MQTT-3.8.3-3',
  'keeps own messages out of a subscription with no local, not out of others',
  async (_t, broker) => {
    const bob = await broker.connect(lasting(broker, 'bob'))
    await bob.subscribe(broker.topic('a/+'), { qos: 1, noLocal: true })
    await bob.publish(broker.topic('a/b'), 'own', { qos: 1 })
    await bob.expectNothing()
    await broker.publish(broker.topic('a/b'), 'foreign', { qos: 1 })
    await bob.expectMessage('foreign')
    await bob.subscribe(broker.topic('a/b'), { qos: 1 })
    await bob.publish(broker.topic('a/b'), 'own', { qos: 1 })
    await bob.expectMessage('own')
    await bob.expectNothing()
  },
)

statement('MQTT-3.8.3-3', 'compares client identifiers for no local, not connections', async (_t, broker) => {
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(broker.topic('a'), { qos: 1, noLocal: true })
  await bob.drop()
  const again = await broker.connect(lasting(broker, 'bob'))
  await again.publish(broker.topic('a'), 'own', { qos: 1 })
  await again.expectNothing()
})

const FEW = { config: { session: { receiveMaximum: 3 } } }

statement('MQTT-3.3.4-7', 'ends a client that exceeds the receive maximum of the broker', FEW, async (t, broker) => {
  const alice = await broker.connect()
  t.equal(alice.connack?.properties.receiveMaximum, 3)
  for (const packetId of [1, 2, 3]) {
    alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    t.equal((await alice.expectPacket('pubrec')).packetId, packetId)
  }
  alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId: 4 })
  await alice.expectDisconnect(0x93)
})

statement('MQTT-3.3.4-7', 'counts QoS 1 together with QoS 2 and frees with PUBCOMP', FEW, async (t, broker) => {
  const alice = await broker.connect()
  for (const packetId of [1, 2]) {
    alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    await alice.expectPacket('pubrec')
  }
  for (let round = 0; round < 5; round++) t.ok((await alice.publish(broker.topic('a'), 'x', { qos: 1 })) < 0x80)
  alice.sendPublish(broker.topic('a'), 'x', { qos: 0 })
  alice.sendAck('pubrel', 1)
  await alice.expectPacket('pubcomp')
  for (const packetId of [11, 12]) {
    alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    await alice.expectPacket('pubrec')
  }
  await alice.expectNothing()
})

for (const qos of [1, 2]) {
  statement('MQTT-3.3.4-7', `takes QoS ${qos} up to its receive maximum in one go`, async (t, broker) => {
    const topic = broker.topic('a')
    const names = ['s1', 's2'] // with several threads, one of them lives in that of "alice" and one does not
    const receivers = await Promise.all(names.map((name) => broker.connect({ clientId: broker.clientIdOf(name) })))
    for (const receiver of receivers) await receiver.subscribe(topic, { qos })
    const alice = await broker.connect({ clientId: broker.clientIdOf('alice') })
    const { receiveMaximum = 65_535 } = alice.connack?.properties ?? {}
    const packetIds = Array.from({ length: receiveMaximum }, (_, index) => index + 1)
    alice.send(...packetIds.map((packetId) => publishPacket(topic, String(packetId), { qos, packetId })))
    const answered: number[] = []
    for (const _ of packetIds) answered.push((await alice.expectPacket(qos === 1 ? 'puback' : 'pubrec')).packetId)
    t.same(answered, packetIds)
    if (qos === 2) alice.send(...packetIds.map((packetId) => ackPacket('pubrel', packetId)))
    for (const receiver of receivers) for (const packetId of packetIds) await receiver.expectMessage(String(packetId))
  })
}

statement('MQTT-3.3.4-7', 'does not count a repeated packet identifier twice', FEW, async (t, broker) => {
  const options = lasting(broker, 'alice')
  const alice = await broker.connect(options)
  const send = async (client: RawClient, packetId: number, dup: boolean) => {
    client.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId, dup })
    t.equal((await client.expectPacket('pubrec')).packetId, packetId)
  }
  for (const packetId of [1, 2, 3]) await send(alice, packetId, false)
  await alice.drop()
  const again = await broker.connect(options)
  for (const packetId of [1, 2, 3]) await send(again, packetId, true)
  await again.expectNothing()
})

behaviour('§4.9 a new connection of a session begins with the whole quota of the broker', FEW, async (t, broker) => {
  const options = lasting(broker, 'alice')
  const alice = await broker.connect(options)
  for (const packetId of [1, 2, 3]) {
    alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    await alice.expectPacket('pubrec')
  }
  await alice.drop()
  const again = await broker.connect(options)
  for (const packetId of [4, 5, 6]) {
    again.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    t.equal((await again.expectPacket('pubrec')).packetId, packetId)
  }
})

statement('MQTT-3.3.4-9', 'holds back messages beyond the receive maximum of the client', async (t, broker) => {
  const topic = broker.topic('boiler')
  const slow = await broker.connect({ properties: { receiveMaximum: 2 }, acknowledge: 'by hand' })
  await slow.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 4, { qos: 1 })
  t.equal(await slow.countWithin(1_000), 2)
  slow.acknowledgeOldest()
  t.equal(await slow.countWithin(1_000), 3)
  slow.acknowledgeOldest()
  t.equal(await slow.countWithin(1_000), 4)
  t.same(
    slow.messages.map(({ text }) => text),
    ['1', '2', '3', '4'],
  )
})

statement('MQTT-3.3.4-9', 'counts a QoS 2 message until PUBCOMP, or PUBREC that refuses', async (t, broker) => {
  const topic = broker.topic('boiler')
  const slow = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await slow.subscribe(topic, { qos: 2 })
  await broker.publishMany(topic, 3, { qos: 2 })
  const { packetId } = await slow.expectMessage('1')
  slow.acknowledgeOldest()
  t.equal((await slow.expectPacket('pubrel')).packetId, packetId)
  await slow.expectNothing()
  slow.sendAck('pubcomp', packetId)
  await slow.expectMessage('2')
  slow.acknowledgeOldest({ reasonCode: 0x80 })
  await slow.expectMessage('3')
})

statement('MQTT-3.3.4-9', 'counts QoS 1 and QoS 2 together', async (t, broker) => {
  const slow = await broker.connect({ properties: { receiveMaximum: 3 }, acknowledge: 'by hand' })
  await slow.subscribe(broker.topic('#'), { qos: 2 })
  for (let number = 1; number <= 6; number++) {
    await broker.publish(broker.topic(String(number)), String(number), { qos: 1 + (number % 2) })
  }
  t.equal(await slow.countWithin(1_000), 3)
})

statement('MQTT-3.3.4-9', 'holds back retained messages too', async (t, broker) => {
  for (const rest of ['a', 'b', 'c']) await broker.publish(broker.topic(rest), rest, { qos: 1, retain: true })
  const slow = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await slow.subscribe(broker.topic('#'), { qos: 1 })
  for (const count of [1, 2, 3]) {
    t.equal(await slow.countWithin(1_000), count)
    slow.acknowledgeOldest()
  }
})

statement('MQTT-3.3.4-10', 'goes on with everything but PUBLISH while the window is full', async (t, broker) => {
  const topic = broker.topic('boiler')
  const slow = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await slow.subscribe(topic, { qos: 2 })
  await broker.publishMany(topic, 2, { qos: 2 })
  const { packetId } = await slow.expectMessage('1')
  await slow.ping()
  t.same((await slow.subscribe(broker.topic('other'), { qos: 1 })).reasonCodes, [1])
  t.same((await slow.unsubscribe(broker.topic('other'))).reasonCodes, [0])
  t.ok((await slow.publish(broker.topic('void'), 'x', { qos: 1 })) < 0x80)
  t.ok((await slow.publish(broker.topic('void'), 'x', { qos: 2 })) < 0x80)
  slow.acknowledgeOldest()
  t.equal((await slow.expectPacket('pubrel')).packetId, packetId)
})
