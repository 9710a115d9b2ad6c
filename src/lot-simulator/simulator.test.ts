import t from 'tap'
import { splitEntities } from '../lot/syntax/split.js'
import { eventText } from './event-text.js'
import { type Definition, Simulator } from './simulator.js'

const START = Date.parse('2026-03-05T07:00:00Z')

function simulate(lot: string, seed = 1): { readonly simulator: Simulator; readonly said: () => string[] } {
  const texts: string[] = []
  const simulator = new Simulator({
    compat: 'v2',
    startMs: START,
    seed,
    answer: () => 'answer',
    onEvent: (event) => texts.push(`${event.atMs - START} ${eventText(event)}`),
  })
  simulator.deploy(splitEntities(lot).map(({ kind, name, text }) => ({ kind, name, source: text }) as Definition))
  return { simulator, said: () => texts.splice(0) }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('timers run at their time, in their order, and see what earlier ones did', async (t) => {
  const { simulator, said } = simulate(`DEFINE ACTION Slow
ON EVERY 30 SECONDS DO
    PUBLISH TOPIC "slow" WITH GET TOPIC "fast"
DEFINE ACTION Fast
ON EVERY 20 SECONDS DO
    PUBLISH TOPIC "fast" WITH TIMESTAMP "UNIX"
`)
  simulator.advanceTo(START + 45_000)
  t.same(said(), [
    '20000 action Fast publishes fast "1772694020"',
    '30000 action Slow publishes slow "1772694020"',
    '40000 action Fast publishes fast "1772694040"',
  ])
  simulator.advanceTo(START + 60_000)
  t.same(said().length, 2)
})

t.test('chains, and where they end', async (t) => {
  const { simulator, said } = simulate(`DEFINE ACTION Endless
ON TOPIC "n" DO
    PUBLISH TOPIC "n" WITH PAYLOAD AS INT + 1
`)
  simulator.publish('n', bytes('0'))
  const all = said()
  t.equal(all[0], '0 action Endless publishes n "1"')
  t.equal(all.length, 65, 'a message of each run, and the failure')
  t.match(all.at(-1), /stopped after 64 runs of which each one triggered the next/)
})

t.test('ON CHANGE, ON START, sessions and model instances', async (t) => {
  const { simulator, said } = simulate(`DEFINE ACTION Changed
ON CHANGE "c/+" DO
    PUBLISH TOPIC "changed" WITH PAYLOAD
DEFINE ACTION Started
ON START DO
    PUBLISH TOPIC "started" WITH 1
DEFINE ACTION Connected
ON CONNECT DO
    PUBLISH TOPIC "connected" WITH CLIENTID
DEFINE MODEL M COLLAPSED WITH TOPIC "m/+"
    ADD INT "a" WITH TOPIC "a/+" AS TRIGGER
    ADD INT "b" WITH TOPIC "b/+"
`)
  t.same(said(), [])
  simulator.start()
  for (const payload of ['1', '1', '2']) simulator.publish('c/x', bytes(payload))
  simulator.session({ hook: 'connect', clientId: 'me', user: '', endpoint: '' })
  simulator.publish('b/1', bytes('7'))
  simulator.publish('a/1', bytes('1'))
  simulator.publish('a/2', bytes('2'))
  t.same(said(), [
    '0 action Started publishes started "1"',
    '0 action Changed publishes changed "1"',
    '0 action Changed publishes changed "2"',
    '0 action Connected publishes connected "me"',
    '0 model M publishes m/1 {"a":1,"b":7}',
    '0 model M publishes m/2 {"a":2,"b":null}',
  ])
})

t.test('a run that fails has no effects, and the others go on', async (t) => {
  const { simulator, said } = simulate(`DEFINE ACTION Fails
ON TOPIC "x" DO
    PUBLISH TOPIC "lost" WITH 1
    PUBLISH TOPIC "a/#/" + PAYLOAD WITH 1
DEFINE ACTION Works
ON TOPIC "x" DO
    PUBLISH TOPIC "works" WITH 1
`)
  simulator.publish('x', bytes('y'))
  t.same(said(), ['0 action Fails failed: the topic "a/#/y" has a wildcard', '0 action Works publishes works "1"'])
})

t.test('the same seed gives the same random numbers', async (t) => {
  const lot = 'DEFINE ACTION R\nON TOPIC "x" DO\n    PUBLISH TOPIC "r" WITH RANDOM INT BETWEEN 1 AND 1000000\n'
  const [one, other, third] = [1, 1, 2].map((seed) => {
    const { simulator, said } = simulate(lot, seed)
    for (let i = 0; i < 3; i++) simulator.publish('x', bytes(''))
    return said()
  })
  t.same(one, other)
  t.notSame(one, third)
  t.equal(new Set(one).size, 3)
})
