import t from 'tap'
import type { LanesReport } from '../load/lanes.js'
import type { Sample } from './sample.js'
import { judgeSoak, type StrandResult, verdictText } from './verdict.js'

const MIB = 1_048_576
const SAMPLE: Sample = {
  time: '2026-01-01T00:00:00.000Z',
  seconds: 0,
  sentPerSecond: 1_000,
  deliveredPerSecond: 1_000,
  latencyUsP50: 200,
  latencyUsP99: 1_000,
  latencyUsMax: 9_000,
  duplicated: 0,
  outOfOrder: 0,
  connectionsLost: 0,
  activitiesFailed: 0,
  underWay: 0,
  memoryBytes: 100 * MIB,
  cpuCores: 0.1,
  loadMemoryBytes: 50 * MIB,
}
const CLEAN = {
  sent: 10,
  delivered: 10,
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
const LANES: LanesReport = {
  name: 'connections',
  done: 5,
  failed: 0,
  reasons: [],
  count: 5,
  latencyUsMean: 1,
  latencyUsP50: 1,
  latencyUsP99: 1,
  latencyUsP999: 1,
  latencyUsMax: 1,
}

/** Two hours, a sample a minute. */
function series(change: (minute: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 120 }, (_, nth) => ({ ...SAMPLE, seconds: (nth + 1) * 60, ...change(nth) }))
}

function strand(counts: Partial<StrandResult['counts']>, qos = 1): StrandResult {
  return { name: 'qos', qos, counts: { ...CLEAN, ...counts }, losses: [] }
}

t.test('a clean run is ok, and its text says so', async (t) => {
  const verdict = judgeSoak(
    series(() => ({})),
    [strand({})],
    [LANES],
    [],
  )
  t.same(verdict.failures, [])
  t.equal(verdict.warmupSeconds, 720)
  t.match(verdictText(verdict), /verdict +ok$/)
})

t.test('growth of memory or latency fails, growth in the warm-up does not', async (t) => {
  const judge = (change: (minute: number) => Partial<Sample>) => judgeSoak(series(change), [], [], []).failures.join()
  t.match(
    judge((minute) => ({ memoryBytes: (100 + minute) * MIB })),
    /memory grew by 10\d\.\d MiB/,
  )
  t.match(
    judge((minute) => ({ latencyUsP99: 1_000 + 50 * minute })),
    /p99 of the latency grew by 5,\d{3} µs/,
  )
  t.equal(
    judge((minute) => ({ memoryBytes: (minute < 11 ? 50 + 10 * minute : 160) * MIB })),
    '',
  )
  t.equal(
    judge((minute) => ({ latencyUsP99: minute % 9 === 0 ? 90_000 : 1_000 })),
    '',
    'spikes are no trend',
  )
})

t.test('a short run has no trend to judge', async (t) => {
  const short = series((minute) => ({ seconds: minute * 2, memoryBytes: minute * 100 * MIB }))
  const verdict = judgeSoak(short, [strand({})], [], [])
  t.equal(verdict.memory, undefined)
  t.equal(verdict.latency, undefined)
  t.same(verdict.failures, [])
  t.match(verdictText(verdict), /not judged/)
})

t.test('without a process memory is not judged, latency is', async (t) => {
  const verdict = judgeSoak(
    series(() => ({ memoryBytes: undefined })),
    [],
    [],
    [],
  )
  t.equal(verdict.memory, undefined)
  t.equal(verdict.latency?.isFlat, true)
})

t.test('each way to mistreat a message fails', async (t) => {
  const cases: [StrandResult, RegExp | undefined][] = [
    [strand({ lost: 1 }), /1 deliveries lost/],
    [strand({ lost: 1 }, 0), /1 deliveries lost/],
    [strand({ duplicated: 2 }, 2), /2 deliveries repeated at QoS 2/],
    [strand({ duplicated: 2 }, 0), /2 deliveries repeated at QoS 0/],
    [strand({ duplicated: 2 }, 1), undefined],
    [strand({ slowLost: 3 }, 1), /3 deliveries to slow readers lost/],
    [strand({ slowLost: 3 }, 0), undefined],
    [strand({ outOfOrder: 1 }), /out of order/],
    [strand({ unexpected: 1 }), /none was to arrive/],
    [strand({ refused: 1 }), /refused/],
    [strand({ unacknowledged: 1 }), /never acknowledged/],
    [strand({ connectionsLost: 1 }), /connections lost/],
    [strand({ delivered: 0 }), /nothing was delivered/],
  ]
  for (const [result, expected] of cases) {
    const failures = judgeSoak([], [result], [], []).failures.join()
    if (expected === undefined) t.equal(failures, '')
    else t.match(failures, expected)
  }
})

t.test('failed activities and other trouble fail', async (t) => {
  const failing = { ...LANES, failed: 2, reasons: ['no CONNACK'] }
  const { failures } = judgeSoak([], [], [failing], ['our broker ended with SIGKILL'])
  t.same(failures, ['2 connections failed, first no CONNACK', 'our broker ended with SIGKILL'])
})
