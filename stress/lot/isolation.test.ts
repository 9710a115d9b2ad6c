/** What one entity does to itself it does to itself alone: endless work, hunger, and threads that die. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { type LotUser, retained } from './lot-user.fixture.js'

t.setTimeout(300_000)

/** The longest a culprit may run (`lot.runMsMax`), and time for a thread to end on a machine that is busy. */
const STOPPED_MS = 1_000 + 8_000

let broker: LotBroker
let user: LotUser

t.before(async () => {
  broker = await LotBroker.start(t, { lot: { loopIterationsMax: 1_000_000_000, heapBytesMax: 64 * 1024 * 1024 } })
  user = await broker.connect()
  await user.succeed(
    '-addAction DEFINE ACTION Echo\nON TOPIC "ping/+" DO\n    PUBLISH TOPIC "pong/" + TOPIC POSITION 2 WITH PAYLOAD',
  )
})

/** Sends a message each few milliseconds until told. @returns the longest time an answer took, in ms */
function measure(client: LotUser): () => Promise<number> {
  let goesOn = true
  let longest = 0
  const running = (async () => {
    for (let number = 0; goesOn; number++) {
      const sent = performance.now()
      await client.answer(`ping/${number % 7}`, String(number), `pong/${number % 7}`)
      longest = Math.max(longest, performance.now() - sent)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    goesOn = false
    await running
    return longest
  }
}

async function quietly(milliseconds: number): Promise<number> {
  const end = measure(await broker.connect({ hears: ['pong/#'] }))
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  return end()
}

const BAFFLING = `${'word '.repeat(12)}${'w'.repeat(30)}!`

const CULPRITS: readonly (readonly [name: string, body: readonly string[], says: RegExp, payload: string])[] = [
  [
    'Endless',
    ['    SET "i" WITH 0', '    LOOP', '        SET "i" WITH {i} + 1', '    UNTIL {i} < 0'],
    /took|long|ms|stopped/i,
    'go',
  ],
  [
    'Exponential',
    ['    SET "m" WITH FILTER PAYLOAD USING REGEX "^(\\w+\\s?)*$"', '    PUBLISH TOPIC "never" WITH {m}'],
    /took|long|ms|stopped/i,
    BAFFLING,
  ],
  [
    'Hungry',
    [
      '    SET "s" WITH "0123456789abcdef"',
      '    LOOP',
      '        SET "s" WITH {s} + {s} + "x"',
      '    UNTIL {s} == "never"',
    ],
    /memory|long|large|size|bytes|stopped/i,
    'go',
  ],
  [
    'Hoarder',
    [
      '    SET "i" WITH 0',
      '    LOOP',
      '        KEEP TOPIC "hoard/" + {i} WITH {i} + "-some-more-text-to-fill-the-memory"',
      '        SET "i" WITH {i} + 1',
      '    UNTIL {i} < 0',
    ],
    /memory|long|ms|stopped|effects|many/i,
    'go',
  ],
]

async function provoke(t: Test, [name, body, says, payload]: (typeof CULPRITS)[number]): Promise<void> {
  const text = `-addAction DEFINE ACTION ${name}\nON TOPIC "culprit/${name}" DO\n    IF PAYLOAD == "fine" THEN\n        PUBLISH TOPIC "fine/${name}" WITH 1\n    ELSE\n${body.map((line) => `    ${line}`).join('\n')}`
  const deployed = await user.command(text)
  if (!deployed.success) {
    t.match(name, 'Exponential', `${name} is refused: ${deployed.message}`)
    return
  }
  const topic = `$SYS/Coreflux/Actions/${name}/Error`
  const usual = await quietly(700)
  const end = measure(await broker.connect({ hears: ['pong/#'] }))
  const from = user.heard.length
  const begun = performance.now()
  await user.publish(`culprit/${name}`, payload)
  const error = await user.until((message) => message.topic === topic && message.text !== '', { from })
  const tookMs = performance.now() - begun
  const worst = await end()
  t.match(JSON.parse(error.text), { action: name, message: says })
  t.ok(tookMs < STOPPED_MS, `stopped after ${Math.round(tookMs)} ms: ${JSON.parse(error.text).message}`)
  t.ok(worst < Math.max(400, usual * 5), `others waited ${Math.round(worst)} ms, ${Math.round(usual)} ms without it`)
  t.ok(await retained(broker, topic), 'its error is retained')
  await user.succeed(text)
  t.equal(await retained(broker, topic), undefined)
  t.equal(await user.answer(`culprit/${name}`, 'fine', `fine/${name}`), '1', 'deployed again, it runs')
}

for (const culprit of CULPRITS) t.test(culprit[0], { timeout: 90_000 }, (t) => provoke(t, culprit))

/** Fewer than the broker lets a client have open. */
const WINDOW = 500

t.test('QoS 1 messages outlive the thread they were with', { timeout: 90_000 }, async (t) => {
  await user.succeed('-addAction DEFINE ACTION Ledger\nON TOPIC "ledger" DO\n    PUBLISH TOPIC "booked" WITH PAYLOAD')
  const count = 4_000
  const from = user.heard.length
  for (let number = 0; number < count; number += WINDOW) {
    if (number === 2 * WINDOW) await user.publish('culprit/Exponential', BAFFLING)
    const window = Array.from({ length: WINDOW }, (_, place) => user.publish('ledger', String(number + place)))
    await Promise.all(window)
  }
  const booked = await user.texts('booked', count, from)
  t.same(
    booked.map(Number),
    booked.map((_, place) => place),
    'each once, in the order they came',
  )
})

t.test(
  'what came before the culprit is done, the rest waits until the action is deployed anew',
  { timeout: 90_000 },
  async (t) => {
    await user.succeed(
      `-addAction ${[
        'DEFINE ACTION Mixed',
        'ON TOPIC "mixed" DO',
        '    IF PAYLOAD STARTS_WITH "fine" THEN',
        '        PUBLISH TOPIC "mixed/is" WITH PAYLOAD',
        '    ELSE',
        '        SET "m" WITH FILTER PAYLOAD USING REGEX "^(\\w+\\s?)*$"',
        '        PUBLISH TOPIC "never" WITH {m}',
      ].join('\n')}`,
    )
    const from = user.heard.length
    const payloads = Array.from({ length: 41 }, (_, number) => (number === 20 ? BAFFLING : `fine${number}`))
    await Promise.all(payloads.map((payload) => user.publish('mixed', payload)))
    await user.until(({ topic, text }) => topic.endsWith('/Mixed/Error') && text !== '', { from })
    t.same(await user.texts('mixed/is', 20, from), payloads.slice(0, 20))
    const { runtime } = (await user.succeed('-lotDiagnostic action Mixed')).data
    t.match(runtime, { runs: 20, failures: 1, waiting: 20 })
    const again = user.heard.length
    const mended = '-addAction DEFINE ACTION Mixed\nON TOPIC "mixed" DO\n    PUBLISH TOPIC "mixed/is" WITH PAYLOAD'
    await user.succeed(mended)
    t.same(await user.texts('mixed/is', 20, again), payloads.slice(21))
  },
)
