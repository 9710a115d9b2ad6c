/**
 * Runs the compiled tests with tap and ends with `N passed, N failed, N skipped`, counted from tap's own report.
 * `npm test -- ring will` runs only files whose path contains one of the words.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closingLine, readReport, slowestFiles, type TapSuite } from './test-report.js'

const dist = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dist)

function testFiles(words: readonly string[]): string[] {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => relative(root, join(dist, file)))
  return files.filter((file) => words.length === 0 || words.some((word) => file.includes(word))).sort()
}

async function run(files: readonly string[], reportFile: string): Promise<void> {
  const tap = join(root, 'node_modules', '.bin', 'tap')
  const options = ['run', '--disable-coverage', '--reporter=json', `--reporter-file=${reportFile}`]
  const child = spawn(tap, [...options, ...files], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const startedMs = Date.now()
  const progress = setInterval(() => {
    process.stdout.write(`… ${Math.round((Date.now() - startedMs) / 1_000)} s\n`)
  }, 30_000)
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve())
  })
  clearInterval(progress)
}

async function main(): Promise<void> {
  const files = testFiles(process.argv.slice(2))
  if (files.length === 0) throw new Error('no test file has such a name')
  process.stdout.write(`running ${files.length} test files\n`)
  const folder = mkdtempSync(join(tmpdir(), 'merlot-tests-'))
  try {
    const reportFile = join(folder, 'report.json')
    await run(files, reportFile)
    const root = JSON.parse(readFileSync(reportFile, 'utf8')) as TapSuite
    const report = readReport(root)
    for (const failure of report.failures) process.stdout.write(`\nFAILED ${failure}\n`)
    process.stdout.write(`\nslowest files:\n  ${slowestFiles(root, 8).join('\n  ')}\n`)
    process.stdout.write(`\n${closingLine(report)}\n`)
    process.exitCode = report.failed === 0 && report.passed > 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
