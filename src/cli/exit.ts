/** How commands end: exit codes and the errors that lead to them. */
import { BrokerError, type ErrorCode } from '../base/errors.js'

/** Documented in docs/command-line.md; scripts rely on them. */
export const ExitCode = {
  ok: 0,
  /** The broker could not start or go on; a client was refused, or lost its connection; a store is damaged. */
  failed: 1,
  /** The command line or the configuration is wrong: nothing was started. */
  wrongUsage: 2,
  /** `sub --count` did not get all messages within `--timeout`. */
  timedOut: 3,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** An expected failure of a command. The message is complete; the remedy goes on a line of its own. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  constructor(
    message: string,
    readonly remedy: string | undefined,
    readonly exitCode: ExitCode = ExitCode.failed,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export function wrongUsage(message: string, remedy?: string): CommandError {
  return new CommandError(message, remedy, ExitCode.wrongUsage)
}

const CONFIGURATION_ERRORS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONFIG_INVALID',
  'FILE_UNREADABLE',
  'FOLDER_UNUSABLE',
  'FOLDER_NOT_EMPTY',
  'CERTIFICATE_INVALID',
  'STORE_MISSING',
])

export interface Failure {
  readonly message: string
  readonly remedy: string | undefined
  readonly exitCode: ExitCode
}

/** What to tell the user of something thrown. Only what nobody expected shows its stack. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommandError) return thrown
  if (thrown instanceof BrokerError) {
    const exitCode = CONFIGURATION_ERRORS.has(thrown.code) ? ExitCode.wrongUsage : ExitCode.failed
    const remedy = thrown.code === 'CONFIG_INVALID' ? 'every key is described in docs/configuration.md' : thrown.remedy
    return { message: thrown.message, remedy, exitCode }
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return {
    message: `unexpected failure: ${stack}`,
    remedy: 'this is an error in Merlot: please report it with the lines above',
    exitCode: ExitCode.failed,
  }
}
