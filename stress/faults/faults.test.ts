/** The harness against a real broker: it finds nothing where nothing is done, and ten kills lose nothing. */
import t from 'tap'
import { StatusLine } from '../load/status-line.js'
import { type Launcher, ourBroker } from './broker-process.js'
import { parseFaultOptions } from './options.js'
import type { FaultReport } from './report.js'
import { runFaults } from './run.js'

const silent = new StatusLine({ isTTY: false, columns: 80, write: () => true })

function run(args: string, launch?: Parameters<typeof runFaults>[3]): Promise<FaultReport> {
  const options = parseFaultOptions(`--shards 2 ${args}`.split(' '))
  return runFaults(options, silent, new AbortController().signal, launch)
}

t.test('a broker that is only paused loses nothing', { timeout: 60_000 }, async (t) => {
  const report = await run('--kills 1 --kinds pause --seed 5 --duration-between 500-500 --rate 1000')
  t.same(report.failures, [], report.examples.map(({ text }) => text).join('\n'))
  t.same(report.struck, { pause: 1 })
  t.ok(report.counts.acknowledged > 100 && report.counts.delivered > report.counts.acknowledged)
})

/** A broker that begins with another data folder at each start, so that it forgets everything. */
function forgetful(environment: Readonly<Record<string, string>>): Launcher {
  const ours = ourBroker(2, [], environment)
  let starts = 0
  return { ...ours, args: (data) => ours.args(`${data}/${starts++}`) }
}

t.test('a broker that forgets is found out', { timeout: 60_000 }, async (t) => {
  const report = await run('--kills 1 --kinds process --seed 6 --duration-between 800-800 --rate 500', forgetful)
  const { lost, sessionLost, retained } = report.violations
  for (const [name, count] of Object.entries({ lost, sessionLost, retained })) t.ok((count ?? 0) > 0, name)
  t.equal(report.failures.length, Object.keys(report.violations).length)
})

t.test('ten kills lose nothing', { timeout: 240_000 }, async (t) => {
  const report = await run('--kills 10 --seed 10 --duration-between 20-800 --rate 1000')
  t.same(report.failures, [], report.examples.map(({ text }) => text).join('\n'))
  t.ok(report.counts.acknowledged > 1_000)
})
