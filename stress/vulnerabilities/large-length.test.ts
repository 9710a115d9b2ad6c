/** Lengths that promise more than will be taken, before and after CONNECT. */
import { connectPacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'
import { bytes, prefixed, uint16, varint } from '../support/wire.js'
import { growthDuring, MEBIBYTE } from './memory.js'

const LARGEST = 268_435_455

behaviour('refuses a large first packet by its length, not by its bytes', async (_t, broker) => {
  for (const type of [0x10, 0x30, 0x82, 0xf0]) {
    const client = await broker.open()
    client.send(bytes([type], varint(LARGEST)))
    await client.expectRefused(0x95, 0x81, 0x82, 0x97)
  }
})

behaviour('refuses a CONNECT that is one byte too large and takes the largest', async (_t, broker) => {
  const limit = 196_608
  const withFields = (valueBytes: number) =>
    connectPacket({
      clientId: broker.clientIdOf('big'),
      will: { topic: 'w', payload: Buffer.alloc(65_535) },
      properties: { userProperty: [['u'.repeat(65_535), 'v'.repeat(valueBytes)]] },
    })
  const valueBytes = limit - withFields(0).length
  const fits = await broker.open()
  fits.send(withFields(valueBytes))
  await fits.expectConnack(0)
  const tooLarge = await broker.open()
  tooLarge.send(withFields(valueBytes + 1).subarray(0, 10))
  await tooLarge.expectRefused(0x95, 0x97)
})

behaviour('sets aside no memory for what five hundred strangers promise', async (t, broker) => {
  const growth = await growthDuring(async () => {
    const strangers = await Promise.all(Array.from({ length: 500 }, () => broker.open()))
    for (const stranger of strangers) stranger.send(bytes([0x10], varint(190_000), prefixed('MQTT')))
    await broker.settle()
  })
  t.ok(growth < 40 * MEBIBYTE, `grew by ${growth} bytes`)
})

behaviour(
  'refuses a packet above the maximum by its length',
  { config: { connection: { packetBytesMax: 10_000 } } },
  async (t, broker) => {
    const whole = await broker.connect()
    t.equal(whole.connack!.properties.maximumPacketSize, 10_000)
    whole.sendPublish('a', Buffer.alloc(10_000 - 7), { qos: 0 }) // head 3, topic 3, properties 1
    await whole.ping()
    for (const length of [9_998, LARGEST]) {
      const client = await broker.connect()
      client.send(bytes([0x30], varint(length)))
      await client.expectDisconnect(0x95)
    }
    const old = await broker.connect({ version: 4 })
    old.send(bytes([0x30], varint(LARGEST)))
    await old.expectClosed()
  },
)

behaviour('sets aside no memory for what connected clients promise', async (t, broker) => {
  const growth = await growthDuring(async () => {
    for (let count = 0; count < 50; count++) {
      const client = await broker.connect()
      client.send(bytes([0x30], varint(16_000_000), uint16(1), 'a'))
    }
  })
  t.ok(growth < 80 * MEBIBYTE, `grew by ${growth} bytes`)
})
