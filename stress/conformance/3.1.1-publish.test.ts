/** MQTT 3.1.1, sections 2.3, 3.3 to 3.7 and 4.3 to 4.6, by its own numbers: messages and their handshakes. */
import { ackPacket, publishPacket } from '../support/client-packets.js'
import { statement311 } from '../support/statement.js'
import { packet, prefixed, uint16 } from '../support/wire.js'

const version = 4

statement311('MQTT-2.3.1-1', 'closes on packet identifier 0, and sends none', async (t, broker) => {
  for (const qos of [1, 2]) {
    const client = await broker.connect({ version })
    client.sendPublish('a', 'x', { qos, packetId: 0 })
    await client.expectClosed()
  }
  const client = await broker.connect({ version, acknowledge: 'by hand' })
  await client.subscribe(broker.topic('a'), { qos: 2 })
  await broker.publish(broker.topic('a'), 'x', { qos: 1 })
  t.not((await client.expectMessage('x')).packetId, 0)
})

statement311('MQTT-2.3.1-4', 'reuses no identifier that waits for its acknowledgement', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ version, acknowledge: 'by hand' })
  await client.subscribe(topic, { qos: 2 })
  for (const qos of [1, 2, 1, 2]) await broker.publish(topic, 'x', { qos })
  t.equal(await client.countWithin(0), 4)
  t.equal(new Set(client.messages.map(({ packetId }) => packetId)).size, 4)
})

statement311('MQTT-2.3.1-5', 'neither expects nor sends an identifier with QoS 0', async (t, broker) => {
  const client = await broker.connect({ version })
  await client.subscribe(broker.topic('a'))
  client.sendPublish(broker.topic('a'), [0, 5])
  t.same([...(await client.expectPacket('publish')).payload], [0, 5])
})

statement311(['MQTT-2.3.1-6', 'MQTT-3.3.4-1'], 'answers as the QoS demands, with the identifier', async (t, broker) => {
  const client = await broker.connect({ version })
  for (const packetId of [1, 0x0102, 0xffff]) {
    client.sendPublish('a', 'x')
    client.sendPublish('a', 'x', { qos: 1, packetId })
    t.equal((await client.expectPacket('puback')).packetId, packetId)
    client.sendPublish('a', 'x', { qos: 2, packetId })
    t.equal((await client.expectPacket('pubrec')).packetId, packetId)
    client.sendAck('pubrel', packetId)
    t.equal((await client.expectPacket('pubcomp')).packetId, packetId)
  }
})

statement311(['MQTT-3.3.1-1', 'MQTT-4.4.0-1'], 'repeats what was not acknowledged, marked DUP', async (t, broker) => {
  const topic = broker.topic('a')
  const clientId = broker.clientIdOf('forgetful')
  const options = { version, clientId, cleanStart: false, acknowledge: 'by hand' } as const
  const first = await broker.connect(options)
  await first.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'one', { qos: 1 })
  await broker.publish(topic, 'two', { qos: 2 })
  await broker.publish(topic, 'three', { qos: 2 })
  const sent = [await first.expectMessage('one'), await first.expectMessage('two'), await first.expectMessage('three')]
  t.same(
    sent.map(({ dup }) => dup),
    [false, false, false],
  )
  first.sendAck('pubrec', sent[2]!.packetId)
  await first.expectPacket('pubrel')
  await first.drop()

  const again = await broker.connect(options)
  await again.takePacket('pubrel', sent[2]!.packetId)
  for (const [index, text] of ['one', 'two'].entries()) {
    const repeated = await again.expectMessage(text)
    t.equal(repeated.dup, true)
    t.equal(repeated.packetId, sent[index]!.packetId)
  }
  again.sendAck('pubcomp', sent[2]!.packetId)
  await again.expectNothing()
})

statement311('MQTT-3.3.1-2', 'closes on DUP with QoS 0 or ignores it, and never sends it', async (t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  const client = await broker.connect({ version })
  client.send(publishPacket(topic, 'x', { version, dup: true }))
  await broker.settle()
  for (const message of watcher.messages) t.equal(message.dup, false)
})

statement311('MQTT-3.3.1-3', 'does not pass on DUP', async (t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic, { qos: 2 })
  for (const qos of [1, 2]) {
    await broker.publish(topic, 'x', { qos, dup: true })
    t.equal((await watcher.expectMessage('x')).dup, false)
  }
})

statement311('MQTT-3.3.1-4', 'closes on QoS 3', async (_t, broker) => {
  const client = await broker.connect({ version })
  client.sendPublish('a', 'x', { qos: 3, packetId: 1 })
  await client.expectClosed()
})

