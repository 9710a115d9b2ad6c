/** What keeps a storm of events from becoming a storm of records: equal ones within a second become one with a count. */
import { addressGroup } from '../base/address.js'
import type { Clock } from '../base/clock.js'
import { type Audit, type AuditEntry, type AuditRecord, hostOf } from '../contracts/audit.js'
import { writtenBytes } from './audit-line.js'
import { ownEntry } from './own-entry.js'

/** Records of one thread and second that differ: those of failures, which anybody can cause, and the others. */
export interface AuditBounds {
  readonly failuresMax: number
  readonly successesMax: number
}

const DEFAULT_BOUNDS: AuditBounds = { failuresMax: 1_000, successesMax: 10_000 }
const WINDOW_MS = 1_000
/** Of one field as it is written: names and topics of clients may have 65,535 bytes, and six for each when escaped. */
const FIELD_BYTES_MAX = 256

type Counted = { -readonly [Field in keyof AuditEntry]: AuditEntry[Field] }

/** Gathers the records of a second. `tick` passes them on when it is over, `flush` at once. */
export class AuditRate implements Audit {
  readonly #entries = new Map<string, Counted>()
  #startedMs = 0
  #failures = 0
  readonly #others = { successes: 0, failures: 0 }

  /** @param take gets what a second has brought, oldest first */
  constructor(
    private readonly clock: Clock,
    private readonly take: (entries: readonly AuditEntry[]) => void,
    private readonly bounds: AuditBounds = DEFAULT_BOUNDS,
  ) {}

  record(record: AuditRecord): void {
    this.tick()
    const timeMs = this.clock.now()
    if (this.#entries.size === 0) this.#startedMs = timeMs
    const key = keyOf(record)
    const held = this.#entries.get(key)
    if (held !== undefined) held.count++
    else if (this.#isFull(record)) this.#others[record.success ? 'successes' : 'failures']++
    else {
      if (!record.success) this.#failures++
      this.#entries.set(key, entryOf(record, timeMs))
    }
  }

  /** To be called now and then. */
  tick(): void {
    const elapsedMs = this.clock.now() - this.#startedMs
    if (elapsedMs >= WINDOW_MS || elapsedMs < 0) this.flush()
  }

  flush(): void {
    if (this.#entries.size === 0) return
    const entries: AuditEntry[] = [...this.#entries.values()]
    for (const success of [true, false]) {
      const count = this.#others[success ? 'successes' : 'failures']
      if (count > 0) entries.push(othersOf(success, count, this.clock.now()))
    }
    this.#entries.clear()
    this.#failures = 0
    this.#others.successes = 0
    this.#others.failures = 0
    this.take(entries)
  }

  #isFull({ success }: AuditRecord): boolean {
    if (success) return this.#entries.size - this.#failures >= this.bounds.successesMax
    return this.#failures >= this.bounds.failuresMax
  }
}

/** Without the address: the port is another one with each connection. Of denials, the topic is that of the first. */
function keyOf(record: AuditRecord): string {
  const { kind, user, clientId, what, success, detail } = record
  if (!success && what === 'connect') return refusedConnectKey(record)
  const doing = kind === 'denial' ? what.split(' ', 1)[0] : what
  return JSON.stringify([kind, success, user, clientId, doing, detail])
}

/**
 * Strangers choose their names, and could be a new client with each CONNECT: those of one address are the same, with the
 * names of the first. A detail may have numbers and quoted words of the client; what is in front of them is the reason.
 */
function refusedConnectKey({ kind, address, detail }: AuditRecord): string {
  return JSON.stringify([kind, 'connect', addressGroup(hostOf(address)), detail.split(/["\d]/, 1)[0]])
}

function entryOf({ kind, user, clientId, address, what, success, detail }: AuditRecord, timeMs: number): Counted {
  return {
    kind,
    user: shortened(user),
    clientId: shortened(clientId),
    address: shortened(address),
    what: shortened(what),
    success,
    detail: shortened(detail),
    timeMs,
    count: 1,
  }
}

/** What came in addition, too much to be told apart. */
function othersOf(success: boolean, count: number, timeMs: number): AuditEntry {
  const detail = 'more records within a second than are told apart'
  return { ...ownEntry(timeMs, 'others', success, detail), count }
}

function shortened(text: string): string {
  const start = text.slice(0, FIELD_BYTES_MAX)
  if (start.length === text.length && writtenBytes(start) <= FIELD_BYTES_MAX) return text
  let bytes = 0
  let end = 0
  for (const character of start) {
    bytes += writtenBytes(character)
    if (bytes > FIELD_BYTES_MAX) break
    end += character.length
  }
  return `${text.slice(0, end)}…`
}
