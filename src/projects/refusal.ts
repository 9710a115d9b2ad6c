/** What a user asked for and cannot have, in words for him. */
import { BrokerError } from '../base/errors.js'

/** Problems quote what was given, and that may be megabytes. */
const PROBLEM_CHARACTERS_MAX = 1_000

export function refused(problem: string, cause?: unknown): BrokerError<'PROJECT_REFUSED'> {
  const shown = problem.length > PROBLEM_CHARACTERS_MAX ? `${problem.slice(0, PROBLEM_CHARACTERS_MAX)}…` : problem
  return new BrokerError('PROJECT_REFUSED', { problem: shown }, { cause })
}
