/** The memory of a Python that has just started, on disk: starting from it takes a tenth of the time. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../base/folder.js'
import { GUARD_CONFIGURATION, JAVASCRIPT_MODULES } from './allowed-modules.js'
import { GUARD_SOURCE } from './guard-source.js'
import { pyodideVersion } from './pyodide-files.js'

const PREFIX = 'snapshot-'
const HASH_DIGITS = 16

export class SnapshotFile {
  readonly path: string

  /** @param folder where it is kept; made when something is written */
  constructor(readonly folder: string) {
    this.path = join(folder, `${PREFIX}${pyodideVersion()}-${contentHash()}.bin`)
  }

  get exists(): boolean {
    return existsSync(this.path)
  }

  /** Replaces those of other versions. @throws BrokerError FOLDER_UNUSABLE, or the error of the system */
  write(snapshot: Uint8Array): void {
    makeFolder(this.folder)
    for (const name of readdirSync(this.folder)) if (name.startsWith(PREFIX)) rmSync(join(this.folder, name))
    const unfinished = `${this.path}.new`
    writeFileSync(unfinished, snapshot, { mode: 0o600 })
    renameSync(unfinished, this.path)
  }

  remove(): void {
    rmSync(this.path, { force: true })
  }
}

/** Of all that is in the snapshot and ours. */
function contentHash(): string {
  const content = JSON.stringify([GUARD_SOURCE, GUARD_CONFIGURATION, JAVASCRIPT_MODULES])
  return createHash('sha256').update(content).digest('hex').slice(0, HASH_DIGITS)
}
