/** §4.13 of MQTT 5.0: malformed packets, protocol errors and other errors. */
import {
  ackPacket,
  connectPacket,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { property } from '../support/properties.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, packet, prefixed, uint16, varint } from '../support/wire.js'

/** What a connected client must not send, with the reason codes that fit. */
const WRONG: Readonly<Record<string, readonly [wrong: Uint8Array, ...reasonCodes: number[]]>> = {
  'packet type 0': [packet(0, 0), 0x81, 0x82],
  'a second CONNECT': [connectPacket({ clientId: 'again' }), 0x82],
  CONNACK: [packet(2, 0, [0, 0, 0]), 0x81, 0x82],
  SUBACK: [packet(9, 0, uint16(1), [0, 0]), 0x81, 0x82],
  UNSUBACK: [packet(11, 0, uint16(1), [0, 0]), 0x81, 0x82],
  PINGRESP: [packet(13, 0), 0x81, 0x82],
  'PUBLISH with QoS 3': [packet(3, 6, prefixed('a'), uint16(1), varint(0)), 0x81],
  'PUBLISH without a topic': [packet(3, 0), 0x81],
  'PUBLISH with a topic that ends early': [packet(3, 0, uint16(5), 'abc'), 0x81],
  'PUBLISH without its packet identifier': [packet(3, 2, prefixed('a')), 0x81],
  'PUBLISH without its property length': [packet(3, 2, prefixed('a'), uint16(1)), 0x81],
  'PUBLISH whose properties end early': [packet(3, 0, prefixed('a'), varint(9), [0x01, 0x00]), 0x81],
  'PUBLISH with half a property': [packet(3, 0, prefixed('a'), varint(2), [0x02, 0x00]), 0x81],
  'PUBLISH with an unknown property': [publishPacket('a', '', { properties: Uint8Array.of(0x7e, 0x00) }), 0x81, 0x82],
  'PUBLISH with a property of CONNECT': [
    publishPacket('a', '', { properties: property('receiveMaximum', 5) }),
    0x81,
    0x82,
  ],
  'PUBLISH with a property twice': [
    publishPacket('a', '', { properties: bytes(property('contentType', 'x'), property('contentType', 'x')) }),
    0x81,
    0x82,
  ],
  'PUBLISH with topic alias 0': [publishPacket('a', '', { properties: property('topicAlias', 0) }), 0x82, 0x94],
  'PUBLISH with packet identifier 0': [publishPacket('a', '', { qos: 1, packetId: 0 }), 0x81, 0x82],
  'PUBACK of one byte': [packet(4, 0, [0]), 0x81],
  'PUBACK with an unknown reason': [ackPacket('puback', 1, { reasonCode: 0x42 }), 0x81, 0x82],
  'PUBREL without its flags': [ackPacket('pubrel', 1, { flags: 0 }), 0x81],
  'PUBREC with trailing bytes': [packet(5, 0, uint16(1), [0x00, 0x00, 0x00]), 0x81],
  'SUBSCRIBE with nothing': [packet(8, 2), 0x81],
  'SUBSCRIBE with packet identifier 0': [subscribePacket(0, [['a']]), 0x81, 0x82],
  'UNSUBSCRIBE with packet identifier 0': [unsubscribePacket(0, ['a']), 0x81, 0x82],
  'DISCONNECT with trailing bytes': [packet(14, 0, [0x00, 0x00, 0x00]), 0x81],
  'a property length that is padded': [packet(14, 0, [0x00], varint(0, 2)), 0x81],
  'a remaining length that is padded': [bytes([0xc0], varint(0, 2)), 0x81],
}

for (const [what, [wrong, ...reasonCodes]] of Object.entries(WRONG)) {
  statement('MQTT-4.13.1-1', `closes the connection after ${what}`, async (_t, broker) => {
    const bystander = await broker.connect()
    const client = await broker.connect()
    client.send(wrong)
    await client.expectDisconnect(...reasonCodes)
    await bystander.expectNothing()
  })
}

for (const [what, [wrong]] of Object.entries(WRONG)) {
  if (what.includes('propert') || what.includes('reason') || what.includes('alias')) continue
  if (what.includes('trailing') || what === 'SUBSCRIBE with nothing') continue
  statement('MQTT-4.13.1-1', `closes the connection before version 5 after ${what}`, async (_t, broker) => {
    const client = await broker.connect({ version: 4 })
    client.send(wrong)
    await client.expectClosed()
  })
}

/** CONNECT packets that are refused, and the reason codes that a CONNACK may give. */
const REFUSED: Readonly<Record<string, readonly [wrong: Uint8Array, ...reasonCodes: number[]]>> = {
  'protocol version 6': [connectPacket({ clientId: 'x', protocolLevel: 6 }), 0x84],
  'its reserved flag set': [connectPacket({ clientId: 'x', flags: 0x03 }), 0x81],
  'will QoS 3': [connectPacket({ clientId: 'x', will: { topic: 'a', qos: 3 } }), 0x81],
  'receive maximum 0': [connectPacket({ clientId: 'x', properties: property('receiveMaximum', 0) }), 0x82],
  'maximum packet size 0': [connectPacket({ clientId: 'x', properties: property('maximumPacketSize', 0) }), 0x82],
  'a property twice': [
    connectPacket({
      clientId: 'x',
      properties: bytes(property('topicAliasMaximum', 1), property('topicAliasMaximum', 1)),
    }),
    0x82,
  ],
  'a property of PUBLISH': [connectPacket({ clientId: 'x', properties: property('topicAlias', 1) }), 0x81, 0x82],
  'a client identifier that ends early': [connectPacket({ payload: bytes(uint16(9), 'abc') }), 0x81, 0x85],
  'bytes after its end': [connectPacket({ payload: bytes(prefixed('x'), 'more') }), 0x81],
  flags: [bytes([0x11], connectPacket({ clientId: 'x' }).subarray(1)), 0x81],
}

for (const [what, [wrong, ...reasonCodes]] of Object.entries(REFUSED)) {
  statement('MQTT-4.13.2-1', `closes the connection after CONNECT with ${what}`, async (_t, broker) => {
    const client = await broker.open()
    client.send(wrong)
    await client.expectRefused(...reasonCodes)
  })
}

for (const [what, protocol] of Object.entries({
  'protocol version 0': { protocolLevel: 0 },
  'an unknown protocol name': { protocolName: 'MQTX' },
})) {
  statement('MQTT-4.13.2-1', `closes the connection after CONNECT with ${what}`, async (_t, broker) => {
    const client = await broker.open({ version: 4 }) // in which form a stranger is answered is left open
    client.send(connectPacket({ version: 4, clientId: 'x', ...protocol }))
    await client.expectRefused(1)
  })
}

statement('MQTT-4.13.2-1', 'closes the connection of a client whose DISCONNECT gives an error', async (_t, broker) => {
  const client = await broker.connect()
  client.send(disconnectPacket({ reasonCode: 0x81, properties: { reasonString: 'what was that?' } }))
  await client.expectClosed()
})

statement('MQTT-4.13.2-1', 'closes the connection of a session that is taken over', async (_t, broker) => {
  const first = await broker.connect({ clientId: broker.clientIdOf('bob') })
  await broker.connect({ clientId: broker.clientIdOf('bob') })
  await first.expectDisconnect(0x8e)
})

behaviour('keeps the connection after an acknowledgement with a reason of 0x80 or more', async (_t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ acknowledge: 'by hand' })
  await client.subscribe(topic, { qos: 2 })
  for (const qos of [1, 2]) {
    await broker.publish(topic, String(qos), { qos })
    await client.expectMessage(String(qos))
    client.acknowledgeOldest({ reasonCode: 0x80 })
  }
  await client.expectNothing()
})

behaviour('keeps the session of a client that it closes for an error', async (t, broker) => {
  const topic = broker.topic('a')
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(session)
  await first.subscribe(topic, { qos: 1 })
  first.send(packet(0, 0))
  await first.expectDisconnect()
  await broker.publish(topic, 'meanwhile', { qos: 1 })
  const second = await broker.connect({ ...session, cleanStart: false })
  t.equal(second.connack!.sessionPresent, true)
  await second.expectMessage('meanwhile')
})

behaviour('processes what came before the wrong packet in the same write', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect()
  client.send(publishPacket(topic, 'before'), packet(0, 0), publishPacket(topic, 'after'))
  await client.expectDisconnect(0x81, 0x82)
  await watcher.expectMessage('before')
  await watcher.expectNothing()
})
