import t from 'tap'
import { parseLoadOptions } from './options.js'
import { type Findings, makeReport } from './report.js'
import { reportText } from './report-text.js'

const MIB = 1_048_576
const LATENCY = {
  count: 9,
  latencyUsMean: 300,
  latencyUsP50: 250,
  latencyUsP99: 1_500,
  latencyUsP999: 2_500,
  latencyUsMax: 12_345,
}
const COUNTS = {
  sent: 30_000,
  delivered: 60_000,
  lost: 0,
  duplicated: 0,
  outOfOrder: 0,
  unexpected: 0,
  refused: 0,
  unacknowledged: 0,
  slowDelivered: 0,
  slowLost: 0,
  connectionsLost: 0,
}

function findings(args: string, change: Partial<Findings> = {}): Findings {
  return {
    url: 'mqtt://h:1883',
    options: parseLoadOptions([...args.split(' '), '--seed', '5']),
    measuredSeconds: 2,
    measuredSent: 20_000,
    measuredDelivered: 40_000,
    counts: COUNTS,
    losses: [],
    latency: LATENCY,
    activity: undefined,
    broker: {
      cpuCores: 0.5,
      cpuUsPerDelivery: 25,
      memoryBytesBefore: 40 * MIB,
      memoryBytesPeak: 60 * MIB,
      memoryBytesAfter: 50 * MIB,
    },
    memoryBytesPerConnection: undefined,
    memory: undefined,
    ratePerSecondExpected: undefined,
    loadCpuCores: 0.25,
    trouble: [],
    ...change,
  }
}

t.test('the text of a good run', async (t) => {
  const text = reportText(makeReport(findings('--scenario pairs --qos 1')))
  t.equal(
    text,
    [
      'scenario       pairs: 10 → 10, 0 further, QoS 1, 64 bytes, flat out, 2.0 s',
      'broker         mqtt://h:1883, MQTT 3.1.1',
      'sent           10,000/s',
      'delivered      20,000/s, 1.3 MB/s of payload',
      'latency        p50 250, p99 1,500, p99.9 2,500, max 12,345 µs',
      'whole run      30,000 sent, 60,000 delivered, 0 lost, 0 duplicated, 0 out of order',
      'broker CPU     0.50 cores, 25.00 µs per delivery',
      'broker memory  40.0 MiB before, 60.0 peak, 50.0 after',
      'load program   0.25 cores, seed 5',
      'verdict        ok',
    ].join('\n'),
  )
})

t.test('the JSON has the same figures under names with units', async (t) => {
  const report = makeReport(findings('--scenario pairs --protocol 5'))
  t.match(JSON.parse(JSON.stringify(report)), {
    scenario: 'pairs',
    protocol: '5',
    sentPerSecond: 10_000,
    deliveredPerSecond: 20_000,
    latency: { latencyUsP99: 1_500 },
    broker: { memoryBytesPeak: 60 * MIB },
    failures: [],
  })
})

t.test('without a process there is nothing about the broker', async (t) => {
  t.notMatch(reportText(makeReport(findings('--scenario pairs', { broker: undefined }))), /broker (CPU|memory)/)
})

t.test('connections, activities, slow readers and memory have lines of their own', async (t) => {
  const activity = { ...LATENCY, name: 'connections', done: 500, failed: 0, reasons: [] }
  const text = reportText(
    makeReport(
      findings('--scenario connection-storm --qos 0', {
        activity,
        counts: { ...COUNTS, slowDelivered: 7, slowLost: 3 },
        memoryBytesPerConnection: 4_096.4,
        memory: { growthBytes: 2 * MIB, allowedBytes: 16 * MIB, isFlat: true },
      }),
    ),
  )
  t.match(text, /connections +250\/s, 0 failed; p50 250/)
  t.match(text, /slow readers +7 delivered, 3 dropped/)
  t.match(text, /per connection +4,096 bytes/)
  t.match(text, /memory trend +2\.0 MiB while measured, 16\.0 allowed/)
  t.match(text, /verdict +ok$/)
})

t.test('what fails a run', async (t) => {
  const failing = { ...LATENCY, name: 'connections', done: 0, failed: 2, reasons: ['ECONNRESET'] }
  const cases: [Partial<Findings>, RegExp][] = [
    [{ counts: { ...COUNTS, lost: 1_000 } }, /1000 deliveries lost/],
    [{ losses: ['p1: gone'], counts: { ...COUNTS, connectionsLost: 1 } }, /1 connections lost, first p1: gone/],
    [{ activity: failing }, /2 connections failed, first ECONNRESET; no connections succeeded/],
    [{ memory: { growthBytes: 20 * MIB, allowedBytes: 16 * MIB, isFlat: false } }, /grew by 20\.0 MiB/],
    [{ ratePerSecondExpected: 11_000 }, /kept up with 10000 of 11000/],
    [{ trouble: ['our broker ended with SIGKILL'] }, /SIGKILL/],
  ]
  for (const [change, expected] of cases) {
    t.match(reportText(makeReport(findings('--scenario pairs', change))), /FAILED/)
    t.match(makeReport(findings('--scenario pairs', change)).failures.join('; '), expected)
  }
})
