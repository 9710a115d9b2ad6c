/**
 * Keeps room on the disk for a file before it is needed. LMDB writes changed pages to new places, so that even a
 * transaction that only deletes may have to grow the file; on a full disk it would fail just when it is wanted most.
 * The end of the file is therefore written ahead with zeros, which LMDB later overwrites in place.
 */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { systemCode } from '../src/base/system-error.js'

const BLOCK = new Uint8Array(256 * 1_024)
/** Written ahead beyond what was asked for, so that most calls find the file long enough. */
const STEP_BYTES = 1_048_576
/** Full disk, quota, limit of this process or of the file system. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export class DiskRoom {
  readonly #file: number
  #fileBytes: number

  /** @param path of a file that exists; nobody else may make it longer while `ensure` runs, or ever shorter */
  constructor(path: string) {
    this.#file = openSync(path, 'r+')
    this.#fileBytes = fstatSync(this.#file).size
  }

  get fileBytes(): number {
    this.#fileBytes = fstatSync(this.#file).size
    return this.#fileBytes
  }

  /** Whether the file was this long when it was last looked at. Asks nobody. */
  has(bytes: number): boolean {
    return this.#fileBytes >= bytes
  }

  /**
   * Makes the file this long, if it is not. What could be written stays where the disk is full.
   * @returns whether it is that long now
   * @throws what the system throws, except for a lack of room
   */
  ensure(bytes: number): boolean {
    if (this.has(bytes)) return true
    const wanted = bytes + STEP_BYTES
    let at = this.fileBytes
    try {
      while (at < wanted) {
        const written = writeSync(this.#file, BLOCK, 0, Math.min(BLOCK.length, wanted - at), at)
        if (written === 0) break
        at += written
      }
    } catch (error) {
      if (!NO_ROOM.has(systemCode(error) ?? '')) throw error
    }
    return this.fileBytes >= bytes
  }

  close(): void {
    closeSync(this.#file)
  }
}
