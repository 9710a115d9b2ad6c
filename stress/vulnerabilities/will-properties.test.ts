/** Wills that are wrong must be refused with their CONNECT: later nobody is there to be told. */
import { connectFlags, connectPacket } from '../support/client-packets.js'
import { property } from '../support/properties.js'
import { behaviour } from '../support/statement.js'
import { bytes, prefixed, varint } from '../support/wire.js'

/** Property blocks of a will that are wrong. */
const WRONG: Readonly<Record<string, Uint8Array>> = {
  'a topic alias': property('topicAlias', 1),
  'a subscription identifier': property('subscriptionIdentifier', 1),
  'a property of CONNECT': property('receiveMaximum', 5),
  'a session expiry interval': property('sessionExpiryInterval', 5),
  'a reason string': property('reasonString', 'why'),
  'an unknown property': Uint8Array.of(0x7f, 0x00),
  'a content type twice': bytes(property('contentType', 'a'), property('contentType', 'a')),
  'a delay twice': bytes(property('willDelayInterval', 1), property('willDelayInterval', 1)),
  'payload format 2': property('payloadFormatIndicator', 2),
  'a response topic with a wildcard': property('responseTopic', 'a/#'),
  'a response topic with U+0000': property('responseTopic', 'a\0'),
  'a content type that is not UTF-8': property('contentType', [0xc0, 0x80]),
  'a user property that is not UTF-8': property('userProperty', ['a', [0xed, 0xa0, 0x80]]),
  'a delay cut short': Uint8Array.of(0x18, 0x00, 0x00),
  'a user property cut short': bytes([0x26], prefixed('name')),
}

for (const [what, properties] of Object.entries(WRONG)) {
  behaviour(`refuses a will with ${what}`, async (_t, broker) => {
    const topic = broker.topic('will')
    const watcher = await broker.connect()
    await watcher.subscribe(topic)
    const client = await broker.open()
    client.sendConnect({ clientId: broker.clientIdOf('w'), will: { topic, payload: 'x', properties } })
    await client.expectRefused(0x81, 0x82, 0x90, 0x99)
    await watcher.expectNothing()
  })
}

behaviour('refuses a will whose property length runs into its topic', async (_t, broker) => {
  const will = { topic: 'w', payload: 'x' }
  for (const length of [3, 100, 16_383]) {
    const payload = bytes(prefixed('id'), varint(length), prefixed('w'), prefixed('x'))
    const client = await broker.open()
    client.send(connectPacket({ flags: connectFlags({ will }), payload }))
    await client.expectRefused(0x81, 0x82)
  }
})

behaviour('refuses flags of a will without a will, and a will of QoS 3', async (_t, broker) => {
  for (const version of [3, 4, 5] as const) {
    for (const flags of [0x02 | 0x08, 0x02 | 0x20, 0x02 | 0x18, 0x02 | 0x04 | 0x18]) {
      const client = await broker.open({ version })
      client.sendConnect({ clientId: broker.clientIdOf('w'), flags })
      await client.expectRefused()
    }
  }
})

behaviour('publishes a right will with all its properties', async (t, broker) => {
  const topic = broker.topic('will')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const userProperty = [
    ['b', '1'],
    ['a', '2'],
    ['b', '1'],
  ] as const
  const properties = { contentType: 'text/plain', responseTopic: 'r/s', payloadFormatIndicator: 1, userProperty }
  const client = await broker.connect({ will: { topic, payload: 'gone', properties } })
  await client.drop()
  t.match((await watcher.expectMessage('gone')).properties, properties)
})
