/** A command line from its arguments to its exit code. */
import type { CommandContext } from './command.js'
import { type ExitCode, failureOf } from './exit.js'
import { runProgram } from './program.js'

/** Reports a failure on standard error: what happened, then what to do about it on a line of its own. Never throws. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    return await runProgram(args, context)
  } catch (thrown) {
    const { message, remedy, exitCode } = failureOf(thrown)
    context.stderr.write(`merlot: ${message}\n${remedy === undefined ? '' : `${remedy}\n`}`)
    return exitCode
  }
}
