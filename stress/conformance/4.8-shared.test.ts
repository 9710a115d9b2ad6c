/** §4.8 of MQTT 5.0: shared subscriptions, which clients of MQTT 3.1 and 3.1.1 may use as well. */
import { seconds, type TestBroker } from '../support/broker.js'
import { type ConnectOptions, subscribePacket, type Version } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement } from '../support/statement.js'

const VERSIONS: readonly Version[] = [3, 4, 5]
/** Names of the member that takes over: with several threads, one of them lives in that of "bob" and one does not. */
const HEIRS = ['m1', 'm2']

/** Expects that a subscription is refused: by SUBACK, or by the end of the connection. */
async function expectRefused(client: RawClient, filter: string): Promise<void> {
  const { version } = client
  client.send(subscribePacket(1, [[filter, { qos: 1 }]], { version }))
  const suback = await client.takePacket('suback', 1).catch((error: unknown) => {
    if (!client.closed) throw error
  })
  if (suback && suback.reasonCodes[0]! < 0x80) throw new Error(`"${filter}" was granted`)
}

for (const version of [4, 5] as const) {
  statement('MQTT-4.8.2-1', `refuses a shared subscription without a name, level ${version}`, async (_t, broker) => {
    for (const filter of ['$share/', '$share//', '$share//a', '$share//a/b']) {
      await expectRefused(await broker.connect({ version }), filter)
    }
  })

  statement('MQTT-4.8.2-2', `refuses a name with wildcards, level ${version}`, async (_t, broker) => {
    for (const name of ['+', '#', 'a+', '+a', 'a#b']) {
      await expectRefused(await broker.connect({ version }), `$share/${name}/a`)
    }
  })

  statement('MQTT-4.8.2-2', `refuses a name that no topic filter follows, level ${version}`, async (_t, broker) => {
    for (const filter of ['$share/group', '$share/group/', '$share/group/a#', '$share/group/#/a', '$share/group/a+']) {
      await expectRefused(await broker.connect({ version }), filter)
    }
  })
}

statement(['MQTT-4.8.2-1', 'MQTT-4.8.2-2'], 'takes every other name', async (_t, broker) => {
  const topic = broker.topic('a')
  for (const name of ['g', '$share', ' ', 'größe', 'a b', '$']) {
    const bob = await broker.connect()
    await bob.subscribe(`$share/${name}/${topic}`, { qos: 1 })
    await broker.publish(topic, name, { qos: 1 })
    await bob.expectMessage(name)
    await bob.unsubscribe(`$share/${name}/${topic}`)
  }
})

interface Member extends ConnectOptions {
  readonly qos?: number
  readonly acknowledge?: 'automatically' | 'by hand'
}

/** Members of the group `group` on the topic `a`, in the order they joined. */
async function group(broker: TestBroker, ...members: readonly Member[]): Promise<readonly RawClient[]> {
  const clients: RawClient[] = []
  for (const { qos = 2, ...options } of members) {
    const client = await broker.connect(options)
    await client.subscribe(`$share/group/${broker.topic('a')}`, { qos })
    clients.push(client)
  }
  return clients
}

/** What all of them got, sorted. */
async function textsOf(clients: readonly RawClient[]): Promise<readonly string[]> {
  for (const client of clients) await client.countWithin(0)
  return clients.flatMap(({ messages }) => messages.map(({ text }) => text)).sort()
}

function numbers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1)).sort()
}

statement('MQTT-4.8.2-3', 'respects what each member was granted', async (t, broker) => {
  const clients = await group(broker, { qos: 0 }, { qos: 1 }, { qos: 2 })
  for (const published of [0, 1, 2]) {
    await broker.publishMany(broker.topic('a'), 12, { qos: published })
    for (const [granted, client] of clients.entries()) {
      await client.countWithin(0)
      const received = client.messages.splice(0)
      t.ok(received.length > 0, `member ${granted} has its share`)
      t.ok(received.every(({ qos }) => qos === Math.min(granted, published)))
    }
  }
})

statement('MQTT-4.8.2-3', 'respects what a member that subscribed again was granted', async (t, broker) => {
  const [bob] = await group(broker, { qos: 2 })
  await bob!.subscribe(`$share/group/${broker.topic('a')}`, { qos: 0 })
  await broker.publish(broker.topic('a'), 'x', { qos: 2 })
  t.equal((await bob!.expectMessage('x')).qos, 0)
  await bob!.expectNothing()
})

for (const version of VERSIONS) {
  statement('MQTT-4.8.2-4', `completes QoS 2 with the member it began with, level ${version}`, async (t, broker) => {
    const options = { ...lasting(broker, 'bob'), version, acknowledge: 'by hand' } as const
    const [bob] = await group(broker, options)
    await broker.publishMany(broker.topic('a'), 2, { qos: 2 })
    const first = await bob!.expectMessage('1')
    const second = await bob!.expectMessage('2')
    const [other] = await group(broker, { version })
    bob!.sendAck('pubrec', second.packetId)
    await bob!.expectPacket('pubrel')
    await bob!.drop()
    await other!.expectNothing()
    const again = await broker.connect(options)
    t.match(await again.takePacket('publish'), { text: '1', packetId: first.packetId, dup: true })
    t.equal((await again.takePacket('pubrel')).packetId, second.packetId)
    again.sendAck('pubrec', first.packetId)
    t.equal((await again.expectPacket('pubrel')).packetId, first.packetId)
    again.sendAck('pubcomp', first.packetId)
    again.sendAck('pubcomp', second.packetId)
    await again.expectNothing()
    await other!.expectNothing()
  })
}

