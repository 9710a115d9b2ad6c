/** Ways around a rule: whatever path a message takes, what a rule forbids does not arrive. */
import t from 'tap'
import { publishPacket, subscribePacket } from '../support/client-packets.js'
import type { RawClient } from '../support/raw-client.js'
import { lasting, SecuredBroker } from './secured-broker.fixture.js'

const NOT_AUTHORIZED = 0x87
/** Milliseconds until expired retained messages are swept, and more. */
const SWEEP_MS = 10_000

const broker = await SecuredBroker.start(t, ['ann', 'bob'])
t.afterEach(() => broker.clients.close())

/** The texts of what has come. */
async function texts(client: RawClient): Promise<readonly string[]> {
  await broker.clients.settle()
  return client.messages.map(({ text }) => text)
}

async function refusedCodes(client: RawClient, filter: string): Promise<readonly number[]> {
  const packetId = client.nextPacketId()
  client.send(subscribePacket(packetId, [[filter, { qos: 1 }]]))
  return (await client.takePacket('suback', packetId)).reasonCodes
}

t.test('a forbidden topic is not published: any QoS, retained, emptied, by topic alias', async (t) => {
  await broker.rule('Publish TO TOPIC "p1/secret/#"', 'IF USER IS "ann" THEN', '    DENY')
  const [ann, bob] = [await broker.as('ann'), await broker.as('bob')]
  await bob.publish('p1/secret/kept', 'of bob', { retain: true })
  await bob.subscribe('p1/#', { qos: 2 })
  t.equal(await ann.publish('p1/secret/a', 'q0'), 0)
  t.equal(await ann.publish('p1/secret/a', 'q1', { qos: 1 }), NOT_AUTHORIZED)
  t.equal(await ann.publish('p1/secret/a', 'q2', { qos: 2 }), NOT_AUTHORIZED)
  t.equal(await ann.publish('p1/secret', 'parent', { qos: 1 }), NOT_AUTHORIZED)
  t.equal(await ann.publish('p1/secret/kept', 'of ann', { qos: 1, retain: true }), NOT_AUTHORIZED)
  t.equal(await ann.publish('p1/secret/kept', '', { qos: 1, retain: true }), NOT_AUTHORIZED)
  const alias = { topicAlias: 1 }
  t.equal(await ann.publish('p1/open', 'open', { qos: 1, properties: alias }), 0)
  t.equal(await ann.publish('p1/secret/a', 'bound', { qos: 1, properties: alias }), NOT_AUTHORIZED)
  t.equal(await ann.publish('', 'by alias', { qos: 1, properties: alias }), NOT_AUTHORIZED)
  t.same(await texts(bob), ['of bob', 'open'])
})

t.test('a will is judged by the rules of the moment, however its session comes to its end', async (t) => {
  const watcher = await broker.as('bob')
  await watcher.subscribe('w1/#')
  const will = (name: string, willDelayInterval: number) => ({
    ...lasting(`will-${name}`),
    will: { topic: `w1/secret/${name}`, payload: name, qos: 1, retain: true, properties: { willDelayInterval } },
  })
  const now = await broker.as('ann', will('now', 0))
  const late = await broker.as('ann', will('late', 60))
  const taken = await broker.as('ann', will('taken', 0))
  const ended = await broker.as('ann', will('ended', 600))
  const open = await broker.as('ann', { will: { topic: 'w1/open', payload: 'open' } })
  await late.drop()
  await broker.rule('Publish TO TOPIC "w1/secret/#"', 'DENY')
  await now.drop()
  await broker.as('ann', lasting('will-taken'))
  await taken.expectDisconnect(0x8e)
  await ended.drop()
  await broker.as('ann', { clientId: 'will-ended' }) // a clean start ends the session
  await open.drop()
  await broker.clients.advance(120_000)
  t.same(await texts(watcher), ['open'])
  const later = await broker.as('bob', { clientId: 'later' })
  await later.subscribe('w1/#')
  t.same(await texts(later), [], 'nothing is retained')
})

