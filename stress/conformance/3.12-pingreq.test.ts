/** §3.12 of MQTT 5.0: PINGREQ. */
import { pingreqPacket, publishPacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { packet } from '../support/wire.js'

statement('MQTT-3.12.4-1', 'answers PINGREQ with PINGRESP in every version', async (_t, broker) => {
  for (const version of [3, 4, 5] as const) {
    const client = await broker.connect({ version })
    client.send(pingreqPacket())
    await client.expectPacket('pingresp')
  }
})

statement('MQTT-3.12.4-1', 'answers each of many PINGREQ sent at once', async (_t, broker) => {
  const client = await broker.connect()
  client.send(...Array.from({ length: 100 }, () => pingreqPacket()))
  for (let count = 0; count < 100; count++) await client.expectPacket('pingresp')
  await client.expectNothing()
})

statement('MQTT-3.12.4-1', 'answers PINGREQ among messages', async (_t, broker) => {
  const client = await broker.connect()
  const publish = (packetId: number) => publishPacket(broker.topic('a'), 'x', { qos: 1, packetId })
  client.send(publish(1), pingreqPacket(), publish(2), pingreqPacket())
  for (const _ of [1, 2]) await client.takePacket('pingresp')
  for (const packetId of [1, 2]) await client.takePacket('puback', packetId)
  await client.expectNothing()
})

statement(
  'MQTT-3.12.4-1',
  'answers a client whose keep alive it enforces, and counts the PINGREQ',
  async (_t, broker) => {
    const client = await broker.connect({ keepAlive: 100 })
    for (let count = 0; count < 3; count++) {
      await broker.advance(120_000)
      await client.ping()
    }
  },
)

behaviour('refuses a PINGREQ with a body', async (_t, broker) => {
  for (const version of [4, 5] as const) {
    const client = await broker.connect({ version })
    client.send(packet(12, 0, [0]))
    await client.expectDisconnect(0x81)
  }
})

behaviour('refuses a PINGREQ with flags', async (_t, broker) => {
  for (let flags = 1; flags < 16; flags++) {
    const client = await broker.connect()
    client.send(pingreqPacket(flags))
    await client.expectDisconnect(0x81)
  }
})
