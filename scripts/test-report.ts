/** What a run of the test suite says, read from tap's JSON report. */

interface TapCase {
  readonly ok: boolean
  readonly name?: string
  readonly fullname?: string
  readonly skip?: boolean | string
  readonly todo?: boolean | string
  readonly diag?: Readonly<Record<string, unknown>>
}

export interface TapSuite {
  readonly name: string
  readonly fullname?: string
  readonly ok?: boolean
  /** Milliseconds. */
  readonly time?: number
  readonly failures?: number
  readonly cases?: readonly TapCase[]
  readonly suites?: readonly TapSuite[]
}

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
export function readReport(root: TapSuite): TestReport {
  const report = { passed: 0, failed: 0, skipped: 0, failures: [] as string[] }
  for (const file of root.suites ?? []) {
    const before = report.failed
    const counted = countTests(file, report)
    const failedOutside = file.ok === false && report.failed === before
    if (failedOutside || counted === 0) {
      report.failed++
      const reason = counted === 0 && !failedOutside ? 'no test ran' : caseTexts(file).join('\n')
      report.failures.push(`${file.name}\n${reason || '  failed outside of its tests'}`)
    }
  }
  return report
}

function countTests(
  suite: TapSuite,
  report: { passed: number; failed: number; skipped: number; failures: string[] },
): number {
  let counted = 0
  for (const { skip, todo } of suite.cases ?? []) {
    if (skip === undefined && todo === undefined) continue
    report.skipped++
    counted++
  }
  for (const child of suite.suites ?? []) {
    if ((child.suites ?? []).length > 0) {
      counted += countTests(child, report)
      continue
    }
    counted++
    const skips = (child.cases ?? []).filter(({ skip }) => skip !== undefined)
    if (child.ok === false) {
      report.failed++
      report.failures.push(`${child.fullname ?? child.name}\n${caseTexts(child).join('\n')}`)
    } else if (skips.length > 0 && skips.length === (child.cases ?? []).length) report.skipped++
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
export function slowestFiles(root: TapSuite, count: number): string[] {
  return [...(root.suites ?? [])]
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0))
    .slice(0, count)
    .map(({ name, time = 0 }) => `${(time / 1_000).toFixed(1)} s ${name}`)
}

/** The last line of a run. */
export function closingLine({ passed, failed, skipped }: TestReport): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
