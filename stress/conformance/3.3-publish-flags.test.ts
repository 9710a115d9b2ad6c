/** §3.3.1 of MQTT 5.0: the flags DUP and QoS of PUBLISH. */
import type { Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import { statement, statement311 } from '../support/statement.js'
import { packet, prefixed, uint16 } from '../support/wire.js'

const VERSIONS: readonly Version[] = [3, 4, 5]

for (const version of VERSIONS) {
  for (const qos of [1, 2]) {
    statement('MQTT-3.3.1-1', `marks a resent QoS ${qos} message, protocol level ${version}`, async (t, broker) => {
      const topic = broker.topic('pump')
      const options = { ...lasting(broker, 'bob'), version, acknowledge: 'by hand' } as const
      const bob = await broker.connect(options)
      await bob.subscribe(topic, { qos })
      await broker.publish(topic, 'on', { qos })
      const first = await bob.expectMessage('on')
      t.equal(first.dup, false)
      await bob.drop()
      const again = await broker.connect(options)
      const second = await again.expectMessage('on')
      t.match(second, { dup: true, qos, packetId: first.packetId, topic })
      await again.expectNothing()
    })
  }
}

statement('MQTT-3.3.1-1', 'marks a message at the third attempt too', async (t, broker) => {
  const topic = broker.topic('pump')
  const options = { ...lasting(broker, 'bob'), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'on', { qos: 1 })
  const { packetId } = await bob.expectMessage('on')
  await bob.drop()
  for (const attempt of [2, 3]) {
    const again = await broker.connect(options)
    t.match(await again.expectMessage('on'), { dup: true, packetId }, `attempt ${attempt}`)
    await again.drop()
  }
})

statement(['MQTT-3.3.1-1', 'MQTT-3.3.1-3'], 'does not mark what waited and is sent first now', async (t, broker) => {
  const topic = broker.topic('pump')
  const options = { ...lasting(broker, 'bob', { receiveMaximum: 1 }), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 2, { qos: 1 })
  await bob.expectMessage('1')
  await bob.expectNothing()
  await bob.drop()
  await broker.publish(topic, '3', { qos: 1 })
  const again = await broker.connect(options)
  t.equal((await again.expectMessage('1')).dup, true, 'was sent before')
  again.acknowledgeOldest()
  t.equal((await again.expectMessage('2')).dup, false, 'waited for the receive maximum')
  again.acknowledgeOldest()
  t.equal((await again.expectMessage('3')).dup, false, 'came while the session was offline')
})

for (const version of VERSIONS) {
  statement('MQTT-3.3.1-2', `refuses DUP with QoS 0, protocol level ${version}`, async (_t, broker) => {
    const topic = broker.topic('pump')
    const watcher = await broker.connect()
    await watcher.subscribe(topic)
    const client = await broker.connect({ version })
    client.sendPublish(topic, 'on', { dup: true })
    await client.expectDisconnect(0x81, 0x82)
    await watcher.expectNothing()
  })
}

statement('MQTT-3.3.1-2', 'sends without DUP what it downgrades to QoS 0', async (t, broker) => {
  const topic = broker.topic('pump')
  const bob = await broker.connect()
  await bob.subscribe(topic)
  await broker.publish(topic, 'on', { qos: 1, dup: true })
  t.match(await bob.expectMessage('on'), { qos: 0, dup: false })
})

for (const qos of [1, 2]) {
  statement('MQTT-3.3.1-3', `does not pass on DUP of a QoS ${qos} message`, async (t, broker) => {
    const topic = broker.topic('pump')
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 2 })
    const alice = await broker.connect()
    await alice.publish(topic, 'on', { qos, dup: true })
    t.match(await bob.expectMessage('on'), { qos, dup: false })
  })
}

statement('MQTT-3.3.1-3', 'does not pass on DUP to a session that was offline', async (t, broker) => {
  const topic = broker.topic('pump')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  await broker.publish(topic, 'on', { qos: 1, dup: true })
  const again = await broker.connect(lasting(broker, 'bob'))
  t.equal((await again.expectMessage('on')).dup, false)
})

statement('MQTT-3.3.1-3', 'does not keep DUP with a retained message', async (t, broker) => {
  const topic = broker.topic('pump')
  await broker.publish(topic, 'on', { qos: 1, dup: true, retain: true })
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 1 })
  t.match(await bob.expectMessage('on'), { dup: false, retain: true })
})

for (const flags of [0x06, 0x07, 0x0e]) {
  statement('MQTT-3.3.1-4', `refuses QoS 3, flags 0x${flags.toString(16)}`, async (_t, broker) => {
    const client = await broker.connect()
    client.send(packet(3, flags, prefixed('a'), uint16(1), [0], 'x'))
    await client.expectDisconnect(0x81)
  })
}

statement311('MQTT-3.3.1-4', 'refuses QoS 3', async (_t, broker) => {
  const client = await broker.connect({ version: 4 })
  client.send(packet(3, 0x06, prefixed('a'), uint16(1), 'x'))
  await client.expectClosed()
})
