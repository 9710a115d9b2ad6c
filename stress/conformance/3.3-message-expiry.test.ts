/** §3.3.2.3.3 of MQTT 5.0: message expiry. */
import { seconds } from '../support/broker.js'
import { lasting } from '../support/lasting.js'
import { behaviour, statement, statement311 } from '../support/statement.js'

for (const qos of [1, 2]) {
  statement(
    'MQTT-3.3.2-5',
    `drops a QoS ${qos} message that expired before its receiver came back`,
    async (_t, broker) => {
      const topic = broker.topic('news')
      const bob = await broker.connect(lasting(broker, 'bob'))
      await bob.subscribe(topic, { qos })
      await bob.drop()
      await broker.publish(topic, 'short', { qos, properties: { messageExpiryInterval: 10 } })
      await broker.publish(topic, 'long', { qos, properties: { messageExpiryInterval: 100 } })
      await broker.publish(topic, 'endless', { qos })
      await broker.advance(seconds(11))
      const again = await broker.connect(lasting(broker, 'bob'))
      await again.expectMessage('long')
      await again.expectMessage('endless')
      await again.expectNothing()
    },
  )
}

statement('MQTT-3.3.2-5', 'delivers what has not expired yet', async (_t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  await broker.publish(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await broker.advance(seconds(9))
  await (await broker.connect(lasting(broker, 'bob'))).expectMessage('short')
})

statement('MQTT-3.3.2-5', 'drops what expired while it waited for the receive maximum', async (_t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'sent', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await broker.publish(topic, 'waiting', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await broker.publish(topic, 'endless', { qos: 1 })
  await bob.expectMessage('sent')
  await broker.advance(seconds(11))
  bob.acknowledgeOldest()
  await bob.expectMessage('endless')
  await bob.expectNothing()
})

statement('MQTT-3.3.2-5', 'sends no retained message that expired', async (t, broker) => {
  const [short, long] = [broker.topic('short'), broker.topic('long')]
  await broker.publish(short, 'gone', { qos: 1, retain: true, properties: { messageExpiryInterval: 10 } })
  await broker.publish(long, 'there', { qos: 1, retain: true, properties: { messageExpiryInterval: 100 } })
  await broker.advance(seconds(11))
  const bob = await broker.connect()
  await bob.subscribe(broker.topic('#'), { qos: 1 })
  t.equal((await bob.expectMessage('there')).topic, long)
  await bob.expectNothing()
})

statement(
  'MQTT-3.3.2-5',
  'sends no retained message that expired while it waited for the receive maximum',
  async (_t, broker) => {
    const properties = { messageExpiryInterval: 10 }
    for (const rest of ['a', 'b'])
      await broker.publish(broker.topic(rest), 'short', { qos: 1, retain: true, properties })
    const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
    await bob.subscribe(broker.topic('#'), { qos: 1 })
    await bob.expectMessage('short')
    await broker.advance(seconds(11))
    bob.acknowledgeOldest()
    await bob.expectNothing()
  },
)

statement('MQTT-3.3.2-5', 'drops the copy of each subscriber by itself', async (_t, broker) => {
  const topic = broker.topic('news')
  const present = await broker.connect()
  await present.subscribe(topic, { qos: 1 })
  const absent = await broker.connect(lasting(broker, 'absent'))
  await absent.subscribe(topic, { qos: 1 })
  await absent.drop()
  await broker.publish(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await present.expectMessage('short')
  await broker.advance(seconds(11))
  await (await broker.connect(lasting(broker, 'absent'))).expectNothing()
})

statement('MQTT-3.3.2-5', 'drops what expired for a session of MQTT 3.1.1 too', async (_t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect({ ...lasting(broker, 'bob'), version: 4 })
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  await broker.publish(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await broker.advance(seconds(11))
  await (await broker.connect({ ...lasting(broker, 'bob'), version: 4 })).expectNothing()
})

statement311('MQTT-4.5.0-1', 'never drops what was published without an expiry', async (_t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect({ ...lasting(broker, 'bob'), version: 4 })
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  const alice = await broker.connect({ version: 4 })
  await alice.publish(topic, 'endless', { qos: 1 })
  await broker.advance(seconds(10 * 365 * 86_400))
  await (await broker.connect({ ...lasting(broker, 'bob'), version: 4 })).expectMessage('endless')
})

statement('MQTT-3.3.2-6', 'passes on the interval of a message that does not wait', async (t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect()
  await bob.subscribe(topic, { qos: 2 })
  for (const qos of [0, 1, 2]) {
    for (const interval of [5, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      await broker.publish(topic, 'x', { qos, properties: { messageExpiryInterval: interval } })
      const { messageExpiryInterval } = (await bob.expectMessage('x')).properties
      t.ok(messageExpiryInterval === interval || messageExpiryInterval === interval - 1, `QoS ${qos}, ${interval} s`)
    }
  }
})

statement('MQTT-3.3.2-6', 'subtracts the time that a message waited for its receiver', async (t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  await broker.publish(topic, 'early', { qos: 1, properties: { messageExpiryInterval: 100 } })
  await broker.advance(seconds(30))
  await broker.publish(topic, 'late', { qos: 1, properties: { messageExpiryInterval: 100, contentType: 'text' } })
  await broker.advance(seconds(10))
  const again = await broker.connect(lasting(broker, 'bob'))
  t.same((await again.expectMessage('early')).properties, { messageExpiryInterval: 60 })
  t.same((await again.expectMessage('late')).properties, { messageExpiryInterval: 90, contentType: 'text' })
})

statement('MQTT-3.3.2-6', 'subtracts from an interval of more than 68 years too', async (t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect(lasting(broker, 'bob'))
  await bob.subscribe(topic, { qos: 1 })
  await bob.drop()
  await broker.publish(topic, 'x', { qos: 1, properties: { messageExpiryInterval: 3_000_000_000 } })
  await broker.advance(seconds(1_000))
  const again = await broker.connect(lasting(broker, 'bob'))
  t.equal((await again.expectMessage('x')).properties.messageExpiryInterval, 2_999_999_000)
})

statement('MQTT-3.3.2-6', 'subtracts the time that a message waited for the receive maximum', async (t, broker) => {
  const topic = broker.topic('news')
  const bob = await broker.connect({ properties: { receiveMaximum: 1 }, acknowledge: 'by hand' })
  await bob.subscribe(topic, { qos: 1 })
  await broker.publishMany(topic, 2, { qos: 1, properties: { messageExpiryInterval: 100 } })
  t.equal((await bob.expectMessage('1')).properties.messageExpiryInterval, 100)
  await broker.advance(seconds(40))
  bob.acknowledgeOldest()
  t.equal((await bob.expectMessage('2')).properties.messageExpiryInterval, 60)
})

statement('MQTT-3.3.2-6', 'subtracts the age of a retained message', async (t, broker) => {
  const topic = broker.topic('news')
  await broker.publish(topic, 'x', { qos: 1, retain: true, properties: { messageExpiryInterval: 100 } })
  for (const left of [75, 50, 25]) {
    await broker.advance(seconds(25))
    const bob = await broker.connect()
    await bob.subscribe(topic, { qos: 1 })
    t.equal((await bob.expectMessage('x')).properties.messageExpiryInterval, left)
  }
})

behaviour('§3.3.2.3.3 a replaced retained message takes its expiry with it', async (_t, broker) => {
  const topic = broker.topic('news')
  await broker.publish(topic, 'short', { retain: true, properties: { messageExpiryInterval: 10 } })
  await broker.publish(topic, 'endless', { retain: true })
  await broker.advance(seconds(11))
  const bob = await broker.connect()
  await bob.subscribe(topic)
  await bob.expectMessage('endless')
})

behaviour('§3.3.2.3.3 resends a QoS 1 message although it has expired since', async (t, broker) => {
  const topic = broker.topic('news')
  const options = { ...lasting(broker, 'bob'), acknowledge: 'by hand' } as const
  const bob = await broker.connect(options)
  await bob.subscribe(topic, { qos: 1 })
  await broker.publish(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await bob.expectMessage('short')
  await bob.drop()
  await broker.advance(seconds(11))
  t.equal((await (await broker.connect(options)).expectMessage('short')).dup, true)
})
