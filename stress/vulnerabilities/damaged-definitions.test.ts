/** A store that lost what keeps the broker closed: it comes back from its copy, or the broker does not start. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { TABLE } from '../../storage/engine.js'
import { openLmdbEngine } from '../../storage/lmdb-engine.js'
import { lasting, PASSWORD, SecuredBroker } from './secured-broker.fixture.js'

const NOT_AUTHORIZED = 0x87

const broker = await SecuredBroker.start(t, ['bob', 'ann'], {
  listeners: [{ type: 'tcp', port: 0, anonymousUser: 'ann' }],
})
await broker.rule('Publish TO TOPIC "secret/#"', 'DENY')
await broker.command('-removeRule AllowSubscribeTopic')
const copy = join(broker.dataDirectory, 'identities.json')
const store = join(broker.dataDirectory, 'store')

/** Overwrites a definition, as a disk that fails would. */
async function damage(key: string, bytes: string): Promise<void> {
  const engine = openLmdbEngine(store, { bytesMax: 0 })
  engine.commit((transaction) => {
    transaction.put(TABLE.definitions, Buffer.from(key), Buffer.from(bytes))
  })
  await engine.close()
}

async function mustBeClosed(t: Test): Promise<void> {
  const bob = await broker.as('bob', lasting('closed'))
  t.equal(await bob.publish('secret/a', 'x', { qos: 1 }), NOT_AUTHORIZED, 'what a rule denied is denied')
  t.equal(await bob.publish('open', 'x', { qos: 1 }), 0x10)
  await t.rejects(bob.subscribe('open'), /refused/, 'a seed that was removed stays away')
  broker.clients.close()
}

t.test('rules with wrong bytes come back from their copy, and no seed that was removed', async (t) => {
  await mustBeClosed(t)
  await broker.stop()
  await damage('rule/Test1', '1234{"source":""}')
  await damage('settings/rulesSeeded', 'no')
  await broker.run()
  await mustBeClosed(t)
})

t.test(
  'a user that is damaged in the store and in no copy is refused without a password too, until it is added anew',
  async (t) => {
    const enter = async (): Promise<number> => {
      const client = await broker.clients.open()
      client.sendConnect({ clientId: 'whoever is ann here' })
      return (await client.expectConnack()).reasonCode
    }
    t.equal(await enter(), 0)
    await broker.stop()
    await damage('user/ann', '1234{"groups":[]}')
    await rm(copy)
    await broker.run()
    t.equal(await enter(), NOT_AUTHORIZED)
    t.ok(broker.logged.some(({ fields }) => fields?.user === 'ann' && /merlot user add ann/.test(`${fields.remedy}`)))
    await mustBeClosed(t)
    await broker.command(`-addUser ann "${PASSWORD}"`)
    t.equal(await enter(), 0)
    broker.clients.close()
  },
)

t.test('where a rule and the copy are damaged, the broker does not start', async (t) => {
  await broker.stop()
  await damage('rule/Test1', '1234{"source":""}')
  await writeFile(copy, (await readFile(copy, 'utf8')).slice(0, -20))
  await t.rejects(broker.run(), { code: 'RULE_UNREADABLE' })
})
