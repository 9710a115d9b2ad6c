/** `merlot command`: sends a command to a broker and prints its answer. */
import type { SentFile } from './answer-problems.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { ANSWER_OPTIONS, printAnswer, sendCommand } from './command-exchange.js'
import { CONNECTION_OPTIONS, readNamedFile } from './connection-options.js'
import { ExitCode, wrongUsage } from './exit.js'
import { OWNER_OPTIONS, ownerSettings } from './owner-access.js'
import { payloadsOf } from './payloads.js'

/** Commands that are typed may have one; elsewhere such an end belongs to a name, a reason or a password. */
const REQUEST_ID = /\s-requestId\s+(\S+)\s*$/i

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
  excessRemedy: quotesRemedy,
  options: [...OPTIONS, ...OWNER_OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    'merlot command "-listModels"',
    'merlot command "-addAction" --file alarm.lot',
    'merlot command "-removeModel Tank" -h broker.local -u admin --password-file secret.txt',
    'merlot command \'-runAction ScaleRaw {"raw": 2048, "span": 10}\' --json',
  ],
  async run(values, context) {
    const settings = ownerSettings(values, context)
    const { text, sent } = await commandText(values, context)
    const writtenId = REQUEST_ID.exec(text)?.[1]
    const answer = await sendCommand(text, settings, context, values.integer('timeout'), writtenId)
    return answer === undefined ? ExitCode.ok : printAnswer(answer, values.flag('json'), context, sent)
  },
}

/**
 * The text of a command begins with a dash, as options do: it is moved behind them, where it is no option.
 * @param args of the program
 */
export function commandTextLast(args: readonly string[]): readonly string[] {
  if (args[0] !== brokerCommand.name || args.includes('--')) return args
  const at = commandTextAt(args)
  if (at < 1) return args
  return [...args.slice(0, at), ...args.slice(at + 1), '--', args[at]]
}

/** @returns -1 for none that begins with a dash */
function commandTextAt(args: readonly string[]): number {
  const options = new Set(brokerCommand.options.flatMap(({ flags }) => flags.match(/--[\w-]+/g) ?? []))
  return args.findIndex((arg) => {
    const [word] = arg.split(/[\s=]/, 1)
    return /^-[A-Za-z]{2,}/.test(word) || (/^--[A-Za-z]/.test(word) && word !== '--help' && !options.has(word))
  })
}

function quotesRemedy(args: readonly string[]): string {
  const words = args.slice(Math.max(1, commandTextAt(args)))
  const end = words.findIndex((word, index) => index > 0 && word.startsWith('-'))
  const text = words.slice(0, end < 0 ? undefined : end).join(' ')
  return `put the command in quotes: merlot command "${text}"`
}

/** @returns also the file, where one is named */
async function commandText(
  values: OptionValues,
  context: CommandContext,
): Promise<{ readonly text: string; readonly sent?: SentFile }> {
  const text = values.text('text')?.trim() ?? ''
  if (!text.startsWith('-')) throw wrongUsage(`"${text}" is not a command`, 'commands begin with a dash: "-listModels"')
  const file = values.text('file')
  if (file !== undefined && values.flag('stdin')) {
    throw wrongUsage('--file and --stdin are both given', 'keep one of the two')
  }
  if (file !== undefined) {
    const body = readNamedFile(file, context).toString('utf8')
    return { text: `${text}\n${body}`, sent: { name: file, text: body } }
  }
  if (!values.flag('stdin')) return { text }
  for await (const body of payloadsOf(values, context)) return { text: `${text}\n${body.toString('utf8')}` }
  return { text }
}
