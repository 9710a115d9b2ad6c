/** A file that says which process works in a data folder, so that no second one does. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../src/base/errors.js'
import { systemCode, systemReason } from '../src/base/system-error.js'

const LOCK_FILE = 'lock'
const ATTEMPTS_MAX = 10
/** Where a file cannot have two names. */
const NO_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'])

export interface FolderLock {
  /** For others to take. Nothing happens when the file is no longer ours. */
  release(): void
}

interface Owner {
  readonly pid: number
  /** When the process started, as the system counts it: tells it from a later one with this number. */
  readonly started: string
}

/**
 * Takes the folder for this process. What a dead process left behind is taken over, and so is what this process holds
 * itself: a thread that was started anew does not find the lock of the one before it closed.
 * @throws BrokerError STORE_IN_USE, FOLDER_UNUSABLE
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, LOCK_FILE)
  const text = `${JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner)}\n`
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (create(path, text)) return { release: () => release(path, text) }
      const found = textOf(path)
      if (found === text) return { release: () => release(path, text) }
      const owner = ownerIn(found)
      if (owner !== undefined && isRunning(owner))
        throw new BrokerError('STORE_IN_USE', { path: folder, pid: owner.pid })
      remove(path, found)
    }
  } catch (error) {
    if (error instanceof BrokerError) throw error
    throw new BrokerError('FOLDER_UNUSABLE', { path: folder, reason: systemReason(error) }, { cause: error })
  }
  throw new BrokerError('FOLDER_UNUSABLE', { path: folder, reason: `its file ${LOCK_FILE} keeps changing` })
}

/** Makes the file with its content in one step. @returns whether there was none */
function create(path: string, text: string): boolean {
  const own = `${path}.${process.pid}`
  writeFileSync(own, text, { mode: 0o600 })
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    if (!NO_LINKS.has(systemCode(error) ?? '')) throw error
    return createWithoutLink(path, text)
  } finally {
    rmSync(own, { force: true })
  }
}

function createWithoutLink(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Takes a stale file away, but not the one that another process put there in the meantime. */
function remove(path: string, stale: string | undefined): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  if (textOf(aside) !== stale) renameSync(aside, path)
  else rmSync(aside, { recursive: true, force: true })
}

function release(path: string, text: string): void {
  if (textOf(path) === text) rmSync(path, { force: true })
}

/** @returns undefined for what is not a file that can be read */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

function ownerIn(text: string | undefined): Owner | undefined {
  try {
    const { pid, started } = JSON.parse(text ?? '') as Partial<Owner>
    return Number.isSafeInteger(pid) && typeof started === 'string' ? { pid: Number(pid), started } : undefined
  } catch {
    return undefined
  }
}

function isRunning({ pid, started }: Owner): boolean {
  // a lock of this process with another start is that of an earlier process with the same number, as in containers
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false
  }
  return startOf(pid) === started && !isZombie(pid)
}

/** Dead with all its threads, and its parent has not asked how it ended. */
function isZombie(pid: number): boolean {
  const fields = statOf(pid)
  const [state, threads] = [fields[0], fields[17]]
  return state === 'Z' && threads === '1'
}

/** In ticks since boot; empty where the system does not tell. */
function startOf(pid: number): string {
  return statOf(pid)[19] ?? ''
}

/** What Linux tells of a process, from the third field on; empty where the system does not tell. */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // the name of the program comes second and may hold anything
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