statement311(
  ['MQTT-3.3.1-5', 'MQTT-3.3.1-6', 'MQTT-3.3.1-8'],
  'gives a new subscription the last retained message with its QoS',
  async (t, broker) => {
    for (const qos of [1, 2]) {
      await broker.publish(broker.topic(`${qos}`), 'older', { qos, retain: true })
      await broker.publish(broker.topic(`${qos}`), `${qos}`, { qos, retain: true })
    }
    const client = await broker.connect({ version })
    await client.subscribe(broker.topic('+'), { qos: 2 })
    t.equal(await client.countWithin(0), 2)
    for (const message of client.messages) {
      t.equal(message.retain, true)
      t.equal(message.text, `${message.qos}`)
    }
  },
)

statement311('MQTT-3.3.1-7', 'replaces a retained message by one of QoS 0', async (_t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'old', { qos: 1, retain: true })
  await broker.publish(topic, 'new', { qos: 0, retain: true })
  const client = await broker.connect({ version })
  await client.subscribe(topic)
  await client.expectMessage('new')
  await client.expectNothing()
})

statement311('MQTT-3.3.1-9', 'clears RETAIN towards subscriptions that exist', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ version })
  await client.subscribe(topic)
  await broker.publish(topic, 'x', { retain: true })
  t.equal((await client.expectMessage('x')).retain, false)
})

statement311(['MQTT-3.3.1-10', 'MQTT-3.3.1-11'], 'removes a retained message by an empty one', async (_t, broker) => {
  const topic = broker.topic('a')
  const early = await broker.connect({ version })
  await early.subscribe(topic)
  await broker.publish(topic, 'x', { retain: true })
  await broker.publish(topic, '', { retain: true })
  await early.expectMessage('x')
  await early.expectMessage('')
  const late = await broker.connect({ version })
  await late.subscribe(topic)
  await late.expectNothing()
})

statement311('MQTT-3.3.1-12', 'leaves the retained message alone without RETAIN', async (_t, broker) => {
  const topic = broker.topic('a')
  await broker.publish(topic, 'kept', { retain: true })
  await broker.publish(topic, 'passing')
  await broker.publish(topic, '')
  const client = await broker.connect({ version })
  await client.subscribe(topic)
  await client.expectMessage('kept')
  await client.expectNothing()
})

statement311('MQTT-3.3.2-1', 'closes on PUBLISH without a topic name', async (_t, broker) => {
  const offences = [packet(3, 0), packet(3, 0, [0]), packet(3, 0, uint16(4), 'abc'), packet(3, 0, prefixed([0xff]))]
  for (const offence of offences) {
    const client = await broker.connect({ version })
    client.send(offence)
    await client.expectClosed()
  }
})

statement311('MQTT-3.3.2-2', 'closes on a wildcard in a topic name', async (_t, broker) => {
  for (const topic of ['#', '+', 'a/+/b', 'a#', 'a/b+']) {
    const client = await broker.connect({ version })
    client.sendPublish(topic, 'x')
    await client.expectClosed()
  }
})

statement311('MQTT-3.3.2-3', 'sends the topic name published to', async (t, broker) => {
  const client = await broker.connect({ version })
  await client.subscribe(broker.topic('#'))
  for (const level of ['a', 'a/b', '/', '//', 'A ö']) {
    await broker.publish(broker.topic(level), 'x')
    t.equal((await client.expectMessage('x')).topic, broker.topic(level))
  }
})

statement311('MQTT-3.3.5-1', 'delivers with the highest QoS of overlapping subscriptions', async (t, broker) => {
  const client = await broker.connect({ version })
  await client.subscribe([
    [broker.topic('a'), { qos: 0 }],
    [broker.topic('+'), { qos: 2 }],
    [broker.topic('#'), { qos: 1 }],
  ])
  await broker.publish(broker.topic('a'), 'x', { qos: 2 })
  await client.countWithin(0)
  t.equal(Math.max(...client.messages.map(({ qos }) => qos)), 2)
})

statement311('MQTT-3.6.1-1', 'closes on PUBREL with other flags', async (_t, broker) => {
  for (const flags of [0, 1, 3, 6, 10]) {
    const client = await broker.connect({ version })
    client.send(ackPacket('pubrel', 1, { flags }))
    await client.expectClosed()
  }
})

statement311('MQTT-4.3.1-1', 'sends QoS 0 without DUP', async (t, broker) => {
  const client = await broker.connect({ version })
  await client.subscribe(broker.topic('a'), { qos: 2 })
  await broker.publish(broker.topic('a'), 'x')
  const { qos, dup } = await client.expectMessage('x')
  t.same([qos, dup], [0, false])
})

