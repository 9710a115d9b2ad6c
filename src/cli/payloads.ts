/** Where the payloads of `pub` come from. */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { CommandContext, OptionValues } from './command.js'
import { readNamedFile } from './connection-options.js'
import { wrongUsage } from './exit.js'

const SOURCES = ['message', 'file', 'stdin', 'lines', 'empty']

/**
 * The payloads in order; those of standard input are read when they are asked for.
 * @throws CommandError unless exactly one source is given, BrokerError FILE_UNREADABLE
 */
export function payloadsOf(values: OptionValues, context: CommandContext): Iterable<Buffer> | AsyncIterable<Buffer> {
  const given = SOURCES.filter((name) => values.has(name))
  const choice = `give one of ${SOURCES.map((name) => `--${name}`).join(', ')}`
  if (given.length === 0) throw wrongUsage('no payload is given', choice)
  if (given.length > 1) throw wrongUsage(`--${given[0]} and --${given[1]} are both given`, choice)
  const file = values.text('file')
  if (file !== undefined) return [readNamedFile(file, context)]
  if (values.flag('stdin')) return wholeOf(context.stdin)
  if (values.flag('lines')) return linesOf(context.stdin)
  return [Buffer.from(values.text('message') ?? '')]
}

async function* wholeOf(input: Readable): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer))
  yield Buffer.concat(chunks)
}

async function* linesOf(input: Readable): AsyncGenerator<Buffer> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) yield Buffer.from(line)
}
