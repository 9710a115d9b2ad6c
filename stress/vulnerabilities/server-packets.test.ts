/** Packets that only a server sends, sent by a client. */
import { behaviour } from '../support/statement.js'
import { packet, prefixed, uint16, varint } from '../support/wire.js'

const SERVER_ONLY = {
  CONNACK: packet(2, 0, [0, 0, 0]),
  'CONNACK with a property': packet(2, 0, [0, 0], varint(4), [0x12], prefixed('x')),
  SUBACK: packet(9, 0, uint16(1), [0, 0]),
  UNSUBACK: packet(11, 0, uint16(1), [0, 0]),
  PINGRESP: packet(13, 0),
  'packet type 0': packet(0, 0),
  'an empty CONNACK': packet(2, 0),
  'a SUBACK with flags': packet(9, 2, uint16(1), [0, 0]),
}

for (const [what, bytes] of Object.entries(SERVER_ONLY)) {
  behaviour(`closes the connection of a client that sends ${what}, and no other`, async (_t, broker) => {
    const topic = broker.topic('a')
    const bystander = await broker.connect()
    await bystander.subscribe(topic)
    for (const version of [3, 4, 5] as const) {
      const stranger = await broker.open({ version })
      stranger.send(bytes)
      await stranger.expectRefused()
      const client = await broker.connect({ version })
      client.send(bytes)
      await client.expectDisconnect(0x81, 0x82)
      await broker.publish(topic, `after version ${version}`, { qos: 1 })
      await bystander.expectMessage(`after version ${version}`)
    }
  })
}

behaviour('takes no notice of a session that a forged CONNACK names', async (_t, broker) => {
  const victim = await broker.connect({ clientId: broker.clientIdOf('victim') })
  const client = await broker.open()
  client.send(
    packet(2, 0, [1, 0], varint(3 + broker.clientIdOf('victim').length), [0x12], prefixed(broker.clientIdOf('victim'))),
  )
  await client.expectRefused()
  await victim.expectNothing()
})
