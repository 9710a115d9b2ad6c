/** Subscriptions that would grow without end. */
import { seconds } from '../support/broker.js'
import { subscribePacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'

const UPTIME = '$SYS/broker/uptime'
const FEW = { config: { session: { subscriptionsMax: 5 } } }

behaviour('refuses one subscription too many, and counts what is replaced or ended', FEW, async (t, broker) => {
  const client = await broker.connect()
  const filters = ['a', '+', '#', '$share/g/a', 'b'].map((rest) => (rest.startsWith('$') ? rest : broker.topic(rest)))
  for (const filter of filters) await client.subscribe(filter, { qos: 1 })
  for (let packetId = 100; packetId < 110; packetId++) {
    client.send(subscribePacket(packetId, [[broker.topic(`more ${packetId}`)]]))
    t.same((await client.takePacket('suback', packetId)).reasonCodes, [0x97])
  }
  for (const filter of filters) t.same((await client.subscribe(filter, { qos: 0 })).reasonCodes, [0])
  await client.unsubscribe(filters[0]!, 'never there')
  t.same((await client.subscribe(broker.topic('c'))).reasonCodes, [0])
  client.send(subscribePacket(200, [[filters[0]!]]))
  t.same((await client.takePacket('suback', 200)).reasonCodes, [0x97])
})

behaviour('counts for each session, and through its connections', FEW, async (t, broker) => {
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 100 } }
  const filters = [1, 2, 3, 4, 5].map((number) => [broker.topic(`${number}`)] as const)
  const first = await broker.connect(session)
  await first.subscribe(filters)
  await first.disconnect()
  const second = await broker.connect({ ...session, cleanStart: false })
  second.send(subscribePacket(9, [[broker.topic('6')]]))
  t.same((await second.takePacket('suback', 9)).reasonCodes, [0x97])
  const other = await broker.connect()
  t.same((await other.subscribe(filters)).reasonCodes, [0, 0, 0, 0, 0])
})

behaviour(
  'leaves no subscription behind a session that has ended',
  { config: { sys: { intervalSeconds: 1 } } },
  async (t, broker) => {
    for (let round = 0; round < 3; round++) {
      const client = await broker.connect()
      for (const start of [`${round}`, '+', '$share/g']) {
        const filters = Array.from(
          { length: 1_000 },
          (_, index) => [`${start}/${broker.topic(`${index}/+/x`)}`] as const,
        )
        await client.subscribe(filters)
      }
      if (round === 0) await client.drop()
      else await client.disconnect()
    }
    const watcher = await broker.connect(broker.owner)
    await watcher.subscribe([['$SYS/broker/subscriptions/count'], [UPTIME]])
    for (let updates = 0; updates < 2; ) {
      await broker.advance(seconds(1))
      const { topic, retain } = await watcher.expectPacket('publish')
      if (topic === UPTIME && !retain) updates += 1 // every update of the statistics has another one
    }
    const counts = watcher.messages.filter(({ topic }) => topic !== UPTIME)
    t.equal(counts.at(-1)?.text, '2', 'only those of the watcher')
  },
)
