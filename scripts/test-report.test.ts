import t from 'tap'
import type { TapSuite } from './test-output.js'
import { closingLine, readReport, slowestFiles } from './test-report.js'

const passing: TapSuite = { name: 'adds', fullname: 'a > adds', ok: true, cases: [{ ok: true }, { ok: true }] }
const failing: TapSuite = {
  name: 'divides',
  fullname: 'a > divides',
  ok: false,
  cases: [{ ok: false, name: 'by zero', diag: { diff: '-1\n+2' } }],
}

t.test('counts tests and not assertions, also nested ones', async (t) => {
  const nested: TapSuite = { name: 'all', ok: true, suites: [passing, passing], cases: [{ ok: true, skip: 'no TLS' }] }
  const report = readReport([{ name: 'a', ok: false, suites: [passing, failing, nested] }])
  t.equal(closingLine(report), '3 passed, 1 failed, 1 skipped')
  t.match(report.failures[0], 'a > divides')
  t.match(report.failures[0], '+2')
})

t.test('a file that crashes or runs no test is a failure', async (t) => {
  const crashed: TapSuite = { name: 'crashed', ok: false, suites: [passing], cases: [{ ok: false, name: 'exit 1' }] }
  const empty: TapSuite = { name: 'empty', ok: true }
  const report = readReport([crashed, empty])
  t.equal(closingLine(report), '1 passed, 2 failed, 0 skipped')
  t.match(report.failures.join('\n'), 'exit 1')
  t.match(report.failures.join('\n'), 'no test ran')
})

t.test('the slowest files come first', async (t) => {
  const files = [
    { name: 'a', time: 10 },
    { name: 'b', time: 2_000 },
    { name: 'c', time: 300 },
  ]
  t.same(slowestFiles(files, 2), ['2.0 s b', '0.3 s c'])
})

t.test('a test that only skips is skipped', async (t) => {
  const skips: TapSuite = { name: 'peer', ok: true, cases: [{ ok: true, skip: 'not installed' }] }
  t.equal(closingLine(readReport([{ name: 'a', ok: true, suites: [skips] }])), '0 passed, 0 failed, 1 skipped')
})

t.test('a failure between the tests inside a test is one', async (t) => {
  const outer: TapSuite = { name: 'outer', fullname: 'a > outer', ok: false, suites: [passing], cases: failing.cases }
  const report = readReport([{ name: 'a', ok: false, suites: [outer] }])
  t.equal(closingLine(report), '1 passed, 1 failed, 0 skipped')
  t.match(report.failures[0], /a > outer\n {2}by zero/)
})
