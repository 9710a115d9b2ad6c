/** §4.9 of MQTT 5.0: the send quota of the broker. */
import { lasting } from '../support/lasting.js'
import { statement } from '../support/statement.js'

for (const receiveMaximum of [1, 2, 5]) {
  statement(
    'MQTT-4.9.0-1',
    `begins with a quota of at most ${receiveMaximum} and more than none`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const bob = await broker.connect({ properties: { receiveMaximum }, acknowledge: 'by hand' })
      await bob.subscribe(topic, { qos: 1 })
      await broker.publishMany(topic, 8, { qos: 1 })
      const first = await bob.countWithin(1_000)
      t.ok(first >= 1 && first <= receiveMaximum)
      for (let acknowledged = 0; acknowledged < 8; acknowledged++) {
        await bob.expectMessage(String(acknowledged + 1))
        bob.acknowledgeOldest()
      }
      await bob.expectNothing()
    },
  )
}

statement('MQTT-4.9.0-1', 'begins anew on each connection, with what that CONNECT says', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ ...lasting(broker, 'bob', { receiveMaximum: 2 }), acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 8, { qos: 1 })
  t.equal(await bob.countWithin(1_000), 2)
  await bob.drop()
  const wider = await broker.connect({ ...lasting(broker, 'bob', { receiveMaximum: 5 }), acknowledge: 'by hand' })
  t.equal(await wider.countWithin(1_000), 5)
  await wider.drop()
  const narrower = await broker.connect({ ...lasting(broker, 'bob', { receiveMaximum: 1 }), acknowledge: 'by hand' })
  t.equal(await narrower.countWithin(1_000), 1)
  await narrower.drop()
  const unlimited = await broker.connect({ ...lasting(broker, 'bob'), acknowledge: 'by hand' })
  t.equal(await unlimited.countWithin(1_000), 8)
})

statement('MQTT-4.9.0-1', 'knows no quota of a client before MQTT 5', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ version: 4, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 15, { qos: 1 })
  t.equal(await bob.countWithin(1_000), 15)
})

statement('MQTT-4.9.0-2', 'sends nothing with QoS above 0 without quota', async (t, broker) => {
  const bob = await broker.connect({ properties: { receiveMaximum: 2 }, acknowledge: 'by hand' })
  await bob.subscribe(broker.topic('#'), { qos: 2 })
  for (const [number, qos] of [1, 2, 1, 2].entries()) await broker.publish(broker.topic('a'), String(number), { qos })
  t.equal(await bob.countWithin(3_600_000), 2)
})

statement('MQTT-4.9.0-2', 'takes a PUBREL for no message of its own', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ properties: { receiveMaximum: 2 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 2 })
  await broker.publishMany(topic, 4, { qos: 2 })
  const first = await bob.expectMessage('1')
  const second = await bob.expectMessage('2')
  bob.sendAck('pubrec', first.packetId)
  bob.sendAck('pubrec', second.packetId)
  t.equal((await bob.expectPacket('pubrel')).packetId, first.packetId)
  t.equal((await bob.expectPacket('pubrel')).packetId, second.packetId)
  await bob.expectNothing()
  bob.sendAck('pubcomp', first.packetId)
  await bob.expectMessage('3')
  await bob.expectNothing()
})

statement('MQTT-4.9.0-2', 'gains no quota from acknowledgements of nothing', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ properties: { receiveMaximum: 2 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  for (const packetId of [101, 102, 103]) {
    bob.sendAck('puback', packetId)
    bob.sendAck('pubcomp', packetId)
  }
  await broker.publish(topic, '1', { qos: 1 })
  const { packetId } = await bob.expectMessage('1')
  for (let repeat = 0; repeat < 3; repeat++) bob.sendAck('puback', packetId)
  for (const text of ['2', '3', '4', '5']) await broker.publish(topic, text, { qos: 1 })
  t.equal(await bob.countWithin(1_000), 3)
})

statement(
  ['MQTT-4.9.0-2', 'MQTT-3.3.4-9'],
  'gains no quota from completing what an earlier connection began',
  async (t, broker) => {
    const topic = broker.topic('a')
    const bob = await broker.connect({ ...lasting(broker, 'bob'), acknowledge: 'by hand' })
    await bob.subscribe(topic, { qos: 2 })
    await broker.publishMany(topic, 3, { qos: 2 })
    const { packetId } = await bob.expectMessage('1')
    bob.acknowledgeOldest()
    await bob.takePacket('pubrel', packetId)
    await bob.drop()
    const again = await broker.connect({ ...lasting(broker, 'bob', { receiveMaximum: 1 }), acknowledge: 'by hand' })
    await again.takePacket('pubrel', packetId)
    t.match(await again.expectMessage('2'), { dup: true })
    again.sendAck('pubcomp', packetId)
    await again.expectNothing()
  },
)

statement('MQTT-4.9.0-2', 'holds retained and queued messages to the quota', async (t, broker) => {
  for (const rest of ['a', 'b', 'c']) await broker.publish(broker.topic(rest), rest, { qos: 1, retain: true })
  const options = { ...lasting(broker, 'bob', { receiveMaximum: 2 }), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(broker.topic('#'), { qos: 1 })
  t.equal(await bob.countWithin(1_000), 2)
  await bob.drop()
  await broker.publish(broker.topic('a'), 'd', { qos: 1 })
  const again = await broker.connect(options)
  for (const count of [2, 3, 4]) {
    t.equal(await again.countWithin(1_000), count)
    again.acknowledgeOldest()
  }
})

statement('MQTT-4.9.0-3', 'answers everything else without quota', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 3, { qos: 1 })
  await bob.expectMessage('1')
  await bob.ping()
  t.same((await bob.subscribe([[broker.topic('b'), { qos: 2 }]])).reasonCodes, [2])
  t.same((await bob.unsubscribe(broker.topic('b'))).reasonCodes, [0])
  const watcher = await broker.connect()
  await watcher.subscribe(broker.topic('c'), { qos: 2 })
  for (const qos of [0, 1, 2]) {
    t.equal(await bob.publish(broker.topic('c'), String(qos), { qos }), 0)
    await watcher.expectMessage(String(qos))
  }
  bob.sendAck('pubrec', 4_711)
  await bob.expectPacket('pubrel')
  await bob.expectNothing()
  await bob.disconnect()
})

statement('MQTT-4.9.0-3', 'answers a client that never acknowledges, again and again', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 2 })
  for (let round = 0; round < 20; round++) {
    await broker.publish(topic, 'x', { qos: 2 })
    await bob.ping()
    t.same((await bob.subscribe(broker.topic(`r${round}`), { qos: 1 })).reasonCodes, [1])
    t.ok((await bob.publish(broker.topic('void'), 'x', { qos: 1 })) < 0x80)
  }
  t.equal(bob.messages.length, 1)
})
