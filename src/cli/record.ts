/** `merlot record`: writes down what is published, for `merlot lot replay`. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { counted } from '../base/counted.js'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { recordingLine } from '../lot-simulator/recording.js'
import { filterProblem } from '../mqtt/topic-filter.js'
import type { MessageHandler } from './client.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { CONNECTION_OPTIONS, qosOf } from './connection-options.js'
import { durationOf } from './duration-option.js'
import { ExitCode, wrongUsage } from './exit.js'
import { ADMIN_OPTIONS, adminSettings } from './owner-access.js'
import { StopSignals } from './stop-signals.js'

const ALL = '#'

const RECORD_OPTIONS: readonly OptionDefinition[] = [
  { flags: '-f, --filter <filter>', kind: 'text', repeatable: true, doc: 'topics to record (otherwise #; repeatable)' },
  { flags: '-o, --output <file>', kind: 'text', doc: 'file to write (otherwise standard output)' },
  { flags: '-q, --qos <qos>', kind: 'integer', min: 0, max: 2, doc: 'highest quality of service wanted (otherwise 0)' },
  { flags: '-C, --count <number>', kind: 'integer', min: 1, max: 1_000_000_000, doc: 'end after so many messages' },
  { flags: '--duration <time>', kind: 'text', doc: 'end after this time, such as "10 minutes"' },
]

export const recordCommand: CommandDefinition = {
  name: 'record',
  summary: 'Write down what is published, for merlot lot replay',
  ownsH: true,
  options: [...RECORD_OPTIONS, ...ADMIN_OPTIONS, ...CONNECTION_OPTIONS],
  examples: [
    "merlot record --filter 'plant/#' --output monday.jsonl --duration '10 minutes'",
    'merlot record -h broker.local --count 1000 --output traffic.jsonl',
  ],
  async run(values, context) {
    const filters = values.has('filter') ? values.texts('filter') : [ALL]
    for (const filter of filters) {
      const problem = filterProblem(filter)
      if (problem !== undefined) throw wrongUsage(`"${filter}" is not a topic filter: ${problem}`)
    }
    const durationMs = durationOf(values.text('duration'))
    const settings = adminSettings(values, context)
    const output = await openOutput(values.text('output'), context)
    const recorder = new Recorder(output, values.integer('count') ?? Number.POSITIVE_INFINITY)
    const signals = new StopSignals(process)
    const { connectToBroker } = await import('./client.js')
    try {
      const connection = await connectToBroker(settings, context, recorder.handler)
      try {
        await connection.subscribe(filters, subscription(values))
        context.stderr.write(`recording ${filters.join(', ')}\n`)
        const timer = new AbortController()
        const ends: Promise<unknown>[] = [recorder.complete, signals.first, connection.lost]
        if (durationMs !== undefined) ends.push(after(durationMs, timer.signal))
        const end = await Promise.race(ends)
        timer.abort()
        if (end instanceof Error) throw end
      } finally {
        await connection.close()
      }
    } finally {
      signals.close()
      await finish(output, context)
    }
    context.stderr.write(`recorded ${counted(recorder.recorded, 'message')}\n`)
    return ExitCode.ok
  },
}

function subscription(values: OptionValues) {
  return {
    qos: qosOf(values.integer('qos')),
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: undefined,
    userProperties: undefined,
  }
}

/** Writes messages, up to the number wanted; the next one is taken when there is room for it. */
class Recorder {
  /** Resolves when all messages wanted are there, or nobody takes them any more. */
  readonly complete: Promise<void>
  recorded = 0
  #resolve = (): void => {}

  constructor(
    readonly output: Writable,
    readonly wanted: number,
  ) {
    this.complete = new Promise((resolve, reject) => {
      this.#resolve = resolve
      output.once('error', reject)
    })
    this.complete.catch(() => {}) // seen by whoever waits for it
  }

  readonly handler: MessageHandler = (message, settle) => {
    if (this.recorded === this.wanted) return settle(false)
    this.recorded++
    const proceed = (): void => {
      settle(true)
      if (this.recorded === this.wanted) this.#resolve()
    }
    if (this.output.write(recordingLine({ atMs: Date.now(), ...message }))) proceed()
    else this.output.once('drain', proceed)
  }
}

async function openOutput(name: string | undefined, context: CommandContext): Promise<Writable> {
  if (name === undefined) return context.stdout
  const file = createWriteStream(resolve(context.workingDirectory, name))
  try {
    await once(file, 'open')
  } catch (error) {
    throw new BrokerError('FILE_UNREADABLE', { path: name, reason: systemReason(error) }, { cause: error })
  }
  return file
}

async function finish(output: Writable, { stdout }: CommandContext): Promise<void> {
  if (output === stdout || output.destroyed) return
  output.end()
  await once(output, 'close')
}

function after(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}