t.test('a forbidden topic is not received: retained, by wildcards, by overlapping subscriptions', async (t) => {
  await broker.rule('Subscribe TO TOPIC "s1/secret/#"', 'IF USER IS "ann" THEN', '    DENY')
  const [ann, bob] = [await broker.as('ann'), await broker.as('bob')]
  await bob.publish('s1/secret/a', 'secret retained', { retain: true })
  await bob.publish('s1/open', 'open retained', { retain: true })
  for (const filter of ['s1/secret/a', 's1/secret/#', 's1/secret/+', 's1/secret', '$share/g/s1/secret/a']) {
    t.same(await refusedCodes(ann, filter), [NOT_AUTHORIZED], filter)
  }
  await ann.subscribe([
    ['s1/#', { qos: 1 }],
    ['#', { qos: 2 }],
    ['s1/+/a', { qos: 0 }],
    ['+/secret/#', { qos: 1, retainAsPublished: true }],
  ])
  await ann.subscribe('s1/#', { qos: 1 }, { properties: { subscriptionIdentifier: 7 } })
  const properties = { topicAlias: 3 }
  await bob.publish('s1/secret/a', 'secret', { qos: 1, retain: true, properties })
  await bob.publish('', 'secret by alias', { qos: 2, properties })
  await bob.publish('s1/open', 'open', { qos: 1 })
  const got = await texts(ann)
  t.notOk(
    got.some((text) => text.startsWith('secret')),
    got.join(),
  )
  t.ok(got.includes('open') && got.includes('open retained'))
})

t.test('a shared subscription gives a forbidden message to members that may have it, and to no other', async (t) => {
  await broker.rule('Subscribe TO TOPIC "g1/secret/#"', 'IF USER IS "ann" THEN', '    DENY')
  const clients = []
  // several of each, so that they are in both shards
  for (const number of [1, 2, 3, 4]) {
    clients.push({ user: 'ann', client: await broker.as('ann', { clientId: `g1-ann-${number}` }) })
    clients.push({ user: 'bob', client: await broker.as('bob', { clientId: `g1-bob-${number}` }) })
  }
  for (const { client } of clients) await client.subscribe('$share/group/g1/#', { qos: 1 })
  const publisher = await broker.as('bob', { clientId: 'g1-publisher' })
  for (let number = 0; number < 16; number++) await publisher.publish('g1/secret/a', 'secret', { qos: 1 })
  for (let number = 0; number < 16; number++) await publisher.publish('g1/open', 'open', { qos: 1 })
  await broker.clients.settle()
  for (const { user, client } of clients) {
    const secrets = client.messages.filter(({ text }) => text === 'secret').length
    if (user === 'ann') t.equal(secrets, 0)
  }
  const all = clients.flatMap(({ client }) => client.messages)
  t.ok(
    all.some(({ text }) => text === 'secret'),
    'others get them',
  )
  t.equal(all.filter(({ text }) => text === 'open').length, 16, 'what nobody is denied arrives once')
})

t.test(
  'a message of a shared subscription does not come to a member without the right when another leaves',
  async (t) => {
    await broker.rule('Subscribe TO TOPIC "g2/secret/#"', 'IF USER IS "ann" THEN', '    DENY')
    const bob = await broker.as('bob', { clientId: 'g2-bob', acknowledge: 'by hand' })
    await bob.subscribe('$share/group/g2/#', { qos: 1 })
    const publisher = await broker.as('bob', { clientId: 'g2-publisher' })
    for (const text of ['secret 1', 'secret 2']) await publisher.publish('g2/secret/a', text, { qos: 1 })
    t.equal((await texts(bob)).length, 2)
    const members = []
    for (const number of [1, 2, 3]) members.push(await broker.as('ann', { clientId: `g2-ann-${number}` }))
    for (const ann of members) await ann.subscribe('$share/group/g2/#', { qos: 1 })
    await bob.drop() // unacknowledged: both go to somebody else
    for (const ann of members) t.same(await texts(ann), [])
  },
)

t.test('what waits for a session, or was sent and not acknowledged, does not outlive the right to it', async (t) => {
  const ann = await broker.as('ann', { ...lasting('q1-ann'), acknowledge: 'by hand' })
  await ann.subscribe('q1/#', { qos: 2 })
  const publisher = await broker.as('bob')
  await publisher.publish('q1/secret', 'sent', { qos: 1 })
  t.same(await texts(ann), ['sent'])
  await ann.drop()
  await publisher.publish('q1/secret', 'waits', { qos: 2 })
  await publisher.publish('q1/open', 'open', { qos: 1 })
  await broker.rule('Subscribe TO TOPIC "q1/secret"', 'IF USER IS "ann" THEN', '    DENY')
  const again = await broker.as('ann', lasting('q1-ann'))
  t.equal(again.connack?.sessionPresent, true)
  t.same(await texts(again), ['open'])
})

