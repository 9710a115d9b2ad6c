/** Connections that come in floods, or stay without a word. */
import { seconds } from '../support/broker.js'
import { connectPacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'

const IMPATIENT = { config: { connection: { connectSeconds: 60 } } }

behaviour('closes connections on which no CONNECT comes in time', IMPATIENT, async (t, broker) => {
  const silent = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      broker.open({ listener: broker.listener(index % 2 === 0 ? 'tcp' : 'ws') }),
    ),
  )
  const bystander = await broker.connect()
  await broker.advance(seconds(45))
  for (const each of silent) t.equal(each.closed, false)
  await broker.advance(seconds(20))
  for (const each of silent) await each.expectRefused()
  await bystander.expectNothing()
})

behaviour('gives no more time for CONNECT byte by byte', IMPATIENT, async (_t, broker) => {
  const connect = connectPacket({ clientId: broker.clientIdOf('slow') })
  const client = await broker.open()
  for (const byte of connect.subarray(0, 6)) {
    if (client.closed) break
    client.send([byte])
    await broker.advance(seconds(12))
  }
  await client.expectRefused()
})

behaviour('keeps the time for CONNECT from those that have sent it', IMPATIENT, async (_t, broker) => {
  const client = await broker.connect()
  await broker.advance(seconds(600))
  await client.expectNothing()
})

behaviour(
  'limits connections of one address',
  { config: { connection: { connectionsPerAddressMax: 3 } } },
  async (_t, broker) => {
    const first = await broker.connect()
    const others = [await broker.connect(), await broker.connect()]
    for (let count = 0; count < 5; count++) {
      const refused = await broker.open()
      refused.sendConnect({ clientId: broker.clientIdOf('more') })
      await refused.expectRefused()
    }
    await first.disconnect()
    await broker.settle()
    await broker.connect()
    for (const other of others) await other.expectNothing()
  },
)

behaviour('limits connections in total', { config: { connection: { connectionsMax: 4 } } }, async (_t, broker) => {
  const clients = []
  for (let count = 0; count < 4; count++) clients.push(await broker.connect())
  const refused = await broker.open()
  refused.sendConnect({ clientId: broker.clientIdOf('more') })
  await refused.expectRefused()
  await clients[0]!.drop()
  await broker.connect()
  for (const client of clients.slice(1)) await client.expectNothing()
})

behaviour(
  'limits new connections in a second',
  { config: { connection: { connectionsPerSecondMax: 5 } } },
  async (t, broker) => {
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const client = await broker.open()
        client.sendConnect({ clientId: broker.clientIdOf(`c${index}`) })
        return client.expectConnack().catch(() => undefined)
      }),
    )
    const accepted = outcomes.filter((connack) => connack?.reasonCode === 0).length
    t.ok(accepted >= 5 && accepted < 40, `${accepted} of 60 accepted`) // a slow machine may need seconds for them
    await broker.advance(seconds(2))
    await broker.connect()
  },
)

behaviour('limits sessions, connected or not', { config: { session: { sessionsMax: 4 } } }, async (t, broker) => {
  const properties = { sessionExpiryInterval: 1_000 }
  const accepted: string[] = []
  for (let number = 0; number < 12; number++) {
    const clientId = broker.clientIdOf(`bob${number}`)
    const client = await broker.open()
    client.sendConnect({ clientId, properties })
    if ((await client.expectConnack()).reasonCode === 0x97) await client.expectClosed()
    else {
      accepted.push(clientId)
      await client.disconnect()
    }
  }
  t.ok(accepted.length > 0 && accepted.length <= 4, `${accepted.length} sessions`)
  for (const clientId of accepted) {
    const known = await broker.connect({ clientId, cleanStart: false, properties })
    t.equal(known.connack!.sessionPresent, true)
  }
})
