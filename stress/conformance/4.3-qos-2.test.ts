/** §4.3.3 of MQTT 5.0: QoS 2, the broker as sender (statements 1 to 7) and as receiver (8 to 13). */
import { seconds, type TestBroker } from '../support/broker.js'
import { publishPacket, type Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import type { RawClient } from '../support/raw-client.js'
import { statement } from '../support/statement.js'

const VERSIONS: readonly Version[] = [3, 4, 5]

/** Connects, or connects again, the one who acknowledges by hand; its session stays. */
function byHand(broker: TestBroker, name: string, version: Version = 5): Promise<RawClient> {
  return broker.connect({ ...lasting(broker, name), version, acknowledge: 'by hand' })
}

statement(
  'MQTT-4.3.3-1',
  'gives no message an identifier that is in use in any step of the handshake',
  async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await byHand(broker, 'bob')
    await bob.subscribe(topic, { qos: 2 })
    await broker.publishMany(topic, 3, { qos: 2 })
    const published = await bob.expectMessage('1')
    const released = await bob.expectMessage('2')
    const completed = await bob.expectMessage('3')
    for (const { packetId } of [released, completed]) {
      bob.sendAck('pubrec', packetId)
      t.equal((await bob.expectPacket('pubrel')).packetId, packetId)
    }
    bob.sendAck('pubcomp', completed.packetId)
    for (let number = 4; number <= 60; number++) {
      await broker.publish(topic, String(number), { qos: 2 })
      const { packetId } = await bob.expectMessage(String(number))
      t.ok(packetId !== published.packetId && packetId !== released.packetId, `identifier ${packetId}`)
    }
  },
)

for (const version of VERSIONS) {
  statement(
    'MQTT-4.3.3-2',
    `sends QoS 2 with an identifier and no DUP, protocol level ${version}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await byHand(broker, 'bob', version)
      await bob.subscribe(topic, { qos: 2 })
      await broker.publish(topic, 'x', { qos: 2 })
      const message = await bob.expectMessage('x')
      t.match(message, { qos: 2, dup: false })
      t.ok(message.packetId > 0)
    },
  )

  statement('MQTT-4.3.3-3', `resends PUBLISH until PUBREC, protocol level ${version}`, async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await byHand(broker, 'bob', version)
    await bob.subscribe(topic, { qos: 2 })
    await broker.publishMany(topic, 2, { qos: 2 })
    const first = await bob.expectMessage('1')
    const second = await bob.expectMessage('2')
    bob.sendAck('pubrec', second.packetId)
    await bob.expectPacket('pubrel')
    await bob.drop()
    const again = await byHand(broker, 'bob', version)
    t.match(await again.takePacket('publish'), { packetId: first.packetId, dup: true, text: '1', qos: 2 })
    t.equal((await again.takePacket('pubrel')).packetId, second.packetId)
    await again.expectNothing()
  })

  statement(
    ['MQTT-4.3.3-5', 'MQTT-4.3.3-6'],
    `resends PUBREL, not PUBLISH, until PUBCOMP, protocol level ${version}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await byHand(broker, 'bob', version)
      await bob.subscribe(topic, { qos: 2 })
      await broker.publish(topic, 'x', { qos: 2 })
      const { packetId } = await bob.expectMessage('x')
      bob.sendAck('pubrec', packetId)
      await bob.expectPacket('pubrel')
      await bob.drop()
      const second = await byHand(broker, 'bob', version)
      t.equal((await second.expectPacket('pubrel')).packetId, packetId)
      await second.expectNothing()
      await second.drop()
      const third = await byHand(broker, 'bob', version)
      t.equal((await third.expectPacket('pubrel')).packetId, packetId)
      third.sendAck('pubcomp', packetId)
      await third.expectNothing()
      await third.drop()
      await (await byHand(broker, 'bob', version)).expectNothing()
    },
  )
}

statement('MQTT-4.3.3-6', 'does not resend a PUBLISH that was released before its turn came', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 2 })
  await broker.publishMany(topic, 2, { qos: 2 })
  const first = await bob.expectMessage('1')
  const second = await bob.expectMessage('2')
  await bob.drop()
  const again = await broker.connect({ ...lasting(broker, 'bob', { receiveMaximum: 1 }), acknowledge: 'by hand' })
  t.equal((await again.expectMessage('1')).packetId, first.packetId)
  again.sendAck('pubrec', second.packetId)
  t.equal((await again.expectPacket('pubrel')).packetId, second.packetId)
  again.sendAck('pubrec', first.packetId)
  t.equal((await again.expectPacket('pubrel')).packetId, first.packetId)
  again.sendAck('pubcomp', first.packetId)
  await again.expectNothing()
  again.sendAck('pubcomp', second.packetId)
  await broker.publish(topic, '3', { qos: 2 })
  t.equal((await again.expectMessage('3')).dup, false)
})

