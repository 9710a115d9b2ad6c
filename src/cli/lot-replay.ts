/** `merlot lot replay`: what a changed entity would have done with the traffic that was recorded. */

import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { counted } from '../base/counted.js'
import { BrokerError, messageOf } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { messageText } from '../lot-simulator/event-text.js'
import { readRecording } from '../lot-simulator/recording.js'
import { Replay, type ReplayedVersion, type ReplayStep } from '../lot-simulator/replay.js'
import { filterMatches } from '../mqtt/topic-filter.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { CONNECTION_OPTIONS, namesBroker } from './connection-options.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'
import { type Definitions, readDefinitions } from './lot-definitions.js'
import { deployedDefinitions } from './lot-deployed.js'
import { COMPAT_OPTIONS, compatOf, JSON_OPTION } from './lot-options.js'
import { type Outside, openOutside, PYTHON_OPTIONS } from './lot-python.js'
import { OWNER_OPTIONS } from './owner-access.js'

const REPLAY_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--with <file>',
    kind: 'text',
    repeatable: true,
    doc: 'the new LoT: a file or folder (required, repeatable)',
  },
  {
    flags: '--against <file>',
    kind: 'text',
    repeatable: true,
    doc: 'the LoT to compare with: a file or folder (repeatable); options of the connection take it from a broker',
  },
  {
    flags: '--only <filter>',
    kind: 'text',
    repeatable: true,
    doc: 'replay these topics only (repeatable)',
  },
]

export const lotReplayCommand: CommandDefinition = {
  name: 'lot replay',
  summary: 'Run recorded traffic through changed LoT and show what would differ; exit code 1 if something does',
  argument: { name: 'recording', doc: 'what "merlot record" wrote' },
  ownsH: true,
  options: [
    ...REPLAY_OPTIONS,
    ...PYTHON_OPTIONS,
    ...COMPAT_OPTIONS,
    JSON_OPTION,
    ...OWNER_OPTIONS,
    ...CONNECTION_OPTIONS,
  ],
  examples: [
    'merlot lot replay monday.jsonl --with pump-new.lot --against pump.lot',
    "merlot lot replay monday.jsonl --with pump-new.lot -h broker.local --only 'plant/#'",
  ],
  async run(values, context) {
    const names = values.texts('with')
    if (names.length === 0) throw wrongUsage('there is no LoT to replay with', 'name it with --with')
    const compat = compatOf(values)
    const given = await readDefinitions(names, compat, context)
    const against = await older(values, given, context)
    const next = against === undefined ? given : given.withScriptsOf(against)
    const only = values.texts('only')
    const outsides: Outside[] = []
    const versionOf = async (definitions: Definitions): Promise<ReplayedVersion> => {
      const outside = await openOutside(definitions, values, context)
      outsides.push(outside)
      return { deploy: definitions.deployTo.bind(definitions), answer: outside.answer }
    }
    let replay: Replay
    let steps: ReplayStep[]
    try {
      replay = new Replay({
        compat: compat.compat,
        next: await versionOf(next),
        against: against && (await versionOf(against)),
        isInput: (topic) => only.length === 0 || only.some((filter) => filterMatches(filter, topic)),
      })
      steps = await replayFile(values.text('recording') ?? '', replay, context, (step) => {
        if (!values.flag('json')) context.stdout.write(stepText(step))
      })
    } finally {
      for (const outside of outsides) await outside.stop()
    }
    const { replayed, leftOut } = replay
    if (values.flag('json'))
      context.stdout.write(`${JSON.stringify({ replayed, leftOut, steps: steps.map(toJson) }, undefined, 2)}\n`)
    else
      context.stdout.write(
        `${counted(replayed, 'message')} replayed, ${leftOut} left out, ${counted(steps.length, 'difference')}\n`,
      )
    return against !== undefined && steps.length > 0 ? ExitCode.failed : ExitCode.ok
  },
}

async function older(
  values: OptionValues,
  next: Definitions,
  context: CommandContext,
): Promise<Definitions | undefined> {
  const names = values.texts('against')
  if (names.length > 0) return readDefinitions(names, compatOf(values), context)
  return namesBroker(values) || values.has('data') ? deployedDefinitions(next, values, context) : undefined
}

/** @throws BrokerError FILE_UNREADABLE, CommandError for what is no recording */
async function replayFile(
  name: string,
  replay: Replay,
  context: CommandContext,
  onStep: (step: ReplayStep) => void,
): Promise<ReplayStep[]> {
  const steps: ReplayStep[] = []
  const input = createReadStream(resolve(context.workingDirectory, name))
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error) => {
      reject(new BrokerError('FILE_UNREADABLE', { path: name, reason: systemReason(error) }, { cause: error }))
    })
  })
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  const read = async (): Promise<void> => {
    for await (const message of readRecording(lines)) {
      for (const step of replay.take(message)) {
        steps.push(step)
        onStep(step)
      }
    }
  }
  const done = read().catch((error: unknown) => {
    if (error instanceof CommandError) throw error
    throw new CommandError(`${name}: ${messageOf(error)}`, undefined, ExitCode.failed, { cause: error })
  })
  await Promise.race([done, failed])
  return steps
}

function stepText({ atMs, message, differences }: ReplayStep): string {
  const cause =
    message === undefined ? 'timers before' : messageText({ kind: 'publish', ...message, retain: false, qos: 0 })
  return `${new Date(atMs).toISOString()} ${cause}\n${differences.map((line) => `  ${line}\n`).join('')}`
}

function toJson({ atMs, message, differences }: ReplayStep): unknown {
  return { at: new Date(atMs).toISOString(), topic: message?.topic ?? null, differences }
}
