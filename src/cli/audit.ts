/** `merlot audit verify`, `query` and `export`: read the files of a trail, also while a broker writes them. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { AuditKeys } from '../audit/audit-keys.js'
import type { WrittenRecord } from '../audit/audit-line.js'
import { exportLine, exportRecords } from '../audit/export-trail.js'
import { lastRecords, queryTrail, type TrailQuery } from '../audit/query-trail.js'
import { trailFolder } from '../audit/trail-files.js'
import { verifyTrail } from '../audit/verify-trail.js'
import { counted } from '../base/counted.js'
import { readSecretKey } from '../base/secret-key.js'
import { systemCode, systemReason } from '../base/system-error.js'
import { secretKeyPlace } from '../config/secret-key-place.js'
import { AUDIT_KINDS } from '../contracts/audit.js'
import type { CommandContext, CommandDefinition, OptionDefinition, OptionValues } from './command.js'
import { loadFromOptions } from './config-options.js'
import { durationOf } from './duration-option.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'
import { STORE_OPTIONS } from './store-options.js'
import { printable } from './sub-output.js'
import { writeTo } from './write-to.js'

const FOLDER = {
  name: 'folder',
  doc: 'folder of the trail (otherwise that of the configuration)',
  count: 'optional',
} as const

const QUERY_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--since <time>', kind: 'text', doc: 'from a day or time in UTC on, or so long ago: 2025-11-22, "2 hours"' },
  { flags: '--until <time>', kind: 'text', doc: 'before a day or time in UTC, or so long ago' },
  { flags: '--user <name>', kind: 'text', doc: 'of this user' },
  { flags: '--client <identifier>', kind: 'text', doc: 'of this client' },
  { flags: '--kind <kind>', kind: 'choice', choices: AUDIT_KINDS, doc: 'of this kind' },
  { flags: '--contains <text>', kind: 'text', doc: 'with this text somewhere, in any case' },
]

export const auditVerifyCommand: CommandDefinition = {
  name: 'audit verify',
  summary: 'Check that no record of the audit trail was changed, removed or put in; exit code 1 when one was',
  argument: FOLDER,
  options: STORE_OPTIONS,
  examples: ['merlot audit verify --data data', 'merlot audit verify /mnt/copy/audit'],
  async run(values, context) {
    const { folder, keys } = placeOf(values, context)
    const { files, records, breaks, notes } = await verifyTrail(folder, keys)
    for (const { name, records, firstMs, lastMs } of files) {
      const span = records === 0 ? '' : `, ${timeText(firstMs)} to ${timeText(lastMs)}`
      context.stdout.write(`${name}: ${counted(records, 'record')}${span}\n`)
    }
    for (const note of notes) context.stderr.write(`note: ${note}\n`)
    if (breaks.length === 0) {
      context.stdout.write(`${folder}: sound, ${counted(records, 'record')} in ${counted(files.length, 'file')}\n`)
      return ExitCode.ok
    }
    for (const text of breaks) context.stdout.write(`broken: ${text}\n`)
    context.stderr.write(
      `merlot: the audit trail in ${folder} is not as the broker wrote it\n` +
        'keep it as it is, and compare it with a copy; the first line that begins with "broken" is where it was changed\n',
    )
    return ExitCode.failed
  },
}

export const auditQueryCommand: CommandDefinition = {
  name: 'audit query',
  summary: 'Print records of the audit trail; encrypted ones are read with the key of the configuration',
  argument: FOLDER,
  options: [
    ...QUERY_OPTIONS,
    { flags: '--limit <number>', kind: 'integer', min: 1, max: 1_000_000, doc: 'the last ones, so many' },
    { flags: '--json', kind: 'flag', doc: 'one JSON object a line, for programs' },
    ...STORE_OPTIONS,
  ],
  examples: [
    'merlot audit query --kind denial --since "1 hour"',
    'merlot audit query --user ann --since 2025-11-22 --until 2025-11-23 --json',
  ],
  async run(values, context) {
    const line = values.flag('json') ? exportLine : textLine
    const records = await found(values, context)
    const limit = values.integer('limit')
    const shown = limit === undefined ? records : (await lastRecords(records, limit)).records
    let count = 0
    for await (const record of shown) {
      await writeTo(context.stdout, `${line(record)}\n`)
      count++
    }
    if (count === 0) context.stderr.write('note: no record was found\n')
    return ExitCode.ok
  },
}

export const auditExportCommand: CommandDefinition = {
  name: 'audit export',
  summary: 'Write records of the audit trail, decrypted, as lines of JSON into a new file',
  argument: FOLDER,
  options: [
    { flags: '-o, --output <file>', kind: 'text', doc: 'file to write, which must not be there (required)' },
    ...QUERY_OPTIONS,
    ...STORE_OPTIONS,
  ],
  examples: ['merlot audit export --output november.jsonl --since 2025-11-01 --until 2025-12-01'],
  async run(values, context) {
    const output = values.text('output')
    if (output === undefined) throw wrongUsage('there is no file to write to', 'name it with --output')
    const path = resolve(context.workingDirectory, output)
    const count = await exportRecords(await found(values, context), path).catch((error: unknown) => {
      if (systemCode(error) === undefined) throw error
      throw new CommandError(`cannot write ${output}: ${systemReason(error)}`, 'name another file', ExitCode.failed, {
        cause: error,
      })
    })
    context.stdout.write(`${output}: ${counted(count, 'record')}\n`)
    return ExitCode.ok
  },
}

interface TrailPlace {
  readonly folder: string
  /** undefined where there is no key. */
  readonly keys: AuditKeys | undefined
}

