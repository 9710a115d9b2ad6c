/** Retained messages that would grow without end. */
import type { TestBroker } from '../support/broker.js'
import { behaviour } from '../support/statement.js'

const FEW = { config: { retained: { messagesMax: 10 } } }
const SMALL = { config: { retained: { bytesMax: 10_000 } } }

async function retainedTopics(broker: TestBroker): Promise<readonly string[]> {
  const client = await broker.connect()
  await client.subscribe(broker.topic('#'))
  await broker.settle()
  return client.messages.filter(({ retain }) => retain).map(({ topic }) => topic)
}

for (const qos of [1, 2]) {
  behaviour(`refuses one retained message too many at QoS ${qos}`, FEW, async (t, broker) => {
    const retain = (name: string, payload = 'x') => broker.publish(broker.topic(name), payload, { qos, retain: true })
    for (let number = 1; number <= 10; number++) t.equal((await retain(`${number}`)) < 0x80, true)
    t.equal(await retain('11'), 0x97)
    t.equal((await retainedTopics(broker)).length, 10)
    t.equal((await retain('3', 'replaced')) < 0x80, true, 'one that is there may be replaced')
    t.equal((await retain('3', '')) < 0x80, true, 'and cleared')
    t.equal((await retain('11')) < 0x80, true, 'which makes room')
    t.equal(await retain('12'), 0x97)
    const again = await retainedTopics(broker)
    t.equal(again.length, 10)
    t.notOk(again.includes(broker.topic('3')))
  })
}

behaviour('keeps none too many at QoS 0, from wills, and from old clients', FEW, async (t, broker) => {
  for (let number = 1; number <= 10; number++) await broker.publish(broker.topic(`${number}`), 'x', { retain: true })
  const publisher = await broker.connect()
  publisher.sendPublish(broker.topic('too many'), 'x', { retain: true })
  await publisher.ping().catch(() => {}) // told by DISCONNECT or not at all
  const will = { topic: broker.topic('will'), payload: 'x', retain: true }
  const willed = await broker.connect({ will })
  await willed.drop()
  const old = await broker.connect({ version: 4 })
  old.sendPublish(broker.topic('old'), 'x', { qos: 1, retain: true })
  await old.ping().catch(() => {})
  const topics = await retainedTopics(broker)
  t.equal(topics.length, 10)
  for (const name of ['too many', 'will', 'old']) t.notOk(topics.includes(broker.topic(name)))
})

behaviour('refuses retained messages beyond its bytes', SMALL, async (t, broker) => {
  const retain = (name: string, bytes: number) =>
    broker.publish(broker.topic(name), Buffer.alloc(bytes, 0x2e), { qos: 1, retain: true })
  t.ok((await retain('a', 4_000)) < 0x80)
  t.ok((await retain('b', 4_000)) < 0x80)
  t.equal(await retain('c', 4_000), 0x97)
  t.equal(await retain('a', 8_000), 0x97, 'replacing by a larger one counts what it adds')
  t.ok((await retain('a', 100)) < 0x80)
  t.ok((await retain('c', 4_000)) < 0x80)
  t.same(
    [...(await retainedTopics(broker))].sort(),
    ['a', 'b', 'c'].map((name) => broker.topic(name)),
  )
})

behaviour('counts nothing twice when messages are replaced and cleared over and over', FEW, async (t, broker) => {
  for (let round = 0; round < 50; round++) {
    for (let number = 1; number <= 10; number++) {
      const code = await broker.publish(broker.topic(`${number}`), `${round}`, { qos: 1, retain: true })
      t.ok(code < 0x80)
    }
    for (let number = 1; number <= 10; number++) {
      await broker.publish(broker.topic(`${number}`), '', { qos: 1, retain: true })
    }
  }
  t.same(await retainedTopics(broker), [])
})
