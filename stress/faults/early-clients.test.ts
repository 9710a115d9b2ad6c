/** Clients come while the broker still reads a large store: they get what they would have got later. */
import t from 'tap'
import { silentLogger } from '../../src/base/log.js'
import { StoreFiller } from '../../storage/store-filler.js'
import { openStore } from '../../storage/store-folder.js'
import { startTestBroker } from '../support/broker.js'

const COUNT = 20_000
const STORED = Buffer.from('stored').toString('base64')

function topicOf(number: number): string {
  return `plant/${String(number).padStart(6, '0')}`
}

async function fill(dataDirectory: string): Promise<void> {
  const aliveMs = Date.now()
  const { engine, close } = openStore(dataDirectory, { bytesMax: 0 }, silentLogger)
  const filler = new StoreFiller(engine, { merlotStore: 1, exported: new Date(aliveMs).toISOString(), aliveMs })
  for (let number = 0; number < COUNT; number++) {
    filler.add({
      type: 'retained',
      topic: topicOf(number),
      stamp: aliveMs * 1_024 + number * 64,
      qos: 1,
      payload: STORED,
    })
  }
  filler.finish()
  await close()
}

t.test('retained messages', { timeout: 60_000 }, async (t) => {
  const dataDirectory = t.testdir()
  await fill(dataDirectory)
  const broker = await startTestBroker(t, { dataDirectory })
  const early = await broker.connect()
  await early.subscribe('plant/#', { qos: 0 })
  const [changed, cleared] = [topicOf(COUNT - 1), topicOf(COUNT - 2)]
  t.ok((await broker.publish(changed, 'live', { qos: 1, retain: true })) < 0x80)
  t.ok((await broker.publish(cleared, '', { qos: 1, retain: true })) < 0x80)
  while (new Set(early.messages.map(({ topic }) => topic)).size < COUNT) await early.ping()
  await broker.settle()
  for (const topic of [changed, cleared]) {
    const texts = early.messages.filter((message) => message.topic === topic).map(({ text }) => text)
    t.equal(texts.at(-1), topic === changed ? 'live' : '', 'the later one comes last')
  }
  const others = early.messages.filter(({ topic }) => topic !== changed && topic !== cleared)
  t.equal(others.length, COUNT - 2, 'each once')
  t.ok(others.every(({ text, retain }) => text === 'stored' && retain))

  const later = await broker.connect()
  await later.subscribe('plant/#', { qos: 0 })
  while (later.messages.length < COUNT - 1) await later.ping()
  await broker.settle()
  t.equal(later.messages.length, COUNT - 1)
  t.equal(later.messages.find(({ topic }) => topic === changed)?.text, 'live')
  t.notOk(later.messages.some(({ topic }) => topic === cleared))
})
