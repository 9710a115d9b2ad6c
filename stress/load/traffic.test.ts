import { generate } from 'selfsigned'
import t from 'tap'
import { AckBuffer, type ClientContext } from './client.js'
import { FIGURES, planOf, SCENARIOS } from './scenarios.js'
import { type Mistake, startStubBroker } from './stub-broker.fixture.js'
import { parseTarget, type Target } from './target.js'
import { Traffic, type TrafficCounts, type TrafficOptions } from './traffic.js'
import { Dialer } from './transport.js'

const OPTIONS: TrafficOptions = {
  prefix: 'test',
  qos: 0,
  retain: false,
  payloadBytes: 32,
  window: 100,
  ratePerSecond: 0,
  version: 4,
  isPersistent: false,
}
const ENOUGH = 2_000
/** Longer than a busy machine makes anybody wait for a message. */
const QUIET_MS = 1_000
const POLL_MS = 20

/** One publisher and one subscriber, or two of each, until enough was delivered or nothing moves any more. */
async function runPairs(target: Target, pairs: number, options: Partial<TrafficOptions> = {}) {
  const context: ClientContext = { dialer: new Dialer(target), acks: new AckBuffer(), readMicros: 0 }
  const plan = planOf(SCENARIOS[0], { ...FIGURES, publishers: pairs, subscribers: pairs }, 'test', 1)
  const none = { userName: undefined, password: undefined }
  const traffic = new Traffic(plan, { ...OPTIONS, ...options }, context, none, { drainQuietMs: QUIET_MS })
  await traffic.open().catch((error: unknown) => {
    traffic.abandon()
    throw error
  })
  traffic.ledger.isMeasuring = true
  traffic.start()
  const startMs = performance.now()
  await enoughOrStuck(traffic)
  const seconds = (performance.now() - startMs) / 1_000
  await traffic.stop()
  const counts = traffic.counts()
  await traffic.close()
  traffic.ledger.recordRun()
  return { seconds, counts, losses: traffic.losses, latency: traffic.ledger.latency.summary() }
}

async function enoughOrStuck({ ledger }: Traffic): Promise<void> {
  let delivered = 0
  for (let quietMs = 0; ledger.delivered < ENOUGH && quietMs < QUIET_MS; quietMs += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    if (ledger.delivered > delivered) quietMs = 0
    delivered = ledger.delivered
  }
}

const CLEAN: Partial<TrafficCounts> = { lost: 0, duplicated: 0, outOfOrder: 0, unexpected: 0, unacknowledged: 0 }

async function runAgainst(mistake: Mistake, options: Partial<TrafficOptions> = {}, pairs = 1) {
  const broker = await startStubBroker(mistake)
  try {
    return await runPairs(parseTarget(`mqtt://127.0.0.1:${broker.port}`), pairs, options)
  } finally {
    await broker.close()
  }
}

t.test('an honest broker: everything sent is delivered, once, in order, with a latency', async (t) => {
  for (const options of [{}, { qos: 1 }, { window: 1 }, { payloadBytes: 70_000, window: 4 }] as const) {
    const { counts, losses, latency } = await runAgainst('none', options, 2)
    t.match(counts, { ...CLEAN, connectionsLost: 0 }, JSON.stringify(options))
    t.equal(counts.delivered, counts.sent)
    t.ok(counts.sent >= ENOUGH, 'windows open again')
    t.ok(latency.count === counts.delivered && latency.latencyUsP50 > 0)
    t.same(losses, [])
  }
})

t.test('each mistake of a broker is found, and no other is claimed', async (t) => {
  const cases: [Mistake, Partial<TrafficOptions>, (keyof TrafficCounts)[]][] = [
    ['drop', {}, ['lost']],
    ['drop', { qos: 1 }, ['lost']],
    ['repeat', {}, ['duplicated']],
    ['repeat', { qos: 1 }, ['duplicated']],
    ['swap', {}, ['outOfOrder']],
    ['stray', {}, ['unexpected']],
    ['noAck', { qos: 1 }, ['unacknowledged']],
    ['garbage', {}, ['lost', 'connectionsLost']],
    ['hangUp', {}, ['lost', 'connectionsLost']],
  ]
  for (const [mistake, options, found] of cases) {
    const { counts } = await runAgainst(mistake, options, mistake === 'stray' ? 2 : 1)
    const faults: (keyof TrafficCounts)[] = [
      'lost',
      'duplicated',
      'outOfOrder',
      'unexpected',
      'unacknowledged',
      'connectionsLost',
    ]
    t.same(
      faults.filter((name) => counts[name] > 0),
      found,
      `${mistake} ${JSON.stringify(options)}`,
    )
  }
})

t.test('a rate is kept', async (t) => {
  const { counts, seconds } = await runAgainst('none', { ratePerSecond: 10_000 }, 2)
  t.match(counts, CLEAN)
  t.equal(counts.delivered, counts.sent)
  t.ok(counts.sent <= 10_000 * seconds + 1, `${counts.sent} messages in ${seconds} s`)
  t.ok(counts.sent >= ENOUGH)
})

t.test('a broker that refuses us, or is not there, is named as the reason', async (t) => {
  await t.rejects(runAgainst('refuse'), /refused by the broker: not authorized/)
  const gone = await startStubBroker()
  await gone.close()
  await t.rejects(runPairs(parseTarget(`mqtt://127.0.0.1:${gone.port}`), 1), /ECONNREFUSED/)
})

t.test('over TLS, with a certificate that is checked', async (t) => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }])
  const broker = await startStubBroker('none', { key, cert })
  t.teardown(() => broker.close())
  const url = `mqtts://127.0.0.1:${broker.port}`
  const { counts } = await runPairs(parseTarget(url, { insecure: true }), 2, { qos: 1 })
  t.match(counts, { ...CLEAN, connectionsLost: 0 })
  t.equal(counts.delivered, counts.sent)
  t.ok(counts.sent > 0)
  await t.rejects(runPairs(parseTarget(url), 1), /self.signed certificate/)
})

t.test('over WebSocket', async (t) => {
  const broker = await startStubBroker('none', 'ws')
  t.teardown(() => broker.close())
  const { counts } = await runPairs(parseTarget(`ws://127.0.0.1:${broker.port}`), 2, { qos: 1 })
  t.match(counts, { ...CLEAN, connectionsLost: 0 })
  t.equal(counts.delivered, counts.sent)
  t.ok(counts.sent > 0)
})
