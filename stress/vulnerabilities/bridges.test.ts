/** Bridges of other brokers are clients: what a rule forbids does not pass them, and what they bring does not come back. */
import t from 'tap'
import { type ConnectOptions, type SubscriptionOptions, subscribePacket } from '../support/client-packets.js'
import type { RawClient } from '../support/raw-client.js'
import { SecuredBroker } from './secured-broker.fixture.js'

interface Kind {
  readonly name: string
  readonly connect: ConnectOptions
  /** What it asks for itself. */
  readonly options?: SubscriptionOptions
  /** It has RETAIN as published. */
  readonly keepsRetain: boolean
}

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 1_000 } }
const KINDS: readonly Kind[] = [
  { name: 'v31', connect: { ...LASTING, version: 3, protocolLevel: 0x83 }, keepsRetain: true },
  { name: 'v311', connect: { ...LASTING, version: 4, protocolLevel: 0x84 }, keepsRetain: true },
  { name: 'plain', connect: { ...LASTING, version: 4 }, keepsRetain: false },
  {
    name: 'v5',
    connect: { ...LASTING, version: 5 },
    options: { noLocal: true, retainAsPublished: true },
    keepsRetain: true,
  },
]

const broker = await SecuredBroker.start(t, ['bridge', 'bob'])
t.afterEach(() => broker.clients.close())

function bridgeOf({ name, connect }: Kind, more: ConnectOptions = {}): Promise<RawClient> {
  return broker.as('bridge', { clientId: `bridge-${name}`, ...connect, ...more })
}

/** What has come, `topic=text retain`, and is looked at no more. */
async function taken(client: RawClient): Promise<readonly string[]> {
  await broker.clients.settle()
  client.drain()
  return client.messages.splice(0).map(({ topic, text, retain }) => `${topic}=${text}${retain ? ' retain' : ''}`)
}

t.test('what rules forbid does not pass a bridge, in either direction', async (t) => {
  await broker.rule('Publish TO TOPIC "r/+/secret/#"', 'IF USER IS "bridge" THEN', '    DENY')
  await broker.rule('Subscribe TO TOPIC "r/+/hidden/#"', 'IF USER IS "bridge" THEN', '    DENY')
  for (const kind of KINDS) {
    const topic = (rest: string): string => `r/${kind.name}/${rest}`
    const bob = await broker.as('bob', { clientId: `bob-${kind.name}` })
    await bob.publish(topic('hidden/a'), 'kept', { retain: true })
    await bob.publish(topic('open'), 'kept', { retain: true })
    const bridge = await bridgeOf(kind)
    const options = { qos: 1, ...kind.options }
    await bridge.subscribe([
      [`r/${kind.name}/#`, options],
      [`r/+/+/a`, options],
    ])
    t.same(await taken(bridge), [`${topic('open')}=kept retain`], `${kind.name}: retained, at SUBSCRIBE`)
    await bob.publish(topic('hidden/a'), 'live', { qos: 1, retain: true })
    await bob.publish(topic('open'), 'live', { qos: 1, retain: true })
    t.same(await taken(bridge), [`${topic('open')}=live${kind.keepsRetain ? ' retain' : ''}`], `${kind.name}: live`)

    await bob.subscribe(topic('secret/#'))
    for (const qos of [0, 1, 2]) await bridge.publish(topic('secret/a'), 'x', { qos, retain: true })
    t.same(await taken(bob), [], `${kind.name}: published`)
    await bridge.drop()
    await bob.publish(topic('hidden/a'), 'queued', { qos: 1 })
    await bob.publish(topic('open'), 'queued', { qos: 1 })
    t.same(await taken(await bridgeOf(kind)), [`${topic('open')}=queued`], `${kind.name}: while it was away`)

    const refused = await bridgeOf(kind)
    refused.send(subscribePacket(900, [[topic('hidden/#'), options]], { version: refused.version }))
    await refused.expectNoGrant() // by closing in MQTT 3.1, which has no other way
    const late = await broker.as('bob', { clientId: `late-${kind.name}` })
    await late.subscribe(topic('secret/#'))
    t.same(await taken(late), [], `${kind.name}: nothing was retained`)
  }
})

