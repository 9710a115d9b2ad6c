/**
 * Runs the compiled tests and ends with `N passed, N failed, N skipped`. `npm test -- ring will` runs only files whose
 * path contains one of the words, and names lines of the TypeScript in what fails.
 *
 * The command `tap` is not used: it gives every file a process, and every process and thread two loaders, for coverage
 * and for mocks. Nobody here needs those, and loading modules would take most of the time.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'
import { ProcessOutput, type TapSuite } from './test-output.js'
import { planProcesses } from './test-plan.js'
import { closingLine, readReport, slowestFiles } from './test-report.js'

const JOBS = 2
/** Seconds for one file, unless it asks for more: its process ends itself then, and says what is still open. */
const TIMEOUT_S = 240
/** Seconds until a process is ended that does not do even that. */
const TIMEOUT_MAX_S = 900
const PROGRESS_MS = 30_000
/** Of what a process wrote to standard error last; shown if something failed in it. */
const STDERR_CHARS_MAX = 8_192

const dist = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dist)

const TEST_PROCESS = fileURLToPath(new URL('./test-process.js', import.meta.url))

function testFiles(words: readonly string[]): string[] {
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => relative(root, join(dist, file)))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
}

async function runProcess(output: ProcessOutput, nodeOptions: readonly string[]): Promise<TapSuite[]> {
  const { parser, files } = output
  const child = spawn(process.execPath, [...nodeOptions, TEST_PROCESS], {
    cwd: root,
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(TIMEOUT_S), MERLOT_TEST_FILES: files.join('\n') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MAX_S * 1_000,
    killSignal: 'SIGKILL',
  })
  child.stdout.pipe(parser)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS_MAX)
  })
  const parsed = once(parser, 'complete')
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  await parsed
  const suites = output.end(exitCode, signal)
  if (stderr !== '' && suites.some(({ ok }) => !ok)) process.stdout.write(`\nwritten by ${files.at(0)} …\n${stderr}\n`)
  return suites
}

async function run(files: readonly string[], nodeOptions: readonly string[]): Promise<readonly TapSuite[]> {
  const suites: TapSuite[] = []
  const outputs = planProcesses(files).map((group) => new ProcessOutput(new Parser(), group))
  const startedMs = Date.now()
  const progress = setInterval(() => {
    const seconds = Math.round((Date.now() - startedMs) / 1_000)
    const begun = outputs.reduce((sum, output) => sum + output.begun, 0)
    process.stdout.write(`… ${seconds} s: file ${begun} of ${files.length}\n`)
  }, PROGRESS_MS)
  const waiting = [...outputs]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      suites.push(...(await runProcess(next, nodeOptions)))
    }
  }
  await Promise.all(Array.from({ length: JOBS }, work))
  clearInterval(progress)
  return suites
}

const words = process.argv.slice(2)
const files = testFiles(words)
if (files.length === 0) throw new Error('no test file has such a name')
process.stdout.write(`running ${files.length} test files\n`)
const suites = await run(files, words.length === 0 ? [] : ['--enable-source-maps'])
const report = readReport(suites)
for (const failure of report.failures) process.stdout.write(`\nFAILED ${failure}\n`)
process.stdout.write(`\nslowest files:\n  ${slowestFiles(suites, 8).join('\n  ')}\n`)
process.stdout.write(`\n${closingLine(report)}\n`)
process.exitCode = report.failed === 0 && report.passed > 0 ? 0 : 1
