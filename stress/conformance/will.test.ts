/** §3.1.2.5, §3.1.3.2.2, §3.1.4 and §4.1 of MQTT 5.0: when a will is published, and when not. */
import { seconds, type TestBroker } from '../support/broker.js'
import type { ConnectOptions, WillOptions } from '../support/client-packets.js'
import { lasting } from '../support/lasting.js'
import type { Properties } from '../support/properties.js'
import type { RawClient } from '../support/raw-client.js'
import { behaviour } from '../support/statement.js'
import { packet } from '../support/wire.js'

/** One who hears of the death of others. */
async function heir(broker: TestBroker): Promise<RawClient> {
  const client = await broker.connect()
  await client.subscribe(broker.topic('will'), { qos: 2 })
  return client
}

function will(broker: TestBroker, options: Partial<WillOptions> = {}): WillOptions {
  return { topic: broker.topic('will'), payload: 'gone', qos: 1, ...options }
}

/** A client with a will, and a session that stays for an hour unless the properties say otherwise. */
function mortal(broker: TestBroker, willDelayInterval: number, properties: Properties = {}): Promise<RawClient> {
  return broker.connect({
    ...lasting(broker, 'bob', properties),
    will: will(broker, { properties: { willDelayInterval } }),
  })
}

/** The same client again, without a will. */
function back(broker: TestBroker, options: ConnectOptions & { version?: 4 } = {}): Promise<RawClient> {
  return broker.connect({ ...lasting(broker, 'bob'), ...options })
}

for (const version of [3, 4, 5] as const) {
  behaviour(`§3.1.2.5 a will is published when the connection is lost, level ${version}`, async (t, broker) => {
    const watcher = await heir(broker)
    for (const qos of [0, 1, 2]) {
      const bob = await broker.connect({ version, will: will(broker, { qos }) })
      await bob.drop()
      t.match(await watcher.expectMessage('gone'), { qos, retain: false, dup: false, topic: broker.topic('will') })
    }
    await watcher.expectNothing()
  })

  behaviour(`§3.14.4 no will is published after DISCONNECT, level ${version}`, async (_t, broker) => {
    const watcher = await heir(broker)
    const bob = await broker.connect({ version, will: will(broker) })
    await bob.disconnect()
    await watcher.expectNothing()
  })

  behaviour(`§3.1.2.5 a will is published after a protocol error, level ${version}`, async (_t, broker) => {
    const watcher = await heir(broker)
    const bob = await broker.connect({ version, will: will(broker) })
    bob.send(packet(15, 7, 'nonsense'))
    await bob.expectDisconnect()
    await watcher.expectMessage('gone')
  })

  behaviour(`§3.1.2.10 a will is published when the keep alive runs out, level ${version}`, async (_t, broker) => {
    const watcher = await heir(broker)
    const bob = await broker.connect({ version, keepAlive: 10, will: will(broker) })
    await broker.advance(seconds(14))
    await watcher.expectNothing()
    await broker.advance(seconds(16))
    await watcher.expectMessage('gone')
    await bob.expectDisconnect(0x8d)
  })
}

behaviour('§3.14.2.1 DISCONNECT with 0x04 asks for the will', async (_t, broker) => {
  const watcher = await heir(broker)
  const bob = await broker.connect({ will: will(broker) })
  await bob.disconnect({ reasonCode: 0x04 })
  await watcher.expectMessage('gone')
})

behaviour('§3.14.2.1 DISCONNECT with another reason than 0x00 leaves the will in force', async (_t, broker) => {
  const watcher = await heir(broker)
  for (const reasonCode of [0x80, 0x83, 0x97]) {
    const bob = await broker.connect({ will: will(broker) })
    await bob.disconnect({ reasonCode })
    await watcher.expectMessage('gone')
  }
})

behaviour('§3.14.2.2.2 a DISCONNECT that is not valid leaves the will in force', async (_t, broker) => {
  const watcher = await heir(broker)
  const bob = await mortal(broker, 0, { sessionExpiryInterval: 0 })
  await bob.disconnect({ reasonCode: 0x00, properties: { sessionExpiryInterval: 10 } })
  await watcher.expectMessage('gone')
})

behaviour('§3.1.2.5 a will is published once', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 0)).drop()
  await watcher.expectMessage('gone')
  await (await back(broker)).drop()
  await (await back(broker, { cleanStart: true })).drop()
  await watcher.expectNothing()
})

behaviour('§3.1.2.5 the will of a refused CONNECT is not published', async (_t, broker) => {
  const watcher = await heir(broker)
  const bob = await broker.open()
  bob.sendConnect({
    clientId: broker.clientIdOf('bob'),
    will: will(broker),
    properties: { authenticationMethod: 'none' },
  })
  await bob.expectRefused()
  await watcher.expectNothing()
})

