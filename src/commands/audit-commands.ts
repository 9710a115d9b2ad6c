/** Commands that read the audit trail. What is in it, only those may see who may ask for it: answers are theirs alone. */
import { resolve, sep } from 'node:path'
import type { WrittenRecord } from '../audit/audit-line.js'
import { exportRecords } from '../audit/export-trail.js'
import { lastRecords, type TrailQuery } from '../audit/query-trail.js'
import type { Trail } from '../audit/trail.js'
import { makeFolder } from '../base/folder.js'
import { systemReason } from '../base/system-error.js'
import type { AnswerCommand, CommandServices } from './command.js'
import { failure, type Reply, success } from './envelope.js'

/** Records of one answer, which is one message. */
const RECORDS_MAX = 1_000
const DAY_MS = 86_400_000
const DAY = /^\d{4}-\d\d-\d\d$/
const DISABLED = 'The audit trail is disabled: audit.enabled in the configuration is false'
const BUSY = 'The audit trail is being read already: send this command again later'
const WRONG_DAY = 'The day is written as YYYY-MM-DD'

export const AUDIT_COMMANDS: readonly AnswerCommand[] = [
  {
    name: 'AuditStatus',
    scope: 'LogManagementRead',
    isConfidential: true,
    answer: (_line, { audit }) => statusOf(audit),
  },
  {
    name: 'AuditQuery',
    scope: 'LogManagementRead',
    isConfidential: true,
    answer: ({ rest }, { audit, clock }) => withTrail(audit, (trail) => queryDay(rest, trail, clock.now())),
  },
  {
    name: 'DecryptAudit',
    scope: 'SystemConfiguration',
    isConfidential: true,
    answer: ({ rest }, services) => withTrail(services.audit, (trail) => decrypt(rest, trail, services)),
  },
]

function statusOf(trail: Trail | undefined): Reply {
  if (trail === undefined) return success(DISABLED, { data: { enabled: false, path: null, lastEntryUtc: null } })
  const { path, encrypted, records, hash, lastEntryMs, lost, problem } = trail.status()
  const data = {
    enabled: true,
    path,
    lastEntryUtc: lastEntryMs === undefined ? null : new Date(lastEntryMs).toISOString(),
    encrypted,
    records,
    hash,
    lost,
    problem: problem ?? null,
  }
  const warnings = problem === undefined ? [] : [`The audit trail cannot be written: ${problem}`]
  return success(`${records} records, ${lost} lost.`, { data, warnings })
}

async function withTrail(trail: Trail | undefined, read: (trail: Trail) => Promise<Reply>): Promise<Reply> {
  if (trail === undefined) return failure(DISABLED)
  return trail.isBeingRead ? failure(BUSY) : await read(trail)
}

/** `2025-11-22|publish`: a day in UTC, today where it is left out, and what is in the records. */
async function queryDay(rest: string, trail: Trail, nowMs: number): Promise<Reply> {
  const [written, contains] = partsOf(rest)
  const sinceMs = written === '' ? nowMs - (nowMs % DAY_MS) : startOfDay(written)
  if (sinceMs === undefined) return failure(WRONG_DAY)
  const query = { sinceMs, untilMs: sinceMs + DAY_MS, ...(contains === '' ? {} : { contains }) }
  return await latest(trail, query, ({ seq, timeMs, what, ...record }) => ({
    timestampUtc: new Date(timeMs).toISOString(),
    ...record,
    command: what,
    seq,
  }))
}

/** `2025-11-22|night.jsonl`: all days where none is given; the answer has the records where no file is named. */
async function decrypt(rest: string, trail: Trail, { config }: CommandServices): Promise<Reply> {
  const [written, file] = partsOf(rest)
  const sinceMs = startOfDay(written)
  if (written !== '' && sinceMs === undefined) return failure(WRONG_DAY)
  const query = sinceMs === undefined ? {} : { sinceMs, untilMs: sinceMs + DAY_MS }
  if (file === '') return await latest(trail, query, ({ timeMs, ...record }) => ({ time: new Date(timeMs), ...record }))
  const folder = resolve(config.dataDirectory, 'exports')
  const path = resolve(folder, file)
  if (!path.startsWith(folder + sep) || path.slice(folder.length + 1).includes(sep)) {
    return failure(`Records are exported to files in ${folder}: give the name of a file alone`)
  }
  const notes = new Notes()
  try {
    makeFolder(folder)
    const count = await exportRecords(trail.read(query, notes), path)
    return success(`${count} records exported to ${path} successfully.`, { data: { path, count }, ...notes.warnings() })
  } catch (error) {
    return failure(`The records could not be exported to ${path}: ${systemReason(error)}`)
  }
}

async function latest(trail: Trail, query: TrailQuery, view: (record: WrittenRecord) => unknown): Promise<Reply> {
  const notes = new Notes()
  const { records, total } = await lastRecords(trail.read(query, notes), RECORDS_MAX)
  const more = total > records.length ? `, of which these are the last ${records.length}` : ''
  const message = total === 0 ? 'No records.' : `${total} records${more}.`
  return success(message, { data: records.map(view), ...notes.warnings() })
}

class Notes {
  readonly #lines: string[] = []

  unreadable(place: string, reason: string): void {
    this.#lines.push(`${place}: ${reason}`)
  }

  warnings(): Pick<Reply, 'warnings'> {
    return { warnings: this.#lines }
  }
}

function partsOf(rest: string): readonly [before: string, after: string] {
  const at = rest.indexOf('|')
  return at === -1 ? [rest.trim(), ''] : [rest.slice(0, at).trim(), rest.slice(at + 1).trim()]
}

/** UTC. @returns undefined for text that is no day */
function startOfDay(text: string): number | undefined {
  const ms = DAY.test(text) ? Date.parse(`${text}T00:00:00.000Z`) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