t.test('a grant that expires counts no more, for publishing, for an open subscription and for a will', async (t) => {
  for (const scope of ['Publish', 'Subscribe']) {
    await broker.rule(`${scope} TO TOPIC "e1/line"`, 'IF TOPIC EXISTS "e1/grant" THEN', '    ALLOW', 'ELSE', '    DENY')
  }
  const [ann, bob] = [await broker.as('ann'), await broker.as('bob')]
  t.same(await refusedCodes(ann, 'e1/line'), [NOT_AUTHORIZED])
  const properties = { messageExpiryInterval: 60 }
  await bob.publish('e1/grant', 'yes', { retain: true, qos: 1, properties })
  t.same(await refusedCodes(ann, 'e1/line'), [1])
  await ann.subscribe('e1/#', { qos: 1 })
  const dying = await broker.as('bob', { clientId: 'e1-will', will: { topic: 'e1/line', payload: 'will' } })
  t.equal(await bob.publish('e1/line', 'granted', { qos: 1 }), 0)
  await broker.clients.advance(60_000 + SWEEP_MS)
  await dying.drop()
  t.equal(await bob.publish('e1/line', 'expired', { qos: 1 }), NOT_AUTHORIZED)
  await broker.command('-removeAllRules')
  await broker.rule('Subscribe TO TOPIC "e1/line"', 'IF TOPIC EXISTS "e1/grant" THEN', '    ALLOW', 'ELSE', '    DENY')
  t.equal(await bob.publish('e1/line', 'nobody may read it', { qos: 1 }), 0x10)
  t.notMatch(await texts(ann), ['expired', 'will', 'nobody may read it'])
  t.ok((await texts(ann)).includes('granted'))
})

t.test('no way into $SYS: published, retained, by will, alias or shared subscription', async (t) => {
  const root = await broker.as('root')
  await root.subscribe('$SYS/Coreflux/Command/#')
  const alias = { topicAlias: 2 }
  const commands = '$SYS/Coreflux/Command'
  const will = { topic: commands, payload: '-addUser eve "password of eve"', retain: true }
  const ann = await broker.as('ann', { will })
  for (const topic of [commands, '$SYS/Coreflux/Config/New', '$SYS/broker/uptime', '$SYS', '$other/topic']) {
    t.equal(await ann.publish(topic, '-listUsers', { qos: 1 }), NOT_AUTHORIZED, topic)
    t.equal(await ann.publish(topic, '-listUsers', { qos: 2, retain: true }), NOT_AUTHORIZED, topic)
  }
  t.equal(await ann.publish(commands, '-listUsers', { qos: 1, properties: alias }), NOT_AUTHORIZED)
  t.equal(await ann.publish('', '-listUsers', { qos: 1, properties: alias }), NOT_AUTHORIZED)
  const filters = ['$SYS/#', '$SYS', '$SYS/+/#', '$SYS/Coreflux/Command/Output', '$share/g/$SYS/#', '$other/#']
  for (const filter of filters) t.same(await refusedCodes(ann, filter), [NOT_AUTHORIZED], filter)
  await ann.subscribe([
    ['#', { qos: 1 }],
    ['+/Coreflux/#', { qos: 1 }],
    ['$share/g/#', { qos: 1 }],
  ])
  await broker.command('-listUsers')
  await ann.publish('sys-test/end', 'end', { qos: 1 })
  t.notOk(ann.messages.some(({ topic }) => topic.startsWith('$')))
  ann.send(publishPacket(commands, '-addUser eve "password of eve"', { version: 5 }))
  await ann.drop()
  t.match(
    (await texts(root)).map((text) => JSON.parse(text) as object),
    [{ command: 'ListUsers', success: true }],
    'the answer to the owner, and no other',
  )
  const users = (await broker.running.command('-listUsers'))?.data as readonly { readonly name: string }[]
  t.notOk(users.some(({ name }) => name === 'eve'))
})
