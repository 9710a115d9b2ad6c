/** MQTT 3.1.1, chapters 1 and 2.2, by its own numbers: how data stands in packets, and the fixed header. */
import {
  ackPacket,
  pingreqPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { expectOffence, NOT_UTF8 } from '../support/offence.js'
import { statement311 } from '../support/statement.js'
import { packet } from '../support/wire.js'

const version = 4

statement311('MQTT-1.5.3-1', 'closes on a string that is not UTF-8', async (_t, broker) => {
  for (const raw of NOT_UTF8) {
    await expectOffence(broker, publishPacket(raw, 'x', { version }))
    await expectOffence(broker, subscribePacket(1, [[raw]], { version }))
  }
})

statement311('MQTT-1.5.3-2', 'closes on U+0000 in a string', async (_t, broker) => {
  await expectOffence(broker, publishPacket('a\0', 'x', { version }))
  await expectOffence(broker, subscribePacket(1, [['a\0']], { version }))
  await expectOffence(broker, unsubscribePacket(1, ['\0'], { version }))
})

statement311('MQTT-1.5.3-3', 'keeps U+FEFF in a string', async (t, broker) => {
  const topic = `\ufeff${broker.topic('\ufeff')}`
  const client = await broker.connect({ version })
  await client.subscribe(topic)
  await broker.publish(topic, 'kept')
  t.equal((await client.expectMessage('kept')).topic, topic)
})

statement311(['MQTT-2.2.2-1', 'MQTT-2.2.2-2'], 'closes on flags that are reserved', async (_t, broker) => {
  const packets = [
    ackPacket('puback', 1, { flags: 2 }),
    ackPacket('pubrec', 1, { flags: 2 }),
    ackPacket('pubcomp', 1, { flags: 1 }),
    pingreqPacket(1),
    packet(0, 0),
    packet(15, 0),
    packet(13, 0),
  ]
  for (const offence of packets) await expectOffence(broker, offence)
})