for (const reasonCode of [undefined, 0x00, 0x10]) {
  const shown = reasonCode === undefined ? 'no reason code' : `0x${reasonCode.toString(16)}`
  statement('MQTT-4.3.3-4', `answers PUBREC with PUBREL: ${shown}`, async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await byHand(broker, 'bob')
    await bob.subscribe(topic, { qos: 2 })
    await broker.publishMany(topic, 2, { qos: 2 })
    const packetIds = [(await bob.expectMessage('1')).packetId, (await bob.expectMessage('2')).packetId]
    for (const packetId of packetIds.reverse()) {
      bob.sendAck('pubrec', packetId, { reasonCode })
      t.match(await bob.expectPacket('pubrel'), { packetId, reasonCode: 0 })
    }
    await bob.expectNothing()
  })
}

statement('MQTT-4.3.3-4', 'answers a PUBREC that is repeated after a reconnection', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'x', { qos: 2 })
  const { packetId } = await bob.expectMessage('x')
  bob.sendAck('pubrec', packetId)
  await bob.expectPacket('pubrel')
  await bob.drop()
  const again = await byHand(broker, 'bob')
  await again.expectPacket('pubrel')
  again.sendAck('pubrec', packetId)
  t.match(await again.expectPacket('pubrel'), { packetId, reasonCode: 0 })
  again.sendAck('pubcomp', packetId)
  await again.expectNothing()
})

statement('MQTT-4.3.3-7', 'lets no message expire that was sent before', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 2 })
  await broker.publishMany(topic, 2, { qos: 2, properties: { messageExpiryInterval: 10 } })
  const first = await bob.expectMessage('1')
  const second = await bob.expectMessage('2')
  await broker.advance(seconds(11))
  bob.sendAck('pubrec', first.packetId)
  t.match(await bob.expectPacket('pubrel'), { packetId: first.packetId, reasonCode: 0 })
  bob.sendAck('pubcomp', first.packetId)
  await bob.ping()
  await bob.drop()
  await broker.advance(seconds(11))
  const again = await byHand(broker, 'bob')
  t.match(await again.expectMessage('2'), { packetId: second.packetId, dup: true })
})

for (const version of VERSIONS) {
  statement(
    'MQTT-4.3.3-8',
    `answers QoS 2 with PUBREC and owns the message, protocol level ${version}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await byHand(broker, 'bob')
      await bob.subscribe(topic, { qos: 2 })
      await bob.drop()
      const alice = await broker.connect({ ...lasting(broker, 'alice'), version })
      const packetIds = [9, 3, 65_535, 1]
      alice.send(...packetIds.map((packetId) => publishPacket(topic, String(packetId), { version, qos: 2, packetId })))
      for (const packetId of packetIds) t.equal((await alice.expectPacket('pubrec')).packetId, packetId)
      for (const packetId of packetIds) alice.sendAck('pubrel', packetId)
      for (const packetId of packetIds) t.equal((await alice.expectPacket('pubcomp')).packetId, packetId)
      alice.destroy()
      const again = await byHand(broker, 'bob')
      for (const packetId of packetIds) await again.expectMessage(String(packetId))
    },
  )
}

statement(
  'MQTT-4.3.3-9',
  'takes an identifier again that it had refused',
  { config: { session: { queuedMessagesMax: 1 } } },
  async (t, broker) => {
    const topic = broker.topic('full')
    const offline = await broker.connect(lasting(broker, 'offline'))
    await offline.subscribe(topic, { qos: 2 })
    await offline.drop()
    await broker.publish(topic, 'fits', { qos: 2 })
    const alice = await broker.connect()
    alice.sendPublish(topic, 'refused', { qos: 2, packetId: 7 })
    t.match(await alice.expectPacket('pubrec'), { packetId: 7, reasonCode: 0x97 })
    const bob = await broker.connect()
    await bob.subscribe(broker.topic('free'), { qos: 2 })
    alice.sendPublish(broker.topic('free'), 'new', { qos: 2, packetId: 7 })
    t.match(await alice.expectPacket('pubrec'), { packetId: 7, reasonCode: 0x00 })
    alice.sendAck('pubrel', 7)
    t.match(await alice.expectPacket('pubcomp'), { packetId: 7, reasonCode: 0x00 })
    await bob.expectMessage('new')
    const again = await broker.connect(lasting(broker, 'offline'))
    await again.expectMessage('fits')
    await again.expectNothing()
  },
)

for (const version of VERSIONS) {
  statement('MQTT-4.3.3-10', `delivers a repeated PUBLISH once, protocol level ${version}`, async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 2 })
    let alice = await broker.connect({ ...lasting(broker, 'alice'), version })
    alice.sendPublish(topic, 'once', { qos: 2, packetId: 7 })
    t.equal((await alice.expectPacket('pubrec')).packetId, 7)
    for (const attempt of ['first', 'second']) {
      await alice.drop()
      alice = await broker.connect({ ...lasting(broker, 'alice'), version })
      alice.sendPublish(topic, 'once', { qos: 2, packetId: 7, dup: true })
      t.equal((await alice.expectPacket('pubrec')).packetId, 7, `${attempt} reconnection`)
    }
    alice.sendAck('pubrel', 7)
    t.equal((await alice.expectPacket('pubcomp')).packetId, 7)
    await bob.expectMessage('once')
    await bob.expectNothing()
  })
}

for (const dup of [true, false]) {
  statement(
    'MQTT-4.3.3-10',
    `delivers once what is repeated on one connection, DUP ${dup ? 1 : 0}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await broker.connect()
      await bob.subscribe(topic, { qos: 2 })
      const alice = await broker.connect()
      for (const repeated of [false, dup, dup]) {
        alice.sendPublish(topic, 'once', { qos: 2, packetId: 7, dup: repeated })
        const pubrec = await alice.expectPacket('pubrec')
        t.equal(pubrec.packetId, 7)
        t.ok(pubrec.reasonCode < 0x80)
      }
      alice.sendAck('pubrel', 7)
      await alice.expectPacket('pubcomp')
      await bob.expectMessage('once')
      await bob.expectNothing()
    },
  )
}

