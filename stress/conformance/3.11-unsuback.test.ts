/** §3.11 of MQTT 5.0: UNSUBACK. */
import { statement } from '../support/statement.js'

statement(
  ['MQTT-3.11.2-1', 'MQTT-3.11.2-2'],
  'leaves out what would make UNSUBACK larger than the client takes',
  async (t, broker) => {
    const unlimited = await broker.connect()
    const maximumPacketSize = unlimited.connack!.size
    const client = await broker.connect({ properties: { maximumPacketSize } })
    await client.subscribe(broker.topic('a'))
    const unsuback = await client.unsubscribe(broker.topic('never'), broker.topic('a'))
    t.same(unsuback.reasonCodes, [0x11, 0]) // larger packets fail the test by themselves
    t.ok(unsuback.size <= maximumPacketSize)
  },
)

statement(
  ['MQTT-3.11.2-1', 'MQTT-3.11.2-2'],
  'adds neither reason string nor user properties when not asked for problem information',
  async (t, broker) => {
    const client = await broker.connect({ properties: { requestProblemInformation: 0 } })
    const unsuback = await client.unsubscribe(broker.topic('never'))
    t.same(unsuback.properties, {})
    t.equal(unsuback.size, 6)
  },
)

statement('MQTT-3.11.3-1', 'orders the reason codes as the topic filters', async (t, broker) => {
  const client = await broker.connect()
  const filters = Array.from({ length: 200 }, (_, index) => broker.topic(`${index}`))
  const subscribed = filters.filter((_, index) => index % 3 === 0 || index % 7 === 0)
  await client.subscribe(subscribed.map((filter) => [filter] as const))
  const { reasonCodes } = await client.unsubscribe(...filters)
  t.same(
    reasonCodes,
    filters.map((filter) => (subscribed.includes(filter) ? 0 : 0x11)),
  )
})

statement(
  'MQTT-3.11.3-2',
  'answers every kind of topic filter with a code that UNSUBACK may hold',
  async (t, broker) => {
    // The test client refuses codes that the specification does not list for UNSUBACK.
    const filters = ['#', '+', '/', 'a/#', 'a/+/b', '$SYS/#', '$share/g/a', '$share/g/#', '$queue/a', '$', ' ']
    const client = await broker.connect()
    for (const filter of filters) t.equal((await client.unsubscribe(filter)).reasonCodes.length, 1)
    t.equal((await client.unsubscribe(...filters)).reasonCodes.length, filters.length)
  },
)
