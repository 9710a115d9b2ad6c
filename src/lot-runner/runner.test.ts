import t from 'tap'
import { encodeText, hashBytes } from '../base/bytes.js'
import { SharedBook } from '../base/shared-book.js'
import { SharedValues } from '../base/shared-values.js'
import { BrokerConfig } from '../config/schema.js'
import {
  EFFECT_DEPTH,
  EFFECT_FLAGS,
  EFFECT_HEADER_BYTES,
  EFFECT_PAYLOAD_BYTES,
  EFFECT_TOPIC_BYTES,
  EVENT_DEPTH,
  EVENT_HEADER_BYTES,
  EVENT_INSTANCE,
  EVENT_KIND,
  EVENT_PAYLOAD_BYTES,
  EVENT_TOPIC_BYTES,
  EVENT_TOPIC_HASH,
  EventKind,
  PROGRESS_CALLED_MS,
  PROGRESS_EVENT,
  PROGRESS_INTS,
  type RunnerResult,
  type RunnerTask,
} from '../contracts/lot-batch.js'
import { Runner } from './runner.js'

const book = new SharedBook()
const values = new SharedValues(1_048_576)
const progress = new Int32Array(new SharedArrayBuffer(PROGRESS_INTS * 4))
const config = BrokerConfig.parse({})
const clock = new SharedArrayBuffer(8)
let elapsedMs = 0
/** Takes as many milliseconds as it is asked for. */
const outside = {
  call(request: { readonly kind: string; readonly arguments?: string }): string {
    const [ms] = JSON.parse(request.arguments ?? '[0]') as [number]
    elapsedMs += ms
    return String(ms)
  },
}
const runner = new Runner({ config, clock, progress: progress.buffer as SharedArrayBuffer }, outside, () => elapsedMs)

function events(topic: string, payloads: readonly string[]): ArrayBuffer {
  const topicBytes = encodeText(topic)
  const parts = payloads.map((payload) => {
    const payloadBytes = encodeText(payload)
    const bytes = new Uint8Array((EVENT_HEADER_BYTES + topicBytes.length + payloadBytes.length + 7) & ~7)
    const ints = new Int32Array(bytes.buffer)
    ints[0] = bytes.length
    ints[EVENT_KIND] = EventKind.MESSAGE
    ints[EVENT_DEPTH] = 3
    ints[EVENT_INSTANCE] = -1
    ints[EVENT_TOPIC_BYTES] = topicBytes.length
    ints[EVENT_TOPIC_HASH] = hashBytes(topicBytes, 0, topicBytes.length)
    ints[EVENT_PAYLOAD_BYTES] = payloadBytes.length
    bytes.set(topicBytes, EVENT_HEADER_BYTES)
    bytes.set(payloadBytes, EVENT_HEADER_BYTES + topicBytes.length)
    return bytes
  })
  return new Uint8Array(Buffer.concat(parts)).buffer
}

function task(name: string, generation: number, batch: ArrayBuffer): RunnerTask {
  const shared = { book: book.memory, values: values.memory, instances: [], isTraced: false }
  return { slot: 0, generation, kind: 'action', name, ...shared, events: batch, from: 0, to: batch.byteLength }
}

function effectTexts({ effects, effectsBytes }: RunnerResult): string[] {
  const ints = new Int32Array(effects)
  const texts: string[] = []
  for (let at = 0; at < effectsBytes; at += ints[at >> 2]) {
    const i = at >> 2
    const topicAt = at + EFFECT_HEADER_BYTES
    const topic = Buffer.from(effects, topicAt, ints[i + EFFECT_TOPIC_BYTES]).toString()
    const payloadAt = topicAt + ints[i + EFFECT_TOPIC_BYTES]
    const payload = Buffer.from(effects, payloadAt, ints[i + EFFECT_PAYLOAD_BYTES]).toString()
    texts.push(`${topic}=${payload} ${ints[i + EFFECT_FLAGS]} depth ${ints[i + EFFECT_DEPTH]}`)
  }
  return texts
}

t.test('runs each event, and tells what came of it', async (t) => {
  const generation = book.set(
    'action Echo',
    'DEFINE ACTION Echo\nON TOPIC "in/+" DO\n    PUBLISH TOPIC "out/+" WITH PAYLOAD + 1\n',
  )
  const result = runner.run(task('Echo', generation, events('in/a', ['1', 'x', '2'])))
  t.match(result, { runs: 3, failures: 0, failure: undefined })
  t.same(effectTexts(result), ['out/a=2 0 depth 3', 'out/a=x1 0 depth 3', 'out/a=3 0 depth 3'])
})

t.test('what was deployed anew meanwhile, or is gone, leaves its events alone', async (t) => {
  const batch = events('in/a', ['1'])
  t.match(runner.run(task('Echo', 1_000, batch)), { runs: 0, next: 0, failures: 0 })
  t.match(runner.run(task('Nobody', 1, batch)), { runs: 0, next: 0, failures: 0 })
})

t.test('what cannot be compiled fails, and its events are gone', async (t) => {
  const generation = book.set('action Wrong', 'DEFINE ACTION Other\nON TOPIC "in" DO\n    PUBLISH TOPIC "out" WITH 1\n')
  const batch = events('in', ['1', '2'])
  const result = runner.run(task('Wrong', generation, batch))
  t.match(result, { runs: 0, failures: 1, next: batch.byteLength })
  t.match(result.failure?.message, /does not define action Wrong/)
})

t.test('a batch that takes long is broken off between two events', async (t) => {
  const source =
    'DEFINE ACTION Slow\nON TOPIC "in" DO\n    CALL PYTHON "S.f" WITH (15) RETURN AS {ms}\n    PUBLISH TOPIC "out" WITH {ms}\n'
  const generation = book.set('action Slow', source)
  const batch = events('in', ['1', '2', '3', '4'])
  const first = runner.run(task('Slow', generation, batch))
  t.equal(first.runs, 2)
  t.equal(first.next, batch.byteLength / 2)
  t.equal(progress[PROGRESS_EVENT], first.next - batch.byteLength / 4)
  t.equal(progress[PROGRESS_CALLED_MS], 30, 'the time of calls is told')
})

t.test('a topic that cannot be published to fails the run as a whole', async (t) => {
  const source =
    'DEFINE ACTION Bad\nON TOPIC "in" DO\n    PUBLISH TOPIC "fine" WITH 1\n    PUBLISH TOPIC PAYLOAD WITH 1\n'
  const result = runner.run(task('Bad', book.set('action Bad', source), events('in', ['a/#', 'b'])))
  t.match(result, { runs: 2, failures: 1 })
  t.same(effectTexts(result), ['fine=1 0 depth 3', 'b=1 0 depth 3'])
})
