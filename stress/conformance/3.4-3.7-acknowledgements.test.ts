/** §3.4 to §3.7 of MQTT 5.0: PUBACK, PUBREC, PUBREL and PUBCOMP. */
import type { TestBroker } from '../support/broker.js'
import { type AckKind, ackPacket } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import { property, propertyBlock } from '../support/properties.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement } from '../support/statement.js'
import { bytes, packet, uint16 } from '../support/wire.js'

/** Reason codes of PUBACK and PUBREC (§3.4.2.1, §3.5.2.1). */
const PUBLISHED = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
/** Of PUBREL and PUBCOMP (§3.6.2.1, §3.7.2.1). */
const RELEASED = [0x00, 0x92]
/** Codes that exist, but not in these packets, and one that does not exist at all. */
const FOREIGN = [0x01, 0x11, 0x81, 0x93, 0xff]

/** A client that has to acknowledge one message by hand. */
async function receiver(broker: TestBroker, qos: 1 | 2): Promise<{ bob: RawClient; packetId: number }> {
  const topic = broker.topic('a')
  const bob = await broker.connect({ acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos })
  await broker.publish(topic, 'x', { qos })
  const { packetId } = await bob.expectMessage('x')
  return { bob, packetId }
}

/** A client in the middle of sending a QoS 2 message: PUBREL is due. */
async function sender(broker: TestBroker): Promise<{ alice: RawClient; packetId: number }> {
  const alice = await broker.connect()
  const packetId = alice.sendPublish(broker.topic('b'), 'x', { qos: 2 })
  await alice.takePacket('pubrec', packetId)
  return { alice, packetId }
}

/** A client that has to send `kind` now. */
async function due(broker: TestBroker, kind: AckKind): Promise<{ client: RawClient; packetId: number }> {
  if (kind === 'pubrel') {
    const { alice, packetId } = await sender(broker)
    return { client: alice, packetId }
  }
  const { bob, packetId } = await receiver(broker, kind === 'puback' ? 1 : 2)
  if (kind === 'pubcomp') {
    bob.sendAck('pubrec', packetId)
    await bob.expectPacket('pubrel')
  }
  return { client: bob, packetId }
}

async function refuses(broker: TestBroker, kind: AckKind, reasonCode: number): Promise<void> {
  const { client, packetId } = await due(broker, kind)
  client.sendAck(kind, packetId, { reasonCode })
  await client.expectDisconnect(0x81, 0x82)
}

statement('MQTT-3.4.2-1', 'answers with a reason code of PUBACK', async (t, broker) => {
  // The decoder of the test client refuses other codes.
  const client = await broker.connect()
  t.ok(PUBLISHED.includes(await client.publish(broker.topic('void'), 'x', { qos: 1 })))
  await client.subscribe(broker.topic('a'))
  t.equal(await client.publish(broker.topic('a'), 'x', { qos: 1 }), 0x00)
})

statement('MQTT-3.4.2-1', 'takes every reason code of PUBACK', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  for (const reasonCode of PUBLISHED) {
    await broker.publish(topic, String(reasonCode), { qos: 1 })
    t.equal((await bob.expectMessage(String(reasonCode))).dup, false)
    bob.acknowledgeOldest({ reasonCode })
  }
  await bob.expectNothing()
})

statement('MQTT-3.5.2-1', 'takes every reason code of PUBREC', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 2 })
  for (const reasonCode of PUBLISHED) {
    await broker.publish(topic, String(reasonCode), { qos: 2 })
    const { packetId } = await bob.expectMessage(String(reasonCode))
    bob.acknowledgeOldest({ reasonCode })
    if (reasonCode >= 0x80) continue
    t.match(await bob.expectPacket('pubrel'), { packetId, reasonCode: 0 })
    bob.sendAck('pubcomp', packetId)
  }
  await bob.expectNothing()
})

statement('MQTT-3.5.2-1', 'answers with a reason code of PUBREC', async (t, broker) => {
  const client = await broker.connect()
  const packetId = client.sendPublish(broker.topic('void'), 'x', { qos: 2 })
  t.ok([0x00, 0x10].includes((await client.expectPacket('pubrec')).reasonCode))
  client.sendAck('pubrel', packetId)
  t.equal((await client.expectPacket('pubcomp')).reasonCode, 0x00)
})

