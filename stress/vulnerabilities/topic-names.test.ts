/** Empty topics, and topics that begin with $. */
import { seconds } from '../support/broker.js'
import { publishPacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'

const WITH_STATISTICS = { config: { sys: { intervalSeconds: 1 } } }

behaviour('refuses an empty topic without an alias, and with one that was not introduced', async (_t, broker) => {
  for (const properties of [{}, { topicAlias: 5 }]) {
    for (const qos of [0, 1, 2]) {
      const client = await broker.connect()
      client.sendPublish('', 'x', { qos, properties })
      await client.expectDisconnect(0x81, 0x82, 0x90, 0x94)
    }
  }
})

behaviour('forgets topic aliases with the connection', async (_t, broker) => {
  const session = { clientId: broker.clientIdOf('bob'), properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(session)
  await first.publish(broker.topic('a'), 'x', { properties: { topicAlias: 1 } })
  await first.disconnect()
  const second = await broker.connect({ ...session, cleanStart: false })
  second.sendPublish('', 'x', { properties: { topicAlias: 1 } })
  await second.expectDisconnect(0x82, 0x94)
})

behaviour('lets no client write $SYS', WITH_STATISTICS, async (t, broker) => {
  await broker.advance(seconds(2))
  const watcher = await broker.connect(broker.owner)
  await watcher.subscribe('$SYS/#')
  for (const credentials of [{}, broker.owner]) {
    for (const topic of ['$SYS/broker/version', '$SYS/broker/clients/connected', '$SYS/forged']) {
      for (const qos of [0, 1, 2]) {
        const client = await broker.connect(credentials)
        client.sendPublish(topic, 'forged', { qos, retain: true })
        await client.ping().catch(() => {}) // refused with a reason code, or closed
      }
    }
    const willed = await broker.open()
    willed.sendConnect({
      clientId: broker.clientIdOf('w'),
      will: { topic: '$SYS/will', payload: 'forged', retain: true },
      ...credentials,
    })
    await willed.expectPacket('connack').catch(() => {}) // refusing it here is right too
    willed.destroy()
  }
  await broker.settle()
  t.notOk(watcher.messages.some(({ text }) => text === 'forged'))
  const late = await broker.connect(broker.owner)
  await late.subscribe('$SYS/#')
  await broker.settle()
  t.notOk(late.messages.some(({ text }) => text === 'forged'))
})

behaviour('takes $share in a topic name for no shared subscription', async (_t, broker) => {
  const topic = broker.topic('a')
  const member = await broker.connect()
  await member.subscribe(`$share/g/${topic}`)
  const client = await broker.connect()
  client.send(publishPacket(`$share/g/${topic}`, 'forged', { qos: 1, packetId: 1 }))
  await client.ping().catch(() => {}) // refusing it is as good as routing it to nobody
  await broker.publish(topic, 'right')
  await member.expectMessage('right')
  await member.expectNothing()
})

behaviour('takes no filter for more than it says', async (_t, broker) => {
  const client = await broker.connect(broker.owner)
  const filters = ['$SYS', '$SYS/', '$', '$share/g/$SYS', '$/#', '$share/g/ ']
  await client.subscribe(filters.map((filter) => [filter] as const))
  await broker.publish(broker.topic('a'), 'x')
  await client.expectNothing()
})
