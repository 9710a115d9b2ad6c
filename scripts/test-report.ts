/** What a run of the test suite says. */
import type { TapSuite } from './test-output.js'

export interface TestReport {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Of failed tests: name, and what its assertions said. */
  readonly failures: readonly string[]
}

/**
 * Counts tests, not assertions: a named test without tests inside is one, and so is what was skipped. A file that fails
 * outside of its tests (a crash, a time-out, no test at all) counts as one more failure.
 */
export function readReport(files: readonly TapSuite[]): TestReport {
  const report: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] }
  for (const file of files) {
    const before = report.failed
    const counted = countTests(file, report)
    const failedOutside = file.ok === false && report.failed === before
    if (failedOutside || counted === 0) {
      report.failed++
      const reasons = counted === 0 && !failedOutside ? ['  no test ran'] : [...caseTexts(file), file.end ?? '']
      report.failures.push([file.name, ...reasons].join('\n').trimEnd())
    }
  }
  return report
}

interface Counts {
  passed: number
  failed: number
  skipped: number
  readonly failures: string[]
}

function fail(suite: TapSuite, report: Counts): void {
  report.failed++
  report.failures.push(`${suite.fullname ?? suite.name}\n${caseTexts(suite).join('\n')}`)
}

function countTests(suite: TapSuite, report: Counts): number {
  let counted = 0
  for (const { skip, todo } of suite.cases ?? []) {
    if (skip === undefined && todo === undefined) continue
    report.skipped++
    counted++
  }
  for (const child of suite.suites ?? []) {
    if ((child.suites ?? []).length > 0) {
      const before = report.failed
      counted += countTests(child, report)
      if (child.ok === false && report.failed === before) fail(child, report)
      continue
    }
    counted++
    const skips = (child.cases ?? []).filter(({ skip }) => skip !== undefined)
    if (child.ok === false) fail(child, report)
    else if (skips.length > 0 && skips.length === (child.cases ?? []).length) report.skipped++
    else report.passed++
  }
  return counted
}

function caseTexts(suite: TapSuite): string[] {
  return (suite.cases ?? [])
    .filter(({ ok }) => !ok)
    .map(({ name, diag }) => {
      const { diff, stack } = (diag ?? {}) as { diff?: string; stack?: string }
      return [`  ${name ?? ''}`, diff, stack].filter(Boolean).join('\n').trimEnd().replaceAll('\n', '\n    ')
    })
}

/** The files that took longest, with their seconds. */
export function slowestFiles(files: readonly TapSuite[], count: number): string[] {
  return [...files]
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0))
    .slice(0, count)
    .map(({ name, time = 0 }) => `${(time / 1_000).toFixed(1)} s ${name}`)
}

/** The last line of a run. */
export function closingLine({ passed, failed, skipped }: TestReport): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