for (const reasonCode of RELEASED) {
  statement('MQTT-3.6.2-1', `takes PUBREL with 0x${reasonCode.toString(16)}`, async (t, broker) => {
    const { alice, packetId } = await sender(broker)
    alice.sendAck('pubrel', packetId, { reasonCode })
    t.equal((await alice.expectPacket('pubcomp')).packetId, packetId)
  })
  statement('MQTT-3.7.2-1', `takes PUBCOMP with 0x${reasonCode.toString(16)}`, async (_t, broker) => {
    const { client, packetId } = await due(broker, 'pubcomp')
    client.sendAck('pubcomp', packetId, { reasonCode })
    await client.expectNothing()
  })
}

statement('MQTT-3.6.2-1', 'answers PUBREC for an unknown packet identifier with PUBREL and 0x92', async (t, broker) => {
  const client = await broker.connect({ acknowledge: 'by hand' })
  client.sendAck('pubrec', 4_711)
  t.match(await client.expectPacket('pubrel'), { packetId: 4_711, reasonCode: 0x92 })
})

statement(
  'MQTT-3.7.2-1',
  'answers PUBREL for an unknown packet identifier with PUBCOMP and 0x92',
  async (t, broker) => {
    const client = await broker.connect()
    client.sendAck('pubrel', 4_711)
    t.match(await client.expectPacket('pubcomp'), { packetId: 4_711, reasonCode: 0x92 })
  },
)

for (const reasonCode of [...FOREIGN, 0x92]) {
  const code = `0x${reasonCode.toString(16)}`
  statement('MQTT-3.4.2-1', `refuses PUBACK with ${code}`, (_t, broker) => refuses(broker, 'puback', reasonCode))
  statement('MQTT-3.5.2-1', `refuses PUBREC with ${code}`, (_t, broker) => refuses(broker, 'pubrec', reasonCode))
}
for (const reasonCode of [...FOREIGN, 0x10, 0x80]) {
  const code = `0x${reasonCode.toString(16)}`
  statement('MQTT-3.6.2-1', `refuses PUBREL with ${code}`, (_t, broker) => refuses(broker, 'pubrel', reasonCode))
  statement('MQTT-3.7.2-1', `refuses PUBCOMP with ${code}`, (_t, broker) => refuses(broker, 'pubcomp', reasonCode))
}

for (const flags of [0x0, 0x1, 0x3, 0x6, 0xa, 0xf]) {
  statement('MQTT-3.6.1-1', `refuses PUBREL with the flags 0x${flags.toString(16)}`, async (_t, broker) => {
    const { alice, packetId } = await sender(broker)
    alice.sendAck('pubrel', packetId, { flags })
    await alice.expectDisconnect(0x81)
    const older = await broker.connect({ version: 4 })
    older.send(ackPacket('pubrel', 1, { flags }))
    await older.expectClosed()
  })
}

const KINDS: readonly AckKind[] = ['puback', 'pubrec', 'pubrel', 'pubcomp']
for (const kind of KINDS) {
  behaviour(`§3.4-3.7 refuses ${kind} that is cut short or too long`, async (_t, broker) => {
    const type = { puback: 4, pubrec: 5, pubrel: 6, pubcomp: 7 }[kind]
    const flags = kind === 'pubrel' ? 2 : 0
    for (const body of [bytes(), bytes([1]), bytes(uint16(1), [0, 9, 0x1f]), bytes(uint16(1), [0, 0, 0])]) {
      const client = await broker.connect({ acknowledge: 'by hand' })
      client.send(packet(type, flags, body))
      await client.expectDisconnect(0x81)
    }
  })

  behaviour(`§2.2.1 refuses ${kind} with packet identifier 0`, async (_t, broker) => {
    const client = await broker.connect({ acknowledge: 'by hand' })
    client.sendAck(kind, 0)
    await client.expectDisconnect(0x81, 0x82)
  })

  behaviour(
    `§3.4-3.7 refuses ${kind} with a property of other packets, or a reason string twice`,
    async (_t, broker) => {
      const doubled = bytes(property('reasonString', 'a'), property('reasonString', 'b'))
      for (const properties of [property('contentType', 'text'), doubled]) {
        const { client, packetId } = await due(broker, kind)
        client.sendAck(kind, packetId, { reasonCode: 0, properties })
        await client.expectDisconnect(0x81, 0x82)
      }
    },
  )

  behaviour(`§3.4-3.7 takes ${kind} with a reason string and user properties`, async (_t, broker) => {
    const { client, packetId } = await due(broker, kind)
    const pair = ['name', 'value'] as const
    client.sendAck(kind, packetId, { properties: { reasonString: 'well', userProperty: [pair, pair] } })
    if (kind === 'pubrec') await client.expectPacket('pubrel')
    if (kind === 'pubrel') await client.expectPacket('pubcomp')
    await client.expectNothing()
  })
}

