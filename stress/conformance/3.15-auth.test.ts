/** §3.15 of MQTT 5.0: AUTH. What needs an authentication mechanism is among the exceptions. */
import { authPacket } from '../support/client-packets.js'
import { behaviour, statement } from '../support/statement.js'
import { packet } from '../support/wire.js'

const METHOD = { authenticationMethod: 'unheard of' }

statement('MQTT-3.15.1-1', 'refuses flags in AUTH', async (_t, broker) => {
  for (let flags = 1; flags < 16; flags++) {
    const client = await broker.connect()
    client.send(authPacket(0x19, METHOD, flags))
    await client.expectDisconnect(0x81)
  }
})

behaviour('refuses AUTH as the first packet', async (_t, broker) => {
  for (const auth of [authPacket(0x18, METHOD), packet(15, 0)]) {
    const client = await broker.open()
    client.send(auth)
    await client.expectRefused()
  }
})

behaviour('refuses AUTH before version 5, where its type is reserved', async (_t, broker) => {
  for (const version of [3, 4] as const) {
    const client = await broker.connect({ version })
    client.send(packet(15, 0))
    await client.expectClosed()
  }
})

behaviour('refuses AUTH that is malformed', async (_t, broker) => {
  for (const body of [[0x18, 0x05, 0x15, 0x00, 0x09], [0x18, 0x02, 0x7f, 0x00], [0x42]]) {
    const client = await broker.connect()
    client.send(packet(15, 0, body))
    await client.expectDisconnect(0x81, 0x82)
  }
})
