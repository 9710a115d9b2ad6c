/** `merlot store inspect`, `verify`, `compact` and `backup`. storage/ is loaded when one of them runs: it needs LMDB. */

import { resolve } from 'node:path'
import type { StoreReport, ValueReport } from '../../storage/store-verify.js'
import { counted } from '../base/counted.js'
import type { CommandContext, CommandDefinition } from './command.js'
import { ExitCode } from './exit.js'
import { withProgress } from './progress.js'
import { bytesText, STORE_OPTIONS, storeSettings } from './store-options.js'
import { inspectionText } from './store-text.js'
import { printable } from './sub-output.js'

export const inspectCommand: CommandDefinition = {
  name: 'store inspect',
  summary: 'Show what is stored: sessions, waiting and retained messages, the size of the file',
  options: [...STORE_OPTIONS, { flags: '--json', kind: 'flag', doc: 'one JSON object, for programs' }],
  examples: ['merlot store inspect --data data', 'merlot store inspect --data data --json'],
  async run(values, context) {
    const { inspectStore } = await import('../../storage/store-inspect.js')
    const found = await inspectStore(storeSettings(values, context).dataDirectory)
    if (values.flag('json')) context.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
    else for (const line of inspectionText(found)) context.stdout.write(`${line}\n`)
    return ExitCode.ok
  },
}

export const verifyCommand: CommandDefinition = {
  name: 'store verify',
  summary: 'Check every page and every value of the store; exit code 1 when something is damaged',
  options: STORE_OPTIONS,
  examples: ['merlot store verify --data data'],
  async run(values, context) {
    const { dataDirectory } = storeSettings(values, context)
    const { verifyStore } = await import('../../storage/store-verify.js')
    const report = await withProgress('verifying', context, (update) => verifyStore(dataDirectory, update))
    const { pages, ownerPid, values: found, leftOver } = report
    if (ownerPid !== undefined) {
      context.stderr.write(`process ${ownerPid} works with the store: values are checked, pages are not\n`)
    }
    if (report.damaged > 0) return tellDamage(report, dataDirectory, context)
    const checked = pages === undefined ? '' : ` and ${counted(pages, 'page')}`
    context.stdout.write(`${dataDirectory}: sound, ${counted(found, 'value')}${checked}\n`)
    if (leftOver > 0 && ownerPid === undefined) {
      context.stdout.write(`${leftOver} left over from sessions that have ended; the next start clears them\n`)
    }
    return ExitCode.ok
  },
}

export const compactCommand: CommandDefinition = {
  name: 'store compact',
  summary: 'Rewrite the store of a stopped broker into a smaller file',
  options: STORE_OPTIONS,
  examples: ['merlot store compact --data backup'],
  async run(values, context) {
    const { dataDirectory } = storeSettings(values, context)
    const { compactStore } = await import('../../storage/store-copy.js')
    const { bytesBefore, bytesAfter, report } = await withProgress('compacting', context, (update) =>
      compactStore(dataDirectory, update),
    )
    context.stdout.write(`${dataDirectory}: ${bytesText(bytesBefore)} before, ${bytesText(bytesAfter)} now\n`)
    return report.damaged > 0 ? tellDamage(report, dataDirectory, context) : ExitCode.ok
  },
}

export const backupCommand: CommandDefinition = {
  name: 'store backup',
  summary: 'Copy the store to another folder, also while the broker runs',
  argument: { name: 'folder', doc: 'new or empty folder; it becomes a data folder' },
  options: STORE_OPTIONS,
  examples: ['merlot store backup backup --data data'],
  async run(values, context) {
    const { dataDirectory } = storeSettings(values, context)
    const target = resolve(context.workingDirectory, values.text('folder') ?? '')
    const { backUpStore } = await import('../../storage/store-copy.js')
    const { bytes, report } = await withProgress('copying', context, (update) =>
      backUpStore(dataDirectory, target, update),
    )
    context.stdout.write(`${target}: ${bytesText(bytes)}, ${counted(report.values, 'value')}, verified\n`)
    return report.damaged > 0 ? tellDamage(report, target, context) : ExitCode.ok
  },
}

type Damage = ValueReport & Partial<Pick<StoreReport, 'pages'>>

const EXPORT_REMEDY = 'bring back a backup, or export what can be read with "merlot store export"\n'

function tellDamage({ lines, damaged, pages }: Damage, folder: string, context: CommandContext): ExitCode {
  for (const line of lines) context.stdout.write(`damaged: ${printable(line)}\n`)
  if (damaged > lines.length) context.stdout.write(`and ${damaged - lines.length} more\n`)
  context.stderr.write(
    `merlot: the store in ${folder} is damaged in ${counted(damaged, 'place')}\n` +
      // pages that are damaged end the process that reads them: an export refuses
      (pages === 0 ? 'bring back a backup\n' : EXPORT_REMEDY),
  )
  return ExitCode.failed
}
