/** What load and soak do alike as command-line programs: options, signals, output, exit status. */
import { writeFile } from 'node:fs/promises'
import { CommanderError } from 'commander'
import { messageOf } from '../../src/base/errors.js'
import { StatusLine } from './status-line.js'

/** Something was lost, repeated or grew. */
const FAILED = 1
/** Misuse, or a broker that cannot be reached. */
const NOT_RUN = 2

interface ProgramOptions {
  readonly jsonFile: string | undefined
}

interface Outcome {
  readonly failures: readonly string[]
}

/** @returns the exit status. Never rejects. */
export async function runProgram<Options extends ProgramOptions, Result extends Outcome>(
  args: readonly string[],
  parse: (args: readonly string[]) => Options,
  run: (options: Options, status: StatusLine, signal: AbortSignal) => Promise<Result>,
  textOf: (result: Result) => string,
): Promise<number> {
  const interruption = new AbortController()
  const interrupt = (): void => interruption.abort()
  try {
    const options = parse(args)
    // A second signal finds no handler any more and ends the process at once.
    process.once('SIGINT', interrupt)
    process.once('SIGTERM', interrupt)
    const result = await run(options, new StatusLine(process.stderr), interruption.signal)
    await print(textOf(result), result, options.jsonFile)
    return result.failures.length === 0 ? 0 : FAILED
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : NOT_RUN
    process.stderr.write(`error: ${messageOf(error)}\n`)
    return NOT_RUN
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

async function print(text: string, result: unknown, jsonFile: string | undefined): Promise<void> {
  const json = `${JSON.stringify(result, undefined, 2)}\n`
  if (jsonFile === '-') {
    process.stdout.write(json)
    return
  }
  process.stdout.write(`${text}\n`)
  if (jsonFile !== undefined) await writeFile(jsonFile, json)
}
