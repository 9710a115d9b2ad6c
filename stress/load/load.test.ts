/** Every scenario at a small size against a broker of ours, and the program as a user runs it. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseLoadOptions } from './options.js'
import { startOwnBroker } from './own-broker.js'
import type { Report } from './report.js'
import { runLoad } from './run.js'
import { SCENARIOS } from './scenarios.js'
import { StatusLine } from './status-line.js'

const SMALL: Readonly<Record<string, string>> = {
  pairs: '--publishers 3 --subscribers 4 --qos 2',
  'fan-in': '--publishers 5 --qos 1',
  'fan-out': '--subscribers 7',
  shared: '--publishers 6 --subscribers 3',
  'connection-storm': '--connections 5',
  'slow-consumers': '--publishers 2 --subscribers 2 --connections 2 --rate 1000',
  'large-payloads': '--publishers 2 --subscribers 2 --qos 1 --window 2',
  wildcards: '--publishers 2 --subscribers 8 --connections 20',
  'subscription-churn': '--publishers 2 --subscribers 2 --connections 3',
  idle: '--connections 50',
  'one-per-second': '--publishers 300 --subscribers 3',
}

const broker = await startOwnBroker()
t.teardown(() => broker.stop())

function run(args: string): Promise<Report> {
  const common = `--seconds 0.5 --warmup 0 --seed 7 --url ${broker.url}`
  const options = parseLoadOptions(`${args} ${common}`.split(' '))
  const silent = new StatusLine({ isTTY: false, columns: 80, write: () => true })
  return runLoad(options, silent, new AbortController().signal)
}

t.same(Object.keys(SMALL).toSorted(), SCENARIOS.map(({ name }) => name).toSorted(), 'every scenario is run')

for (const [name, args] of Object.entries(SMALL)) {
  for (const version of ['3.1.1', '5']) {
    t.test(`${name} with MQTT ${version}`, async (t) => {
      const report = await run(`--scenario ${name} --protocol ${version} ${args}`)
      t.same(report.failures, [])
      if (report.figures.publishers > 0) t.ok(report.counts.delivered > 0 && report.latency.count > 0)
      if (report.activity !== undefined) t.ok(report.activity.done > 0)
    })
  }
}

t.test('persistent sessions leave nothing behind', async (t) => {
  for (const version of ['3.1.1', '5']) {
    const report = await run(`--scenario pairs --qos 1 --persistent --protocol ${version}`)
    t.same(report.failures, [])
  }
})

t.test('the program starts a broker, measures it, reports, and stops it', async (t) => {
  const program = fileURLToPath(new URL('./main.js', import.meta.url))
  const args = [program, ...'--scenario pairs --seconds 0.5 --warmup 0 --rate 1000 --json -'.split(' ')]
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  })
  const report: Report = JSON.parse(stdout)
  t.match(report, { scenario: 'pairs', failures: [], counts: { lost: 0 } })
  if (process.platform === 'linux') t.ok(report.broker !== undefined && report.broker.memoryBytesPeak > 1_000_000)
})

t.test('a run that a broker refuses half way ends, with the reason', { timeout: 30_000 }, async (t) => {
  const small = await startOwnBroker(['connection.connectionsMax=5'])
  t.teardown(() => small.stop())
  const program = fileURLToPath(new URL('./main.js', import.meta.url))
  const args = [program, '--scenario', 'idle', '--connections', '20', '--url', small.url]
  const outcome = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, args, (error, _stdout, stderr) => resolve({ code: error?.code, stderr }))
  })
  t.equal(outcome.code, 2)
  t.match(outcome.stderr, /^error: load-\S+: .+\n$/)
})
