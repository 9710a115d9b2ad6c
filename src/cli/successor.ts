/**
 * How a broker ends that can neither go on nor end in order, because a thread of it never ends: by force. If nobody else
 * starts it anew, it starts the process that goes on in its place.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { systemCode } from '../base/system-error.js'

/** `PID TIME`: who started this process to go on in its place, and when, in milliseconds since 1970. */
const PREDECESSOR = 'MERLOT_PREDECESSOR'
/** One that lived no longer than this will not get better by being started anew. */
const AGAIN_MS = 60_000
/** Memory of many gigabytes and a slow disk take their time. */
const PREDECESSOR_MS = 60_000
const LOOK_MS = 5

type Environment = Readonly<Record<string, string | undefined>>

export type Succession = { readonly kind: 'start' } | { readonly kind: 'none'; readonly reason: string }

/** Whether a process that ends by force starts another one. @param nowMs since 1970 */
export function planSuccession(environment: Environment, pid: number, nowMs: number): Succession {
  const predecessor = predecessorIn(environment)
  if (predecessor !== undefined && Math.abs(nowMs - predecessor.endedMs) < AGAIN_MS) {
    return { kind: 'none', reason: `the process before this one ended like this less than ${AGAIN_MS / 1_000} s ago` }
  }
  if (pid === 1) return { kind: 'none', reason: 'as process 1 it ends with all others: the container starts it anew' }
  const manager = ['INVOCATION_ID', 'NOTIFY_SOCKET'].find((name) => environment[name] !== undefined)
  if (manager === undefined) return { kind: 'start' }
  return { kind: 'none', reason: `there is a service manager, which starts it anew (${manager} is set)` }
}

/** Ends this process by SIGKILL; process 1 of a container, which takes none, by SIGABRT. */
export async function endByForce(error: BrokerError, succession: Succession, log: Logger): Promise<never> {
  log.error(error.message, { remedy: error.remedy })
  if (succession.kind === 'none')
    log.warn('ending by force; no other process is started', { reason: succession.reason })
  else {
    try {
      log.warn('ending by force; another process goes on in place of this one', { successor: await startSuccessor() })
    } catch (cause) {
      log.error('ending by force; no other process could be started', { reason: messageOf(cause) })
    }
  }
  if (process.pid === 1) process.abort()
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {}) // the signal comes first
}

/** Waits until the process is gone that this one was started by to go on in its place: it has ports and the store. */
export async function awaitPredecessor(environment: Environment, log: Logger): Promise<void> {
  const predecessor = predecessorIn(environment)
  if (predecessor === undefined) return
  const startMs = performance.now()
  while (isThere(predecessor.pid) && performance.now() - startMs < PREDECESSOR_MS) await sleep(LOOK_MS)
  const ms = Math.round(performance.now() - startMs)
  log.info('going on in place of another process', { predecessor: predecessor.pid, ms })
}

/** @returns its process identifier @throws Error of the system */
async function startSuccessor(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, [PREDECESSOR]: `${process.pid} ${Date.now()}` },
    stdio: 'inherit',
  })
  await once(child, 'spawn')
  return child.pid ?? 0
}

/** Of the parent of this process. A dead one hands its children on, with its last thread and after its files. */
function isThere(parent: number): boolean {
  if (process.ppid !== parent) return false
  try {
    process.kill(parent, 0) // on Windows a dead parent stays the parent
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

function predecessorIn(environment: Environment): { readonly pid: number; readonly endedMs: number } | undefined {
  const found = /^(\d+) (\d+)$/.exec(environment[PREDECESSOR] ?? '')
  return found === null ? undefined : { pid: Number(found[1]), endedMs: Number(found[2]) }
}
