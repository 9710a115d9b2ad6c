/**
 * Notices when this process has no file descriptor left. Nobody says so by itself: Node.js closes connections at once then
 * that the operating system has accepted, and their clients try again and again.
 */
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import type { Logger } from '../base/log.js'
import { systemCode } from '../base/system-error.js'
import { Counter, type Counters } from '../contracts/counters.js'

/** A shortage that lasts is told of this often. */
const REPEAT_MS = 60_000

export class DescriptorWatch {
  /** When the shortage was told of last; undefined while there is none. */
  #toldMs: number | undefined

  /** @param isShort looks whether one can be had */
  constructor(
    readonly counters: Counters,
    readonly log: Logger,
    readonly isShort: () => boolean = hasNone,
  ) {}

  /** Call it now and then, in one thread: descriptors are those of the process. */
  check(nowMs: number): void {
    if (!this.isShort()) {
      if (this.#toldMs !== undefined) this.log.info('there are file descriptors again: new connections are accepted')
      this.#toldMs = undefined
      return
    }
    if (this.#toldMs === undefined) this.counters[Counter.descriptorShortages]++
    else if (nowMs - this.#toldMs < REPEAT_MS) return
    this.#toldMs = nowMs
    this.log.error('no file descriptor is left: new connections are closed at once', {
      remedy: 'raise the limit of open files (ulimit -n, LimitNOFILE of systemd), or lower connection.connectionsMax',
    })
  }
}

function hasNone(): boolean {
  try {
    closeSync(openSync(devNull, 'r'))
    return false
  } catch (error) {
    const code = systemCode(error)
    return code === 'EMFILE' || code === 'ENFILE'
  }
}
