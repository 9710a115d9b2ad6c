/** §3.3.2.3.4 of MQTT 5.0: topic aliases, in both directions. */

import { lasting } from '../support/lasting.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour, statement } from '../support/statement.js'

function aliasMaximum(client: RawClient): number {
  return client.connack?.properties.topicAliasMaximum ?? 0
}

statement('MQTT-3.3.2-7', 'forgets the aliases of a client when its connection ends', async (_t, broker) => {
  const topic = broker.topic('a')
  const watcher = await broker.connect()
  await watcher.subscribe(topic)
  const alice = await broker.connect(lasting(broker, 'alice'))
  await alice.publish(topic, 'known', { properties: { topicAlias: 1 } })
  await alice.publish('', 'known', { properties: { topicAlias: 1 } })
  await watcher.expectMessage('known')
  await watcher.expectMessage('known')
  await alice.drop()
  const again = await broker.connect(lasting(broker, 'alice'))
  again.sendPublish('', 'unknown', { properties: { topicAlias: 1 } })
  await again.expectDisconnect(0x82, 0x94)
  await watcher.expectNothing()
})

statement('MQTT-3.3.2-7', 'introduces its own aliases anew on a new connection', async (t, broker) => {
  // The test client objects to an alias that was not introduced on its connection.
  const topic = broker.topic('a')
  const options = { ...lasting(broker, 'bob', { topicAliasMaximum: 10 }), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 3, { qos: 1 })
  for (const text of ['1', '2', '3']) await bob.expectMessage(text)
  await bob.drop()
  await broker.publish(topic, '4', { qos: 1 })
  const again = await broker.connect(options)
  for (const text of ['1', '2', '3', '4']) t.equal((await again.expectMessage(text)).topic, topic)
})

statement('MQTT-3.3.2-8', 'refuses topic alias 0', async (_t, broker) => {
  const client = await broker.connect()
  client.sendPublish(broker.topic('a'), 'x', { properties: { topicAlias: 0 } })
  await client.expectDisconnect(0x81, 0x82, 0x94)
})

statement('MQTT-3.3.2-9', 'refuses a topic alias above the maximum it has stated', async (t, broker) => {
  for (const topicName of [broker.topic('a'), '']) {
    const client = await broker.connect()
    const maximum = aliasMaximum(client)
    if (maximum === 65_535) return void t.pass('every alias is allowed')
    client.sendPublish(topicName, 'x', { properties: { topicAlias: maximum + 1 } })
    await client.expectDisconnect(0x94)
  }
})

statement(
  'MQTT-3.3.2-9',
  'refuses every topic alias when it allows none',
  { config: { connection: { topicAliasMax: 0 } } },
  async (t, broker) => {
    const client = await broker.connect()
    t.equal(aliasMaximum(client), 0)
    client.sendPublish(broker.topic('a'), 'x', { properties: { topicAlias: 1 } })
    await client.expectDisconnect(0x94)
  },
)

for (const topicAliasMaximum of [undefined, 0, 1, 3]) {
  // The test client objects to an alias above its maximum, and resolves the others.
  statement('MQTT-3.3.2-11', `keeps to topic alias maximum ${topicAliasMaximum ?? 'absent'}`, async (t, broker) => {
    const bob = await broker.connect({ properties: { topicAliasMaximum } })
    await bob.subscribe(broker.topic('#'), { qos: 1 })
    for (let round = 0; round < 4; round++) {
      for (const rest of ['a', 'b', 'c', 'd/e', 'f']) {
        await broker.publish(broker.topic(rest), rest, { qos: round % 2 })
        t.equal((await bob.expectMessage(rest)).topic, broker.topic(rest))
      }
    }
  })
}

statement('MQTT-3.3.2-12', 'takes every alias up to its maximum, each for its topic', async (t, broker) => {
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('#'), { qos: 1 })
  const alice = await broker.connect()
  const maximum = aliasMaximum(alice)
  if (maximum === 0) return void t.pass('no alias is allowed')
  const aliases = Array.from({ length: maximum }, (_, index) => index + 1)
  for (const alias of aliases) {
    alice.sendPublish(broker.topic(`n/${alias}`), 'name', { properties: { topicAlias: alias } })
  }
  for (const alias of aliases) alice.sendPublish('', 'alias', { properties: { topicAlias: alias } })
  await alice.ping()
  for (const text of ['name', 'alias']) {
    for (const alias of aliases) t.equal((await bob.expectMessage(text)).topic, broker.topic(`n/${alias}`))
  }
})

