/** Rights that are taken from somebody who is connected, subscribed or known: they end with the answer to the command. */
import t from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { lasting, PASSWORD, SecuredBroker } from './secured-broker.fixture.js'

const NOT_AUTHORIZED = 0x87

const broker = await SecuredBroker.start(t, ['ann', 'bob'])
t.afterEach(() => broker.clients.close())

/** Publishes as bob. @returns whether the client got it */
async function reaches(client: RawClient, topic: string): Promise<boolean> {
  const before = client.messages.length
  const bob = await broker.as('bob')
  await bob.publish(topic, 'a message', { qos: 1 })
  await broker.clients.settle()
  return client.messages.length > before
}

t.test('an open subscription: a rule comes, a group is left, a property or a grant is taken', async (t) => {
  const inGroup = ['IF USER IN GROUP "readers" THEN', '    ALLOW', 'ELSE', '    DENY']
  const hasFlag = ['IF USER HAS MayRead THEN', '    ALLOW', 'ELSE', '    DENY']
  const granted = ['IF TOPIC EXISTS "grants/" + USER THEN', '    ALLOW', 'ELSE', '    DENY']
  await broker.rule('Subscribe TO TOPIC "r1/group"', ...inGroup)
  await broker.rule('Subscribe TO TOPIC "r1/flag"', ...hasFlag)
  await broker.rule('Subscribe TO TOPIC "r1/grant"', ...granted)
  const ann = await broker.as('ann', { clientId: 'r1-ann' })
  await ann.subscribe('r1/#', { qos: 1 })
  const owner = await broker.as('root')
  const cases = [
    ['r1/group', '-addUserToGroup ann readers', '-removeUserFromGroup ann readers'],
    ['r1/flag', '-changeUserSettings ann MayRead true', '-changeUserSettings ann MayRead false'],
  ] as const
  for (const [topic, grant, revoke] of cases) {
    t.equal(await reaches(ann, topic), false, topic)
    await broker.command(grant)
    t.equal(await reaches(ann, topic), true, grant)
    await broker.command(revoke)
    t.equal(await reaches(ann, topic), false, revoke)
  }
  t.equal(await reaches(ann, 'r1/grant'), false)
  await owner.publish('grants/ann', 'yes', { qos: 1, retain: true })
  t.equal(await reaches(ann, 'r1/grant'), true)
  await owner.publish('grants/ann', '', { qos: 1, retain: true })
  t.equal(await reaches(ann, 'r1/grant'), false)

  t.equal(await reaches(ann, 'r1/open'), true)
  await broker.rule('Subscribe TO TOPIC "r1/#"', 'DENY')
  t.equal(await reaches(ann, 'r1/open'), false)
})

t.test('publishing on an open connection', async (t) => {
  const ann = await broker.as('ann', { clientId: 'r2-ann' })
  t.equal(await ann.publish('r2/a', 'x', { qos: 1 }), 0x10)
  const name = await broker.rule('Publish TO TOPIC "r2/#"', 'IF USER IS "ann" THEN', '    DENY')
  t.equal(await ann.publish('r2/a', 'x', { qos: 1 }), NOT_AUTHORIZED)
  await broker.command(`-removeRule ${name}`)
  t.equal(await ann.publish('r2/a', 'x', { qos: 1 }), 0x10)
})

t.test('the last rule that allows is removed: nobody but root may do anything', async (t) => {
  const ann = await broker.as('ann', { clientId: 'r3-ann' })
  await ann.subscribe('r3/#')
  for (const name of ['AllowPublishTopic', 'AllowSubscribeTopic', 'AllowConnect']) {
    await broker.command(`-removeRule ${name}`)
  }
  t.equal(await ann.publish('r3/a', 'x', { qos: 1 }), NOT_AUTHORIZED)
  const root = await broker.as('root')
  await root.publish('r3/a', 'x', { qos: 1 })
  await ann.expectNothing()
  await broker.clients.expectRefusal({ clientId: 'r3-late', userName: 'bob', password: PASSWORD }, NOT_AUTHORIZED)
  await broker.clients.expectRefusal({ clientId: 'r3-nobody' }, NOT_AUTHORIZED)
  await broker.command('-restoreRules')
  await broker.as('bob', { clientId: 'r3-back' })
})

t.test(
  'a removed user: the connection, the session, what waits and the will end, and its name starts anew',
  async (t) => {
    await broker.command(`-addUser eve "${PASSWORD}"`)
    const watcher = await broker.as('bob', { clientId: 'r4-watcher' })
    await watcher.subscribe('r4/will')
    const gone = await broker.as('eve', lasting('r4-gone'))
    await gone.subscribe('r4/#', { qos: 1 })
    await gone.drop()
    const open = await broker.as('eve', { ...lasting('r4-open'), will: { topic: 'r4/will', payload: 'of eve' } })
    await open.subscribe('r4/#', { qos: 1 })
    t.equal(await watcher.publish('r4/a', 'for eve alone', { qos: 1 }), 0)
    await open.expectMessage('for eve alone')
    await broker.command('-removeUser eve')
    await open.expectDisconnect(NOT_AUTHORIZED)
    await broker.clients.expectRefusal({ clientId: 'r4-open', userName: 'eve', password: PASSWORD }, 0x86)
    await broker.command(`-addUser eve "${PASSWORD}"`)
    for (const clientId of ['r4-gone', 'r4-open']) {
      const next = await broker.as('eve', lasting(clientId))
      t.equal(next.connack?.sessionPresent, false, clientId)
      await next.expectNothing()
    }
    await watcher.expectNothing()
  },
)

t.test('a changed password', async (t) => {
  await broker.command(`-addUser carl "${PASSWORD}"`)
  await broker.as('carl', { clientId: 'r5-1' }) // remembered from now on
  await broker.command('-changeUserPassword carl "another password"')
  await broker.clients.expectRefusal({ clientId: 'r5-2', userName: 'carl', password: PASSWORD }, 0x86)
  const back = await broker.as('carl', { clientId: 'r5-2', password: 'another password' })
  t.equal(back.connack?.reasonCode, 0)
})
