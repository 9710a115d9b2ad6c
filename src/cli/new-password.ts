/** A password that a user is to get: typed twice without being shown, or from a file or standard input. Never an argument. */
import type { Readable } from 'node:stream'
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'
import { firstLine, readNamedFile } from './connection-options.js'
import { CommandError, wrongUsage } from './exit.js'

export const NEW_PASSWORD_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--new-password-file <file>',
    kind: 'text',
    doc: 'file with the new password in its first line; otherwise it is asked for, or read from standard input',
  },
]

interface Terminal extends Readable {
  readonly isTTY: true
  setRawMode(isRaw: boolean): unknown
}

const BYTES_MAX = 65_536
/** A line ends with return (or Ctrl+J), or with Ctrl+D. */
const END = /^[\r\n\u0004]$/
const CANCEL = '\u0003'
const ERASE = /^[\b\u007f]$/

/** @throws CommandError if there is none, BrokerError FILE_UNREADABLE */
export async function newPassword(values: OptionValues, userName: string, context: CommandContext): Promise<string> {
  const file = values.text('newPasswordFile')
  const password =
    file !== undefined
      ? firstLine(readNamedFile(file, context).toString('utf8'))
      : isTerminal(context.stdin)
        ? await askTwice(context.stdin, userName, context)
        : firstLine(await restOf(context.stdin))
  if (password === '') throw wrongUsage('no password is given', 'type one, or give --new-password-file')
  return password
}

async function restOf(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes > BYTES_MAX) throw wrongUsage('the password from standard input is too long')
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isTerminal(input: Readable): input is Terminal {
  return 'isTTY' in input && input.isTTY === true
}

async function askTwice(terminal: Terminal, userName: string, context: CommandContext): Promise<string> {
  const first = await ask(terminal, `New password of ${userName}: `, context)
  const again = await ask(terminal, 'The same once more: ', context)
  if (first !== again) throw new CommandError('the two passwords are not the same', 'nothing was changed: try again')
  return first
}

/** In raw mode nothing is shown, and Ctrl+C is a character. */
async function ask(terminal: Terminal, question: string, { stderr }: CommandContext): Promise<string> {
  stderr.write(question)
  terminal.setRawMode(true)
  try {
    return await typedLine(terminal)
  } finally {
    terminal.setRawMode(false)
    stderr.write('\n')
  }
}

function typedLine(terminal: Terminal): Promise<string> {
  const typed: string[] = []
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      terminal.off('data', take)
      terminal.off('end', close)
      terminal.pause()
      end()
    }
    const close = (): void => finish(() => reject(new CommandError('no password was typed', undefined)))
    const take = (chunk: Buffer | string): void => {
      const letters = [...chunk.toString()]
      for (const [at, letter] of letters.entries()) {
        if (letter === CANCEL) {
          close()
          return
        }
        if (END.test(letter)) {
          const rest = letters.slice(at + 1).join('')
          finish(() => resolve(typed.join('')))
          if (rest !== '') terminal.unshift(Buffer.from(rest)) // what was pasted together belongs to the next question
          return
        }
        if (ERASE.test(letter)) typed.pop()
        else typed.push(letter)
      }
    }
    terminal.on('data', take)
    terminal.once('end', close)
    terminal.resume()
  })
}
