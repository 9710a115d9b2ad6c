/** Sessions of other users: nobody gets their messages, ends them, or sets off their wills. */
import t from 'tap'
import type { ConnectOptions } from '../support/client-packets.js'
import { lasting, PASSWORD, SecuredBroker } from './secured-broker.fixture.js'

const NOT_AUTHORIZED = 0x87

const broker = await SecuredBroker.start(t, ['ann', 'bob', 'Ann'])
t.afterEach(() => broker.clients.close())

/** Whoever is not ann, with ann's client identifier. */
function strangers(clientId: string): readonly ConnectOptions[] {
  return [
    ...['bob', 'Ann', 'root'].flatMap((userName) => [
      { clientId, userName, password: PASSWORD },
      { ...lasting(clientId), userName, password: PASSWORD },
    ]),
    { clientId },
    lasting(clientId),
  ]
}

t.test('another user neither takes over nor ends a session, while it is connected and when it is not', async (t) => {
  const watcher = await broker.as('bob', { clientId: 't1-watcher' })
  await watcher.subscribe('t1/will')
  const mine = { ...lasting('t1'), will: { topic: 't1/will', payload: 'gone', properties: { willDelayInterval: 900 } } }
  const ann = await broker.as('ann', mine)
  await ann.subscribe('t1/inbox', { qos: 1 })
  for (const stranger of strangers('t1')) await broker.clients.expectRefusal(stranger, NOT_AUTHORIZED)
  await broker.clients.expectRefusal({ clientId: 't1', userName: 'ann', password: 'a guess' }, 0x86)
  await ann.ping()
  t.notOk(ann.closed)
  await ann.drop()
  await watcher.publish('t1/inbox', 'for ann', { qos: 1 })
  for (const stranger of strangers('t1')) await broker.clients.expectRefusal(stranger, NOT_AUTHORIZED)
  const back = await broker.as('ann', lasting('t1'))
  t.equal(back.connack?.sessionPresent, true)
  await back.expectMessage('for ann')
  await watcher.expectNothing()
})

t.test('before MQTT 5 the same', async (t) => {
  const ann = await broker.as('ann', { clientId: 't2', cleanStart: false, version: 4 })
  await ann.subscribe('t2/inbox', { qos: 1 })
  await ann.drop()
  for (const userName of ['bob', undefined]) {
    const stranger = await broker.clients.open({ version: 4 })
    stranger.sendConnect({ clientId: 't2', cleanStart: true, userName, password: userName && PASSWORD })
    t.ok(await stranger.expectRefused(5), 'and is told')
  }
  const back = await broker.as('ann', { clientId: 't2', cleanStart: false, version: 4 })
  t.equal(back.connack?.sessionPresent, true)
})

t.test('a session of nobody gives its identifier to a user, and its messages to nobody', async (t) => {
  const nobody = await broker.clients.connect(lasting('t3'))
  await nobody.subscribe('t3/inbox', { qos: 1 })
  await nobody.drop()
  const bob = await broker.as('bob', { clientId: 't3-bob' })
  await bob.publish('t3/inbox', 'for nobody', { qos: 1 })
  const ann = await broker.as('ann', lasting('t3'))
  t.equal(ann.connack?.sessionPresent, false)
  await ann.expectNothing()
  await bob.publish('t3/inbox', 'for nobody', { qos: 1 })
  await ann.expectNothing()
})

t.test('after a restart sessions still belong to their users, and rules still hold', async (t) => {
  await broker.rule('Subscribe TO TOPIC "t4/secret"', 'IF USER IS "ann" THEN', '    DENY')
  const ann = await broker.as('ann', lasting('t4'))
  await ann.subscribe('t4/#', { qos: 1 })
  await ann.drop()
  const bob = await broker.as('bob', { clientId: 't4-bob' })
  await bob.publish('t4/open', 'for ann', { qos: 1 })
  await bob.publish('t4/secret', 'not for ann', { qos: 1, retain: true })
  await broker.stop()
  await broker.run()
  for (const stranger of strangers('t4')) await broker.clients.expectRefusal(stranger, NOT_AUTHORIZED)
  const back = await broker.as('ann', lasting('t4'))
  t.equal(back.connack?.sessionPresent, true)
  await back.expectMessage('for ann')
  await back.subscribe('t4/+', { qos: 1 })
  const other = await broker.as('bob', { clientId: 't4-other' })
  await other.publish('t4/secret', 'not for ann', { qos: 1 })
  await other.subscribe('t4/secret')
  await other.expectMessage('not for ann')
  await broker.clients.settle()
  t.notOk(back.messages.some(({ text }) => text === 'not for ann'))
})