behaviour('§3.1.2.5 the will reaches sessions that are offline, that of its client too', async (_t, broker) => {
  const watcher = await broker.connect(lasting(broker, 'watcher'))
  await watcher.subscribe(broker.topic('will'), { qos: 1 })
  await watcher.drop()
  const bob = await mortal(broker, 0)
  await bob.subscribe(broker.topic('will'), { qos: 1 })
  await bob.drop()
  await (await broker.connect(lasting(broker, 'watcher'))).expectMessage('gone')
  await (await back(broker)).expectMessage('gone')
})

behaviour('§3.1.2.7 a will with RETAIN is kept for later subscribers', async (t, broker) => {
  const bob = await broker.connect({ will: will(broker, { retain: true }) })
  await bob.drop()
  const watcher = await heir(broker)
  t.equal((await watcher.expectMessage('gone')).retain, true)
})

behaviour('§3.1.3.2.2 will delay passes before the will is published', async (t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).drop()
  await broker.advance(seconds(9))
  await watcher.expectNothing()
  await broker.advance(seconds(2))
  t.same((await watcher.expectMessage('gone')).properties, {}, 'the delay is not passed on')
  await broker.advance(seconds(7_200))
  await watcher.expectNothing()
})

behaviour('§3.1.3.2.2 will delay ends with the session', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 100, { sessionExpiryInterval: 10 })).drop()
  await broker.advance(seconds(9))
  await watcher.expectNothing()
  await broker.advance(seconds(2))
  await watcher.expectMessage('gone')
  await broker.advance(seconds(100))
  await watcher.expectNothing()
})

for (const sessionExpiryInterval of [0, undefined]) {
  const interval = sessionExpiryInterval ?? 'absent'
  behaviour(`§3.1.3.2.2 will delay is void without a session, expiry interval ${interval}`, async (_t, broker) => {
    const watcher = await heir(broker)
    await (await mortal(broker, 100, { sessionExpiryInterval })).drop()
    await watcher.expectMessage('gone')
  })
}

behaviour('§3.1.3.2.2 will delay ends when DISCONNECT ends the session', async (_t, broker) => {
  const watcher = await heir(broker)
  const bob = await mortal(broker, 100)
  await bob.disconnect({ reasonCode: 0x04, properties: { sessionExpiryInterval: 0 } })
  await watcher.expectMessage('gone')
})

behaviour('§3.1.3.2.2 will delay holds after DISCONNECT with 0x04 too', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).disconnect({ reasonCode: 0x04 })
  await watcher.expectNothing()
  await broker.advance(seconds(11))
  await watcher.expectMessage('gone')
})

behaviour('§3.1.3.2.2 will delay cancelled by reconnection', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).drop()
  await broker.advance(seconds(9))
  const bob = await back(broker)
  await broker.advance(seconds(100))
  await watcher.expectNothing()
  await bob.drop()
  await broker.advance(seconds(100))
  await watcher.expectNothing()
})

behaviour('§3.1.3.2.2 will delay cancelled by reconnection with an older protocol', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).drop()
  await back(broker, { version: 4 })
  await broker.advance(seconds(100))
  await watcher.expectNothing()
})

behaviour('§3.1.3.2.2 a reconnection that is refused does not cancel the will', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).drop()
  const refused = await broker.open()
  refused.sendConnect({ ...lasting(broker, 'bob', { authenticationMethod: 'none' }) })
  await refused.expectRefused()
  await broker.advance(seconds(11))
  await watcher.expectMessage('gone')
})

behaviour(
  '§3.1.3.2.2 a clean start within the will delay ends the session and publishes the will',
  async (_t, broker) => {
    const watcher = await heir(broker)
    await (await mortal(broker, 10)).drop()
    await watcher.expectNothing()
    await back(broker, { cleanStart: true })
    await watcher.expectMessage('gone')
    await broker.advance(seconds(100))
    await watcher.expectNothing()
  },
)

behaviour('§3.1.3.2.2 a reconnection brings its own will and its own delay', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).drop()
  await broker.advance(seconds(5))
  const properties = { willDelayInterval: 20 }
  await (await back(broker, { will: will(broker, { payload: 'second', properties }) })).drop()
  await broker.advance(seconds(19))
  await watcher.expectNothing()
  await broker.advance(seconds(2))
  await watcher.expectMessage('second')
  await watcher.expectNothing()
})

