/** §3.10 of MQTT 5.0: UNSUBSCRIBE. */
import { publishPacket, unsubscribePacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { packet, uint16, varint } from '../support/wire.js'

const VERSIONS = [3, 4, 5] as const

statement('MQTT-3.10.1-1', 'refuses every value of the reserved flags but 2', async (_t, broker) => {
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 2) continue
    const client = await broker.connect()
    client.send(unsubscribePacket(1, ['a'], { flags }))
    await client.expectDisconnect(0x81)
  }
})

statement('MQTT-3.10.1-1', 'refuses reserved flags before version 5 too', async (_t, broker) => {
  const client = await broker.connect({ version: 4 })
  client.send(unsubscribePacket(1, ['a'], { flags: 0, version: 4 }))
  await client.expectDisconnect()
})

statement('MQTT-3.10.3-1', 'refuses topic filters that are not UTF-8', async (_t, broker) => {
  for (const raw of [
    [0x61, 0x80],
    [0xed, 0xbf, 0xbf],
    [0xc0, 0xaf],
  ]) {
    const client = await broker.connect()
    client.send(unsubscribePacket(1, ['fine', raw]))
    await client.expectDisconnect(0x81, 0x8f)
  }
})

statement('MQTT-3.10.3-1', 'refuses a topic filter that is longer than the packet', async (_t, broker) => {
  for (const rest of [[0x00], [0x00, 0x05, 0x61], [0xff, 0xff]]) {
    const client = await broker.connect()
    client.send(packet(10, 2, uint16(1), varint(0), rest))
    await client.expectDisconnect(0x81)
  }
})

statement('MQTT-3.10.3-2', 'refuses an UNSUBSCRIBE without topic filters', async (_t, broker) => {
  for (const version of VERSIONS) {
    const client = await broker.connect({ version })
    client.send(unsubscribePacket(1, [], { version }))
    await client.expectDisconnect(0x81, 0x82)
  }
})

statement('MQTT-3.10.4-1', 'deletes the subscription whose filter is equal, and no other', async (t, broker) => {
  const topic = broker.topic('a/b')
  const client = await broker.connect()
  await client.subscribe(broker.topic('a/+'))
  const others = ['a/b', 'a/#', '+/+', 'A/+', 'a/+/', '/a/+', 'a/+/#', 'a'].map((rest) => broker.topic(rest))
  t.same((await client.unsubscribe(...others)).reasonCodes, Array(others.length).fill(0x11))
  await broker.publish(topic, 'still')
  await client.expectMessage('still')
  t.same((await client.unsubscribe(broker.topic('a/+'))).reasonCodes, [0])
  await broker.publish(topic, 'gone')
  await client.expectNothing()
})

statement('MQTT-3.10.4-1', 'compares without normalizing characters', async (t, broker) => {
  const composed = broker.topic('caf\u00e9')
  const client = await broker.connect()
  await client.subscribe(composed)
  t.same((await client.unsubscribe(broker.topic('cafe\u0301'), composed)).reasonCodes, [0x11, 0])
})

statement('MQTT-3.10.4-1', 'tells shared subscriptions apart by name and filter', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe([[`$share/one/${topic}`], [`$share/two/${topic}`], [topic]])
  t.same((await client.unsubscribe(`$share/one/${topic}`, `$share/three/${topic}`)).reasonCodes, [0, 0x11])
  await broker.publish(topic, 'x')
  await broker.settle()
  t.equal(client.messages.length, 2)
  t.same((await client.unsubscribe(topic)).reasonCodes, [0])
  await broker.publish(topic, 'y')
  await broker.settle()
  t.equal(client.messages.length, 3)
})

statement('MQTT-3.10.4-1', 'deletes a wildcard subscription while the filters inside it stay', async (_t, broker) => {
  const client = await broker.connect()
  await client.subscribe([[broker.topic('#')], [broker.topic('a/b')]])
  await client.unsubscribe(broker.topic('#'))
  await broker.publish(broker.topic('a/c'), 'gone')
  await broker.publish(broker.topic('a/b'), 'stays')
  await client.expectMessage('stays')
  await client.expectNothing()
})

statement('MQTT-3.10.4-1', 'leaves the equal subscription of another client alone', async (t, broker) => {
  const topic = broker.topic('a')
  const [one, other] = [await broker.connect(), await broker.connect()]
  await one.subscribe(topic)
  t.same((await other.unsubscribe(topic)).reasonCodes, [0x11])
  await broker.publish(topic, 'x')
  await one.expectMessage('x')
})

statement('MQTT-3.10.4-1', 'deletes the subscription from the session, not from the connection', async (t, broker) => {
  const topic = broker.topic('a')
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 1_000 } }
  const first = await broker.connect(session)
  await first.subscribe(topic, { qos: 1 })
  await first.unsubscribe(topic)
  await first.disconnect()
  await broker.publish(topic, 'gone', { qos: 1 })
  const second = await broker.connect({ ...session, cleanStart: false })
  t.equal(second.connack!.sessionPresent, true)
  await second.expectNothing()
})

