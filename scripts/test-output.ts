/** What test files print, read as they run. */
import type { Parser } from 'tap-parser'

export interface TapCase {
  readonly ok: boolean
  readonly name?: string
  readonly skip?: boolean | string
  readonly todo?: boolean | string
  readonly diag?: unknown
}

/** A test file, or a test. */
export interface TapSuite {
  readonly name: string
  /** With the names of those around it. */
  readonly fullname?: string
  readonly ok?: boolean
  /** Milliseconds. */
  readonly time?: number
  /** Of a file: how its process ended, where that was no success. */
  readonly end?: string
  readonly cases?: readonly TapCase[]
  readonly suites?: readonly TapSuite[]
}

/** One whose end has not been read: nothing is known of it to be right. */
class OpenSuite implements TapSuite {
  readonly fullname: string
  readonly cases: TapCase[] = []
  readonly suites: OpenSuite[] = []
  ok = false
  time = 0

  constructor(
    readonly name: string,
    around = '',
  ) {
    this.fullname = around === '' ? name : `${around} > ${name}`
  }
}

/** The files that run in one process, each behind a test of its name, which loads it (`scripts/test-process.ts`). */
export class ProcessOutput {
  readonly #begun: OpenSuite[] = []

  constructor(
    readonly parser: Parser,
    readonly files: readonly string[],
  ) {
    follow(parser, (test) => {
      if (test !== undefined && test === files[this.#begun.length]) this.#begun.push(new OpenSuite(test))
      return this.#begun.at(-1) ?? new OpenSuite('')
    })
  }

  /** How many files have begun. */
  get begun(): number {
    return this.#begun.length
  }

  /** When the process has ended. @returns one suite for each file */
  end(exitCode: number | null, signal: string | null): TapSuite[] {
    const suites = this.files.map((name, index) => fileSuite(name, this.#begun[index]))
    const end = signal === null ? `  ended with exit code ${exitCode}` : `  ended by ${signal}`
    // tests that fail are why it ends with exit code 1
    const isExplained = signal === null && (exitCode === 0 || suites.some(({ ok }) => !ok))
    const last = Math.max(0, this.begun - 1)
    return isExplained ? suites : suites.with(last, { ...suites[last], ok: false, end })
  }
}

function fileSuite(name: string, begun: OpenSuite | undefined): TapSuite {
  if (begun === undefined) return { name, fullname: name, ok: false, end: '  did not begin' }
  const { fullname, cases } = begun
  const [loading, ...tests] = begun.suites
  const suites = loading.ok ? tests : begun.suites
  const ok = suites.every((suite) => suite.ok) && cases.every((one) => one.ok || one.todo !== undefined)
  return { name, fullname, ok, cases, suites, time: begun.suites.reduce((sum, { time }) => sum + time, 0) }
}

/** @param suiteOf where the next test belongs, of the name given, or the next assertion */
function follow(parser: Parser, suiteOf: (test?: string) => OpenSuite): void {
  let open: OpenSuite | undefined
  parser.on('child', (child) => {
    const around = suiteOf(child.name)
    const inner = new OpenSuite(child.name, around.fullname)
    around.suites.push(inner)
    follow(child, () => inner)
    open = inner
  })
  parser.on('assert', ({ ok, name, skip, todo, diag, time }) => {
    if (open === undefined) {
      suiteOf().cases.push({ ok, name, diag, skip: skip || undefined, todo: todo || undefined })
      return
    }
    // the line that closes a test stands where one of an assertion would
    open.ok = ok
    open.time = time ?? 0
    open = undefined
  })
}
