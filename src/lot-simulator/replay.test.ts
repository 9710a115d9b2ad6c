import t from 'tap'
import { splitEntities } from '../lot/syntax/split.js'
import { type RecordedMessage, readRecording, recordingLine } from './recording.js'
import { Replay, type ReplayedVersion } from './replay.js'
import type { Definition } from './simulator.js'

function deploys(lot: string): ReplayedVersion {
  const definitions = splitEntities(lot).map(({ kind, name, text }) => ({ kind, name, source: text }) as Definition)
  return {
    deploy: (simulator) => simulator.deploy(definitions),
    answer: () => {
      throw new Error('there is no Python here')
    },
  }
}

function message(atMs: number, topic: string, payload: string, retain = false): RecordedMessage {
  return { atMs, topic, payload: new TextEncoder().encode(payload), qos: 0, retain }
}

t.test('a recording keeps what it was given', async (t) => {
  const messages: RecordedMessage[] = [
    message(1, 'a', 'ä\n"', true),
    { atMs: 2.5, topic: 'b', payload: Buffer.from([0xff, 0, 1]), qos: 2, retain: false },
  ]
  async function* lines(): AsyncGenerator<string> {
    for (const one of messages) yield recordingLine(one)
    yield ' '
  }
  const read: RecordedMessage[] = []
  for await (const one of readRecording(lines())) read.push(one)
  t.same(
    read.map((one) => ({ ...one, payload: Buffer.from(one.payload) })),
    messages.map((one) => ({ ...one, payload: Buffer.from(one.payload) })),
  )
})

t.test('lines that are none of a recording', async (t) => {
  for (const line of ['{', '5', 'null', '{"topic":"a","payload":""}', '{"atMs":1,"topic":"a"}', '{"atMs":"1"}']) {
    async function* lines(): AsyncGenerator<string> {
      yield recordingLine(message(1, 'a', ''))
      yield line
    }
    const read = async (): Promise<void> => {
      for await (const one of readRecording(lines())) t.equal(one.topic, 'a')
    }
    await t.rejects(read(), /line 2 is no recorded message/, line)
  }
})

const TICK = 'DEFINE ACTION Tick\nON EVERY 10 SECONDS DO\n    PUBLISH TOPIC "tick" WITH GET TOPIC "a"\n'

t.test('timers before a message are a step of their own', async (t) => {
  const replay = new Replay({
    compat: 'v2',
    next: deploys(TICK.replace('10', '20')),
    against: deploys(TICK),
    isInput: () => true,
  })
  t.same(replay.take(message(0, 'a', '1')), [])
  t.match(replay.take(message(25_000, 'a', '2')), [{ atMs: 25_000, message: undefined, differences: ['- tick "1"'] }])
  t.same(replay.take(message(25_001, 'tick', '1')), [], 'what the older version publishes itself is left out')
  replay.take(message(25_002, 'tick', '1'))
  replay.take(message(25_003, 'tick', '1'))
  t.match({ replayed: replay.replayed, leftOut: replay.leftOut }, { replayed: 3, leftOut: 2 }, 'as often as it came')
})

t.test('what was retained before is a last value and triggers nothing', async (t) => {
  const lot = 'DEFINE ACTION Copy\nON TOPIC "b" DO\n    PUBLISH TOPIC "c" WITH GET TOPIC "b"\n'
  const replay = new Replay({ compat: 'v2', next: deploys(lot), against: undefined, isInput: () => true })
  t.same(replay.take(message(0, 'b', '1', true)), [])
  t.match(replay.take(message(1, 'b', '2')), [{ differences: ['+ c "2"'] }])
})

t.test('failures that only one version has', async (t) => {
  const lot = 'DEFINE ACTION Divide\nON TOPIC "d" DO\n    PUBLISH TOPIC "q" WITH 1 / PAYLOAD AS INT\n'
  const replay = new Replay({
    compat: 'v2',
    next: deploys(lot),
    against: deploys(lot.replace('1 / PAYLOAD AS INT', 'PAYLOAD')),
    isInput: (topic) => topic === 'd',
  })
  t.match(replay.take(message(0, 'd', '0')), [
    { message: { topic: 'd' }, differences: ['- q "0"', /^\+ action Divide failed: /] },
  ])
  t.same(replay.take(message(1, 'e', '0')), [])
})