statement('MQTT-3.10.4-2', 'adds no message after an UNSUBSCRIBE sent in the same write', async (_t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe(topic, { qos: 1 })
  client.send(
    publishPacket(topic, 'before', { qos: 1, packetId: 100 }),
    unsubscribePacket(101, [topic]),
    publishPacket(topic, 'after', { qos: 1, packetId: 102 }),
  )
  await client.takePacket('puback', 102)
  await client.takePacket('unsuback', 101)
  await client.takePacket('puback', 100)
  await client.expectMessage('before')
  await client.expectNothing()
})

statement('MQTT-3.10.4-2', 'adds no message while another client goes on publishing', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect()
  await client.subscribe(topic)
  await broker.publishMany(topic, 3)
  await client.unsubscribe(topic)
  const count = client.messages.length
  await broker.publishMany(topic, 20, { qos: 1 })
  t.equal(await client.countWithin(0), count)
})

statement('MQTT-3.10.4-3', 'completes the QoS 2 delivery that it had started', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ acknowledge: 'by hand' })
  await client.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'x', { qos: 2 })
  const { packetId } = await client.expectMessage('x')
  await client.unsubscribe(topic)
  client.acknowledgeOldest()
  t.equal((await client.expectPacket('pubrel')).packetId, packetId)
  client.sendAck('pubcomp', packetId)
  await client.expectNothing()
})

for (const qos of [1, 2]) {
  statement(
    'MQTT-3.10.4-3',
    `delivers QoS ${qos} again after a lost connection, unsubscribed or not`,
    async (t, broker) => {
      const topic = broker.topic('a')
      const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 1_000 } }
      const first = await broker.connect({ ...session, acknowledge: 'by hand' })
      await first.subscribe(topic, { qos })
      await broker.publish(topic, 'x', { qos })
      const { packetId } = await first.expectMessage('x')
      await first.unsubscribe(topic)
      await first.drop()
      const second = await broker.connect({ ...session, cleanStart: false })
      const again = await second.expectMessage('x')
      t.equal(again.dup, true)
      t.equal(again.packetId, packetId)
    },
  )
}

statement('MQTT-3.10.4-4', 'answers UNSUBSCRIBE with UNSUBACK in every version', async (t, broker) => {
  for (const version of VERSIONS) {
    const client = await broker.connect({ version })
    await client.subscribe(broker.topic('a'))
    const { reasonCodes } = await client.unsubscribe(broker.topic('a'))
    t.same(reasonCodes, version === 5 ? [0] : [])
  }
})

statement('MQTT-3.10.4-5', 'repeats the packet identifier in UNSUBACK', async (t, broker) => {
  const client = await broker.connect()
  for (const id of [1, 255, 256, 0x4321, 65_535]) {
    client.send(unsubscribePacket(id, [broker.topic('a')]))
    t.equal((await client.expectPacket('unsuback')).packetId, id)
  }
})

statement('MQTT-3.10.4-5', 'answers where there was no subscription', async (t, broker) => {
  for (const version of VERSIONS) {
    const client = await broker.connect({ version })
    const { reasonCodes } = await client.unsubscribe(broker.topic('never'), broker.topic('+/never'))
    t.same(reasonCodes, version === 5 ? [0x11, 0x11] : [])
  }
})

statement('MQTT-3.10.4-6', 'deletes several subscriptions and answers once', async (t, broker) => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => broker.topic(name)) as [string, string, string]
  const client = await broker.connect()
  await client.subscribe([[a], [b], [c]])
  const unsuback = await client.unsubscribe(c, a)
  t.same(unsuback.reasonCodes, [0, 0])
  await broker.publish(a, 'a')
  await broker.publish(c, 'c')
  await broker.publish(b, 'b')
  await client.expectMessage('b')
  await client.expectNothing()
})

statement('MQTT-3.10.4-6', 'finds nothing for the second of two equal filters', async (t, broker) => {
  const client = await broker.connect()
  await client.subscribe(broker.topic('a'))
  t.same((await client.unsubscribe(broker.topic('a'), broker.topic('a'))).reasonCodes, [0, 0x11])
})

behaviour('takes subscriptions again after their end', async (_t, broker) => {
  const topic = broker.topic('a/+')
  const client = await broker.connect()
  for (let round = 1; round <= 5; round++) {
    await client.subscribe(topic)
    await broker.publish(broker.topic('a/b'), `in ${round}`)
    await client.expectMessage(`in ${round}`)
    await client.unsubscribe(topic)
    await broker.publish(broker.topic('a/b'), `out ${round}`)
  }
  await client.expectNothing()
})