for (const [what, tail] of Object.entries({ 'no property length': '', 'property length 0': propertyBlock() })) {
  behaviour(`§3.4.2.1 takes PUBACK with a reason code and ${what}`, async (_t, broker) => {
    const { bob, packetId } = await receiver(broker, 1)
    bob.send(packet(4, 0, uint16(packetId), [0x10], tail))
    await bob.expectNothing()
  })
}

for (const kind of ['puback', 'pubcomp'] as const) {
  behaviour(`§4.3 a ${kind} for an unknown packet identifier does no harm`, async (_t, broker) => {
    const client = await broker.connect({ acknowledge: 'by hand' })
    client.sendAck(kind, 4_711)
    await client.expectNothing()
  })
}

/** One message waits already for a session that is offline, so one more is refused. */
const FULL = { config: { session: { queuedMessagesMax: 1 } } }

/** A publisher whose messages to the returned topic are refused, and which takes no packet longer than its CONNACK. */
async function refusedPublisher(broker: TestBroker): Promise<{ alice: RawClient; topic: string; limit: number }> {
  const topic = broker.topic('full')
  const offline = await broker.connect(lasting(broker, 'offline'))
  await offline.subscribe(topic, { qos: 2 })
  await offline.drop()
  await broker.publish(topic, 'fits', { qos: 1 })
  const sizing = await broker.connect()
  // A CONNACK that states all limits is shorter than one with a reason string of some words.
  const limit = sizing.connack?.size ?? 0
  const alice = await broker.connect({ properties: { maximumPacketSize: limit } })
  return { alice, topic, limit }
}

statement(['MQTT-3.4.2-2', 'MQTT-3.4.2-3'], 'keeps PUBACK within the maximum packet size', FULL, async (t, broker) => {
  const { alice, topic, limit } = await refusedPublisher(broker)
  alice.sendPublish(topic, 'refused', { qos: 1 })
  const puback = await alice.expectPacket('puback')
  t.equal(puback.reasonCode, 0x97)
  t.ok(puback.size <= limit)
})

statement(['MQTT-3.5.2-2', 'MQTT-3.5.2-3'], 'keeps PUBREC within the maximum packet size', FULL, async (t, broker) => {
  const { alice, topic, limit } = await refusedPublisher(broker)
  alice.sendPublish(topic, 'refused', { qos: 2 })
  const pubrec = await alice.expectPacket('pubrec')
  t.equal(pubrec.reasonCode, 0x97)
  t.ok(pubrec.size <= limit)
})

/** A client that takes no packet longer than its CONNACK. */
async function narrow(broker: TestBroker): Promise<{ client: RawClient; limit: number }> {
  const limit = (await broker.connect()).connack?.size ?? 0
  return { client: await broker.connect({ properties: { maximumPacketSize: limit }, acknowledge: 'by hand' }), limit }
}

statement(['MQTT-3.6.2-2', 'MQTT-3.6.2-3'], 'keeps PUBREL within the maximum packet size', async (t, broker) => {
  const { client, limit } = await narrow(broker)
  client.sendAck('pubrec', 4_711)
  t.ok((await client.expectPacket('pubrel')).size <= limit)
})

statement(['MQTT-3.7.2-2', 'MQTT-3.7.2-3'], 'keeps PUBCOMP within the maximum packet size', async (t, broker) => {
  const { client, limit } = await narrow(broker)
  client.sendAck('pubrel', 4_711)
  t.ok((await client.expectPacket('pubcomp')).size <= limit)
})
