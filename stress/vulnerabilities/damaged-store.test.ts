/** A store that is damaged takes neither users nor rules with it: who was kept out stays out. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { subscribePacket } from '../support/client-packets.js'
import { SecuredBroker } from './secured-broker.fixture.js'

const NOT_AUTHORIZED = 0x87

t.test('rules and users hold when the store is put into quarantine', async (t) => {
  const broker = await SecuredBroker.start(t, ['bob'])
  await broker.rule('Publish TO TOPIC "secret/#"', 'DENY')
  await broker.command('-removeRule AllowSubscribeTopic')
  const before = await broker.as('bob')
  t.equal(await before.publish('secret/a', 'x', { qos: 1 }), NOT_AUTHORIZED)
  await broker.stop()

  writeFileSync(join(broker.dataDirectory, 'store', 'data.mdb'), 'no store '.repeat(10_000))
  await broker.run()
  t.equal(readdirSync(join(broker.dataDirectory, 'quarantine')).length, 1)
  t.ok(broker.logged.some(({ message }) => message.startsWith('the store knows no users and rules')))
  const bob = await broker.as('bob')
  t.equal(await bob.publish('secret/a', 'x', { qos: 1 }), NOT_AUTHORIZED)
  t.not(await bob.publish('open/a', 'x', { qos: 1 }), NOT_AUTHORIZED)
  bob.send(subscribePacket(1_000, [['open/#', { qos: 1 }]]))
  const { reasonCodes } = await bob.takePacket('suback', 1_000)
  t.same(reasonCodes, [NOT_AUTHORIZED], 'a seed that was removed stays away')
  await t.rejects(broker.as('bob', { password: 'another password' }))
})
