/** Topics of thousands of levels must cost neither recursion depth nor quadratic time. */
import { behaviour } from '../support/statement.js'

const LEVELS = 10_000
const DEEP_ALLOWED = { config: { topic: { levelsMax: 65_535 } } }
/** As many as 65,535 bytes have room for, nearly. */
const LEVELS_MOST = 30_000
/** Milliseconds for 50 deliveries; a quadratic matcher would need minutes. */
const TIME_MS = 15_000

function levels(level: string, count = LEVELS): string {
  return Array(count).fill(level).join('/')
}

behaviour('delivers to filters of 10,000 levels', DEEP_ALLOWED, async (t, broker) => {
  const topic = levels('a')
  const filters = [topic, levels('+'), `${levels('+', LEVELS - 1)}/#`, `${topic}/#`, `+/${levels('a', LEVELS - 1)}`]
  for (const filter of filters) {
    const client = await broker.connect()
    await client.subscribe(filter)
    await broker.publish(topic, 'deep')
    t.equal((await client.expectMessage('deep')).topic, topic)
    await broker.publish(levels('a', LEVELS - 2), 'not so deep')
    await broker.publish(levels('b'), 'elsewhere', { qos: 1 })
    await broker.settle()
    await client.unsubscribe(filter)
    client.destroy()
  }
})

behaviour('matches deep topics in time that grows with their length only', DEEP_ALLOWED, async (t, broker) => {
  const client = await broker.connect()
  await client.subscribe([
    [levels('+', LEVELS_MOST)],
    [`${levels('a', LEVELS_MOST - 1)}/+`],
    [`${levels('a', 5_000)}/#`],
  ])
  const start = performance.now()
  for (let number = 1; number <= 50; number++) await broker.publish(`${levels('a', LEVELS_MOST - 1)}/${number}`, 'x')
  await broker.settle()
  t.ok(client.messages.length >= 50)
  t.ok(performance.now() - start < TIME_MS, `${performance.now() - start} ms`)
})

behaviour('keeps, finds and clears retained messages of deep topics', DEEP_ALLOWED, async (t, broker) => {
  const topic = levels('r')
  await broker.publish(topic, 'kept', { retain: true, qos: 1 })
  for (const filter of [topic, levels('+'), 'r/#', `${levels('r', LEVELS - 1)}/+`]) {
    const client = await broker.connect()
    await client.subscribe(filter)
    t.equal((await client.expectMessage('kept')).topic, topic)
  }
  await broker.publish(topic, '', { retain: true, qos: 1 })
  const late = await broker.connect()
  await late.subscribe('r/#')
  await late.expectNothing()
})

behaviour('matches a topic against filters that branch at every level', async (t, broker) => {
  const depth = 30
  const prefix = broker.topic('')
  const client = await broker.connect()
  const filters = Array.from({ length: 600 }, (_, number) =>
    Array.from({ length: depth }, (_, level) => (((number * 2_654_435_761) >>> level) & 1 ? '+' : 'a')).join('/'),
  )
  const different = [...new Set(filters)]
  await client.subscribe(different.map((filter) => [prefix + filter] as const))
  const start = performance.now()
  for (let number = 0; number < 20; number++) await broker.publish(prefix + levels('a', depth), `${number}`)
  await broker.settle()
  t.ok(performance.now() - start < TIME_MS)
  t.ok(client.messages.length >= 20)
})

behaviour('refuses topics beyond the limit and goes on', async (_t, broker) => {
  const bystander = await broker.connect()
  for (const qos of [0, 1]) {
    const publisher = await broker.connect()
    publisher.sendPublish(levels('a'), 'x', { qos })
    await publisher.expectDisconnect(0x90, 0x97, 0x82)
  }
  const subscriber = await broker.connect()
  await subscriber.subscribe(levels('a')).then(
    () => {
      throw new Error('a filter of 10,000 levels was granted')
    },
    () => {}, // refused by SUBACK or by the end of the connection
  )
  const willed = await broker.open()
  willed.sendConnect({ clientId: broker.clientIdOf('will'), will: { topic: levels('w'), payload: 'x' } })
  await willed.expectRefused()
  await bystander.expectNothing()
})
