/** Packets that end early, and integers that do not end. */
import {
  ackPacket,
  connectPacket,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'
import { bytes, packet, prefixed, uint16, varint } from '../support/wire.js'

const PROPERTIES = { userProperty: [['name', 'value']] as const }
/** Packets whose every shorter body is wrong; all have a remaining length of one byte. */
const WHOLE = {
  SUBSCRIBE: subscribePacket(1, [['a/b']], { properties: { subscriptionIdentifier: 300, ...PROPERTIES } }),
  UNSUBSCRIBE: unsubscribePacket(1, ['a/b'], { properties: PROPERTIES }),
  'the head of PUBLISH': publishPacket('a/b', '', { qos: 1, packetId: 1, properties: PROPERTIES }),
}

for (const [what, whole] of Object.entries(WHOLE)) {
  behaviour(`refuses every truncation of ${what}`, async (_t, broker) => {
    const bystander = await broker.connect()
    for (let length = 0; length < whole.length - 2; length++) {
      const client = await broker.connect()
      client.send([whole[0]!, length], whole.subarray(2, 2 + length))
      await client.expectDisconnect(0x81, 0x82, 0x8f, 0x90)
    }
    await bystander.expectNothing()
  })
}

behaviour('refuses every truncation of a SUBSCRIBE before version 5', async (_t, broker) => {
  const whole = subscribePacket(1, [['a/b']], { version: 4 })
  for (let length = 0; length < whole.length - 2; length++) {
    const client = await broker.connect({ version: 4 })
    client.send([whole[0]!, length], whole.subarray(2, 2 + length))
    await client.expectClosed()
  }
})

behaviour('refuses every truncation of CONNECT', async (_t, broker) => {
  const will = { topic: 'w', payload: 'x', properties: { willDelayInterval: 1 } }
  const whole = connectPacket({ clientId: 'cut', will, userName: 'u', password: 'p', properties: PROPERTIES })
  for (let length = 0; length < whole.length - 2; length++) {
    const client = await broker.open()
    client.send([whole[0]!, length], whole.subarray(2, 2 + length))
    await client.expectRefused()
  }
})

behaviour('refuses acknowledgements and DISCONNECT that end inside their properties', async (_t, broker) => {
  for (const whole of [
    ackPacket('puback', 1, { reasonCode: 0, properties: PROPERTIES }),
    ackPacket('pubrel', 1, { reasonCode: 0, properties: PROPERTIES }),
    disconnectPacket({ reasonCode: 0, properties: PROPERTIES }),
  ]) {
    for (let cut = 1; cut <= 14; cut++) {
      const client = await broker.connect()
      client.send([whole[0]!, whole.length - 2 - cut], whole.subarray(2, whole.length - cut))
      await client.expectDisconnect(0x81)
    }
  }
})

behaviour('forgets a packet whose connection ends in the middle of it', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const whole = publishPacket(topic, 'never')
  for (let length = 1; length < whole.length; length += 3) {
    const client = await broker.connect()
    client.send(whole.subarray(0, length))
    await client.drop()
  }
  await watcher.expectNothing()
})

const FIVE_BYTES = [0x80, 0x80, 0x80, 0x80, 0x01]

behaviour('refuses a variable byte integer of five bytes wherever one may stand', async (_t, broker) => {
  for (const wrong of [
    bytes([0x30], FIVE_BYTES),
    bytes([0xc0], FIVE_BYTES),
    packet(3, 0, prefixed('a'), FIVE_BYTES, 'payload'),
    packet(8, 2, uint16(1), FIVE_BYTES, prefixed('a'), [0]),
    packet(8, 2, uint16(1), varint(6), [0x0b], FIVE_BYTES, prefixed('a'), [0]),
    packet(8, 2, uint16(1), varint(6), FIVE_BYTES, [0x01], prefixed('a'), [0]),
    packet(14, 0, [0], FIVE_BYTES),
  ]) {
    const client = await broker.connect()
    client.send(wrong)
    await client.expectDisconnect(0x81)
  }
})

behaviour('refuses a remaining length of five bytes at its fourth byte, waiting for no more', async (_t, broker) => {
  const client = await broker.connect()
  for (const byte of [0x30, 0xff, 0xff, 0xff, 0xff]) client.send([byte])
  await client.expectDisconnect(0x81, 0x95)
})
