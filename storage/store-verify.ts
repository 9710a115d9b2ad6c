/** Looks through all values of a store: whether each can be read, and whether they fit together. */
import { join } from 'node:path'
import { BrokerError } from '../src/base/errors.js'
import { Progress } from '../src/contracts/storage.js'
import { filterProblem } from '../src/mqtt/topic-filter.js'
import { isValidTopicName } from '../src/mqtt/topic-name.js'
import { storedDefinitions } from './definitions.js'
import { type StoreReader, TABLE } from './engine.js'
import { NUMBER_KEY_BYTES } from './keys.js'
import { checkStoreFile } from './lmdb-check.js'
import { partsOf } from './message-parts.js'
import { aliveMsOf, metaOf, openReadable, storePath, tryLock } from './store-access.js'
import {
  logsOf,
  storedMessages,
  storedReceived,
  storedRetained,
  storedSessions,
  storedSubscriptions,
} from './store-contents.js'
import { STORE_FOLDER } from './store-folder.js'
import { ALIVE_KEY } from './writer.js'

/** Names of facts that are numbers as bytes: storage/high-water.ts. */
const MARK = /^(?:(?:sequence|session)\.\d+|stamp)$/
/** Lines of what is damaged that are kept: the rest is counted. */
const DAMAGE_LINES_MAX = 100

export interface ValueReport {
  /** Damaged values in all. */
  readonly damaged: number
  /** What they are; the first of them. */
  readonly lines: readonly string[]
  /** Values in all. */
  readonly values: number
  /** Entries of sessions that have ended, which a broker that was killed leaves behind. The next start clears them. */
  readonly leftOver: number
}

export interface StoreReport extends ValueReport {
  /** undefined while a broker is at work: its pages change under the eyes of whoever reads them. */
  readonly pages: number | undefined
  readonly ownerPid: number | undefined
}

/** @param share from 0 to 1 */
export type OnProgress = (share: number) => void

/**
 * Pages are the first half of the progress, values the second.
 * @throws BrokerError STORE_MISSING, STORE_TOO_NEW, FOLDER_UNUSABLE; FILE_UNREADABLE
 */
export async function verifyStore(dataDirectory: string, progress: OnProgress): Promise<StoreReport> {
  const path = storePath(dataDirectory)
  const lock = tryLock(dataDirectory)
  const ownerPid = typeof lock === 'number' ? lock : undefined
  try {
    let pages: number | undefined
    if (ownerPid === undefined) {
      const check = checkStoreFile(path, (share) => progress(share / 2))
      // values are not read from a file that could end the process
      if (check.kind === 'damaged') return pagesDamaged(check.reason)
      pages = check.pagesUsed + check.pagesFree
    }
    const { reader } = openReadable(join(dataDirectory, STORE_FOLDER))
    try {
      return { ...verifyValues(reader, (share) => progress((1 + share) / 2)), pages, ownerPid }
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'STORE_DAMAGED') {
      return pagesDamaged(String((error as BrokerError<'STORE_DAMAGED'>).details.reason))
    }
    throw error
  } finally {
    if (typeof lock !== 'number') lock.release()
  }
}

function pagesDamaged(reason: string): StoreReport {
  return { damaged: 1, lines: [reason], values: 0, leftOver: 0, pages: 0, ownerPid: undefined }
}

/** Also of a store that changes meanwhile. */
export function verifyValues(reader: StoreReader, progress: OnProgress = () => {}): ValueReport {
  const check = new ValueCheck(reader, progress)
  check.run()
  return check
}

class ValueCheck implements ValueReport {
  damaged = 0
  values = 0
  leftOver = 0
  readonly lines: string[] = []
  readonly #sessions = new Set<number>()
  readonly #clientIds = new Set<string>()
  readonly #total: number
  readonly #damage = (what: string): void => {
    if (++this.damaged <= DAMAGE_LINES_MAX) this.lines.push(what)
    this.#count()
  }

  constructor(
    readonly reader: StoreReader,
    readonly progress: OnProgress,
  ) {
    this.#total = reader.tables.reduce((sum, table) => sum + reader.count(table), 0)
  }

  run(): void {
    const { reader } = this
    this.#checkMeta()
    for (const _ of storedDefinitions(reader, this.#damage)) this.#count()
    // last to first of what refers to what: what comes meanwhile is for sessions that are there by then
    const logs = logsOf(reader)
    const referring: number[] = []
    for (const { session, subscription } of storedSubscriptions(reader, this.#damage)) {
      referring.push(session)
      const problem = filterProblem(subscription.filter)
      if (problem === undefined) this.#count()
      else this.#damage(`the subscription ${subscription.filter} of session ${session}: ${problem}`)
    }
    for (const { session } of storedReceived(reader, this.#damage)) {
      referring.push(session)
      this.#count()
    }
    this.#checkSessions()
    this.leftOver += referring.filter((session) => !this.#sessions.has(session)).length
    this.#checkRetained()
    for (const log of logs) this.#checkLog(log)
    this.progress(1)
  }

  #checkMeta(): void {
    const alive = this.reader.get(TABLE.meta, ALIVE_KEY)
    if (alive !== undefined && aliveMsOf(this.reader) === undefined) {
      this.#damage('the time when the broker was last alive cannot be read')
    }
    for (const { key, value } of this.reader.range(TABLE.meta)) {
      const name = Buffer.from(key).toString()
      if (name === 'probe' || name === ALIVE_KEY.toString()) continue
      const isGood = MARK.test(name) ? value.length === NUMBER_KEY_BYTES : metaOf(this.reader, key) !== undefined
      if (isGood) this.#count()
      else this.#damage(`the fact ${name} cannot be read`)
    }
  }

  #checkSessions(): void {
    for (const { number, clientId } of storedSessions(this.reader, this.#damage)) {
      this.#sessions.add(number)
      if (this.#clientIds.has(clientId)) this.#damage(`${clientId} has two sessions`)
      else this.#count()
      this.#clientIds.add(clientId)
    }
  }

  #checkRetained(): void {
    for (const { message } of storedRetained(this.reader, this.#damage)) {
      const { topic } = partsOf(message)
      if (isValidTopicName(topic)) this.#count()
      else this.#damage(`the retained message of "${topic}", which is no topic`)
    }
  }

  #checkLog(log: number): void {
    for (const { message, sequence, receivers } of storedMessages(this.reader, log, this.#damage)) {
      if (isValidTopicName(partsOf(message).topic)) this.#count()
      else this.#damage(`message ${sequence} of log ${log} is for "${partsOf(message).topic}", which is no topic`)
      for (const { session, progress } of receivers) {
        if (progress !== Progress.DONE && !this.#sessions.has(session)) this.leftOver++
      }
    }
  }

  #count(): void {
    this.values++
    if ((this.values & 0xfff) === 0) this.progress(Math.min(1, this.values / Math.max(1, this.#total)))
  }
}
