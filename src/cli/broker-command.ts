/** `merlot command`: sends a command to a broker and prints its answer. */
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { ANSWER_OPTIONS, printAnswer, sendCommand } from './command-exchange.js'
import { CONNECTION_OPTIONS, readNamedFile } from './connection-options.js'
import { ExitCode, wrongUsage } from './exit.js'
import { OWNER_OPTIONS, ownerSettings } from './owner-access.js'
import { payloadsOf } from './payloads.js'

const OPTIONS: readonly OptionDefinition[] = [
  { flags: '-f, --file <file>', kind: 'text', doc: 'file with what follows the command, such as LoT or Python' },
  { flags: '-s, --stdin', kind: 'flag', doc: 'the same from standard input' },
  ...ANSWER_OPTIONS,
]

export const brokerCommand: CommandDefinition = {
  name: 'command',
  summary: 'Send a command to a broker and print its answer',
  argument: { name: 'text', doc: 'the command, such as "-listModels"' },
  ownsH: true,
  arrange: commandTextLast,
  options: [...OPTIONS, ...OWNER_OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    'merlot command "-listModels"',
    'merlot command "-addAction" --file alarm.lot',
    'merlot command "-removeModel Tank" -h broker.local -u admin --password-file secret.txt',
    'merlot command \'-runAction ScaleRaw {"raw": 2048, "span": 10}\' --json',
  ],
  async run(values, context) {
    const settings = ownerSettings(values, context)
    const text = await commandText(values, context)
    const answer = await sendCommand(text, settings, context, values.integer('timeout'))
    return answer === undefined ? ExitCode.ok : printAnswer(answer, values.flag('json'), context)
  },
}

/**
 * The text of a command begins with a dash, as options do: it is moved behind them, where it is no option.
 * @param args of the program
 */
export function commandTextLast(args: readonly string[]): readonly string[] {
  if (args[0] !== brokerCommand.name || args.includes('--')) return args
  const options = new Set(brokerCommand.options.flatMap(({ flags }) => flags.match(/--[\w-]+/g) ?? []))
  const at = args.findIndex((arg) => {
    const [word] = arg.split(/[\s=]/, 1)
    return /^-[A-Za-z]{2,}/.test(word) || (/^--[A-Za-z]/.test(word) && word !== '--help' && !options.has(word))
  })
  if (at < 1) return args
  return [...args.slice(0, at), ...args.slice(at + 1), '--', args[at]]
}

async function commandText(values: OptionValues, context: CommandContext): Promise<string> {
  const text = values.text('text')?.trim() ?? ''
  if (!text.startsWith('-')) throw wrongUsage(`"${text}" is not a command`, 'commands begin with a dash: "-listModels"')
  const file = values.text('file')
  if (file !== undefined && values.flag('stdin')) {
    throw wrongUsage('--file and --stdin are both given', 'keep one of the two')
  }
  if (file !== undefined) return `${text}\n${readNamedFile(file, context).toString('utf8')}`
  if (!values.flag('stdin')) return text
  for await (const body of payloadsOf(values, context)) return `${text}\n${body.toString('utf8')}`
  return text
}
