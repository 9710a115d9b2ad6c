/** §4.3.1 and §4.3.2 of MQTT 5.0: QoS 0 and QoS 1, the broker as sender and as receiver. */
import { seconds } from '../support/broker.js'
import { ackPacket, publishPacket, type Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import { behaviour, statement } from '../support/statement.js'

const VERSIONS: readonly Version[] = [3, 4, 5]

for (const version of VERSIONS) {
  statement('MQTT-4.3.1-1', `sends QoS 0 once, without DUP, protocol level ${version}`, async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await broker.connect({ ...lasting(broker, 'bob'), version })
    await bob.subscribe(topic, { qos: 0 })
    for (const qos of [0, 1, 2]) {
      await broker.publish(topic, 'x', { qos })
      t.match(await bob.expectMessage('x'), { qos: 0, dup: false, packetId: 0 })
    }
    await bob.drop()
    await (await broker.connect({ ...lasting(broker, 'bob'), version })).expectNothing()
  })
}

statement('MQTT-4.3.1-1', 'sends QoS 0 for a QoS 0 message whatever was granted', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'x', { qos: 0 })
  t.match(await bob.expectMessage('x'), { qos: 0, dup: false })
})

statement(['MQTT-4.3.2-1', 'MQTT-2.2.1-4'], 'gives each message a packet identifier of its own', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 2 })
  for (let number = 1; number <= 100; number++) await broker.publish(topic, String(number), { qos: 1 + (number % 2) })
  t.equal(await bob.countWithin(0), 100)
  t.equal(new Set(bob.messages.map(({ packetId }) => packetId)).size, 100)
})

statement(['MQTT-4.3.2-1', 'MQTT-2.2.1-4'], 'skips identifiers in use when it begins again at 1', async (t, broker) => {
  // Once around all 65,535 identifiers while the first message stays unacknowledged.
  const topic = broker.topic('a')
  const bob = await broker.connect({ acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'held', { qos: 1 })
  const held = await bob.expectMessage('held')
  const alice = await broker.connect()
  const batch = Math.min(500, alice.connack?.properties.receiveMaximum ?? 500)
  for (let sent = 0; sent < 66_000; sent += batch) {
    const packets = Array.from({ length: batch }, (_, index) =>
      publishPacket(topic, '', { qos: 1, packetId: index + 1 }),
    )
    alice.send(...packets)
    for (let index = 0; index < batch; index++) await alice.expectPacket('puback')
    const acks: Uint8Array[] = []
    for (let index = 0; index < batch; index++) acks.push(ackPacket('puback', (await bob.expectMessage('')).packetId))
    bob.send(...acks)
  }
  bob.sendAck('puback', held.packetId)
  t.equal(bob.messages.filter(({ packetId }) => packetId === held.packetId).length, 1)
})

for (const version of VERSIONS) {
  statement(
    'MQTT-4.3.2-2',
    `sends QoS 1 with an identifier and no DUP, protocol level ${version}`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await broker.connect({ version, acknowledge: 'by hand' })
      await bob.subscribe(topic, { qos: 1 })
      for (const qos of [1, 2]) {
        await broker.publish(topic, 'x', { qos })
        const message = await bob.expectMessage('x')
        t.match(message, { qos: 1, dup: false })
        t.ok(message.packetId > 0)
      }
    },
  )
}

statement('MQTT-4.3.2-3', 'holds a QoS 1 message unacknowledged until its PUBACK', async (t, broker) => {
  const topic = broker.topic('a')
  const options = { ...lasting(broker, 'bob'), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 3, { qos: 1 })
  const first = await bob.expectMessage('1')
  const second = await bob.expectMessage('2')
  const third = await bob.expectMessage('3')
  bob.sendAck('puback', second.packetId)
  await bob.drop()
  const again = await broker.connect(options)
  t.match(await again.expectMessage('1'), { packetId: first.packetId, dup: true })
  t.match(await again.expectMessage('3'), { packetId: third.packetId, dup: true })
  await again.expectNothing()
  again.acknowledgeOldest()
  again.acknowledgeOldest()
  await again.ping()
  await again.drop()
  await (await broker.connect(options)).expectNothing()
})

statement('MQTT-4.3.2-3', 'is not misled by the PUBACK for another identifier', async (t, broker) => {
  const topic = broker.topic('a')
  const options = { ...lasting(broker, 'bob'), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'x', { qos: 1 })
  const { packetId } = await bob.expectMessage('x')
  bob.sendAck('puback', packetId + 1)
  await bob.ping()
  await bob.drop()
  t.match(await (await broker.connect(options)).expectMessage('x'), { packetId, dup: true })
})

statement('MQTT-4.3.2-4', 'owns a message once it has sent PUBACK', async (_t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  const alice = await broker.connect()
  const packetId = alice.sendPublish(topic, 'x', { qos: 1 })
  await alice.takePacket('puback', packetId)
  alice.destroy()
  await (await broker.connect(lasting(broker, 'bob'))).expectMessage('x')
})

statement('MQTT-4.3.2-4', 'answers each PUBLISH with its identifier, in their order', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 1 })
  const alice = await broker.connect()
  const packetIds = [9, 3, 65_535, 1, 256, 255]
  alice.send(...packetIds.map((packetId) => publishPacket(topic, String(packetId), { qos: 1, packetId })))
  for (const packetId of packetIds) t.equal((await alice.expectPacket('puback')).packetId, packetId)
  for (const packetId of packetIds) await bob.expectMessage(String(packetId))
})

for (const dup of [false, true]) {
  statement(
    'MQTT-4.3.2-5',
    `takes an identifier again after PUBACK, ${dup ? 'with' : 'without'} DUP`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await broker.connect()
      await bob.subscribe(topic, { qos: 1 })
      const alice = await broker.connect()
      for (const text of ['same', 'same', 'other']) {
        alice.sendPublish(topic, text, { qos: 1, packetId: 7, dup })
        t.equal((await alice.expectPacket('puback')).packetId, 7)
        t.equal((await bob.expectMessage(text)).dup, false)
      }
    },
  )
}

behaviour('§4.3.2 does not repeat a QoS 1 message on the same connection', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'x', { qos: 1 })
  t.equal(await bob.countWithin(seconds(86_400)), 1)
})