statement('MQTT-3.3.2-12', 'lets a client give an alias another topic', async (t, broker) => {
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('#'))
  const alice = await broker.connect()
  if (aliasMaximum(alice) === 0) return void t.pass('no alias is allowed')
  for (const rest of ['a', 'b', 'a']) {
    await alice.publish(broker.topic(rest), 'name', { properties: { topicAlias: 1 } })
    await alice.publish('', 'alias', { properties: { topicAlias: 1 } })
    t.equal((await bob.expectMessage('name')).topic, broker.topic(rest))
    t.equal((await bob.expectMessage('alias')).topic, broker.topic(rest))
  }
})

statement('MQTT-3.3.2-12', 'takes aliases with every QoS and with retained messages', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2 })
  const alice = await broker.connect()
  if (aliasMaximum(alice) === 0) return void t.pass('no alias is allowed')
  await alice.publish(topic, '2', { qos: 2, properties: { topicAlias: 1 } })
  await alice.publish('', '1', { qos: 1, properties: { topicAlias: 1 } })
  await alice.publish('', '0', { qos: 0, retain: true, properties: { topicAlias: 1 } })
  for (const text of ['2', '1', '0']) t.equal((await bob.expectMessage(text)).topic, topic)
  const later = await broker.connect()
  await later.subscribe(topic)
  t.match(await later.expectMessage('0'), { topic, retain: true })
})

behaviour('§3.3.2.3.4 the aliases of clients are their own', async (t, broker) => {
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('#'))
  const [alice, carol] = [await broker.connect(), await broker.connect()]
  if (aliasMaximum(alice) === 0) return void t.pass('no alias is allowed')
  await alice.publish(broker.topic('alice'), '', { properties: { topicAlias: 1 } })
  await carol.publish(broker.topic('carol'), '', { properties: { topicAlias: 1 } })
  await alice.publish('', '', { properties: { topicAlias: 1 } })
  await carol.publish('', '', { properties: { topicAlias: 1 } })
  const topics: string[] = []
  for (let count = 0; count < 4; count++) topics.push((await bob.expectPacket('publish')).topic)
  t.same(
    topics,
    ['alice', 'carol', 'alice', 'carol'].map((name) => broker.topic(name)),
  )
})

behaviour('§3.3.2.3.4 the alias of a publisher does not reach subscribers', async (t, broker) => {
  const topic = broker.topic('a')
  const bob = await broker.connect()
  const older = await broker.connect({ version: 4 })
  await bob.subscribe(topic)
  await older.subscribe(topic)
  const alice = await broker.connect()
  if (aliasMaximum(alice) === 0) return void t.pass('no alias is allowed')
  await alice.publish(topic, 'x', { properties: { topicAlias: 1 } })
  await alice.publish('', 'y', { properties: { topicAlias: 1 } })
  for (const client of [bob, older]) {
    for (const text of ['x', 'y']) {
      const message = await client.expectMessage(text)
      t.equal(message.topic, topic)
      t.same(message.properties, {})
    }
  }
})

behaviour('§3.3.2.3.4 an unknown alias is refused before it is introduced', async (_t, broker) => {
  const alice = await broker.connect()
  alice.sendPublish('', 'x', { properties: { topicAlias: 1 } })
  await alice.expectDisconnect(0x82, 0x94)
})

behaviour('§3.1.2.11.5 a topic that is sent often gets an alias', async (t, broker) => {
  if (!broker.strict) return void t.pass('a broker may do without aliases')
  const topic = broker.topic('a/topic/with/a/name/long/enough/to/be/worth/an/alias')
  const bob = await broker.connect({ properties: { topicAliasMaximum: 5 } })
  await bob.subscribe(topic)
  await broker.publishMany(topic, 20)
  for (let number = 1; number <= 20; number++) await bob.expectMessage(String(number))
  t.ok(bob.messages.filter(({ properties }) => properties.topicAlias !== undefined).length >= 15)
})
