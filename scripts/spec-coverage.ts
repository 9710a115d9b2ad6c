/**
 * Which statements of the specifications have no test. Run by `npm run spec`; exits with 1 unless every statement is named
 * by a test or excepted with a reason. Reads the compiled tests beside itself, so it needs nothing but a build.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { STATEMENTS_5, STATEMENTS_311 } from '../stress/conformance/statement-numbers.js'
import { EXCEPTIONS, EXCEPTIONS_311, type StatementException } from '../stress/support/exceptions.js'

export interface Coverage {
  readonly title: string
  readonly statements: number
  /** Number of tests by statement. */
  readonly tests: ReadonlyMap<string, number>
  readonly exceptions: readonly StatementException[]
  /** No test names them and no exception excuses them. */
  readonly uncovered: readonly string[]
  /** Named by a test or an exception, yet no statement has this number. */
  readonly unknown: readonly string[]
  /** Excepted although a test names them: the exception is out of date. */
  readonly needless: readonly string[]
}

/** The first argument of a call of `statement` or `statement311`: one number or a list of them. */
const CALL = /\b(statement|statement311)\(\s*(\[[^\]]*\]|'[^']*'|"[^"]*")/g
const NUMBER = /MQTT-\d+(?:\.\d+)+-\d+/g

/** The numbers that the source of a test file names, by the function that it calls. */
export function numbersIn(source: string): { readonly mqtt5: readonly string[]; readonly mqtt311: readonly string[] } {
  const found: Record<'statement' | 'statement311', string[]> = { statement: [], statement311: [] }
  for (const [, name, numbers] of source.matchAll(CALL)) {
    found[name as keyof typeof found].push(...(numbers!.match(NUMBER) ?? []))
  }
  return { mqtt5: found.statement, mqtt311: found.statement311 }
}

export function coverageOf(
  title: string,
  statements: readonly string[],
  named: readonly string[],
  exceptions: readonly StatementException[],
): Coverage {
  const known = new Set(statements)
  const excepted = new Set(exceptions.map(({ number }) => number))
  const tests = new Map<string, number>()
  for (const number of named) tests.set(number, (tests.get(number) ?? 0) + 1)
  return {
    title,
    statements: statements.length,
    tests,
    exceptions,
    uncovered: statements.filter((number) => !tests.has(number) && !excepted.has(number)),
    unknown: [...new Set([...tests.keys(), ...excepted])].filter((number) => !known.has(number)),
    needless: [...excepted].filter((number) => tests.has(number)),
  }
}

export function isComplete({ uncovered, unknown, needless }: Coverage): boolean {
  return uncovered.length + unknown.length + needless.length === 0
}

/** @param root folder of the compiled tests, searched through */
export async function collectCoverage(root: string): Promise<readonly Coverage[]> {
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.test.js'))
  const mqtt5: string[] = []
  const mqtt311: string[] = []
  for (const file of files) {
    const numbers = numbersIn(await readFile(join(root, file), 'utf8'))
    mqtt5.push(...numbers.mqtt5)
    mqtt311.push(...numbers.mqtt311)
  }
  return [
    coverageOf('MQTT 5.0', STATEMENTS_5, mqtt5, EXCEPTIONS),
    coverageOf('MQTT 3.1.1', STATEMENTS_311, mqtt311, EXCEPTIONS_311),
  ]
}

export function report(coverage: Coverage): string {
  const { title, statements, tests, exceptions, uncovered, unknown, needless } = coverage
  const total = [...tests.values()].reduce((sum, count) => sum + count, 0)
  const lines = [
    `${title}: ${statements} statements, ${tests.size} named by ${total} tests, ${exceptions.length} excepted`,
    ...exceptions.map(({ number, reason }) => `  ${number} excepted: ${reason}`),
    ...uncovered.map((number) => `  ${number} NOT COVERED: no test names it`),
    ...unknown.map((number) => `  ${number} UNKNOWN: there is no such statement`),
    ...needless.map((number) => `  ${number} EXCEPTED NEEDLESSLY: a test names it`),
  ]
  return lines.join('\n')
}

/** Folder of the compiled conformance tests and faults, beside this script in the build. */
export const COMPILED_TESTS = fileURLToPath(new URL('../stress', import.meta.url))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const coverages = await collectCoverage(COMPILED_TESTS)
  console.log(coverages.map(report).join('\n\n'))
  if (!coverages.every(isComplete)) process.exitCode = 1
}
