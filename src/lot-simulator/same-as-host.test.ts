/** The simulation and the LoT thread do the same with the same messages. */
import t from 'tap'
import { splitEntities } from '../lot/syntax/split.js'
import { LotHostFixture } from '../lot-host/lot-host.fixture.js'
import { payloadText } from '../lot-runner/reports.js'
import { type Definition, Simulator } from './simulator.js'

const LOT = `DEFINE MODEL Base COLLAPSED WITH TOPIC "model/base/+"
    ADD INT "a" WITH TOPIC "in/+/a" AS TRIGGER
    ADD INT "b" WITH TOPIC "in/+/b"
    ADD STRING "site" WITH TOPIC "site"

DEFINE MODEL Child FROM Base WITH TOPIC "model/child/+"
    ADD INT "sum" WITH a + b

DEFINE MODEL Shared COLLAPSED WITH TOPIC "model/shared/+"
    ADD INT "a" WITH TOPIC "in/+/a" AS TRIGGER
    ADD STRING "site" WITH TOPIC "site" AS TRIGGER

DEFINE MODEL Received COLLAPSED WITH TOPIC "received/+/raw" WITH RETAIN

DEFINE ACTION Copy
ON TOPIC "in/+/a" DO
    PUBLISH TOPIC "copy/" + TOPIC POSITION 2 WITH PAYLOAD AS INT * 2

DEFINE ACTION Changed
ON CHANGE "copy/+" DO
    PUBLISH TOPIC "changed/" + TOPIC POSITION 2 WITH PAYLOAD
    KEEP TOPIC "kept/last" WITH PAYLOAD

DEFINE ACTION Reader
ON TOPIC "changed/#" DO
    PUBLISH TOPIC "read" WITH (GET TOPIC "kept/last") + " " + (GET TOPIC "site") + " " + (GET ENV "N")

DEFINE ACTION Counter
ON TOPIC "count" DO
    KEEP ENV "N" WITH GET ENV "N" AS INT + 1

DEFINE ACTION Loop
ON TOPIC "loop" DO
    IF PAYLOAD AS INT < 100 THEN
        PUBLISH TOPIC "loop" WITH PAYLOAD AS INT + 1

DEFINE ACTION Fails
ON TOPIC "divide" DO
    PUBLISH TOPIC "before" WITH PAYLOAD
    PUBLISH TOPIC "quotient" WITH 10 / PAYLOAD AS INT

DEFINE ACTION Report
ON TOPIC "report/+" DO
    PUBLISH MODEL Base TO "reported/" + TOPIC POSITION 2 WITH a = PAYLOAD, site = "here"
`

const MESSAGES: readonly (readonly [topic: string, payload: string])[] = [
  ['in/1/a', '1'],
  ['site', 'north'],
  ['in/1/b', '5'],
  ['in/1/a', '1'],
  ['in/2/a', '2.5'],
  ['count', ''],
  ['in/2/a', 'text'],
  ['count', 'x'],
  ['in/2/b', '7'],
  ['in/1/a', '3'],
  ['site', 'south'],
  ['received/9/raw', '{"x":1}'],
  ['loop', '1'],
  ['divide', '0'],
  ['divide', '4'],
  ['report/1', '12'],
  ['$SYS/in/1/a', '1'],
]

/** By topic, in order. */
function sorted(texts: readonly string[]): string[] {
  const topicOf = (text: string): string => text.slice(0, text.indexOf('='))
  return [...texts].sort((one, other) => topicOf(one).localeCompare(topicOf(other)))
}

t.test('the same messages have the same consequences', async (t) => {
  const definitions = splitEntities(LOT).map(({ kind, name, text }) => ({ kind, name, source: text }) as Definition)
  const host = new LotHostFixture()
  t.teardown(() => host.close())
  await host.host.install(definitions)
  const simulated: string[] = []
  const simulator = new Simulator({
    compat: 'v2',
    startMs: Date.now(),
    seed: 1,
    answer: () => '',
    onEvent: (event) => {
      if (event.kind !== 'effect' || (event.effect.kind !== 'publish' && event.effect.kind !== 'keep')) return
      const { kind, topic, payload } = event.effect
      const flag = kind === 'keep' ? ' kept' : event.effect.retain ? ' retained' : ''
      simulated.push(`${topic}=${payload === undefined ? '' : payloadText(payload)}${flag}`)
    },
  })
  simulator.deploy(definitions)
  let count = 0
  for (const [topic, payload] of MESSAGES) {
    host.send(topic, payload)
    await host.settle()
    simulator.publish(topic, new TextEncoder().encode(payload))
    count += simulated.length
    t.same(sorted(simulated.splice(0)), sorted(host.texts()), `${topic} ${payload}`)
  }
  t.ok(count > 100)
})