statement('MQTT-4.3.3-10', 'does not mix up the identifiers of two clients', async (_t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2 })
  const clients = [await broker.connect(), await broker.connect()]
  for (const client of clients) {
    client.sendPublish(topic, 'each', { qos: 2, packetId: 7 })
    await client.expectPacket('pubrec')
  }
  for (const client of clients) {
    client.sendAck('pubrel', 7)
    await client.expectPacket('pubcomp')
  }
  await bob.expectMessage('each')
  await bob.expectMessage('each')
})

statement('MQTT-4.3.3-11', 'answers every PUBREL with PUBCOMP', async (t, broker) => {
  const alice = await broker.connect(lasting(broker, 'alice'))
  for (const packetId of [1, 65_535]) {
    alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId })
    await alice.expectPacket('pubrec')
  }
  for (const packetId of [65_535, 1]) {
    alice.sendAck('pubrel', packetId)
    t.match(await alice.expectPacket('pubcomp'), { packetId, reasonCode: 0 })
  }
  alice.sendAck('pubrel', 1)
  t.equal((await alice.expectPacket('pubcomp')).packetId, 1, 'a repeat too')
  alice.sendPublish(broker.topic('a'), 'x', { qos: 2, packetId: 2 })
  await alice.expectPacket('pubrec')
  await alice.drop()
  const again = await broker.connect(lasting(broker, 'alice'))
  again.sendAck('pubrel', 2)
  t.match(await again.expectPacket('pubcomp'), { packetId: 2, reasonCode: 0 }, 'on the next connection')
})

statement('MQTT-4.3.3-11', 'answers PUBREL for an unknown identifier before MQTT 5', async (t, broker) => {
  for (const version of [3, 4] as const) {
    const alice = await broker.connect({ version })
    alice.sendAck('pubrel', 4_711)
    t.match(await alice.expectPacket('pubcomp'), { packetId: 4_711, size: 4 })
  }
})

for (const dup of [false, true]) {
  statement('MQTT-4.3.3-12', `takes an identifier again after PUBCOMP, DUP ${dup ? 1 : 0}`, async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 2 })
    const alice = await broker.connect()
    for (const text of ['same', 'same', 'other']) {
      alice.sendPublish(topic, text, { qos: 2, packetId: 7, dup })
      await alice.expectPacket('pubrec')
      alice.sendAck('pubrel', 7)
      t.match(await alice.expectPacket('pubcomp'), { packetId: 7, reasonCode: 0 })
      await bob.expectMessage(text)
    }
    await bob.expectNothing()
  })
}

statement('MQTT-4.3.3-13', 'completes the handshake of a message that has expired', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await byHand(broker, 'bob')
  await bob.subscribe(topic, { qos: 2 })
  await bob.drop()
  const alice = await broker.connect()
  alice.sendPublish(topic, 'x', { qos: 2, packetId: 7, properties: { messageExpiryInterval: 10 } })
  t.match(await alice.expectPacket('pubrec'), { packetId: 7, reasonCode: 0 })
  await broker.advance(seconds(11))
  alice.sendPublish(topic, 'x', { qos: 2, packetId: 7, dup: true, properties: { messageExpiryInterval: 10 } })
  t.match(await alice.expectPacket('pubrec'), { packetId: 7, reasonCode: 0 })
  alice.sendAck('pubrel', 7)
  t.match(await alice.expectPacket('pubcomp'), { packetId: 7, reasonCode: 0 })
})
