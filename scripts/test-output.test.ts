import t from 'tap'
import { Parser } from 'tap-parser'
import { ProcessOutput } from './test-output.js'
import { closingLine, readReport } from './test-report.js'

/** What is said of the files of a process that printed these lines: the last line, and what failed. */
function reportOf(files: readonly string[], lines: readonly string[], exitCode: number | null): [string, string] {
  const parser = new Parser()
  const output = new ProcessOutput(parser, files)
  parser.end(`${['TAP version 14', ...lines].join('\n')}\n`)
  const report = readReport(output.end(exitCode, exitCode === null ? 'SIGKILL' : null))
  return [closingLine(report), report.failures.join('\n')]
}

const begin = (file: string): string[] => [`# Subtest: ${file}`, '    ok 1 - is loaded', '    1..1', `ok 1 - ${file}`]
const ADDS = ['# Subtest: adds', '    ok 1 - equal', '    ok 2 - same', '    1..2', 'ok 2 - adds # time=3ms']
const NESTED = [
  '# Subtest: divides',
  '    # Subtest: by zero',
  '        not ok 1 - equal',
  '          ---',
  '          diff: |',
  '            -1',
  '            +2',
  '          ...',
  '    not ok 1 - by zero # time=1ms',
  '    ok 2 - later # SKIP no time',
  '    1..2',
  'not ok 3 - divides # time=2ms',
  'ok 4 - on Windows # SKIP no Windows',
]

t.test('tests of a file are counted, its loading is not', async (t) => {
  t.same(reportOf(['a'], [...begin('a'), ...ADDS, '1..2'], 0), ['1 passed, 0 failed, 0 skipped', ''])
  const [line, failures] = reportOf(['a'], [...begin('a'), ...ADDS, ...NESTED, '1..4'], 1)
  t.equal(line, '1 passed, 1 failed, 2 skipped')
  t.match(failures, /^a > divides > by zero\n {2}equal\n {4}-1\n {4}\+2/)
})

t.test('each file of a process has its own tests', async (t) => {
  const [line, failures] = reportOf(
    ['a', 'b', 'c'],
    [...begin('a'), ...ADDS, ...begin('b'), ...begin('c'), ...NESTED],
    1,
  )
  t.equal(line, '1 passed, 2 failed, 2 skipped')
  t.match(failures, /^b\n {2}no test ran\nc > divides > by zero\n/)
})

t.test('a file that cannot be loaded is a failure', async (t) => {
  const lines = ['# Subtest: a', '    not ok 1 - no such module', '    1..1', 'not ok 1 - a', '1..1']
  t.same(reportOf(['a'], lines, 1), ['0 passed, 1 failed, 0 skipped', 'a > a\n  no such module'])
})

t.test('a process that does not end well is a failure, whatever its tests said', async (t) => {
  const [line, failures] = reportOf(['a'], [...begin('a'), ...ADDS, '1..2'], 3)
  t.same([line, failures], ['1 passed, 1 failed, 0 skipped', 'a\n  ended with exit code 3'])
  const unended = [...begin('a'), ...ADDS, '# Subtest: hangs', '    ok 1 - equal']
  const killed = reportOf(['a', 'b'], unended, null)
  t.equal(killed[0], '1 passed, 2 failed, 0 skipped')
  t.match(killed[1], /a > hangs\n(?:.*\n)*b\n {2}did not begin/)
  t.same(reportOf(['a'], [...begin('a'), ...ADDS], null), ['1 passed, 1 failed, 0 skipped', 'a\n  ended by SIGKILL'])
})
