/**
 * A file whose content is wanted as it is now. What cannot be read or understood leaves the last good content in force,
 * is told once, and is tried again when the file changes.
 */
import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'

const FILE_BYTES_MAX = 1_048_576
const LOOK_MS = 1_000

export class WatchedFile<Content> {
  #content: Content | undefined
  /** Of the file that was read last; a replaced one has another. */
  #signature = ''
  #lookedMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  /**
   * @param parse throws an Error that says what is wrong with it
   * @param onProblem is told why the file is not used
   */
  constructor(
    private readonly path: string,
    private readonly parse: (bytes: Buffer) => Content,
    private readonly onProblem: (reason: string) => void,
  ) {}

  /** @returns undefined where there has never been a good one. Never rejects. */
  async content(nowMs: number): Promise<Content | undefined> {
    if (Math.abs(nowMs - this.#lookedMs) >= LOOK_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
        this.#lookedMs = nowMs
      })
    }
    await this.#looking
    return this.#content
  }

  async #look(): Promise<void> {
    let signature = 'none'
    try {
      const found = await stat(this.path)
      signature = `${found.ino} ${found.size} ${found.mtimeMs}`
      if (signature === this.#signature) return
      if (!found.isFile()) throw new Error('it is no file')
      if (found.size > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`)
      this.#content = this.parse(await readFile(this.path))
    } catch (error) {
      if (signature !== this.#signature) this.onProblem(`${this.path}: ${reasonOf(error)}`)
    }
    this.#signature = signature
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'errno' in error ? systemReason(error) : messageOf(error)
}