/** Ways for a session to end while messages are on their way to it. */
const ENDS: Readonly<Record<string, (broker: TestBroker, bob: RawClient) => Promise<unknown>>> = {
  'is lost': (_broker, bob) => bob.drop(),
  'ends by DISCONNECT': (_broker, bob) => bob.disconnect(),
  'is replaced by a clean start': (broker) => broker.connect({ clientId: broker.clientIdOf('bob') }),
}

for (const [how, end] of Object.entries(ENDS)) {
  statement('MQTT-4.8.2-5', `gives nobody else a QoS 2 message whose member ${how}`, async (t, broker) => {
    const [bob] = await group(broker, { clientId: broker.clientIdOf('bob'), acknowledge: 'by hand' })
    await broker.publish(broker.topic('a'), 'begun', { qos: 2 })
    await bob!.expectMessage('begun')
    const others = await group(broker, ...HEIRS.map((heir) => ({ clientId: broker.clientIdOf(heir) })))
    await end(broker, bob!)
    for (const other of others) await other.expectNothing()
    await broker.publish(broker.topic('a'), 'new', { qos: 2 })
    t.same(await textsOf(others), ['new'])
  })

  for (const version of VERSIONS) {
    behaviour(`§4.8.2 QoS 1 goes to another member when its member ${how}, level ${version}`, async (t, broker) => {
      for (const heir of HEIRS) {
        const [bob] = await group(broker, { clientId: broker.clientIdOf('bob'), version, acknowledge: 'by hand' })
        await broker.publishMany(broker.topic('a'), 3, { qos: 1 })
        for (const text of ['1', '2', '3']) await bob!.expectMessage(text)
        const [other] = await group(broker, { clientId: broker.clientIdOf(heir), version })
        bob!.acknowledgeOldest()
        await bob!.ping()
        await end(broker, bob!)
        for (const text of ['2', '3']) {
          t.match(await other!.expectMessage(text), { qos: 1, dup: false, topic: broker.topic('a') })
        }
        await other!.expectNothing()
        await other!.disconnect()
      }
    })
  }
}

statement('MQTT-4.8.2-5', 'gives nobody else a QoS 2 message whose session expires', async (_t, broker) => {
  const options = lasting(broker, 'bob', { sessionExpiryInterval: 10 })
  const [bob] = await group(broker, { ...options, acknowledge: 'by hand' })
  await broker.publish(broker.topic('a'), 'begun', { qos: 2 })
  await bob!.expectMessage('begun')
  const [other] = await group(broker, {})
  await bob!.drop()
  await broker.advance(seconds(11))
  await other!.expectNothing()
})

for (const heir of HEIRS) {
  behaviour(`§4.8.2 QoS 1 goes to member ${heir} at the latest when the session expires`, async (t, broker) => {
    const options = lasting(broker, 'bob', { sessionExpiryInterval: 10 })
    const [bob] = await group(broker, { ...options, acknowledge: 'by hand' })
    await broker.publish(broker.topic('a'), 'begun', { qos: 1 })
    await bob!.expectMessage('begun')
    const [other] = await group(broker, { clientId: broker.clientIdOf(heir) })
    await bob!.drop()
    await broker.advance(seconds(11))
    t.equal((await other!.expectMessage('begun')).dup, false)
    await (await broker.connect(options)).expectNothing()
  })

  behaviour(`§4.8.2 a message that goes to member ${heir} keeps its expiry`, async (t, broker) => {
    const [bob] = await group(broker, { clientId: broker.clientIdOf('bob'), acknowledge: 'by hand' })
    await broker.publish(broker.topic('a'), 'x', { qos: 1, properties: { messageExpiryInterval: 100 } })
    await bob!.expectMessage('x')
    const options = { ...lasting(broker, heir, { receiveMaximum: 1 }), acknowledge: 'by hand' } as const
    const [other] = await group(broker, options)
    await other!.subscribe(broker.topic('b'), { qos: 1 })
    await broker.publish(broker.topic('b'), 'first', { qos: 1 })
    await other!.expectMessage('first')
    await broker.advance(seconds(30))
    await bob!.drop()
    await other!.expectNothing()
    await broker.advance(seconds(30))
    other!.acknowledgeOldest()
    t.equal((await other!.expectMessage('x')).properties.messageExpiryInterval, 40)
  })

  behaviour(`§4.8.2 what waits for the receive maximum of a member that ends goes to ${heir}`, async (_t, broker) => {
    const [bob] = await group(broker, {
      clientId: broker.clientIdOf('bob'),
      properties: { receiveMaximum: 1 },
      acknowledge: 'by hand',
    })
    await broker.publishMany(broker.topic('a'), 3, { qos: 1 })
    await bob!.expectMessage('1')
    const [other] = await group(broker, { clientId: broker.clientIdOf(heir) })
    await bob!.drop()
    for (const text of ['1', '2', '3']) await other!.expectMessage(text)
    await other!.expectNothing()
  })
}

