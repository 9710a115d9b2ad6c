/** Notices that files have changed, however that came about: written in place, renamed over, or behind another link. */
import { statSync } from 'node:fs'

export class FileChanges {
  #known: string
  #last: string

  /** @param lookAt tells two states of a file apart */
  constructor(
    readonly paths: readonly string[],
    private readonly lookAt: (path: string) => string = stateOf,
  ) {
    this.#known = this.#look()
    this.#last = this.#known
  }

  /** What is there now counts as known. To be called before the files are read, so that no change falls in between. */
  markKnown(): void {
    this.#known = this.#look()
    this.#last = this.#known
  }

  /** @returns whether there is something new that was the same the last time: nobody is in the middle of writing it */
  hasSettledChange(): boolean {
    const now = this.#look()
    const hasSettled = now === this.#last && now !== this.#known
    this.#last = now
    return hasSettled
  }

  #look(): string {
    return this.paths.map(this.lookAt).join('|')
  }
}

/** Of the file that a link leads to. */
function stateOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}