/** @throws CommandError where there is no trail, and as `loadConfig` does */
function placeOf(values: OptionValues, context: CommandContext): TrailPlace {
  const { config } = loadFromOptions(values, context)
  const folder = resolve(context.workingDirectory, values.text('folder') ?? trailFolder(config))
  if (!existsSync(folder)) throw wrongUsage(`there is no audit trail in ${folder}`, 'name its folder, or --data')
  const key = readSecretKey(secretKeyPlace(config, context.environment))
  if (typeof key === 'string') context.stderr.write(`note: ${key}\n`)
  return { folder, keys: Buffer.isBuffer(key) ? new AuditKeys(key) : undefined }
}

async function found(values: OptionValues, context: CommandContext): Promise<AsyncIterable<WrittenRecord>> {
  const { folder, keys } = placeOf(values, context)
  const kind = AUDIT_KINDS.find((name) => name === values.text('kind'))
  const query: TrailQuery = {
    sinceMs: timeOf(values.text('since')),
    untilMs: timeOf(values.text('until')),
    kind,
    user: values.text('user'),
    clientId: values.text('client'),
    contains: values.text('contains'),
  }
  const unreadable = (place: string, reason: string): void => {
    context.stderr.write(`note: ${place} cannot be read, and perhaps others of the file: ${reason}\n`)
  }
  return queryTrail(folder, keys, query, { unreadable })
}

/** @returns milliseconds since 1970. @throws CommandError for text that is no time */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const ms = Date.parse(/Z|[+-]\d\d:\d\d$/.test(text) || text.length === 10 ? text : `${text}Z`)
    if (!Number.isNaN(ms)) return ms
    throw wrongUsage(`"${text}" is not a time`, 'write 2025-11-22 or 2025-11-22T08:30:00')
  }
  return Date.now() - (durationOf(text, 'write "90 seconds", "2 days" or 2025-11-22') ?? 0)
}

/** `2025-11-22T08:30:00.000Z denial refused user=ann client=hub from=192.0.2.7:49152 publish a/b (no rule allows it) 3 times` */
function textLine({ timeMs, kind, user, clientId, address, what, success, detail, count }: WrittenRecord): string {
  const words = [
    timeText(timeMs),
    kind,
    success ? 'ok' : 'refused',
    user === '' ? '' : `user=${user}`,
    clientId === '' ? '' : `client=${clientId}`,
    address === '' ? '' : `from=${address}`,
    what,
    detail === '' ? '' : `(${detail})`,
    count === 1 ? '' : `${count} times`,
  ]
  return printable(words.filter((word) => word !== '').join(' '))
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