for (const qos of [1, 2]) {
  statement('MQTT-4.8.2-6', `gives nobody else a QoS ${qos} message that a member refuses`, async (_t, broker) => {
    const [bob] = await group(broker, { clientId: broker.clientIdOf('bob'), acknowledge: 'by hand' })
    await broker.publish(broker.topic('a'), 'refused', { qos })
    await bob!.expectMessage('refused')
    const others = await group(broker, ...HEIRS.map((heir) => ({ clientId: broker.clientIdOf(heir) })))
    bob!.acknowledgeOldest({ reasonCode: 0x83 })
    for (const client of [bob!, ...others]) await client.expectNothing()
    await bob!.drop()
    for (const other of others) await other.expectNothing()
  })
}

for (const qos of [0, 1, 2]) {
  behaviour(`§4.8.2 each QoS ${qos} message reaches one member, and each member some`, async (t, broker) => {
    const clients = await group(broker, {}, { version: 4 }, { version: 3 })
    await broker.publishMany(broker.topic('a'), 60, { qos })
    t.same(await textsOf(clients), numbers(60))
    for (const client of clients) t.ok(client.messages.length >= 10, `${client.messages.length} of 60`)
  })
}

behaviour('§4.8.2 groups are told apart by name and by filter', async (t, broker) => {
  const topic = broker.topic('a')
  const filters = [`$share/one/${topic}`, `$share/One/${topic}`, `$share/one/${broker.topic('#')}`, topic]
  const clients = await Promise.all(filters.map(() => broker.connect()))
  for (const [index, filter] of filters.entries()) await clients[index]!.subscribe(filter, { qos: 1 })
  await broker.publishMany(topic, 5, { qos: 1 })
  for (const client of clients) t.same(await textsOf([client]), numbers(5))
})

behaviour('§4.8.2 a client gets its own copy besides that of its group', async (t, broker) => {
  const [bob] = await group(broker, {})
  await bob!.subscribe(broker.topic('a'), { qos: 1 })
  await broker.publish(broker.topic('a'), 'x', { qos: 1 })
  t.same(await textsOf([bob!]), ['x', 'x'])
})

behaviour('§4.8.2 a member that leaves is not chosen any more', async (t, broker) => {
  const [bob, carol, dave] = await group(broker, {}, {}, {})
  const filter = `$share/group/${broker.topic('a')}`
  t.same((await bob!.unsubscribe(filter)).reasonCodes, [0x00])
  t.same((await bob!.unsubscribe(filter)).reasonCodes, [0x11])
  await carol!.drop()
  await broker.publishMany(broker.topic('a'), 6, { qos: 1 })
  t.same(await textsOf([dave!]), numbers(6))
  await bob!.expectNothing()
})

behaviour('§4.8.2 messages wait when no member is connected', async (t, broker) => {
  const members = await group(broker, lasting(broker, 'bob'), lasting(broker, 'carol'))
  for (const member of members) await member.drop()
  await broker.publishMany(broker.topic('a'), 10, { qos: 1 })
  const again = [await broker.connect(lasting(broker, 'bob')), await broker.connect(lasting(broker, 'carol'))]
  t.same(await textsOf(again), numbers(10))
})

behaviour('§4.8.2 nothing is lost or doubled while a member is away', async (t, broker) => {
  const [bob, carol] = await group(broker, {}, lasting(broker, 'carol'))
  await carol!.drop()
  await broker.publishMany(broker.topic('a'), 10, { qos: 1 })
  const again = await broker.connect(lasting(broker, 'carol'))
  t.same(await textsOf([bob!, again]), numbers(10))
})

behaviour('§3.3.1.3 a shared subscription gets no retained messages, but live ones', async (_t, broker) => {
  await broker.publish(broker.topic('a'), 'kept', { qos: 1, retain: true })
  const [bob] = await group(broker, {})
  await bob!.expectNothing()
  await bob!.subscribe(`$share/group/${broker.topic('a')}`, { qos: 1, retainHandling: 0 })
  await bob!.expectNothing()
  await broker.publish(broker.topic('a'), 'live', { qos: 1, retain: true })
  await bob!.expectMessage('live')
})

behaviour('§4.8.2 wildcards work in shared subscriptions', async (t, broker) => {
  const [bob, carol] = [await broker.connect(), await broker.connect()]
  for (const client of [bob, carol]) await client.subscribe(`$share/w/${broker.topic('+/x/#')}`, { qos: 1 })
  const topics = ['a/x', 'b/x/y', 'c/x/y/z'].map((rest) => broker.topic(rest))
  for (const topic of topics) await broker.publish(topic, topic, { qos: 1 })
  await broker.publish(broker.topic('a/y'), 'no', { qos: 1 })
  t.same(await textsOf([bob, carol]), topics)
})
