/** `merlot lot test`: runs the examples that stand beside LoT. */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { type CaseResult, runCase } from '../lot-simulator/run-case.js'
import { readTestFile, type TestFileContent, type TestFileProblem } from '../lot-simulator/test-file.js'
import type { CommandContext, CommandDefinition, OptionValues } from './command.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'
import { readDefinitions } from './lot-definitions.js'
import { type FileKind, type NamedFile, readNamed, utf8Text } from './lot-files.js'
import { COMPAT_OPTIONS, compatOf, JSON_OPTION } from './lot-options.js'
import { openOutside, PYTHON_OPTIONS } from './lot-python.js'

const TEST_ENDING = /\.test\.lot\.ya?ml$/i
const TESTS: FileKind = { ending: TEST_ENDING, remedy: 'give .test.lot.yaml files, or a folder' }

export const lotTestCommand: CommandDefinition = {
  name: 'lot test',
  summary: 'Run the examples that stand beside LoT, in NAME.test.lot.yaml',
  argument: { name: 'files', doc: 'files *.test.lot.yaml, the LoT beside them, or folders', count: 'many' },
  options: [...PYTHON_OPTIONS, ...COMPAT_OPTIONS, JSON_OPTION],
  examples: ['merlot lot test pump.test.lot.yaml', 'merlot lot test plant --json'],
  async run(values, context) {
    const names = values.texts('files').map(testOf)
    const files = await readNamed(names, context, TESTS)
    if (files.length === 0) {
      throw wrongUsage(`there are no tests in ${names.join(', ')}`, 'files with tests end with .test.lot.yaml')
    }
    const results: FileResult[] = []
    for (const file of files) results.push(await runFile(file, values, context))
    if (values.flag('json')) context.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
    else for (const line of resultLines(results)) context.stdout.write(`${line}\n`)
    const isPassed = results.every(({ problems, cases }) => problems.length === 0 && cases.every(passed))
    return isPassed ? ExitCode.ok : ExitCode.failed
  },
}

/** Of `pump.lot` that is `pump.test.lot.yaml`. */
function testOf(name: string): string {
  return name.replace(/\.(lot|lotnb)$/i, '.test.lot.yaml')
}

interface FileResult {
  readonly file: string
  /** Of the file itself; then nothing of it was run. */
  readonly problems: readonly TestFileProblem[]
  readonly cases: readonly CaseResult[]
}

async function runFile(file: NamedFile, values: OptionValues, context: CommandContext): Promise<FileResult> {
  const { name } = file
  const content = readTestFile(utf8Text(file.bytes) ?? '\u0000')
  if (!isContent(content)) return { file: name, problems: content, cases: [] }
  const compat = compatOf(values)
  const definitions = await readDefinitions(lotFilesOf(file, content, context), compat, context)
  const outside = await openOutside(definitions, values, context, (target) => Object.hasOwn(content.python, target))
  const task = {
    file: content,
    compat: compat.compat,
    deploy: definitions.deployTo.bind(definitions),
    place: definitions.placeOf.bind(definitions),
    answer: outside.answer,
  }
  const cases: CaseResult[] = []
  try {
    for (const test of content.cases) {
      if (cases.length > 0) await outside.begin()
      cases.push(runCase(test, task))
    }
  } finally {
    await outside.stop()
  }
  return { file: name, problems: [], cases }
}

function isContent(content: TestFileContent | readonly TestFileProblem[]): content is TestFileContent {
  return !Array.isArray(content)
}

/** Those that it names, otherwise those of its name. @throws CommandError */
function lotFilesOf({ name }: NamedFile, { files }: TestFileContent, context: CommandContext): string[] {
  if (files !== undefined) return files.map((file) => (isAbsolute(file) ? file : join(dirname(name), file)))
  const stem = name.replace(TEST_ENDING, '')
  const found = [`${stem}.lot`, `${stem}.lotnb`].filter((file) => existsSync(resolve(context.workingDirectory, file)))
  const script = `${stem}.py`
  if (found.length > 0 && existsSync(resolve(context.workingDirectory, script))) found.push(script)
  if (found.length > 0) return found
  const remedy = 'name the files that it tests under "files"'
  throw new CommandError(`${name} stands beside no ${stem}.lot`, remedy)
}

function passed({ differences }: CaseResult): boolean {
  return differences.length === 0
}

function* resultLines(results: readonly FileResult[]): Generator<string> {
  for (const { file, problems, cases } of results) {
    for (const { line, message } of problems) yield `${file}:${line}: ${message}`
    for (const result of cases) {
      yield passed(result) ? `ok      ${file}: ${result.name}` : `FAILED  ${file}:${result.line}: ${result.name}`
      for (const difference of result.differences) yield `          ${difference}`
    }
  }
  const cases = results.flatMap((result) => result.cases)
  const failed = cases.filter((result) => !passed(result)).length
  const broken = results.filter(({ problems }) => problems.length > 0).length
  const unread = broken === 0 ? '' : `, ${broken} of the files cannot be read`
  yield `${cases.length - failed} passed, ${failed} failed${unread}`
}