t.test('the will of a bridge, and the state that it tells, are judged like any message', async (t) => {
  await broker.rule('Publish TO TOPIC "w/+/secret"', 'IF USER IS "bridge" THEN', '    DENY')
  const root = await broker.as('root')
  await root.subscribe('$SYS/broker/connection/#')
  await root.subscribe('w/#')
  for (const kind of KINDS) {
    const state = `$SYS/broker/connection/bridge-${kind.name}/state`
    for (const topic of [state, `w/${kind.name}/secret`, `w/${kind.name}/open`]) {
      const bridge = await bridgeOf(kind, { will: { topic, payload: '0', qos: 1, retain: true } })
      await bridge.publish(topic, '1', { qos: 1, retain: true })
      await bridge.subscribe('w/#', kind.options) // it goes on working
      await bridge.drop()
    }
    t.same(await taken(root), [`w/${kind.name}/open=1`, `w/${kind.name}/open=0`], kind.name)
  }
})

t.test('a rule that comes while a bridge is connected holds at once', async (t) => {
  const bob = await broker.as('bob')
  const bridges = []
  for (const kind of KINDS) bridges.push({ kind, client: await bridgeOf(kind) })
  for (const { kind, client } of bridges) {
    await client.subscribe('n/#', kind.options)
    const away = await bridgeOf(kind, { clientId: `away-${kind.name}` })
    await away.subscribe('n/#', { qos: 1, ...kind.options })
    await away.drop()
  }
  await bob.publish('n/secret', 'before', { qos: 1 })
  await broker.rule('Subscribe TO TOPIC "n/secret"', 'IF USER IS "bridge" THEN', '    DENY')
  await broker.rule('Publish TO TOPIC "n/secret"', 'IF USER IS "bridge" THEN', '    DENY')
  await bob.publish('n/secret', 'after', { retain: true })
  await bob.subscribe('n/#')
  await taken(bob)
  for (const { kind, client } of bridges) {
    t.same(await taken(client), ['n/secret=before'], kind.name)
    await client.publish('n/secret', 'of the bridge', { qos: 1 })
    await client.subscribe('n/#', kind.options)
    t.same(await taken(client), [], `${kind.name}: nor as retained message`)
    const back = await bridgeOf(kind, { clientId: `away-${kind.name}` })
    t.same(await taken(back), [], `${kind.name}: nor what waits for one that was away`)
  }
  t.same(await taken(bob), [])
})

/** Carries messages between two brokers as a bridge does. @returns how many, at most about `most` */
async function carry(ends: readonly [RawClient, RawClient], settle: () => Promise<void>, most: number) {
  let carried = 0
  for (let isIdle = false; !isIdle && carried < most; ) {
    isIdle = true
    await settle()
    for (const [from, to] of [ends, [...ends].reverse()]) {
      from?.drain()
      for (const { topic, payload, qos, retain } of from?.messages.splice(0) ?? []) {
        await to?.publish(topic, payload, { qos, retain })
        carried++
        isIdle = false
      }
    }
  }
  return carried
}

t.test('between two brokers that a third one bridges both ways nothing goes round', async (t) => {
  const other = await SecuredBroker.start(t, ['bridge', 'bob'])
  const settle = async (): Promise<void> => {
    await broker.clients.settle()
    await other.clients.settle()
  }
  for (const kind of KINDS) {
    const filter = `l/${kind.name}/#`
    const connect = { clientId: `loop-${kind.name}`, ...kind.connect }
    const ends = [await broker.as('bridge', connect), await other.as('bridge', connect)] as const
    for (const end of ends) await end.subscribe(filter, { qos: 1, ...kind.options })
    const [here, there] = [await broker.as('bob'), await other.as('bob')]
    await there.subscribe(filter)
    await here.publish(`l/${kind.name}/a`, 'x', { qos: 1, retain: true })
    await there.publish(`l/${kind.name}/b`, 'y', { qos: 1 })
    const carried = await carry(ends, settle, 20)
    if (kind.name === 'plain') {
      t.ok(carried >= 20, 'a bridge that does not say that it is one may go round for ever')
      continue
    }
    t.equal(carried, 2, kind.name)
    const late = await other.as('bob', { clientId: 'late' })
    await late.subscribe(filter)
    await settle()
    t.match(
      late.messages,
      [{ topic: `l/${kind.name}/a`, retain: true }],
      'and what was retained is so on the other side',
    )
  }
  other.clients.close()
})
