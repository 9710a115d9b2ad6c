/** Reads what `store export` wrote into the store of a stopped broker: all of it, or nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../src/base/errors.js'
import { makeFolder } from '../src/base/folder.js'
import { type StoreReader, TABLE } from './engine.js'
import { fileLines } from './file-lines.js'
import { lockFolder } from './folder-lock.js'
import { LineProblem } from './line-problem.js'
import { openLmdbEngine } from './lmdb-engine.js'
import { DATA_FILE } from './lmdb-library.js'
import { checkWholeFile, openReadable } from './store-access.js'
import { logsOf } from './store-contents.js'
import { type ImportCounts, StoreFiller } from './store-filler.js'
import { STORE_FOLDER } from './store-folder.js'
import { type HeaderLine, parseHeader, parseLine, type StoreLine } from './store-lines.js'
import { replaceStore } from './store-replace.js'
import type { OnProgress } from './store-verify.js'
import { migrate } from './store-version.js'

export interface ImportOptions {
  /** Add to what is there. */
  readonly merge: boolean
  /** Bytes that the store may take, 0 for no limit. */
  readonly bytesMax: number
  readonly progress?: OnProgress
}

/**
 * Builds a new store, of what is there and of what the file has, which then takes the place of the old one.
 * @throws BrokerError IMPORT_INVALID, STORE_NOT_EMPTY, STORE_IN_USE, STORE_FULL, STORE_DAMAGED, FOLDER_UNUSABLE,
 *   FILE_UNREADABLE: nothing was changed then
 */
export async function importStore(file: string, dataDirectory: string, options: ImportOptions): Promise<ImportCounts> {
  makeFolder(dataDirectory)
  const lock = lockFolder(dataDirectory)
  let counts: ImportCounts | undefined
  try {
    const store = join(dataDirectory, STORE_FOLDER)
    const path = join(store, DATA_FILE)
    const hasStore = existsSync(path)
    if (hasStore) {
      checkWholeFile(path)
      if (!options.merge) await mustBeEmpty(store)
    }
    await replaceStore(dataDirectory, async (folder) => {
      if (hasStore && options.merge) await copyStore(store, folder)
      counts = await fill(folder, file, options)
    })
  } finally {
    lock.release()
  }
  if (counts === undefined) throw new Error('nothing was imported')
  return counts
}

async function fill(folder: string, file: string, { bytesMax, progress }: ImportOptions): Promise<ImportCounts> {
  const engine = openLmdbEngine(folder, { bytesMax, reserveBytes: 0 })
  try {
    migrate(engine, folder)
    let filler: StoreFiller | undefined
    for await (const line of readLines(file, progress)) {
      if (line.header !== undefined) filler = new StoreFiller(engine, line.header)
      else atLine(file, line.number, () => filler?.add(line.line))
    }
    if (filler === undefined) throw new Error('a file has no first line')
    return filler.finish()
  } finally {
    await engine.close()
  }
}

async function copyStore(from: string, to: string): Promise<void> {
  const { reader } = openReadable(from)
  try {
    await reader.copyTo(to)
  } finally {
    await reader.close()
  }
}

async function mustBeEmpty(folder: string): Promise<void> {
  const { reader } = openReadable(folder)
  try {
    const content = contentOf(reader)
    if (content !== undefined) throw new BrokerError('STORE_NOT_EMPTY', { path: folder, content })
  } finally {
    await reader.close()
  }
}

/** @returns undefined for a store without anything that clients or LoT have left there */
function contentOf(reader: StoreReader): string | undefined {
  const messages = logsOf(reader).reduce((sum, log) => sum + reader.count(TABLE.log(log)), 0)
  const [sessions, retained] = [reader.count(TABLE.sessions), reader.count(TABLE.retained)]
  const definitions = reader.count(TABLE.definitions)
  if (messages + sessions + retained + definitions === 0) return undefined
  return `${sessions} sessions, ${retained} retained messages, ${messages} messages that wait, ${definitions} definitions`
}

interface HeaderRead {
  readonly number: number
  readonly header: HeaderLine
  readonly line?: undefined
}
interface LineRead {
  readonly number: number
  readonly header?: undefined
  readonly line: StoreLine
}

/**
 * The lines of an export, checked.
 * @throws BrokerError FILE_UNREADABLE; IMPORT_INVALID for a line that is not valid, and for a file that was cut off
 */
export async function* readLines(file: string, progress?: OnProgress): AsyncGenerator<HeaderRead | LineRead> {
  let number = 0
  let hasEnded = false
  for await (const { text, share } of fileLines(file)) {
    number++
    progress?.(share)
    if (hasEnded) throw invalid(file, number, new LineProblem(AFTER_END))
    if (number === 1) yield { number, header: atLine(file, number, () => parseHeader(text)) }
    else {
      const line = atLine(file, number, () => parseLine(text))
      hasEnded = line.type === 'end'
      yield { number, line }
    }
  }
  if (!hasEnded) throw invalid(file, number + 1, new LineProblem(CUT_OFF))
}

const AFTER_END = 'it comes after the last one of an export'
const CUT_OFF = 'it is missing: the file was cut off'

function invalid(path: string, line: number, problem: LineProblem): BrokerError {
  const { message: reason, advice } = problem
  return new BrokerError('IMPORT_INVALID', { path, line, reason, advice }, { cause: problem })
}

function atLine<T>(path: string, line: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof LineProblem)) throw error
    throw invalid(path, line, error)
  }
}
