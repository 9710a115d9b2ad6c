/** What of a Python package cannot be installed, in words for its user. */
import { BrokerError } from '../base/errors.js'

/** Problems quote what was given. */
const PROBLEM_CHARACTERS_MAX = 1_000

export function wheelRefused(problem: string, cause?: unknown): BrokerError<'PACKAGE_REFUSED'> {
  const shown = problem.length > PROBLEM_CHARACTERS_MAX ? `${problem.slice(0, PROBLEM_CHARACTERS_MAX)}…` : problem
  return new BrokerError('PACKAGE_REFUSED', { problem: shown }, { cause })
}
