/** `merlot store export` and `import`. */

import { once } from 'node:events'
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ExportCounts } from '../../storage/store-export.js'
import { counted } from '../base/counted.js'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import type { CommandContext, CommandDefinition, OptionValues } from './command.js'
import { CONNECTION_OPTIONS, connectionSettings, namesBroker } from './connection-options.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'
import { withProgress } from './progress.js'
import { STORE_OPTIONS, storeSettings } from './store-options.js'
import type { PublishedCounts } from './store-publish.js'
import { printable } from './sub-output.js'
import { writeTo } from './write-to.js'

export const exportCommand: CommandDefinition = {
  name: 'store export',
  summary: 'Write everything that is stored as lines of JSON, also while the broker runs',
  options: [
    ...STORE_OPTIONS,
    { flags: '-o, --output <file>', kind: 'text', doc: 'file to write (otherwise standard output)' },
  ],
  examples: [
    'merlot store export --data data --output store.jsonl',
    'merlot store export --data data | gzip > store.gz',
  ],
  async run(values, context) {
    const { dataDirectory } = storeSettings(values, context)
    const output = values.text('output')
    const { exportStore } = await import('../../storage/store-export.js')
    let damaged = 0
    const counts = await withProgress('exporting', context, (progress) =>
      withOutput(output === undefined ? undefined : resolve(context.workingDirectory, output), context, (write) =>
        exportStore(dataDirectory, {
          write,
          progress,
          nowMs: Date.now(),
          onDamage: (what) => {
            damaged++
            context.stderr.write(`left out: ${printable(what)}\n`)
          },
        }),
      ),
    )
    context.stderr.write(`exported ${countsText(counts)}\n`)
    if (damaged === 0) return ExitCode.ok
    throw new CommandError(`${counted(damaged, 'damaged value')} could not be exported`, 'the rest is in the export')
  },
}

export const importCommand: CommandDefinition = {
  name: 'store import',
  summary: 'Bring an export into the store of a stopped broker, or its retained messages to a running one',
  argument: { name: 'file', doc: 'what "merlot store export" wrote' },
  ownsH: true,
  options: [
    ...STORE_OPTIONS,
    { flags: '--merge', kind: 'flag', doc: 'add to a store that is not empty; later retained messages win' },
    ...CONNECTION_OPTIONS,
  ],
  examples: ['merlot store import store.jsonl --data restored', 'merlot store import store.jsonl --port 1883'],
  async run(values, context) {
    const file = resolve(context.workingDirectory, values.text('file') ?? '')
    if (namesBroker(values)) return importByMqtt(file, values, context)
    const { dataDirectory, bytesMax } = storeSettings(values, context)
    const { importStore } = await import('../../storage/store-import.js')
    const merge = values.flag('merge')
    const counts = await withProgress('importing', context, (progress) =>
      importStore(file, dataDirectory, { merge, bytesMax, progress }).catch((error: unknown) => {
        throw isInUse(error) ? brokerRuns(error, file) : error
      }),
    )
    const { retainedOlder } = counts
    const older = retainedOlder === 0 ? '' : `; ${counted(retainedOlder, 'older retained message')} left out`
    context.stdout.write(`imported ${countsText(counts)}${older}\n`)
    return ExitCode.ok
  },
}

async function importByMqtt(file: string, values: OptionValues, context: CommandContext): Promise<ExitCode> {
  const other = ['data', 'config', 'merge'].find((name) => values.has(name))
  if (other !== undefined) {
    const remedy = 'the one is for a folder, the other for a broker that runs: keep one of the two'
    throw wrongUsage(`--${other} is given together with a broker to connect to`, remedy)
  }
  const settings = connectionSettings(values, context)
  const { connectToBroker } = await import('./client.js')
  const { publishRetained } = await import('./store-publish.js')
  const connection = await connectToBroker(settings, context)
  try {
    const counts = await withProgress('publishing', context, (update) =>
      publishRetained(file, connection, settings.version, update),
    )
    context.stdout.write(`published ${counted(counts.published, 'retained message')}\n`)
    if (counts.expired > 0) context.stdout.write(`${counts.expired} left out because they have expired\n`)
    if (counts.definitions + counts.sessions + counts.messages > 0) {
      context.stderr.write(
        `${leftOutText(counts)} left out: MQTT cannot express them\n` +
          'stop the broker and import with --data to bring these, too\n',
      )
    }
    return ExitCode.ok
  } finally {
    await connection.close()
  }
}

function countsText({ definitions, sessions, retained, messages }: ExportCounts): string {
  const all = [
    counted(sessions, 'session'),
    counted(retained, 'retained message'),
    counted(messages, 'waiting message'),
  ]
  if (definitions > 0) all.push(counted(definitions, 'definition'))
  return all.join(', ')
}

function leftOutText({ definitions, sessions, messages }: PublishedCounts): string {
  const some = `${counted(sessions, 'session')} and ${counted(messages, 'waiting message')}`
  return definitions > 0 ? `${counted(definitions, 'definition')}, ${some}` : some
}

function isInUse(error: unknown): error is BrokerError<'STORE_IN_USE'> {
  return error instanceof BrokerError && error.code === 'STORE_IN_USE'
}

function brokerRuns(error: BrokerError<'STORE_IN_USE'>, file: string): CommandError {
  const { path, pid } = error.details
  return new CommandError(
    `a broker runs on the data folder ${path} (process ${pid}), and only that one may change its store`,
    `stop it to import everything; or publish the retained messages to it: merlot store import ${file} --port PORT`,
    ExitCode.failed,
    { cause: error },
  )
}

/** A file has its name only when it is complete. @param path undefined for standard output */
async function withOutput<T>(
  path: string | undefined,
  context: CommandContext,
  work: (write: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (path === undefined) {
    return work(async (text) => {
      if (context.stdout.destroyed) throw new CommandError('the reader of the export went away', undefined)
      await writeTo(context.stdout, text)
    })
  }
  const part = `${path}.part`
  try {
    const stream = createWriteStream(part, { mode: 0o600 })
    const failed = once(stream, 'error').then(([error]) => Promise.reject(error as Error))
    failed.catch(() => {}) // whoever writes sees it
    const result = await work((text) => Promise.race([failed, writeTo(stream, text)]))
    stream.end()
    await Promise.race([once(stream, 'close'), failed])
    renameSync(part, path)
    return result
  } catch (error) {
    rmSync(part, { force: true })
    if (error instanceof BrokerError || !(error instanceof Error) || !('code' in error)) throw error
    const remedy = 'check the folder of the file, its rights and the room on its disk'
    throw new CommandError(`cannot write ${path}: ${systemReason(error)}`, remedy, ExitCode.failed, { cause: error })
  }
}
