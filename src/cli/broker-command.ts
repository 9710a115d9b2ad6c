/** `merlot command`: sends a command to a broker and prints its answer. */
import { randomBytes } from 'node:crypto'
import { stringify } from 'yaml'
import type { ReceivedMessage } from './client.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { CONNECTION_OPTIONS, connectionSettings, readNamedFile } from './connection-options.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'
import { payloadsOf } from './payloads.js'
import { printable } from './sub-output.js'

const COMMAND_TOPIC = '$SYS/Coreflux/Command'
const OUTPUT_TOPIC = '$SYS/Coreflux/Command/Output'
const REQUEST_ID = /\s-requestId\s+(\S+)\s*$/i
/** The one command that has no answer. */
const UNANSWERED = /^--?update-?data\b/i
const TIMEOUT_SECONDS = 60

const OPTIONS: readonly OptionDefinition[] = [
  { flags: '-f, --file <file>', kind: 'text', doc: 'file with what follows the command, such as LoT or Python' },
  { flags: '-s, --stdin', kind: 'flag', doc: 'the same from standard input' },
  { flags: '--json', kind: 'flag', doc: 'print the answer as one line of JSON' },
  {
    flags: '--timeout <seconds>',
    kind: 'integer',
    min: 1,
    max: 86_400,
    doc: 'wait so long for the answer (otherwise 60)',
  },
]

export const brokerCommand: CommandDefinition = {
  name: 'command',
  summary: 'Send a command to a broker and print its answer',
  argument: { name: 'text', doc: 'the command, such as "-listModels"' },
  ownsH: true,
  options: [...OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    'merlot command "-listModels"',
    'merlot command "-addAction" --file alarm.lot',
    'merlot command "-removeModel Tank" -h broker.local -u admin --password-file secret.txt',
    'merlot command \'-runAction ScaleRaw {"raw": 2048, "span": 10}\' --json',
  ],
  async run(values, context) {
    const settings = connectionSettings(values, context)
    const text = await commandText(values, context)
    const requestId = REQUEST_ID.exec(text)?.[1] ?? randomBytes(6).toString('hex')
    const request = REQUEST_ID.test(text) ? text : `${text} -requestId ${requestId}`
    const answer = new ExpectedAnswer(requestId)
    const { connectToBroker } = await import('./client.js')
    const connection = await connectToBroker(settings, context, (message, settle) => {
      settle(true)
      answer.look(message)
    })
    try {
      const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
      await connection.subscribe([OUTPUT_TOPIC], {
        ...options,
        subscriptionIdentifier: undefined,
        userProperties: undefined,
      })
      await connection.publish(COMMAND_TOPIC, Buffer.from(request), { qos: 1, retain: false })
      if (UNANSWERED.test(text)) return ExitCode.ok
      const seconds = values.integer('timeout') ?? TIMEOUT_SECONDS
      const outcome = await Promise.race([answer.within(seconds), connection.lost])
      if (outcome instanceof CommandError) throw outcome
      return print(outcome, values, context)
    } finally {
      answer.giveUp()
      await connection.close()
    }
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

// ---------- the answer ----------

interface Answer {
  readonly success?: boolean
  readonly message?: string
  readonly requestId?: string
  readonly data?: unknown
  readonly errors?: readonly { readonly message: string; readonly line?: number; readonly column?: number }[]
  readonly warnings?: readonly unknown[]
}

class ExpectedAnswer {
  readonly #answer: Promise<Answer | CommandError>
  #resolve: (answer: Answer | CommandError) => void = () => {}
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly requestId: string) {
    this.#answer = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Everybody who is subscribed sees all answers: the one with our identifier is ours, and a text without any may be. */
  look({ payload }: ReceivedMessage): void {
    const text = payload.toString('utf8')
    try {
      const answer = JSON.parse(text) as Answer
      if (answer.requestId === this.requestId) this.#resolve(answer)
    } catch {
      this.#resolve({ message: text })
    }
  }

  within(seconds: number): Promise<Answer | CommandError> {
    const late = new CommandError(
      `the broker did not answer within ${seconds} s`,
      'commands.from in its configuration says who may send commands',
    )
    this.#timer = setTimeout(() => this.#resolve(late), seconds * 1_000)
    return this.#answer
  }

  giveUp(): void {
    clearTimeout(this.#timer)
  }
}

/** An answer in plain text does not say whether it is good news. */
function print(answer: Answer, values: OptionValues, { stdout, stderr }: CommandContext): ExitCode {
  const exitCode = answer.success === false ? ExitCode.failed : ExitCode.ok
  if (values.flag('json')) {
    stdout.write(`${JSON.stringify(answer)}\n`)
    return exitCode
  }
  const shown = (text: string): string => (stdout.isTTY === true ? printable(text) : text)
  const main = answer.success === false ? stderr : stdout
  main.write(`${shown(answer.message ?? '')}\n`)
  for (const warning of answer.warnings ?? []) stderr.write(`warning: ${shown(String(warning))}\n`)
  const data = dataText(answer.data)
  if (data !== '') stdout.write(shown(data))
  return exitCode
}

/** Texts as they are, the rest as YAML; nothing for what is empty. */
function dataText(data: unknown): string {
  if (data === undefined || data === null) return ''
  if (typeof data === 'string') return data.endsWith('\n') ? data : `${data}\n`
  return typeof data === 'object' && Object.keys(data).length === 0 ? '' : stringify(data)
}
