/** What `merlot user`, `merlot ban` and `merlot python` do: a command to a running broker, by default as the owner of its data folder. */
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'
import { ANSWER_OPTIONS, printAnswer, sendCommand } from './command-exchange.js'
import { CONNECTION_OPTIONS } from './connection-options.js'
import { ExitCode } from './exit.js'
import { OWNER_OPTIONS, ownerSettings } from './owner-access.js'

export const ADMINISTER_OPTIONS: readonly OptionDefinition[] = [
  ...ANSWER_OPTIONS,
  ...OWNER_OPTIONS,
  ...CONNECTION_OPTIONS,
]

/**
 * Prints the answer.
 * @param text of the command, with its dash
 * @throws CommandError, BrokerError as `ownerSettings` and `sendCommand` do
 */
export async function administer(text: string, values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const answer = await sendCommand(text, ownerSettings(values, context), context, values.integer('timeout'))
  return answer === undefined ? ExitCode.ok : printAnswer(answer, values.flag('json'), context)
}
