/** Lower priority for a single thread that keeps others waiting. Linux alone has it: elsewhere nothing happens. */
import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'

const NOT_KNOWN = 0

/** Of the calling thread, as the system numbers threads; 0 where that is not known. */
export function ownThreadNumber(): number {
  if (process.platform !== 'linux') return NOT_KNOWN
  try {
    return Number(/^\d+\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? NOT_KNOWN)
  } catch {
    return NOT_KNOWN // no /proc here
  }
}

/**
 * The thread runs when no other has something to do, or nearly so. It cannot be raised again without the rights of root.
 * @param thread as `ownThreadNumber` has told it
 */
export function lowerPriority(thread: number): void {
  if (thread === NOT_KNOWN) return
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW)
  } catch {
    // it has ended meanwhile, or the system forbids it: it goes on as before
  }
}

export function hasLowPriority(thread: number): boolean {
  if (thread === NOT_KNOWN) return false
  try {
    return getPriority(thread) === constants.priority.PRIORITY_LOW
  } catch {
    return false
  }
}
