/** §3.9 of MQTT 5.0: SUBACK. */
import { subscribePacket } from '../support/client-packets.js'
import { statement } from '../support/statement.js'

/** A SUBACK with one reason code and no properties. */
const SHORTEST_SUBACK = 6

statement(
  ['MQTT-3.9.2-1', 'MQTT-3.9.2-2'],
  'leaves out what would make SUBACK larger than the client takes',
  { config: { session: { subscriptionsMax: 1 } } },
  async (t, broker) => {
    const unlimited = await broker.connect()
    const maximumPacketSize = unlimited.connack!.size
    const client = await broker.connect({ properties: { maximumPacketSize } })
    await client.subscribe(broker.topic('a'))
    client.send(subscribePacket(2, [[broker.topic('b')]]))
    const suback = await client.expectPacket('suback') // larger ones fail the test by themselves
    t.same(suback.reasonCodes, [0x97])
    t.ok(suback.size <= maximumPacketSize)
  },
)

statement(
  ['MQTT-3.9.2-1', 'MQTT-3.9.2-2'],
  'adds neither reason string nor user properties when not asked for problem information',
  { config: { session: { subscriptionsMax: 1 } } },
  async (t, broker) => {
    const client = await broker.connect({ properties: { requestProblemInformation: 0 } })
    await client.subscribe(broker.topic('a'))
    client.send(subscribePacket(2, [[broker.topic('b')]]))
    const suback = await client.expectPacket('suback')
    t.same(suback.reasonCodes, [0x97])
    t.equal(suback.size, SHORTEST_SUBACK)
  },
)

statement('MQTT-3.9.3-1', 'orders the reason codes as the topic filters', async (t, broker) => {
  const client = await broker.connect()
  const orders = [
    [2, 0, 1, 0, 2],
    [0, 1, 2],
    [2, 1, 0],
    [1, 1, 0, 0, 2, 2, 1],
  ]
  for (const order of orders) {
    const filters = order.map((qos, index) => [broker.topic(`${index}/+`), { qos }] as const)
    t.same((await client.subscribe(filters)).reasonCodes, order)
  }
})

statement(
  'MQTT-3.9.3-1',
  'orders refusals and grants as the topic filters',
  { config: { session: { subscriptionsMax: 2 } } },
  async (t, broker) => {
    const client = await broker.connect()
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => broker.topic(name))
    await client.subscribe([[a!], [b!]])
    client.send(subscribePacket(9, [[c!], [a!, { qos: 2 }], [d!], [b!, { qos: 1 }]]))
    t.same((await client.expectPacket('suback')).reasonCodes, [0x97, 2, 0x97, 1])
  },
)

statement('MQTT-3.9.3-2', 'answers every kind of topic filter with a code that SUBACK may hold', async (t, broker) => {
  // The test client refuses codes that the specification does not list for SUBACK, and those of version 5 before it.
  const filters = ['#', '+', '/', '//', 'a/#', 'a/+/b', '$SYS/#', '$share/g/a', '$share/g/#', '$queue/a', '$', ' ']
  for (const version of [3, 4, 5] as const) {
    const client = await broker.connect({ version, ...broker.owner })
    for (const [index, filter] of filters.entries()) {
      client.send(subscribePacket(index + 1, [[filter, { qos: 1 }]], { version }))
      const suback = await client.takePacket('suback', index + 1)
      t.equal(suback.reasonCodes.length, 1)
    }
  }
})