statement311('MQTT-4.3.2-1', 'keeps QoS 1 until PUBACK', async (t, broker) => {
  const topic = broker.topic('a')
  const options = { version, clientId: broker.clientIdOf('q1'), cleanStart: false, acknowledge: 'by hand' } as const
  const first = await broker.connect(options)
  await first.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 2, { qos: 1 })
  t.equal((await first.expectMessage('1')).dup, false)
  await first.expectMessage('2')
  first.acknowledgeOldest()
  await first.drop()
  const second = await broker.connect(options)
  await second.expectMessage('2')
  second.acknowledgeOldest()
  await second.expectNothing()
  await second.drop()
  await (await broker.connect(options)).expectNothing()
})

statement311('MQTT-4.3.2-2', 'takes an identifier after PUBACK for a new message', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic)
  const client = await broker.connect({ version })
  for (const [text, dup] of [
    ['one', false],
    ['two', false],
    ['three', true],
  ] as const) {
    client.sendPublish(topic, text, { qos: 1, packetId: 5, dup })
    await client.expectPacket('puback')
    await watcher.expectMessage(text)
  }
})

statement311('MQTT-4.3.3-1', 'sends QoS 2 through its whole handshake', async (t, broker) => {
  const topic = broker.topic('a')
  const options = { version, clientId: broker.clientIdOf('q2'), cleanStart: false, acknowledge: 'by hand' } as const
  const first = await broker.connect(options)
  await first.subscribe(topic, { qos: 2 })
  await broker.publish(topic, 'x', { qos: 2 })
  const { packetId, dup } = await first.expectMessage('x')
  t.equal(dup, false)
  first.sendAck('pubrec', packetId)
  t.equal((await first.expectPacket('pubrel')).packetId, packetId)
  await first.drop()
  const second = await broker.connect(options)
  t.equal((await second.expectPacket('pubrel')).packetId, packetId, 'PUBREL again, never PUBLISH')
  second.sendAck('pubcomp', packetId)
  await second.expectNothing()
  await second.drop()
  await (await broker.connect(options)).expectNothing()
})

statement311('MQTT-4.3.3-2', 'delivers QoS 2 once, however often it is repeated', async (t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect({ version })
  await watcher.subscribe(topic, { qos: 2 })
  const options = { version, clientId: broker.clientIdOf('again'), cleanStart: false } as const
  const first = await broker.connect(options)
  for (const dup of [false, true, true]) {
    first.sendPublish(topic, 'once', { qos: 2, packetId: 9, dup })
    t.equal((await first.expectPacket('pubrec')).packetId, 9)
  }
  await first.drop()
  const second = await broker.connect(options)
  second.sendPublish(topic, 'once', { qos: 2, packetId: 9, dup: true })
  await second.expectPacket('pubrec')
  for (let count = 0; count < 2; count++) {
    second.sendAck('pubrel', 9)
    t.equal((await second.expectPacket('pubcomp')).packetId, 9)
  }
  await watcher.expectMessage('once')
  await watcher.expectNothing()
  second.sendPublish(topic, 'new', { qos: 2, packetId: 9, dup: true })
  await second.expectPacket('pubrec')
  second.sendAck('pubrel', 9)
  await second.expectPacket('pubcomp')
  await watcher.expectMessage('new')
})

statement311('MQTT-4.6.0-1', 'repeats messages in the order in which they were sent', async (_t, broker) => {
  const topic = broker.topic('a')
  const options = { version, clientId: broker.clientIdOf('order'), cleanStart: false, acknowledge: 'by hand' } as const
  const first = await broker.connect(options)
  await first.subscribe(topic, { qos: 2 })
  for (let number = 1; number <= 9; number++) await broker.publish(topic, `${number}`, { qos: 1 + (number % 2) })
  await first.countWithin(0)
  await first.drop()
  const again = await broker.connect(options)
  for (let number = 1; number <= 9; number++) await again.expectMessage(`${number}`)
})

statement311(['MQTT-4.6.0-5', 'MQTT-4.6.0-6'], 'keeps the order of each topic and QoS', async (t, broker) => {
  const topic = broker.topic('a')
  const client = await broker.connect({ version })
  await client.subscribe(topic, { qos: 2 })
  const publisher = await broker.connect({ version })
  for (const qos of [0, 1, 2]) {
    const ids = Array.from({ length: 15 }, (_, index) => index + 1)
    const packetIdOf = (number: number) => (qos > 0 ? number : undefined)
    publisher.send(...ids.map((n) => publishPacket(topic, `${qos}.${n}`, { version, qos, packetId: packetIdOf(n) })))
    if (qos === 2) for (const number of ids) publisher.sendAck('pubrel', number)
    await broker.settle()
    for (const number of ids) await client.expectMessage(`${qos}.${number}`)
  }
  t.equal(client.messages.length, 45)
})
