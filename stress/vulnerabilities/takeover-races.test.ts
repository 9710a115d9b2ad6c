/** Many connections with one client identifier that come and go while they subscribe and unsubscribe. */
import { seededRandom } from '../load/random.js'
import {
  connectPacket,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'

const RECONNECTS = 150
const SEED = 8

for (const sessionExpiryInterval of [0, 1_000]) {
  const kind = sessionExpiryInterval > 0 ? 'a lasting session' : 'sessions that end with their connection'
  behaviour(`leaves one session and no stale delivery behind a race for ${kind}`, async (t, broker) => {
    const clientId = broker.clientIdOf('bob')
    const topics = Array.from({ length: 4 }, (_, index) => broker.topic(`${index}`))
    const random = seededRandom(SEED + sessionExpiryInterval)
    const properties = { sessionExpiryInterval }
    const racers = []
    for (let round = 0; round < RECONNECTS; round++) {
      const racer = await broker.open()
      racers.push(racer)
      const cleanStart = random.integer(4) === 0
      racer.send(
        connectPacket({ clientId, cleanStart, properties }),
        subscribePacket(1, [
          [topics[random.integer(4)]!, { qos: 1 }],
          [topics[random.integer(4)]!, { qos: 2 }],
        ]),
        unsubscribePacket(2, [topics[random.integer(4)]!]),
        publishPacket(topics[random.integer(4)]!, `race ${round}`, { qos: 1, packetId: 3 }),
      )
      const ending = random.integer(4)
      if (ending === 0) racer.destroy()
      if (ending === 1) racer.send(disconnectPacket())
    }
    await broker.settle()

    const last = await broker.connect({ clientId, cleanStart: true, properties })
    await broker.settle()
    for (const racer of racers) t.equal(racer.closed, true)
    for (const topic of topics) await broker.publish(topic, 'stale', { qos: 1 })
    await last.expectNothing()

    await last.subscribe(topics[0]!, { qos: 1 })
    await broker.publish(topics[0]!, 'once', { qos: 1 })
    await last.expectMessage('once')
    await last.unsubscribe(topics[0]!)
    await broker.publish(topics[0]!, 'stale', { qos: 1 })
    await last.expectNothing()
  })
}

behaviour('keeps what a lasting session subscribed to through a race of takeovers', async (t, broker) => {
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 1_000 } }
  const [kept, dropped] = [broker.topic('kept'), broker.topic('dropped')]
  const first = await broker.connect(session)
  await first.subscribe([
    [kept, { qos: 1 }],
    [dropped, { qos: 1 }],
  ])
  const racers = []
  for (let round = 0; round < RECONNECTS; round++) {
    const racer = await broker.open()
    racers.push(racer)
    racer.send(connectPacket({ ...session, cleanStart: false }), unsubscribePacket(1, [dropped]))
  }
  await broker.publish(kept, 'message', { qos: 1 })
  await broker.settle()
  const last = await broker.connect({ ...session, cleanStart: false })
  t.equal(last.connack!.sessionPresent, true)
  await broker.publish(dropped, 'stale', { qos: 1 })
  await broker.publish(kept, 'last', { qos: 1 })
  await broker.settle()
  t.equal(last.messages.filter(({ text }) => text === 'last').length, 1)
  t.equal(last.messages.filter(({ text }) => text === 'stale').length, 0)
  const arrived = [...racers, last].some(({ messages }) => messages.some(({ text }) => text === 'message'))
  t.ok(arrived, 'what was published during the race was delivered')
})

behaviour('publishes no will and loses no session by connections that take over themselves', async (t, broker) => {
  const will = { topic: broker.topic('will'), payload: 'gone', properties: { willDelayInterval: 60 } }
  const session = {
    clientId: broker.clientIdOf('bob'),
    cleanStart: false,
    properties: { sessionExpiryInterval: 1_000 },
  }
  const watcher = await broker.connect()
  await watcher.subscribe(will.topic)
  for (let round = 0; round < 30; round++) {
    const racer = await broker.open()
    racer.send(connectPacket({ ...session, will }))
  }
  await broker.settle()
  const last = await broker.connect(session)
  t.equal(last.connack!.sessionPresent, true)
  t.equal(await watcher.countWithin(120_000), 0)
})