behaviour('§3.1.3.2.2 after a reconnection DISCONNECT leaves nothing to publish', async (_t, broker) => {
  const watcher = await heir(broker)
  await (await mortal(broker, 10)).drop()
  const bob = await mortal(broker, 10)
  await bob.disconnect()
  await broker.advance(seconds(7_200))
  await watcher.expectNothing()
})

behaviour('§3.1.3.2.2 a delay longer than any timer of Node.js is kept', async (_t, broker) => {
  const watcher = await heir(broker)
  const sixtyDays = 60 * 86_400
  await (await mortal(broker, sixtyDays, { sessionExpiryInterval: 0xffff_ffff })).drop()
  await broker.advance(seconds(sixtyDays - 60))
  await watcher.expectNothing()
  await broker.advance(seconds(61))
  await watcher.expectMessage('gone')
})

for (const version of [3, 4, 5] as const) {
  behaviour(`§3.1.4 a takeover publishes a will without delay, level ${version}`, async (_t, broker) => {
    const watcher = await heir(broker)
    const options = { ...lasting(broker, 'bob'), version }
    const bob = await broker.connect({ ...options, will: will(broker) })
    const again = await broker.connect(options)
    await bob.expectDisconnect(0x8e)
    await watcher.expectMessage('gone')
    await again.expectNothing()
  })
}

behaviour('§3.1.4 a takeover within the session cancels a will with delay', async (_t, broker) => {
  const watcher = await heir(broker)
  const bob = await mortal(broker, 10)
  await back(broker)
  await bob.expectDisconnect(0x8e)
  await broker.advance(seconds(100))
  await watcher.expectNothing()
})

behaviour('§3.1.4 a takeover with clean start publishes a will whatever its delay', async (_t, broker) => {
  const watcher = await heir(broker)
  const bob = await mortal(broker, 10)
  await back(broker, { cleanStart: true })
  await bob.expectDisconnect(0x8e)
  await watcher.expectMessage('gone')
})

behaviour('§3.1.4 a takeover of a session without expiry publishes its will whatever its delay', async (t, broker) => {
  const watcher = await heir(broker)
  const bob = await mortal(broker, 10, { sessionExpiryInterval: 0 })
  const again = await back(broker)
  t.equal(again.connack?.sessionPresent, false)
  await bob.expectDisconnect(0x8e)
  await watcher.expectMessage('gone')
})

behaviour('§3.1.4 of two that take over one another each will is published', async (_t, broker) => {
  const watcher = await heir(broker)
  const texts = ['first', 'second', 'third']
  for (const payload of texts) await back(broker, { will: will(broker, { payload }) })
  await watcher.expectMessage('first')
  await watcher.expectMessage('second')
  await watcher.expectNothing()
})

behaviour('§3.1.3.2.4 the message expiry of a will begins when it is published', async (t, broker) => {
  const late = await broker.connect(lasting(broker, 'late'))
  await late.subscribe(broker.topic('will'), { qos: 1 })
  await late.drop()
  const properties = { willDelayInterval: 60, messageExpiryInterval: 50 }
  await (await back(broker, { will: will(broker, { retain: true, properties }) })).drop()
  await broker.advance(seconds(60))
  const watcher = await heir(broker)
  const { messageExpiryInterval = 0 } = (await watcher.expectMessage('gone')).properties
  t.ok(messageExpiryInterval >= 49 && messageExpiryInterval <= 50)
  await broker.advance(seconds(51))
  await (await broker.connect(lasting(broker, 'late'))).expectNothing()
  // As many as it takes to have one in each thread of the broker.
  for (let count = 0; count < 6; count++) await (await heir(broker)).expectNothing()
})

behaviour('§3.1.3.2 the other properties of a will are those of its message', async (t, broker) => {
  const watcher = await heir(broker)
  const properties = {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 'reply',
    correlationData: Buffer.of(0, 255),
    userProperty: ['b', 'a', 'b'].map((name) => [name, '1'] as const),
  }
  const bob = await back(broker, { will: will(broker, { properties: { ...properties, willDelayInterval: 1 } }) })
  await bob.disconnect({ reasonCode: 0x04, properties: { sessionExpiryInterval: 0 } })
  t.same((await watcher.expectMessage('gone')).properties, properties)
})

behaviour('§4.8.2 a will reaches one member of a shared subscription', async (t, broker) => {
  const members = [await broker.connect(), await broker.connect()]
  for (const member of members) await member.subscribe(`$share/g/${broker.topic('will')}`, { qos: 1 })
  await (await broker.connect({ will: will(broker) })).drop()
  for (const member of members) await member.countWithin(0)
  t.equal(members.flatMap(({ messages }) => messages).length, 1)
})
