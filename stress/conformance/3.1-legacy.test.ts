/** MQTT 3.1, protocol name MQIsdp: where it differs from MQTT 3.1.1. Its specification numbers no statements. */
import { seconds } from '../support/broker.js'
import {
  ackPacket,
  connectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'
import { bytes, prefixed } from '../support/wire.js'

const version = 3

behaviour('speaks MQTT 3.1: publishes, subscribes, pings', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ version })
  t.same((await client.subscribe(topic, { qos: 2 })).reasonCodes, [2])
  for (const qos of [0, 1, 2]) {
    await client.publish(topic, `${qos}`, { qos })
    t.equal((await client.expectMessage(`${qos}`)).qos, qos)
  }
  await client.unsubscribe(topic)
  await client.publish(topic, 'x')
  await client.expectNothing()
})

behaviour('accepts MQIsdp with level 3 only, and answers other levels by return code 1', async (_t, broker) => {
  for (const protocolLevel of [2, 4, 5]) {
    const client = await broker.open({ version })
    client.send(connectPacket({ version, protocolLevel, clientId: broker.clientIdOf('level') }))
    await client.expectRefused(0x01)
  }
})

behaviour('never tells session present', async (t, broker) => {
  const topic = broker.topic('a')
  const clientId = broker.clientIdOf('present')
  const first = await broker.connect({ version, clientId, cleanStart: false })
  await first.subscribe(topic, { qos: 1 })
  await first.disconnect()
  await broker.publish(topic, 'kept', { qos: 1 })
  const again = await broker.connect({ version, clientId, cleanStart: false }) // a byte other than 0 fails in the decoder
  t.equal(again.connack?.sessionPresent, false)
  await again.expectMessage('kept')
})

behaviour('answers an empty client identifier by return code 2', async (_t, broker) => {
  for (const cleanStart of [true, false]) {
    const client = await broker.open({ version })
    client.sendConnect({ clientId: '', cleanStart })
    await client.expectConnack(0x02)
    await client.expectClosed()
  }
})

behaviour('lets user name and password be missing behind their flags', async (_t, broker) => {
  const withoutPassword = broker.strict ? 4 : 0 // our users have passwords
  for (const [flags, payload, returnCode] of [
    [0x82, prefixed(broker.clientIdOf('a')), 0],
    [0xc2, prefixed(broker.clientIdOf('b')), 0],
    [0xc2, bytes(prefixed(broker.clientIdOf('c')), prefixed('user')), withoutPassword],
  ] as const) {
    const client = await broker.open({ version })
    client.send(connectPacket({ version, flags, payload }))
    await client.expectConnack(returnCode)
  }
})

behaviour('accepts DUP on SUBSCRIBE, UNSUBSCRIBE and PUBREL, which MQTT 3.1 repeats', async (_t, broker) => {
  const client = await broker.connect({ version })
  client.send(subscribePacket(1, [[broker.topic('a')]], { version, flags: 0x0a }))
  await client.takePacket('suback')
  client.send(publishPacket(broker.topic('b'), 'x', { version, qos: 2, packetId: 2 }))
  await client.expectPacket('pubrec')
  client.send(ackPacket('pubrel', 2, { flags: 0x0a }))
  await client.expectPacket('pubcomp')
  client.send(unsubscribePacket(3, [broker.topic('a')], { version, flags: 0x0a }))
  await client.takePacket('unsuback')
})

behaviour('publishes the will of an MQTT 3.1 client, and none after DISCONNECT', async (_t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  const will = { topic, payload: 'gone' }
  await (await broker.connect({ version, will })).disconnect()
  await watcher.expectNothing()
  await (await broker.connect({ version, will })).drop()
  await watcher.expectMessage('gone')
})

behaviour('sends no DISCONNECT to an MQTT 3.1 client', async (_t, broker) => {
  const clientId = broker.clientIdOf('quiet')
  const old = await broker.connect({ version, clientId, keepAlive: 5 })
  const young = await broker.connect({ version, clientId, keepAlive: 5 })
  await old.expectClosed()
  await broker.advance(seconds(8))
  await young.expectClosed()
})

behaviour('exchanges messages between MQTT 3.1, 3.1.1 and 5', async (t, broker) => {
  const topic = broker.topic('a')
  const clients = [await broker.connect({ version }), await broker.connect({ version: 4 }), await broker.connect()]
  for (const client of clients) await client.subscribe(topic, { qos: 2 })
  for (const client of clients) await client.publish(topic, `from ${client.version}`, { qos: 2 })
  await broker.settle()
  for (const client of clients) {
    t.same(
      client.messages.map(({ text }) => text),
      ['from 3', 'from 4', 'from 5'],
    )
  }
})

behaviour('refuses topics with wildcards and bad filters by closing', async (_t, broker) => {
  const publisher = await broker.connect({ version })
  publisher.sendPublish('a/#', 'x')
  await publisher.expectClosed()
  const subscriber = await broker.connect({ version })
  subscriber.send(subscribePacket(1, [['a/#/b']], { version }))
  await subscriber.expectClosed()
})
