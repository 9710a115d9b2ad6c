/** One command to a broker and its answer: what `merlot command` and the commands that administer have in common. */
import { randomBytes } from 'node:crypto'
import { stringify } from 'yaml'
import { type AnswerError, problemTexts, type SentFile } from './answer-problems.js'
import type { ReceivedMessage } from './client.js'
import type { CommandContext, OptionDefinition } from './command.js'
import type { ConnectionSettings } from './connection-options.js'
import { CommandError, ExitCode } from './exit.js'
import { printable } from './sub-output.js'

const COMMAND_TOPIC = '$SYS/Coreflux/Command'
const OUTPUT_TOPIC = '$SYS/Coreflux/Command/Output'
/** The one command that has no answer. */
const UNANSWERED = /^--?update-?data\b/i
const TIMEOUT_SECONDS = 60

export const ANSWER_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--json', kind: 'flag', doc: 'print the answer as one line of JSON' },
  {
    flags: '--timeout <seconds>',
    kind: 'integer',
    min: 1,
    max: 86_400,
    doc: 'wait so long for the answer (otherwise 60)',
  },
]

export interface Answer {
  readonly success?: boolean
  readonly message?: string
  readonly requestId?: string
  readonly data?: unknown
  readonly entityType?: string
  readonly entityName?: string
  readonly errors?: readonly AnswerError[]
  readonly warnings?: readonly unknown[]
}

/**
 * @param text of the command, with its dash
 * @param writtenId the identifier that ends the text already; otherwise it gets one
 * @returns undefined for the command that has no answer
 * @throws CommandError when the broker cannot be reached, refuses, or does not answer in time
 */
export async function sendCommand(
  text: string,
  settings: ConnectionSettings,
  context: CommandContext,
  timeoutSeconds = TIMEOUT_SECONDS,
  writtenId?: string,
): Promise<Answer | undefined> {
  const requestId = writtenId ?? randomBytes(6).toString('hex')
  const request = writtenId === undefined ? `${text} -requestId ${requestId}` : text
  const answer = new ExpectedAnswer(requestId)
  const { connectToBroker } = await import('./client.js')
  const connection = await connectToBroker(settings, context, (message, settle) => {
    settle(true)
    answer.look(message)
  })
  try {
    const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
    const none = { subscriptionIdentifier: undefined, userProperties: undefined }
    await connection.subscribe([OUTPUT_TOPIC], { ...options, ...none })
    await connection.publish(COMMAND_TOPIC, Buffer.from(request), { qos: 1, retain: false })
    if (UNANSWERED.test(text)) return undefined
    const outcome = await Promise.race([answer.within(timeoutSeconds), connection.lost])
    if (outcome instanceof CommandError) throw outcome
    return outcome
  } finally {
    answer.giveUp()
    await connection.close()
  }
}

/**
 * @param sent the file that the command has taken, for places in it
 * @returns the exit code that the answer stands for; an answer in plain text does not say whether it is good news
 */
export function printAnswer(answer: Answer, asJson: boolean, context: CommandContext, sent?: SentFile): ExitCode {
  const { stdout, stderr } = context
  const exitCode = answer.success === false ? ExitCode.failed : ExitCode.ok
  if (asJson) {
    stdout.write(`${JSON.stringify(answer)}\n`)
    return exitCode
  }
  const shown = (text: string): string => (stdout.isTTY === true ? printable(text) : text)
  const main = answer.success === false ? stderr : stdout
  main.write(`${shown(answer.message ?? '')}\n`)
  for (const text of problemTexts(answer, sent)) stderr.write(`${shown(text)}\n`)
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
      'it may be busy: wait longer with --timeout',
    )
    this.#timer = setTimeout(() => this.#resolve(late), seconds * 1_000)
    return this.#answer
  }

  giveUp(): void {
    clearTimeout(this.#timer)
  }
}
