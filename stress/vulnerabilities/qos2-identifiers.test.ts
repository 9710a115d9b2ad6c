/** QoS 2 packet identifiers that a client never releases. */
import { ackPacket, publishPacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'
import { growthDuring, MEBIBYTE } from './memory.js'

behaviour('refuses more unreleased identifiers than its receive maximum', async (_t, broker) => {
  const client = await broker.connect()
  const maximum = client.connack!.properties.receiveMaximum ?? 65_535
  const publish = (packetId: number) => publishPacket(broker.topic('a'), 'x', { qos: 2, packetId })
  client.send(...Array.from({ length: maximum }, (_, index) => publish(index + 1)))
  for (let packetId = 1; packetId <= maximum; packetId++) await client.takePacket('pubrec', packetId)
  client.send(publish(maximum + 1))
  await client.expectDisconnect(0x93)
})

behaviour('counts an identifier once however often it is sent, and frees it by PUBREL', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const client = await broker.connect()
  const rounds = (client.connack!.properties.receiveMaximum ?? 65_535) + 10
  const repeated = (dup: boolean) => publishPacket(topic, 'once', { qos: 2, packetId: 7, dup })
  client.send(repeated(false))
  await client.takePacket('pubrec', 7)
  client.send(...Array.from({ length: rounds }, () => repeated(true)))
  for (let round = 0; round < rounds; round++) await client.takePacket('pubrec', 7)
  await watcher.expectMessage('once')
  await watcher.expectNothing()
  client.sendAck('pubrel', 7)
  await client.takePacket('pubcomp', 7)
  for (let round = 0; round < 20; round++) {
    client.sendPublish(topic, `${round}`, { qos: 2, packetId: 7 })
    await client.takePacket('pubrec', 7)
    client.sendAck('pubrel', 7)
    await client.takePacket('pubcomp', 7)
    await watcher.expectMessage(`${round}`)
  }
})

behaviour('keeps unreleased identifiers through connections without adding them up', async (_t, broker) => {
  const session = { clientId: broker.clientIdOf('bob'), cleanStart: false }
  const properties = { sessionExpiryInterval: 1_000 }
  for (let round = 0; round < 3; round++) {
    const client = await broker.connect({ ...session, properties })
    const maximum = client.connack!.properties.receiveMaximum ?? 65_535
    const publish = (packetId: number) => publishPacket(broker.topic('a'), 'x', { qos: 2, packetId, dup: round > 0 })
    client.send(...Array.from({ length: maximum }, (_, index) => publish(index + 1)))
    for (let packetId = 1; packetId <= maximum; packetId++) await client.takePacket('pubrec', packetId)
    await client.expectNothing()
    await client.drop()
  }
})

behaviour('stands a client before version 5 that uses every identifier and releases none', async (t, broker) => {
  const bystander = await broker.connect()
  const publish = (packetId: number) => publishPacket(broker.topic('a'), 'x', { version: 4, qos: 2, packetId })
  const growth = await growthDuring(async () => {
    const client = await broker.connect({ version: 4 })
    for (let first = 1; first < 65_536 && !client.closed; first += 4_369) {
      client.send(...Array.from({ length: 4_369 }, (_, index) => publish(first + index)))
      await client.ping().catch(() => {}) // it may have been closed for this
    }
    if (!client.closed) {
      client.send(ackPacket('pubrel', 65_535))
      await client.takePacket('pubcomp', 65_535)
    }
  })
  t.ok(growth < 100 * MEBIBYTE, `grew by ${growth} bytes`)
  await bystander.expectNothing()
})

behaviour('answers PUBREL and PUBCOMP for identifiers that nobody used', async (t, broker) => {
  const client = await broker.connect()
  for (let packetId = 1; packetId <= 200; packetId++) {
    client.sendAck('pubrel', packetId)
    t.equal((await client.expectPacket('pubcomp')).reasonCode, 0x92)
  }
  for (const kind of ['puback', 'pubcomp'] as const) client.sendAck(kind, 9)
  await client.ping().catch(() => {}) // a protocol error to some, nothing to others
})
